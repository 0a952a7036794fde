#!/usr/bin/env python3
"""Secrets: the key and the passphrase are nowhere they do not belong

Not in any output at any level, not in an argument, an environment, a log, and
not in the memory of a process that talks to a device.
"""
import base64
import os
import plistlib
import re
import shutil
import stat

import bench
import memory
from bench import Terminal, fault, locked_identity, identity, ours, path

INSTALL = dict(at="mcinstall", request="InstallProfileSilent")


# ---- what is checked ----------------------------------------------------------------

def outputs(s):
    s.topic("no output at any level holds a secret")
    with bench.Bench([ours("known"), ours("new", paired=False),
                      ours("no", faults=[fault("error", **INSTALL)]),
                      bench.device("asks", trust="accept")]) as b:
        b.run("pair", "-u", b.udids["new"], *locked_identity())
        record = plistlib.loads(b.read_record(b.udids["new"]))
        for key in ("HostPrivateKey", "RootPrivateKey"):
            bench._note_key(record[key].decode())
        bag = record["EscrowBag"]
        bench.secrets().extend([bag.hex(), base64.b64encode(bag).decode()])
        s.check("there are secrets to look for", len(bench.secrets()) > 60, len(bench.secrets()))
        b.on("new", "unpair")
        for level in ([], ["-v"], ["-vv"], ["-vvv"], ["-vvvvv"], ["--json", "-vvv"]):
            for command in (["apply", "-a"], ["verify", "-a"], ["show", "-a"], ["plan", "-a"],
                            ["remove", "-a"], ["list"], ["pair", "-a"]):
                run = b.run(*(command + level + locked_identity()))
                s.check("%s %s: nothing of the key, the passphrase or a pair record" %
                        (" ".join(command), " ".join(level)),
                        not [x for x in bench.secrets() if x in run.out + run.err] and
                        "PRIVATE" not in run.out + run.err, run.all())
        said = b.run("show", "-u", b.udids["known"], "--json")
        s.check("a certificate is shown by its fingerprint alone",
                "BEGIN CERT" not in said.out and '"sha256":"' in said.out, said.out)


def failures(s):
    s.topic("a secret that is wrong is not shown either")
    wrong = "Xaver's Hund heißt 42"
    bench.write("almost", wrong + "\n")
    bench.secrets().append(wrong)
    # A key in the place of a passphrase, a passphrase in the place of an identity.
    rows = [
        ("a wrong passphrase", ["-i", path("acme.p12"), "--passphrase-file", path("almost")]),
        ("a key file as the passphrase", ["-i", path("acme.p12"), "--passphrase-file",
                                          path("acme.key")]),
        ("a passphrase file as the identity", ["-i", path("almost")]),
        ("a certificate and a passphrase as its key", ["-i", path("acme.crt") + "," +
                                                       path("almost")]),
        ("a key as a profile", ["--profile", path("acme.key")]),
        ("a key as the configuration", ["--config", path("acme.key")]),
    ]
    for sentence, args in rows:
        for level in ([], ["-vvv"], ["--json"]):
            run = bench.run("apply", *(args + level))
            s.check("%s %s: refused, and not shown" % (sentence, " ".join(level)),
                    run.code in (65, 66, 77) and "BEGIN" not in run.out + run.err and
                    not [x for x in bench.secrets() if x in run.out + run.err], run.all())


def processes(s):
    s.topic("processes: what they are told, and what they hold")
    wanted = memory.needles()
    with bench.Bench([ours("slow", faults=[fault("hang", **INSTALL)])]) as b:
        run = b.start("apply", "--json", "--timeout", 50, *locked_identity())
        s.check("a job hangs after the key was used",
                bench.until(lambda: "mcinstall/InstallProfileSilent" in b.requests()))
        members = bench.family(run.pid)
        s.equal("a command, its signer and its worker", len(members), 3)
        for pid in members:
            for what in ("cmdline", "environ"):
                text = memory.read(pid, what)
                told = [x for x in bench.secrets() if text and x.encode() in text]
                s.check("no secret in %s of %s" % (what, role(run, pid)), not told, told)
        for pid in members:
            limits = (memory.read(pid, "limits") or b"").decode()
            if pid != run.pid:
                s.check("%s leaves no core file" % role(run, pid),
                        re.search(r"Max core file size +0 +0", limits), limits)
        signer, worker = min(members[1:]), max(members[1:])
        confined = (memory.read(worker, "status") or b"").decode()
        s.check("the worker cannot gain privileges", re.search(r"NoNewPrivs:\s1", confined), confined)
        if bench.SLOW <= 1:     # sanitizers need more calls than a worker may make
            s.check("  and its system calls are filtered", re.search(r"Seccomp:\s2", confined),
                    confined)
        files = [os.readlink("/proc/%d/fd/%s" % (worker, fd))
                 for fd in os.listdir("/proc/%d/fd" % worker)]
        s.check("the worker has neither the identity nor the passphrase file open",
                not [f for f in files if "acme" in f or f.endswith("/pw")], files)
        ends = [os.readlink("/proc/%d/fd/%d" % (worker, fd)) for fd in (0, 1, 2)]
        # A sanitizer writes its findings to stderr.
        s.equal("nor what is typed, nor the output that others' results go to",
                ends[:2] if bench.SLOW > 1 else ends, ["/dev/null"] * (2 if bench.SLOW > 1 else 3))
        held = {pid: memory.holds(pid, wanted) for pid in members}
        if None in held.values():
            print("skipped: this user may not read the memory of its processes")
        elif bench.SLOW > 1:
            print("skipped: a sanitizer keeps what was freed")
        else:
            s.check("the signer holds the key, so the search can find it",
                    memory.in_use() <= held[signer], held)
            s.equal("the worker, which talks to the device, holds neither key nor passphrase",
                    held[worker], set())
            s.equal("the command, which reads what the worker says, neither", held[run.pid], set())
            s.check("the signer has forgotten the passphrase", "passphrase" not in held[signer],
                    held[signer])
        run.signal(bench.signal.SIGTERM)
        run.finish()


def role(run, pid):
    return "the command" if pid == run.pid else "its child"


def prompts(s):
    s.topic("the prompt")
    with bench.Bench([ours("one")]) as b:
        env = {"USBMUXD_SOCKET_ADDRESS": "UNIX:" + b.socket}
        t = Terminal(["verify", "-i", path("acme.p12")], env,
                     [("assphrase", bench.PASSPHRASE + "\n")])
        s.equal("the passphrase is asked for on the terminal, and taken", t.code, 1)
        s.check("  and not echoed", bench.PASSPHRASE not in t.text and
                bench.PASSPHRASE[:8] not in t.text, t.text)
        t = Terminal(["verify", "-i", path("acme.p12")], env, [("assphrase", "no\n")])
        s.check("a wrong one is 77", t.code == 77, (t.code, t.text))
        t = Terminal(["verify", "-i", path("acme.p12")], env, [("assphrase", "\x03")])
        s.check("Ctrl-C at the prompt is 130", t.code == 130, (t.code, t.text))
    for args in (["--passphrase", "hunter2"], ["--passphrase=hunter2"], ["--password", "hunter2"]):
        run = bench.run("apply", "-i", path("acme.p12"), *args)
        s.equal("there is no option %s: a passphrase is never an argument" % args[0], run.code, 64)
        s.check("  and it is not repeated", "hunter2" not in run.out + run.err, run.all())
    for name in ("CHAPERONE_PASSPHRASE", "CHAPERONE_PASSWORD", "PASSPHRASE"):
        run = bench.run("apply", "-i", path("acme.p12"), env={name: bench.PASSPHRASE})
        s.equal("nor is it read from %s" % name, run.code, 77)


def written(s):
    s.topic("files that hold a key")
    for name, args in (("n.p12", ["--passphrase-file", path("pw")]),
                       ("n.pem", ["--passphrase-file", path("pw")]),
                       ("clear.pem", ["--no-encryption"])):
        old = os.umask(0)
        try:
            run = bench.run("identity", "create", "--organization", "New", "-o", path(name), *args)
        finally:
            os.umask(old)
        s.equal("%s is its owner's alone, whatever the umask" % name,
                (run.code, oct(stat.S_IMODE(os.stat(path(name)).st_mode))), (0, "0o600"))
        with open(path(name), "rb") as f:
            content = f.read()
        s.equal("  its key is in clear exactly when that was asked for",
                b"-----BEGIN PRIVATE KEY-----" in content, name == "clear.pem")


def written_elsewhere(s):
    s.topic("what lies where a key is to be written")
    clear = ["identity", "create", "--organization", "New", "--no-encryption", "-o"]

    def content(name):
        with open(path(name)) as f:
            return f.read()
    bench.write("victim", "mine\n")
    os.symlink(path("victim"), path("to-victim.pem"))
    os.symlink(path("nowhere"), path("to-nowhere.pem"))
    os.link(path("victim"), path("twin.pem"))
    for name, what in (("to-victim.pem", "a link"), ("to-nowhere.pem", "a link to what is not there"),
                       ("twin.pem", "another name of a file")):
        run = bench.run(*clear, path(name))
        s.equal("%s is not followed, and not written over: 73" % what, run.code, 73)
        run = bench.run(*clear, path(name), "--overwrite")
        s.check("  and with --overwrite it is replaced, not followed",
                run.code == 0 and not os.path.islink(path(name)) and "PRIVATE KEY" in content(name) and
                stat.S_IMODE(os.stat(path(name)).st_mode) == 0o600, run.all())
    s.equal("  what they led to is as it was",
            (content("victim"), os.path.exists(path("nowhere"))), ("mine\n", False))
    os.mkdir(path("wide"))
    os.chmod(path("wide"), 0o777)
    run = bench.run(*clear, path("wide/k.pem"))
    s.check("a folder in which anybody could exchange it: 77, and nothing is there",
            run.code == 77 and not os.listdir(path("wide")), run.all())
    run = bench.run(*clear, path("wide/k.pem"), "--allow-loose-files")
    s.equal("  unless told", (run.code, os.listdir(path("wide"))), (0, ["k.pem"]))
    os.chmod(path("wide"), 0o500)
    run = bench.run(*clear, path("wide/n.pem"))
    s.check("a folder that is not to be written to leaves nothing half-done",
            os.geteuid() == 0 or (run.code == 73 and os.listdir(path("wide")) == ["k.pem"]), run.all())
    os.chmod(path("wide"), 0o700)


def loose(s):
    s.topic("a key or passphrase file that others read")
    for name in ("acme.pem", "acme.p12", "acme.key", "pw"):
        shutil.copy(path(name), path("loose-" + name))
    rows = [
        ("a key in clear", ["identity", "show", "-i", path("loose-acme.pem")], "loose-acme.pem"),
        ("a .p12", ["identity", "show", "-i", path("loose-acme.p12"), "--passphrase-file", path("pw")],
         "loose-acme.p12"),
        ("a key beside its certificate",
         ["identity", "show", "-i", path("acme.crt") + "," + path("loose-acme.key")], "loose-acme.key"),
        ("a passphrase", ["identity", "show", "-i", path("acme.p12"), "--passphrase-file",
                          path("loose-pw")], "loose-pw"),
        ("the key of an agent", ["agent", "-i", path("loose-acme.pem"), "--socket", path("ag")],
         "loose-acme.pem"),
        ("the passphrase of what is written", ["identity", "export", "-i", path("acme.pem"),
         "--out-passphrase-file", path("loose-pw"), "-o", path("x.p12")], "loose-pw"),
    ]
    for sentence, args, name in rows:
        for mode in (0o640, 0o604, 0o666):
            os.chmod(path(name), mode)
            run = bench.run(*args)
            s.check("%s, mode %04o: 77" % (sentence, mode), run.code == 77 and
                    "read by others (mode %04o)" % mode in run.err and "chmod 600" in run.err, run.all())
        if args[0] == "identity" and args[1] == "show":
            run = bench.run(*(args + ["--allow-loose-files"]))
            s.equal("  unless told", run.code, 0)
        os.chmod(path(name), 0o600)


def folders(s):
    s.topic("a key or passphrase file that anybody can exchange")
    os.mkdir(path("open"))
    for name in ("acme.pem", "acme.p12", "pw"):
        shutil.copy(path(name), path("open/" + name))
    os.symlink(path("open/acme.pem"), path("link.pem"))
    os.symlink(path("acme.pem"), path("open/link.pem"))
    rows = [
        ("a key there", 0o777, 77, ["-i", path("open/acme.pem")]),
        ("a passphrase there", 0o777, 77,
         ["-i", path("acme.p12"), "--passphrase-file", path("open/pw")]),
        ("a link to one", 0o777, 77, ["-i", path("link.pem")]),
        ("a link that lies there", 0o777, 77, ["-i", path("open/link.pem")]),
        ("a key there, if told", 0o777, 0, ["-i", path("open/acme.pem"), "--allow-loose-files"]),
        ("where names belong to their makers", 0o1777, 0, ["-i", path("open/acme.pem")]),
        ("in a folder of one's own", 0o755, 0, ["-i", path("open/acme.pem")]),
    ]
    for sentence, mode, code, args in rows:
        os.chmod(path("open"), mode)
        run = bench.run("identity", "show", *args)
        s.check("%s: %d" % (sentence, code), run.code == code, run.all())


def main():
    s = bench.begin("confidential")
    bench.make_identities()
    outputs(s)
    failures(s)
    processes(s)
    prompts(s)
    written(s)
    written_elsewhere(s)
    loose(s)
    folders(s)
    s.end()


main()

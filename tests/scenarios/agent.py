#!/usr/bin/env python3
"""The agent: what it signs and for whom, what it refuses, and where the key is

The packets are written here once more, from crypto/signrequest.h, so that what
no command of ours would send is sent too.
"""
import os
import re
import signal
import socket
import stat
import struct

import bench
import memory
from bench import Run, fault, locked_identity, identity, ours, path

PAIRING, ESCALATION, SEAL, STATEMENT, PROFILE, CERTIFICATE = 1, 2, 3, 4, 5, 16
REFUSES = 1
UDID = "00008030-001122334455667E"
NOBODY = 65534
INSTALL = dict(at="mcinstall", request="InstallProfileSilent")


# ---- an agent, and packets to it ------------------------------------------------------

class Agent(Run):
    def __init__(self, name, *args, identity_args=None, expect="signs as", **more):
        self.path = path(name)
        more.setdefault("env", {})
        super().__init__(["agent", *(identity_args or identity()), "--socket", self.path, *args],
                         wait=False, **more)
        if expect:
            self.wait_for(expect)

    def stop(self):
        self.signal(signal.SIGTERM)
        self.finish()
        return self.code


def connect(name):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(bench.ANSWER_SECONDS)
    s.connect(name)
    return s


def packet(purpose, device, challenge, magic=b"CHAG", version=1, length=None):
    body = device.encode().ljust(64, b"\0") + challenge
    return magic + struct.pack(">HHI", version, purpose, len(body) if length is None else length) \
        + body


def send(name, data):
    """(status, body) of the answer; None when there is none."""
    with connect(name) as s:
        try:
            s.send(data)
            answer = s.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            return None
    if len(answer) < 12 or answer[:4] != b"CHRA":
        return None
    return struct.unpack(">H", answer[6:8])[0], answer[12:]


def as_user(uid, groups, function):
    """What function says, as somebody else; only root can know."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups(groups)
            os.setgid(uid)
            os.setuid(uid)
            said = repr(function())
        except BaseException as e:      # whatever it is, it is the answer
            said = repr(e)
        os.write(w, said.encode())
        os._exit(0)
    os.close(w)
    with os.fdopen(r, "rb") as f:
        said = f.read().decode()
    os.waitpid(pid, 0)
    return said


# ---- what is checked ---------------------------------------------------------------------

def commands(s, b, a):
    s.topic("commands: the agent's identity is as good as a file")
    agent = ["-i", "agent:" + a.path]
    show = [bench.run("identity", "show", "--json", *i).lines[0] for i in (agent, identity())]
    s.equal("identity show tells the same certificate", show[0]["sha256"], show[1]["sha256"])
    s.equal("pair", b.on("new", "pair", *agent).word(), "compliant 0")
    s.equal("apply", b.on("new", "apply", *agent).word(), "compliant 0")
    for env in ({"CHAPERONE_AGENT": a.path}, {"CHAPERONE_AGENT": "agent:" + a.path},
                {"CHAPERONE_IDENTITY": "agent:" + a.path}):
        s.equal("verify by %s" % list(env)[0], b.on("new", "verify", env=env).word(), "compliant 0")
    s.equal("remove", b.on("new", "remove", env={"CHAPERONE_AGENT": a.path}).word(), "compliant 0")
    seal = bench.run("ledger", "seal", "-o", path("head.p7s"), *agent)
    s.equal("ledger seal", seal.code, 0)
    s.check("  which openssl accepts", bench.openssl(
        "cms", "-verify", "-binary", "-inform", "DER", "-in", path("head.p7s"), "-CAfile",
        path("acme.crt"), "-purpose", "any", "-out", path("head.json")) in (None, True))
    built = bench.run("profile", "build", "--sign", "agent:" + a.path, "-o", path("x.mobileconfig"))
    s.equal("profile build --sign", built.code, 0)
    s.has("  by Acme", bench.run("profile", "show", path("x.mobileconfig")).out, "Acme")
    taken = bench.run("identity", "export", "--no-encryption", "-o", path("k.pem"), *agent)
    s.check("its key cannot be taken out", taken.code == 64 and not os.path.exists(path("k.pem")),
            taken.all())
    said = a.so_far()[1]
    short = "…" + b.udids["new"][-8:]
    for what in ("pairing challenge of " + short, "escalation challenge of " + short, "seal",
                 "profile"):
        s.check("it says that it signed: %s" % what, re.search("signed: %s, for user" % what, said),
                said)


def refusals(s, a):
    s.topic("requests: one shape, and nothing else")
    digest, document = b"\x01" * 32, b"  <?xml version='1.0'?><plist/>"
    good = send(a.path, packet(PAIRING, UDID, b"\x8a\x01\xf3"))
    s.check("a challenge is signed", good and good[0] == 0 and good[1][0] == 0x30, good)
    s.equal("the longest too", send(a.path, packet(PAIRING, UDID, b"\x8a" * 1024))[0], 0)
    s.equal("a document's digest is signed", send(a.path, packet(STATEMENT, "", digest))[0], 0)
    rows = [
        ("a challenge of 1025 bytes", packet(PAIRING, UDID, b"\x8a" * 1025), "too long"),
        ("a megabyte", packet(PAIRING, UDID, b"\x8a" * 100000), "too long"),
        ("a challenge of nothing", packet(PAIRING, UDID, b""), "no request"),
        ("a challenge of no device", packet(PAIRING, "", b"\x8a"), "no request"),
        ("a device with a blank", packet(PAIRING, "a b", b"\x8a"), "no request"),
        ("a device of 64 characters", packet(PAIRING, "a" * 64, b"\x8a"), "no request"),
        ("bytes behind the device's NUL", packet(PAIRING, "a\0b", b"\x8a"), "no request"),
        ("a purpose of 0", packet(0, UDID, b"\x8a"), "no request"),
        ("a purpose too many", packet(6, UDID, b"\x8a"), "no request"),
        ("a seal for a device", packet(SEAL, UDID, digest), "no request"),
        ("a seal that is no digest", packet(SEAL, "", digest + b"\x01"), "no request"),
        ("a certificate, and a challenge", packet(CERTIFICATE, "", b"\x8a"), "no request"),
        ("the magic of a worker", packet(PAIRING, UDID, b"\x8a", magic=b"CHRQ"), "no request"),
        ("another version", packet(PAIRING, UDID, b"\x8a", version=2), "no request"),
        ("a length of 4 GiB", packet(PAIRING, UDID, b"\x8a", length=0xffffffff), "no request"),
        ("a header alone", b"CHAG\0\1\0\1\0\0\0\0", "no request"),
        ("one byte", b"x", "no request"),
        ("a profile as a challenge", packet(ESCALATION, UDID, document), "document"),
    ]
    for sentence, data, why in rows:
        answer = send(a.path, data)
        s.check("%s is refused: %s" % (sentence, why),
                answer and answer[0] == REFUSES and why in answer[1].decode(), answer)
    s.equal("and it still signs", send(a.path, packet(SEAL, "", digest))[0], 0)


def users(s):
    s.topic("users: this one and root, and a group that was named")
    if os.geteuid() != 0:
        print("skipped: only root can be somebody else")
        return
    os.chmod(bench.folder(), 0o755)
    request = packet(CERTIFICATE, "", b"")
    a = Agent("mine")
    s.equal("the socket is its owner's alone", oct(stat.S_IMODE(os.stat(a.path).st_mode)), "0o600")
    s.has("  so that others do not even connect", as_user(NOBODY, [], lambda: send(a.path, request)),
          "PermissionError")
    os.chmod(a.path, 0o666)
    said = as_user(NOBODY, [], lambda: send(a.path, request))
    s.check("should they connect, the kernel tells on them", said.startswith("(%d, b'this user may "
            % REFUSES), said)
    s.has("  and that is told", a.so_far()[1], "refused: request, of user %d" % NOBODY)
    s.equal("it ends when it is stopped", a.stop(), 0)
    s.check("  and takes its socket away", not os.path.exists(a.path))
    a = Agent("ours", "--group", "daemon")
    s.equal("with --group the socket is the group's too",
            oct(stat.S_IMODE(os.stat(a.path).st_mode)), "0o660")
    s.check("  whose members are served", as_user(NOBODY, [1], lambda: send(a.path, request))
            .startswith("(0, "), a.so_far())
    os.chmod(a.path, 0o666)
    s.check("  and others are not", as_user(NOBODY, [], lambda: send(a.path, request))
            .startswith("(%d, " % REFUSES), a.so_far())
    s.equal("  (it is stopped)", a.stop(), 0)
    squatter = path("open")
    os.mkdir(squatter)
    os.chmod(squatter, 0o1777)
    said = as_user(NOBODY, [], lambda: fake_agent(squatter + "/s"))
    s.equal("somebody else made a socket where an agent was looked for", said, "None")
    run = bench.run("identity", "show", "-i", "agent:" + squatter + "/s")
    s.check("  and is not believed", run.code == 77 and "nothing entitles" in run.err, run.all())
    os.chmod(bench.folder(), 0o700)


def fake_agent(name):
    """Listens, in a process that outlives this one until the bench ends."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind(name)
    s.listen(4)
    os.chmod(name, 0o666)
    if os.fork() == 0:
        os.close(1)
        os.close(2)
        for fd in range(3, 64):
            if fd != s.fileno():
                try:
                    os.close(fd)
                except OSError:
                    pass
        s.settimeout(bench.RUN_SECONDS)
        try:
            s.accept()[0].recv(1)
        finally:
            os._exit(0)


def limits(s, b):
    s.topic("limits: how often, and how long")
    a = Agent("seldom", "--max-rate", 1, "--json", expect='"ready"')
    agent = ["-i", "agent:" + a.path]
    s.equal("one signature a minute: the first is made", b.on("known", "apply", *agent).word(),
            "compliant 0")
    run = b.on("known", "remove", *agent)
    s.equal("the second is not, and the verdict says so", run.word(), "failed/unsigned 3")
    s.has("  in words", run.result.get("error", {}).get("message", ""), "more than 1 signatures")
    run = bench.run("ledger", "seal", *agent)
    s.check("  nor for a seal", run.code == 77 and "more than 1" in run.err, run.all())
    a.stop()
    events = [(e["event"], e.get("purpose")) for e in a.lines]
    s.equal("it told all of it", [e for e in events if e[0] != "told"],
            [("ready", None), ("signed", "escalation"), ("refused", "escalation"), ("refused", "seal"),
             ("stopped", None)])
    s.equal("  with the device", [e["device"] for e in a.lines if e.get("purpose") == "escalation"],
            2 * [b.udids["known"]])
    run = bench.run("verify", *agent)
    s.check("an agent that is not there is 69", run.code == 69 and "chaperone agent" in run.err,
            run.all())


def names(s):
    s.topic("names: one agent for a path, and nobody else's")
    a = Agent("one")
    second = Agent("one", expect=None).finish()
    s.check("a second one does not take its place", second.code == 73 and "already" in second.err,
            second.all())
    s.equal("  which still works", send(a.path, packet(CERTIFICATE, "", b""))[0], 0)
    os.kill(a.pid, signal.SIGKILL)
    a.process.wait()
    s.check("one that was killed leaves its name", os.path.exists(a.path))
    a = Agent("one")
    s.equal("  which the next one takes over", send(a.path, packet(CERTIFICATE, "", b""))[0], 0)
    s.equal("  (it is stopped)", a.stop(), 0)
    bench.write("file", "x")
    os.mkdir(path("loose"))
    os.chmod(path("loose"), 0o777)
    rows = [
        ("a file that is no socket", 73, "file", []),
        ("a folder that everybody writes to", 77, "loose/s", []),
        ("a folder in a folder that is not there", 73, "no/no/s", []),
        ("a path too long for a socket", 64, "x" * 120, []),
        ("a rate of 0", 64, "r", ["--max-rate", 0]),
        ("an idle time of nothing", 64, "r", ["--idle-timeout", "soon"]),
        ("a group that is not there", 64, "r", ["--group", "no-such-group"]),
        ("an agent of an agent", 64, "r", ["-i", "agent:" + path("one")]),
        ("no key", 66, "r", ["-i", path("none.p12")]),
    ]
    for sentence, code, name, args in rows:
        run = Agent(name, *args, expect=None).finish()
        s.check("%s is %d" % (sentence, code), run.code == code, run.all())
    s.check("whoever fails leaves no name behind", not os.path.exists(path("r")))
    with open(path("file")) as f:
        s.equal("  and takes none away", f.read(), "x")


def services(s):
    s.topic("systemd: its socket, and its being told")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path("unit"))
    listener.listen(8)
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(path("notify"))
    heard.settimeout(bench.ANSWER_SECONDS)
    program = bench.CHAPERONE

    def handed_over(variables, **more):
        bench.CHAPERONE = bench.write("wrapper", "#!/bin/sh\n%s exec %s \"$@\" 3<&%d\n"
                                      % (variables, program, listener.fileno()), 0o700)
        try:
            return Agent("unused", pass_fds=[listener.fileno()], **more)
        finally:
            bench.CHAPERONE = program

    def hears(word):
        while (said := heard.recv(200)) != word:
            if said != b"WATCHDOG=1":
                return said
        return word

    a = handed_over("LISTEN_FDS=1 LISTEN_PID=$$", expect=None, env={
        "NOTIFY_SOCKET": path("notify"), "WATCHDOG_USEC": "200000"})
    s.equal("systemd hears that it is ready", hears(b"READY=1"), b"READY=1")
    s.equal("  and that it lives", heard.recv(200), b"WATCHDOG=1")
    s.equal("it serves the socket it was given", send(path("unit"), packet(CERTIFICATE, "", b""))[0], 0)
    s.equal("  and lives on", heard.recv(200), b"WATCHDOG=1")
    s.equal("  and ends", a.stop(), 0)
    s.equal("systemd hears that, too", hears(b"STOPPING=1"), b"STOPPING=1")
    s.check("the socket's name stays: it is systemd's", os.path.exists(path("unit")))
    a = handed_over("LISTEN_FDS=1 LISTEN_PID=1")
    s.equal("one that was handed to another is not ours",
            (send(a.path, packet(CERTIFICATE, "", b""))[0], a.stop()), (0, 0))
    a = handed_over("LISTEN_FDS=2 LISTEN_PID=$$", expect="hands over 2")
    s.equal("nor are two one", a.finish().code, 64)
    listener.close()


def key(s, b):
    s.topic("the key is in one process, which talks to nobody but the agent")
    a = Agent("key", identity_args=locked_identity())
    run = b.start("apply", "--json", "--timeout", 50, "-u", b.udids["slow"], "-i", "agent:" + a.path)
    s.check("a job hangs after the key was used",
            bench.until(lambda: "mcinstall/InstallProfileSilent" in b.requests("slow")))
    agents, workers = bench.family(a.pid), bench.family(run.pid)
    s.equal("an agent is two processes, a command three: itself, its relay and its worker",
            (len(agents), len(workers)), (2, 3))
    wanted = memory.needles()
    held = {pid: memory.holds(pid, wanted) for pid in agents + workers}
    if None in held.values():
        print("skipped: this user may not read the memory of its processes")
    elif bench.SLOW > 1:
        print("skipped: a sanitizer keeps what was freed")
    else:
        holder = agents[1]
        s.check("the one behind the agent holds every number of the key, so the search can find it",
                memory.in_use() <= held[holder], held[holder])
        s.check("  and no more text or passphrase", not held[holder] & {"passphrase", "PEM"},
                held[holder])
        for pid, who in [(a.pid, "the agent, which reads requests"), (run.pid, "the command")] + \
                [(pid, "its worker or relay") for pid in workers[1:]]:
            s.equal("%s holds nothing of it" % who, held[pid], set())
    limits_of = (memory.read(agents[1], "limits") or b"").decode()
    s.check("it leaves no core file", re.search(r"Max core file size +0 +0", limits_of), limits_of)
    locked = re.search(r"VmLck:\s+(\d+) kB", (memory.read(agents[1], "status") or b"").decode())
    room = re.search(r"Max locked memory +(\S+)", limits_of)
    if room and room.group(1) != "unlimited" and int(room.group(1)) < 1 << 20:
        print("skipped: this user may lock hardly any memory")
    else:
        s.check("its memory for keys is locked", locked and int(locked.group(1)) >= 256, locked)
    run.signal(signal.SIGTERM)
    run.finish()
    s.equal("the agent outlives the command", a.stop(), 0)


def end_of_slow_and_idle(s, a, silent):
    s.topic("who asks nothing is not waited for")
    s.equal("a client that said nothing is let go", silent.recv(1), b"")
    s.has("  which is told", a.so_far()[1], "too slow")
    s.equal("an agent that nobody asks ends by itself", a.finish().code, 0)
    s.check("  and says why", "nobody asked" in a.err and not os.path.exists(a.path), a.all())


def main():
    s = bench.begin("agent")
    bench.make_identities()
    idle = Agent("idle", "--idle-timeout", "6s")
    silent = connect(idle.path)
    with bench.Bench([ours("known"), ours("new", paired=False),
                      ours("slow", faults=[fault("hang", **INSTALL)])]) as b:
        a = Agent("agent", identity_args=locked_identity())
        commands(s, b, a)
        refusals(s, a)
        s.equal("it is stopped", a.stop(), 0)
        limits(s, b)
        key(s, b)
    names(s)
    users(s)
    services(s)
    end_of_slow_and_idle(s, idle, silent)
    s.end()


main()

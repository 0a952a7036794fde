#!/usr/bin/env python3
"""Exit codes of the command as a whole, and what stdout holds then

Under --json it is one chaperone.error/1 and nothing else, without it nothing at
all; stderr has the message and, in a second line, what to do.
"""
import os
import subprocess

import bench
from bench import identity, locked_identity, ours, path, run, write


class Row:
    def __init__(self, sentence, code, args, message=None, hint=None, env=(), stdin=None):
        self.__dict__.update(locals())


def usage():
    return [Row(*row) for row in (
        ("no command is no request", 64, [], "no command"),
        ("an unknown command", 64, ["aply"], "did you mean apply", "--help"),
        ("an unknown command unlike any other", 64, ["frobnicate"], "unknown command frobnicate"),
        ("an unknown option", 64, ["list", "--frob"], "unknown option --frob"),
        ("an option cut short", 64, ["apply", "--prof", "x"], "did you mean --profile?"),
        ("an option cut short, with its value", 64, ["--timeo=3", "apply"], "did you mean --timeout?"),
        ("an unknown letter", 64, ["list", "-Z"], "unknown option -Z"),
        ("an option without its value", 64, ["apply", "--timeout"], "--timeout needs a value"),
        ("a number that is none", 64, ["apply", "--timeout", "soon"], "--timeout takes a number"),
        ("a number out of range", 64, ["list", "-j", "0"], "--jobs takes a number from 1"),
        ("a negative timeout", 64, ["list", "--timeout=-1"], "--timeout takes a number"),
        ("an option of another command", 64, ["list", "--preset", "imessage-off"],
         "--preset does not go with list"),
        ("an option of pair for apply", 64, ["apply", "--dialog"], "--dialog does not go"),
        ("an argument where none is taken", 64, ["list", "everything"], "takes no argument"),
        ("all and one exclude each other", 64, ["apply", "-a", "-u", "x"], "exclude each other"),
        ("both ends of a time", 64, ["apply", "--for", "8h", "--until", "15:30"],
         "--for and --until exclude each other"),
        ("a duration that is none", 64, ["apply", "--for", "a while"], "is no duration",
         "say 8h, 45m"),
        ("a duration of nothing", 64, ["apply", "--for", "0h"], "is no duration"),
        ("a time that is none", 64, ["apply", "--until", "25:00"], "is no time", "15:30"),
        ("a day that is none", 64, ["apply", "--until", "2027-02-30T10:00:00Z"], "is no time"),
        ("a time that is over", 64, ["apply", "--until", "2001-01-01T00:00:00Z"], "is over"),
        ("an unknown preset", 64, ["apply", "--preset", "imesage-off"], "imesage-off"),
        ("--removable for a profile file", 64,
         ["apply", "--profile", "x.mobileconfig", "--removable"], "a profile file has its own"),
        ("usbmuxd's address in no known form", 64, ["list"], "USBMUXD_SOCKET_ADDRESS",
         "silently use the system's socket", {"USBMUXD_SOCKET_ADDRESS": "/run/usbmuxd"}),
        ("an identity that nobody wants to write", 64,
         ["identity", "create", "--organization", "A"], "needs -o FILE"),
        ("an identity for nobody", 64, ["identity", "create", "-o", "x.p12"],
         "needs --organization"),
        ("a device that a script did not name", 64, ["apply", "-u", ""], "--udid is empty", "a variable"),
        ("a profile that a script did not name", 64, ["remove", ""], "an argument is empty"),
        ("the same of a number", 64, ["list", "--jobs="], "--jobs is empty"),
        ("a seal of a ledger that is not there", 66,
         ["ledger", "seal", "--ledger", path("typo.db")] + identity(), "typo.db"),
        ("a family of commands", 64, ["profile"], "presets, build, lint"),
        ("too few bits", 64, ["identity", "create", "--organization", "A", "--bits", "512"],
         "--bits takes a number from 2048", "chaperone identity create --help"),
    )]


def files():
    write("empty.p12", b"")
    write("noise.p12", os.urandom(600))
    write("noise.mobileconfig", os.urandom(600))
    write("text.mobileconfig", "this is no profile\n")
    write("dict.mobileconfig", '<plist version="1.0"><dict><key>a</key><true/></dict></plist>')
    write("bad.yaml", "identity: [what, is, this]\n")
    write("odd.yaml", "frobnicate: 3\n")
    write("typo.yaml", "jobs: 4\n\n# a comment\nprivacy:\n  namse: hash\n")
    write("many.yaml", "jobs: 1000\n")
    write("wrong", "not the passphrase\n")
    write("loose.pem", open(path("acme.pem")).read(), 0o644)
    write("loosepw", bench.PASSPHRASE + "\n", 0o644)
    write("cert-only.pem", open(path("acme.crt")).read())
    write("mixed.key", open(path("other.key")).read())
    os.makedirs(path("folder"), exist_ok=True)
    acme = ["-i", path("acme.p12")]
    return [Row(*row) for row in (
        ("an identity file that is not there", 66, ["apply", "-i", path("none.p12")], "none.p12"),
        ("a passphrase file that is not there", 66,
         ["apply"] + acme + ["--passphrase-file", path("none")], "none"),
        ("a profile that is not there", 66, ["apply", "--profile", path("none.mobileconfig")],
         "none.mobileconfig"),
        ("a named configuration that is not there", 66, ["list", "--config", path("none.yaml")],
         "none.yaml"),
        ("an identity file that is empty", 65, ["apply", "-i", path("empty.p12")]),
        ("an identity file of noise", 65, ["apply", "-i", path("noise.p12")]),
        ("a certificate without its key", 65, ["apply", "-i", path("cert-only.pem")]),
        ("a key of another certificate", 65,
         ["apply", "-i", path("acme.crt") + "," + path("mixed.key")]),
        ("a profile of noise", 65, ["apply", "--profile", path("noise.mobileconfig")]),
        ("a profile of prose", 65, ["apply", "--profile", path("text.mobileconfig")]),
        ("a property list that is no profile", 65, ["apply", "--profile", path("dict.mobileconfig")]),
        ("a configuration of another shape", 65, ["list", "--config", path("bad.yaml")],
         "bad.yaml"),
        ("a configuration with a key nobody knows", 65, ["list", "--config", path("odd.yaml")],
         "line 1, column 1: unknown key frobnicate"),
        ("a key misspelt, further down", 65, ["list", "--config", path("typo.yaml")],
         "line 5, column 3: unknown key namse; did you mean names?"),
        ("a number out of range", 65, ["list", "--config", path("many.yaml")],
         "jobs is a number up to 512"),
        ("a key that others can read", 77, ["apply", "-i", path("loose.pem")], None, "chmod"),
        ("a passphrase that others can read", 77,
         ["apply"] + acme + ["--passphrase-file", path("loosepw")], None, "chmod"),
        ("the wrong passphrase", 77, ["apply"] + acme + ["--passphrase-file", path("wrong")],
         "passphrase"),
        ("no passphrase and no terminal to ask on", 77, ["apply"] + acme, "passphrase"),
        ("an identity into a folder that is not there", 73,
         ["identity", "create", "--organization", "A", "--no-encryption", "-o",
          path("no/where.pem")], "where.pem"),
        ("an identity over a file that is there", 73,
         ["identity", "create", "--organization", "A", "--no-encryption", "-o", path("acme.pem")],
         "acme.pem"),
        ("no usbmuxd", 69, ["list"], "usbmuxd cannot be reached", "is usbmuxd running?"),
        ("no usbmuxd for a change either", 69, ["apply"] + identity(), "usbmuxd cannot be reached",
         "is usbmuxd running?"),
        ("no usbmuxd to watch", 69, ["watch"], "usbmuxd cannot be reached", "is usbmuxd running?"),
        ("a configured identity that cannot be loaded is not gone without", 66, ["verify"],
         "gone.p12", None, {"CHAPERONE_IDENTITY": path("gone.p12")}),
    )]


def judge(s, row, runner=run):
    told = runner(*(["--json"] + row.args), env=dict(row.env))
    if not s.equal("%s is exit %d" % (row.sentence, row.code), told.code, row.code):
        print(told.all())
    s.equal("  stdout is one chaperone.error/1 and nothing else",
            [line.get("schema") for line in told.lines] + [len(told.out.splitlines())],
            ["chaperone.error/1", 1])
    e = told.result
    s.equal("  which repeats the code", e.get("exit"), row.code)
    s.quiet("%s: a message of one line" % row.sentence,
            e.get("message") and "\n" not in e["message"], told.out)
    if row.message:
        s.has("  and says what", e.get("message") or "", row.message)
    if row.hint:
        s.has("  and what to do", e.get("hint") or "", row.hint)
    s.has("  stderr says the same for people", told.err,
          "chaperone: %s" % (e.get("message") or "?"))
    if s.quiet("%s: what to do, in one line" % row.sentence,
            e.get("hint") and "\n" not in e["hint"], told.out):
        s.has("  with the hint in a line of its own", told.err, "\n  hint: %s\n" % e["hint"])
    plain = runner(*row.args, env=dict(row.env))
    s.equal("  without --json stdout is empty, and the code the same", (plain.out, plain.code),
            ("", row.code))


def no_device(s):
    s.topic("no device")
    with bench.Bench([ours("gone", unplugged=True)]) as b:
        for command in ("show", "verify", "plan", "apply", "remove", "pair", "unpair"):
            judge(s, Row("%s with nothing attached" % command, 4, [command], "no device is attached",
                         "plug a device in"), b.run)
        for args in (["list"], ["list", "--json"], ["--json", "list"]):
            told = b.run(*args)
            s.equal("%s with nothing attached prints nothing and is content" % " ".join(args),
                    (told.code, told.out, told.err), (0, "", ""))
        b.tell("plug", "gone")
        for command in ("list", "verify", "apply"):
            judge(s, Row("%s on a device that is not attached" % command, 4,
                         [command, "-u", "00008101-00000000DEADBEEF"],
                         "no attached device is called 00008101-00000000DEADBEEF"), b.run)
        told = b.run("apply", "-u", b.udids["gone"], "-u", "F9FXK0ABCD12", "--json")
        s.equal("one wanted device that is not there stops the others", told.code, 4)
        s.equal("  nothing was done", b.asked("gone").count("mcinstall/InstallProfileSilent"), 0)


def closed_output(s):
    s.topic("output that cannot be written")
    import subprocess
    with bench.Bench([ours("one")]) as b:
        def writes_to(stdout, *args):
            return subprocess.run([bench.CHAPERONE, *args], stdout=stdout, stderr=subprocess.PIPE,
                                  timeout=bench.RUN_SECONDS, env=bench.environment(
                                      {"USBMUXD_SOCKET_ADDRESS": "UNIX:" + b.socket}))

        for args in (["list", "--json"], ["watch"]):
            with open("/dev/full", "w") as full:
                done = writes_to(full, *args)
            s.equal("%s: a full disk behind stdout is exit 74" % args[0], done.returncode, 74)
            s.check("  and is said", b"cannot be written" in done.stderr, done.stderr)
            reader, writer = os.pipe()
            os.close(reader)
            done = writes_to(writer, *args)
            os.close(writer)
            s.equal("%s: a pipe that nobody reads any more is no story, and still no success"
                    % args[0], (done.returncode, done.stderr), (74, b""))


def help_and_version(s):
    s.topic("help and version")
    for args in (["--help"], ["-h"], ["apply", "--help"], ["--help", "apply"], ["list", "-h"],
                 ["--version"], ["-V"], ["apply", "-V"], ["identity", "create", "--help"]):
        told = run(*args)
        s.equal("%s is exit 0, on stdout alone" % " ".join(args),
                (told.code, bool(told.out), told.err), (0, True, ""))
    for words, option in ((["help"], ["--help"]), (["help", "apply"], ["apply", "--help"]),
                          (["help", "profile"], ["profile", "--help"])):
        s.equal("%s is %s" % (" ".join(words), " ".join(option)), run(*words).out, run(*option).out)
    for words, part in ((["profile", "foo"], "profile is followed by what to do: presets, build"),
                        (["ledger", "lits"], "unknown command ledger lits; did you mean ledger list?"),
                        (["frobnicate"], "unknown command frobnicate"), ([], "no command given")):
        told = run(*words)
        s.equal("%s is exit 64" % (" ".join(words) or "nothing"), told.code, 64)
        s.has("  and says what is wrong", told.err, part)
    for family in ("profile", "identity", "ledger", "policy", "attest"):
        told = run(family, "--help")
        s.check("%s --help lists its members" % family, told.code == 0 and "  %s " % family in told.out and
                not told.err, told.all())
    for name, text in (("empty.yaml", ""), ("comments.yaml", "# jobs: 3\n")):
        s.equal("a configuration that says nothing is none", run("list", "--config", write(name, text)).code, 69)
    for args in (["report"], ["profile", "build"]):
        told = run(*args, "-o", "-", "--json")
        s.equal("%s: JSON and a file do not share an output" % " ".join(args),
                (told.code, [line["schema"] for line in told.lines]), (64, ["chaperone.error/1"]))
    special = path("pipe")
    os.mkfifo(special)
    reader = subprocess.Popen(["cat", special], stdout=subprocess.PIPE, text=True)
    s.equal("--overwrite replaces no pipe and no device", run(
        "profile", "build", "-o", special, "--overwrite").code, 0)
    s.check("  but writes into it", "allowChat" in reader.communicate(timeout=bench.RUN_SECONDS)[0])
    s.check("--version is one line of name and number",
            run("--version").out.startswith("chaperone ") and
            run("--version").out.count("\n") == 1)
    for args in (["--json", "list"], ["list", "--json"], ["-v", "list", "-q"], ["--jobs=3", "list"],
                 ["list", "-j3"], ["list", "-vvv"]):
        s.equal("%s: options stand where they like" % " ".join(args), run(*args).code, 69)


def bench_itself(s):
    s.topic("the bench's own command line")
    socket = ["--socket", path("nowhere")]
    broken = write("broken.yaml", "devices:\n  - name: a\n    colour: red\n")
    for sentence, code, args, message in (
            ("without a place to listen at", 64, ["--devices", "1"], "usage: chaperone-vbench"),
            ("more devices than it can", 64, socket + ["--devices", "100000"], "--devices: 0 to"),
            ("a latency that is none", 64, socket + ["--latency-ms", "soon"], "--latency-ms: a number"),
            ("--paired without devices", 64, socket + ["--paired"], "--paired is about the devices"),
            ("--latency-ms for a scenario's devices", 64,
             socket + ["--scenario", broken, "--latency-ms", "5"], "--latency-ms is about the devices"),
            ("a scenario that is not there", 1, socket + ["--scenario", path("none.yaml")], "none.yaml"),
            ("a scenario with an unknown word", 1, socket + ["--scenario", broken], "colour")):
        told = subprocess.run([bench.VBENCH, *args], capture_output=True, text=True, check=False,
                              timeout=bench.RUN_SECONDS)
        s.equal(sentence, (told.returncode, told.stdout), (code, ""))
        s.has("  says so", told.stderr, message)


def main():
    s = bench.begin("exits")
    bench.make_identities()
    s.topic("64: the command line")
    for row in usage():
        judge(s, row)
    s.topic("65, 66, 69, 73, 77: files and programs around us")
    for row in files():
        judge(s, row)
    told = run("apply", *(locked_identity() + ["--json"]))
    s.equal("with the right passphrase only usbmuxd is missing", told.code, 69)
    no_device(s)
    closed_output(s)
    help_and_version(s)
    bench_itself(s)
    s.end()


main()

#!/usr/bin/env python3
"""The service: its units are valid and confined, and the station works when it is so confined

What systemd-analyze says of the units is asked where it is there. Then the
programs are forbidden what their units forbid them, as far as system calls go
(tests/harness/confined.c), and do a day's work.
"""
import glob
import os
import re
import shutil
import shlex
import signal
import socket
import subprocess

import bench
from bench import locked_identity, ours
from unattended import Station, folder

UNITS = ["chaperone-station.service", "chaperone-agent@.service"]
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILT = os.path.dirname(bench.CHAPERONE)
THRESHOLD = 20                  # 2.0 of 10; the less, the less a service may do


def built(name):
    with open(os.path.join(BUILT, "udev", name)) as f:
        return f.read()


def settings(unit, key):
    return re.findall(r"^%s=(.*)$" % key, built(unit), re.M)


# ---- units ------------------------------------------------------------------------

def analyze(s, unit):
    # The program that was built stands where the one will be that is installed.
    text = re.sub(r"^(Exec\w+=)\S*/chaperone ", r"\1%s " % bench.CHAPERONE, built(unit), flags=re.M)
    path = bench.write(unit, text)

    def ask(*args):
        return subprocess.run(["systemd-analyze", *args, path], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=dict(os.environ, SYSTEMD_PAGER=""))
    run = ask("verify", "--man=no")
    s.check("%s is valid" % unit, run.returncode == 0 and not run.stdout.strip(), run.stdout)
    run = ask("security", "--offline=true", "--threshold=%d" % THRESHOLD)
    said = "".join(line for line in run.stdout.splitlines(True) if "✓" not in line)
    s.check("  and confined", run.returncode == 0, said)
    print("      " + said.strip().splitlines()[-1])


def units(s):
    s.topic("units")
    for unit in UNITS:
        command = settings(unit, "ExecStart")[0].split()
        s.check("%s is filled in" % unit, not re.search(r"@\w+dir@", built(unit)))
        said = bench.run(command[1], "--help").out
        for option in [w for w in command if w.startswith("--")]:
            s.check("  %s is an option of %s" % (option, command[1]), option + " " in said)
        for line in settings(unit, "ExecReload"):
            # As systemd runs it: with MAINPID in the environment.
            told = subprocess.Popen(["sleep", "60"])
            subprocess.run(shlex.split(line), env={"MAINPID": str(told.pid), "PATH": os.environ["PATH"]},
                           check=False, timeout=bench.RUN_SECONDS)
            s.equal("  %s reaches the service" % line, told.wait(bench.RUN_SECONDS), -signal.SIGHUP)
        if shutil.which("systemd-analyze"):
            analyze(s, unit)
    if not shutil.which("systemd-analyze"):
        print("no systemd-analyze here: how systemd reads and rates the units is not checked")


# ---- the rule ------------------------------------------------------------------------

TERM = re.compile(r'^([A-Z_]+)(?:\{([^}]+)\})?(==|!=|\+=|:=|-=|=)"((?:[^"\\]|\\.)*)"$')
MATCHES = {"ACTION", "SUBSYSTEM", "ENV"}
ASSIGNS = {"ENV", "TAG"}


def read_rules(text):
    """udev(7), as far as this rule goes: logical lines of terms."""
    text = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", "")
    return [[TERM.match(t.strip()) for t in re.split(r'\s*,\s*(?=[A-Z])', line.strip())]
            for line in text.splitlines() if line.strip()]


def rule(s):
    s.topic("the rule")
    path, = glob.glob(os.path.join(SOURCE, "udev", "*.rules"))
    with open(path) as f:
        rules = read_rules(f.read())
    s.equal("it is one rule", len(rules), 1)
    terms = [t.groups() if t else None for t in rules[0]]
    s.check("  of terms that udev knows", all(t and t[0] in (
        MATCHES if t[2] in ("==", "!=") else ASSIGNS) for t in terms), terms)
    s.check("it comes after usbmuxd's, whose word it takes",
            os.path.basename(path) > "39-usbmuxd.rules" and
            ("ENV", "USBMUX_SUPPORTED", "==", "1") in terms)
    s.equal("  and adds to what that one starts",
            [t for t in terms if t[:2] == ("ENV", "SYSTEMD_WANTS")],
            [("ENV", "SYSTEMD_WANTS", "+=", UNITS[0])])
    s.check("nothing happens at a removal", ("ACTION", None, "!=", "remove") in terms)
    if shutil.which("udevadm"):
        run = subprocess.run(["udevadm", "verify", path], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        if "Unknown command" in run.stdout or "not found" in run.stdout:
            print("this udevadm has no verify: udev itself was not asked")
        else:
            s.check("udev takes it", run.returncode == 0, run.stdout)


# ---- at work ------------------------------------------------------------------------

def filter_sets():
    """What systemd understands by @system-service and its like."""
    sets, name = {}, None
    said = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    for line in said.splitlines():
        if line.startswith("@"):
            name = line.strip()
            sets[name] = []
        elif name and line.strip() and not line.strip().startswith("#"):
            sets[name].append(line.strip())
    return sets


def expand(sets, word):
    if not word.startswith("@"):
        return {word}
    return {call for inner in sets[word] for call in expand(sets, inner)}


def allowed_calls(sets, unit):
    """As systemd.exec(5) reads the lines: the first one decides what the others change."""
    calls = expand(sets, "@default")
    for line in settings(unit, "SystemCallFilter"):
        named = {call for word in line.lstrip("~").split() for call in expand(sets, word)}
        calls = calls - named if line.startswith("~") else calls | named
    return calls


class Confined:
    """While it lasts, the client runs with what a unit leaves it."""

    def __init__(self, sets, unit):
        families = ",".join(str(int(getattr(socket, name))) for name in
                            settings(unit, "RestrictAddressFamilies")[0].split())
        allowed = allowed_calls(sets, unit)
        if os.geteuid() == 0:
            allowed.add("fchown")       # SQLite's, when root and only then
        calls = bench.write(unit + ".calls", "\n".join(sorted(allowed)) + "\n")
        self.wrapper = bench.write(unit + ".sh", '#!/bin/sh\nexec %s %s %s %s "$@"\n' % (
            os.path.join(BUILT, "confined"), calls, families, bench.CHAPERONE), 0o700)

    def __enter__(self):
        self.outside, bench.CHAPERONE = bench.CHAPERONE, self.wrapper

    def __exit__(self, *_):
        bench.CHAPERONE = self.outside


def at_work(s):
    s.topic("at work")
    if bench.SLOW > 1 or not shutil.which("systemd-analyze"):
        print("a sanitizer needs more calls, or there is no systemd-analyze: not checked")
        return
    bench.make_identities()
    sets = filter_sets()
    station_unit, agent_unit = (Confined(sets, unit) for unit in UNITS)
    with agent_unit:
        probe = bench.run("--version")
        if probe.code == bench.SKIPPED:
            print("this build has no libseccomp: not checked")
            return
        forbidden = bench.Run(["list"], env={"USBMUXD_SOCKET_ADDRESS": "127.0.0.1:1"}, wait=False)
        s.equal("what a unit forbids is forbidden here: TCP", forbidden.wait_for_end(), -signal.SIGSYS)
        agent = bench.Run(["agent", *locked_identity(), "--socket", bench.path("agent")], wait=False)
    s.check("the agent is ready", agent.wait_for("signs as"), agent.so_far())
    hook = bench.write("hook", "#!/bin/sh\ncat >%s\n" % bench.path("told"), 0o755)
    policies = folder("confined", {"name": "confined", "identity": "agent:" + bench.path("agent"),
                                   "on-verdict": hook})
    with bench.Bench([ours("new", paired=False), ours("locked", locked=True), ours("later")]) as b:
        b.tell("unplug", "later")
        with station_unit:
            station = Station(b, policies)
        s.check("the station pairs and installs", station.wait("result", "new", verdict="compliant"))
        s.check("  waits", station.wait("waiting", "locked"))
        s.check("  tells a hook", bench.until(lambda: os.path.exists(bench.path("told"))))
        station.run.signal(signal.SIGHUP)
        s.check("  reads its policies again", station.wait("policy", n=2))
        b.tell("unlock", "locked")
        s.check("  goes on", station.wait("result", "locked", verdict="compliant"))
        b.tell("plug", "later")
        s.check("  and on", station.wait("result", "later", verdict="compliant"))
        s.equal("  no hook and no worker failed", station.told("error"), [])
        s.equal("  and ends", station.stop(), 0)
    agent.signal(signal.SIGTERM)
    s.equal("and so does the agent", agent.finish().code, 0)
    s.equal("the record holds", station.verifies(), 0)


def main():
    s = bench.begin("service")
    units(s)
    rule(s)
    at_work(s)
    s.end()


main()

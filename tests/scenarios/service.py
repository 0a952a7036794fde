#!/usr/bin/env python3
"""The service: its units are valid and confined, and the station works when it is so confined

What systemd-analyze says of the units is asked where it is there. What a unit
forbids is then forbidden to the programs here: they run under a filter with
the unit's system calls, which chaperone's own harness sets.
"""
import glob
import os
import re
import shutil
import subprocess

import bench

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
    print(said.strip().splitlines()[-1:])


def units(s):
    s.topic("units")
    for unit in UNITS:
        command = settings(unit, "ExecStart")[0].split()
        s.check("%s is filled in" % unit, not re.search(r"@\w+dir@", built(unit)))
        said = bench.run(command[1], "--help").out
        for option in [w for w in command if w.startswith("--")]:
            s.check("  %s is an option of %s" % (option, command[1]), option + " " in said)
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


def main():
    s = bench.begin("service")
    units(s)
    rule(s)
    s.end()


main()

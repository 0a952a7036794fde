#!/usr/bin/env python3
"""The main jobs once under valgrind: the command, its signer and its worker; and the
bench as a USB device, with a host that does what one should

make check-valgrind runs it, in a build without seccomp: valgrind itself needs
what a confined worker may not do. Exit code 77 without valgrind.
"""
import glob
import os
import shutil
import subprocess
import sys

SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenarios")
sys.path.insert(0, SCENARIOS)
import bench                                            # noqa: E402
from bench import IMESSAGE, identity, ours, path        # noqa: E402

bench.SLOW = max(bench.SLOW, 20)
SECONDS = 300
VALGRIND = """#!/bin/sh
exec valgrind --quiet --leak-check=full --show-leak-kinds=definite,indirect \\
    --log-file='%s/valgrind.%%p' '%s' "$@"
"""


def logs():
    return glob.glob(path("valgrind.*"))


def main():
    s = bench.begin("memcheck")
    if not shutil.which("valgrind"):
        print("no valgrind here")
        raise SystemExit(bench.SKIPPED)
    bench.make_identities()
    with bench.Bench([ours("one", idle_ms=0)]) as b:
        bench.CHAPERONE = bench.write("under", VALGRIND % (bench.folder(), bench.CHAPERONE), 0o700)
        for command, want in (("apply", [IMESSAGE]), ("verify", [IMESSAGE]), ("remove", [])):
            told = b.on("one", command, "--timeout", SECONDS, "--ledger", path("ledger.db"),
                        *identity(), seconds=SECONDS)
            s.equal("%s under valgrind" % command, (told.word(), list(b.profiles("one"))),
                    ("compliant 0", want))
    under = bench.write("bench-under", VALGRIND % (bench.folder(), bench.VBENCH), 0o700)
    done = subprocess.run([sys.executable, "-B", os.path.join(SCENARIOS, "usbip.py")],
                          env=dict(os.environ, VBENCH=under, SCENARIO_SLOWNESS=str(bench.SLOW)),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
    s.equal("the bench on a bus under valgrind", done.returncode, 0)
    # The command, its signer and its worker, of each of the three, and the bench.
    s.check("every process was looked at", len(logs()) >= 10, logs())
    for log in sorted(logs()):
        # What it says of itself ("--PID--": a call that it does not know) is no complaint.
        with open(log, errors="replace") as f:
            said = "".join(line for line in f if line.startswith("=="))
        s.check("nothing to complain about in process %s" % log.rsplit(".", 1)[1], not said, said)
    s.end()


main()

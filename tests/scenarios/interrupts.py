#!/usr/bin/env python3
"""SIGINT and SIGTERM: every device gets a word, and nothing is left running"""
import os
import signal

import bench
from bench import fault, identity, locked_identity, ours

INSTALL = dict(at="mcinstall", request="InstallProfileSilent")


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def stop(s, b, run, number, whole_group=False):
    """Interrupts a run; its results by device name."""
    members = bench.family(run.pid)
    s.check("  it runs with a signer and workers", len(members) >= 3, members)
    if whole_group:
        os.killpg(run.pid, number)      # as a terminal does on Ctrl-C
    else:
        run.signal(number)
    run.finish()
    s.within("  it ends within the grace", run.seconds, 12)
    left = bench.until(lambda: not [p for p in members if is_alive(p)], 5)
    s.check("  no worker and no signer is left", left, [p for p in members if is_alive(p)])
    s.check("  no device has a connection open",
            bench.until(lambda: not [d for d in b.state()["devices"] if d["connections"]], 5))
    names = {udid: name for name, udid in b.udids.items()}
    return {names[r["device"]["udid"]]: r for r in run.lines if "verdict" in r}


def several(s, number, whole_group):
    word = signal.Signals(number).name + (" to the whole group" if whole_group else "")
    devices = [
        ours("a-done"),
        ours("b-sent", faults=[fault("hang", **INSTALL)]),
        ours("c-acknowledged", faults=[fault("hang", phase="after", **INSTALL)]),
        ours("d-early", faults=[fault("hang", at="lockdown", request="StartSession")]),
        ours("e-later", count=1), ours("f-later", count=1),
    ]
    s.topic(word)
    with bench.Bench(devices) as b:
        run = b.start("apply", "-a", "-j", 3, "--json", "--timeout", 50, *identity(),
                      start_new_session=whole_group)
        # Three lanes: the first device leaves its lane to the fourth, and then all hang.
        ready = bench.until(lambda: "mcinstall/InstallProfileSilent" in b.asked("b-sent") and
            len([d for d in b.state()["devices"] if d["connections"]]) == 3 and
            "a-done" in [n for n, u in b.udids.items() if u in run.so_far()[0]])
        s.quiet("three devices hang", ready, run.so_far())
        bench.until(lambda: b.state("c-acknowledged")["profiles"])
        told = stop(s, b, run, number, whole_group)
        s.equal("%s is exit 130" % word, run.code, 130)
        s.equal("  every device has exactly one result", sorted(told), sorted(b.udids))
        s.quiet("and no device has two", len(run.lines) == len(told), run.out)
        rows = (
            ("the device that was done stays done", "a-done", "compliant", None, "effective"),
            ("the one that was sent something says so", "b-sent", "failed", "interrupted", "sent"),
            ("the one that acknowledged says so", "c-acknowledged", "failed", "interrupted",
             "acknowledged"),
            ("the one that was sent nothing says so", "d-early", "failed", "interrupted", None),
            ("the one not begun is told as well", "e-later", "failed", "interrupted", None),
            ("and so is the last", "f-later", "failed", "interrupted", None),
        )
        for sentence, name, verdict, reason, truth in rows:
            r = told.get(name, {})
            s.equal("  " + sentence, (r.get("verdict"), r.get("reason"), r.get("truth")),
                    (verdict, reason, truth))
        for name in ("b-sent", "d-early", "e-later"):
            s.has("  %s is told how to go on" % name,
                  (told.get(name, {}).get("error") or {}).get("hint") or "",
                  "run the command again")
        s.has("  the one not begun is told as not begun",
              told.get("e-later", {}).get("error", {}).get("message", ""), "before this device was begun")
        s.equal("  what was acknowledged counts as changed",
                [told.get(n, {}).get("changed") for n in ("b-sent", "c-acknowledged", "d-early")],
                [False, True, False])
        s.equal("  the devices not begun were not asked anything",
                b.asked("e-later") + b.asked("f-later"), [])
        b.tell("clear-faults", "b-sent")
        b.tell("clear-faults", "c-acknowledged")
        b.tell("clear-faults", "d-early")
        again = b.run("apply", "-a", "--json", *identity())
        s.equal("  a second run mends everything",
                sorted({r["verdict"] for r in again.lines}) + [again.code], ["compliant", 0])


def waiting(s):
    s.topic("while a person is waited for")
    with bench.Bench([ours("locked", locked=True), bench.device("asking")]) as b:
        run = b.start("apply", "-u", b.udids["locked"], "--json", "--wait", 60, *locked_identity())
        run.wait_for("unlock the device")
        told = stop(s, b, run, signal.SIGINT)
        s.equal("waiting for an unlock ends with interrupted",
                (told.get("locked", {}).get("reason"), run.code), ("interrupted", 130))
        run = b.start("pair", "-u", b.udids["asking"], "--dialog", "--json", "--wait", 60,
                      *identity())
        run.wait_for("tap Trust")
        told = stop(s, b, run, signal.SIGTERM)
        s.equal("waiting for a tap ends with interrupted",
                (told.get("asking", {}).get("reason"), run.code), ("interrupted", 130))


def reading(s):
    s.topic("commands that only read")
    with bench.Bench([ours("mute", faults=[fault("hang", at="mcinstall",
                                                 request="GetProfileList")])]) as b:
        run = b.start("verify", "--json", "--timeout", 50, *identity())
        s.quiet("verify hangs", bench.until(lambda: "mcinstall/GetProfileList" in b.requests()))
        told = stop(s, b, run, signal.SIGTERM)
        s.equal("verify says interrupted", (told.get("mute", {}).get("reason"), run.code),
                ("interrupted", 130))
        b.mark()
        run = b.start("show", "--json", "--timeout", 50)
        s.quiet("show hangs", bench.until(lambda: "mcinstall/GetProfileList" in b.requests()))
        run.signal(signal.SIGINT)
        run.finish()
        s.equal("show says what it has, and 130", (run.code, len(run.lines)), (130, 1))
        run = b.start("watch", "--json")
        run.wait_for("attached")
        run.signal(signal.SIGTERM)
        run.finish()
        s.equal("watch is meant to be ended by a signal: exit 0", run.code, 0)
        s.within("  at once", run.seconds, 10)


def killed(s):
    s.topic("SIGKILL")
    with bench.Bench([ours("deep", faults=[fault("hang", **INSTALL)])]) as b:
        run = b.start("apply", "--json", "--timeout", 50, *identity())
        bench.until(lambda: "mcinstall/InstallProfileSilent" in b.requests())
        members = bench.family(run.pid)
        run.process.kill()
        run.process.wait()
        left = bench.until(lambda: not [p for p in members if is_alive(p)], 5)
        s.check("worker and signer do not outlive a command that was killed", left,
                [p for p in members if is_alive(p)])


def main():
    s = bench.begin("interrupts")
    several(s, signal.SIGINT, True)
    several(s, signal.SIGTERM, False)
    waiting(s)
    reading(s)
    killed(s)
    s.end()


main()

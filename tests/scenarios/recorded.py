#!/usr/bin/env python3
"""The record: what was done to a device is in the ledger before it is done"""
import os

import bench
from bench import identity, ours

PRESET = "org.chaperone.preset.imessage-off"
SENT = "InstallProfileSilent"


def events(b, ledger, *args):
    run = b.run("ledger", "list", "--ledger", ledger, "--json", *args)
    return [(e["kind"], e["body"].get("step") or e["body"].get("purpose") or
             e["body"].get("verdict") or e["body"].get("command")) for e in run.lines]


def changes(s):
    s.topic("a job leaves its trace")
    ledger = bench.path("ledger.db")
    with bench.Bench([ours("desk", paired=False)]) as b:
        run = b.on("desk", "apply", "--ledger", ledger, *identity())
        s.equal("an unpaired device is made compliant", run.word(), "compliant 0")
        s.equal("each step is on record, in order", events(b, ledger), [
            ("operator", "apply"), ("job-started", "apply"), ("sent", "pair"),
            ("signature", "pairing"), ("signature", "escalation"), ("sent", "install"),
            ("acknowledged", "install"), ("verdict", "compliant")])
        shown = b.run("ledger", "show", run.result["run"], "--ledger", ledger, "--json")
        s.equal("the run finds its events again", len(shown.lines), 8)
        s.equal("apply again changes nothing", b.on("desk", "apply", "--ledger", ledger,
                                                    *identity()).result["changed"], False)
        s.equal("  and sends nothing that would be on record",
                [e for e in events(b, ledger) if e[0] == "sent"],
                [("sent", "pair"), ("sent", "install")])
        b.on("desk", "verify", "--ledger", ledger)
        s.equal("verify records its verdict", events(b, ledger)[-1], ("verdict", "compliant"))
        b.on("desk", "remove", "--ledger", ledger, *identity())
        s.equal("a removal too is written down", ("sent", "remove") in events(b, ledger), True)
        b.on("desk", "unpair", "--ledger", ledger)
        s.equal("and that it forgets us", ("sent", "unpair") in events(b, ledger), True)
        s.equal("the chain holds", b.run("ledger", "verify", "--ledger", ledger).code, 0)
        report = b.run("report", "--ledger", ledger, "--json")
        s.equal("the report counts it", report.code, 0)


def refusals(s):
    s.topic("what cannot be recorded is not sent")
    nowhere = os.path.join(bench.write("file", "no folder"), "ledger.db")
    with bench.Bench([ours("a"), ours("b")]) as b:
        run = b.run("apply", "-a", "--json", "--ledger", nowhere, *identity())
        s.equal("apply ends with 74", run.code, 74)
        s.equal("  and no device has the profile", [list(b.profiles(n)) for n in "ab"], [[], []])
        s.equal("verify with that --ledger too", b.run("verify", "-a", "--ledger", nowhere).code, 74)
        run = b.run("verify", "-a", env={"XDG_STATE_HOME": nowhere})
        s.equal("without it verify goes on", run.code, 1)
        s.has("  and says so", run.err, "nothing is recorded")
        s.equal("--no-ledger is no word for apply", b.run("apply", "-a", "--no-ledger").code, 64)
        run = b.run("verify", "-a", "--no-ledger", env={"XDG_STATE_HOME": nowhere})
        s.equal("but for verify", (run.code, "recorded" in run.err), (1, False))


def main():
    s = bench.begin("recorded")
    changes(s)
    refusals(s)
    s.end()


main()

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
            ("signature", "pairing"), ("acknowledged", "pair"), ("signature", "escalation"),
            ("sent", "install"), ("acknowledged", "install"), ("verdict", "compliant")])
        shown = b.run("ledger", "show", run.result["run"], "--ledger", ledger, "--json")
        s.equal("the run finds its events again", len(shown.lines), 9)
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


def by_name(s):
    s.topic("a device by what people call it")
    names = ("Al", "Conference room iPad 12 left", "c0ffee00c0ffee00c0ffee00")
    ledger = bench.path("named.db")
    with bench.Bench([ours(name) for name in names]) as b:
        b.run("apply", "-a", *identity(), "--ledger", ledger)
        for name in names:
            found = b.run("ledger", "list", "--ledger", ledger, "--device", name, "--json").lines
            if len(name) == 24:
                s.equal("a name that looks like a UDID is taken for one", found, [])
            else:
                s.equal("%r" % name, {e["device"] for e in found}, {b.udids[name]})


def nothing_yet(s):
    s.topic("a record of no job")
    with bench.Bench([]) as b:
        ledger = bench.path("young.db")
        b.run("apply", "-a", *identity(), "--ledger", ledger)
        told = b.run("report", "--ledger", ledger)
        s.equal("is reported as that", (told.code, told.out.splitlines()[0]),
                (0, "0 of 0 devices are known to be compliant"))
        s.check("  and says nothing of how long jobs take", "0 jobs\n" in told.out and "within 0 ms"
                not in told.out, told.out)


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


def privacy(s):
    s.topic("what tells who somebody is can be kept out")
    ledger = bench.path("private.db")
    config = bench.write("private.yaml", "privacy:\n  names: omit\n  serials: hash\n  udids: hash\n")
    policy = bench.write("kept.yaml", "version: 1\nname: kept\nidentity: %s\n"
                         "profiles:\n  - preset: imessage-off\nprivacy: {names: keep}\n"
                         % bench.path("acme.pem"))
    bad = bench.write("bad.yaml", "version: 1\nname: bad\nabsent: [a]\nprivacy: {names: hide}\n")
    with bench.Bench([ours("anna-ipad")]) as b:
        run = b.on("anna-ipad", "apply", "--config", config, "--ledger", ledger, *identity())
        device = run.result["device"]
        s.equal("the command itself tells everything", device["name"], "anna-ipad")
        exported = b.run("ledger", "export", "--ledger", ledger, "-o", "-").out
        told = [k for k in ("name", "serial", "ecid", "udid") if device[k] in exported]
        s.equal("the ledger nothing of it", told, [])
        s.equal("  but what was done", events(b, ledger)[-1], ("verdict", "compliant"))
        key = bench.path("privacy.key")
        s.equal("the key lies beside it, for its owner alone", os.stat(key).st_mode & 0o777, 0o600)
        for what in ("serial", "ecid", "udid"):
            found = events(b, ledger, "--config", config, "--device", device[what])
            s.check("who has the key finds the device by its " + what, ("sent", "install") in found,
                    found)
        token = b.run("ledger", "list", "--ledger", ledger, "--json").lines[-1]["body"]["device"]
        s.check("  and by its hash", events(b, ledger, "--device", token["serial"]), token)
        os.rename(key, key + ".away")
        s.equal("without the key nobody does", events(b, ledger, "--device", device["serial"]), [])
        report = b.run("report", "--ledger", ledger)
        s.check("a report knows no more", report.code == 0 and device["serial"] not in report.out and
                device["udid"] not in report.out, report.out)
        b.run("verify", "--policy", policy, "--json", "--config", config, "--ledger", ledger)
        last = b.run("ledger", "list", "--ledger", ledger, "--json").lines[-1]["body"]["device"]
        s.equal("a policy says otherwise of its own devices", last["name"], "anna-ipad")
        s.check("  and a new key is a new hash", last["serial"][:5] == "hmac:" and
                last["serial"] != token["serial"], last)
        bench.write("privacy.key", "short\n")
        run = b.on("anna-ipad", "remove", "--config", config, "--ledger", ledger, *identity())
        s.equal("with a key that is none nothing is done", (run.code, list(b.profiles("anna-ipad"))),
                (65, [PRESET]))
        s.has("another word is an error with its place", b.run("policy", "check", bad).out,
              "hide is none of keep, omit and hash")
        s.equal("the chain holds", b.run("ledger", "verify", "--ledger", ledger).code, 0)


def main():
    s = bench.begin("recorded")
    changes(s)
    nothing_yet(s)
    by_name(s)
    refusals(s)
    privacy(s)
    s.end()


main()

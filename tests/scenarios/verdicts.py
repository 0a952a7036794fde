#!/usr/bin/env python3
"""Every verdict and reason: a scenario that produces it, and how it is told

Each row's device exists twice: one is asked in JSON, its twin in words.
"""
import json
import os
import signal

import bench
from bench import fault, identity, ours, device, OTHER, ACME

PRESET = "org.chaperone.preset.imessage-off"
INSTALL = dict(at="mcinstall", request="InstallProfileSilent")

# A profile of our identifier, but not ours.
IMPOSTOR = """<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string>
<key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>%s</string>
<key>PayloadUUID</key><string>0B2F3C4D-0000-4000-8000-000000000001</string>
<key>PayloadDisplayName</key><string>An older one</string>
<key>PayloadContent</key><array><dict>
<key>PayloadType</key><string>com.apple.applicationaccess</string>
<key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>%s.restrictions</string>
<key>PayloadUUID</key><string>0B2F3C4D-0000-4000-8000-000000000002</string>
<key>allowChat</key><false/>
</dict></array></dict></plist>
""" % (PRESET, PRESET)

APPLY = ["apply"] + identity()
VERIFY = ["verify"] + identity()


class Row:
    def __init__(self, sentence, device, command, verdict, reason=None, hint=None, message=None,
                 truth=None, changed=False, before=None, chain=None, restriction=None, is_named=True):
        self.__dict__.update(locals())

    def word(self):
        exits = {"compliant": 0, "noncompliant": 1, "blocked": 2, "failed": 3}
        return "%s%s %d" % (self.verdict, "/" + self.reason if self.reason else "",
                            exits[self.verdict])


ROWS = [
    # ---- compliant
    Row("a paired device of ours gets the profile", ours("fresh"), APPLY,
        "compliant", truth="effective", changed=True),
    Row("a device that has it needs nothing", ours("done"), APPLY, "compliant",
        truth="effective", before=APPLY),
    Row("a reader without identity sees the profile, not its effect", ours("seen"), ["verify"],
        "compliant", truth="present", before=APPLY),
    Row("a device that does not answer queries is believed as far as its list goes",
        ours("mute", queries=False), APPLY, "compliant", truth="present", changed=True),
    Row("a device nobody knows yet is paired silently on the way", ours("new", paired=False), APPLY,
        "compliant", truth="effective", changed=True),
    Row("the profile is taken off", ours("off"), ["remove"] + identity(), "compliant",
        truth="present", changed=True, before=APPLY),
    Row("a device that trusts us is paired", ours("trusted"), ["pair"], "compliant",
        truth="effective"),
    Row("a device forgets us", ours("forgetful"), ["unpair"], "compliant", truth="effective",
        changed=True),

    # ---- noncompliant
    Row("the profile was never installed", ours("bare"), VERIFY, "noncompliant",
        "profile-missing", hint="chaperone apply installs it"),
    Row("another profile has our identifier", ours("old", profiles=["impostor.mobileconfig"]),
        VERIFY, "noncompliant", "profile-differs", hint="chaperone apply replaces it"),
    Row("the device stores another profile than it was sent",
        ours("swap", faults=[fault("other-uuid", **INSTALL)]), APPLY,
        "noncompliant", "profile-differs", hint="chaperone apply replaces it", changed=True),
    Row("the profile is stored and not active", ours("idle", faults=[fault("inactive", **INSTALL)]),
        APPLY, "noncompliant", "profile-inactive", hint="installs it again", changed=True),
    Row("the profile is active and the restriction is not in force",
        ours("vain", faults=[fault("contradict", at="mcinstall", request="Restrictions")]), APPLY,
        "noncompliant", "not-effective", truth="present", changed=True,
        hint="which values were wanted and which the device reports",
        restriction={"key": "allowChat", "want": False, "reported": True}),

    # ---- blocked
    Row("a device that is not supervised would ignore the restriction",
        device("free", paired=True), APPLY, "blocked", "unsupervised", hint="supervise it first"),
    Row("a device that is not supervised is not verified as if it were",
        device("wild", paired=True), VERIFY, "blocked", "unsupervised",
        hint="prepare it with the organization's supervision identity"),
    Row("a device supervised by somebody else",
        device("theirs", supervised_by=OTHER, paired=True), APPLY, "blocked",
        "foreign-supervision", hint="use the identity (-i) of the organization"),
    Row("the device takes no signature of ours when it is paired",
        ours("picky", paired=False, faults=[fault("error", at="lockdown", request="Pair", nth=2,
                                                  text="InvalidPairRecord")]),
        APPLY, "blocked", "foreign-supervision", hint="use the identity (-i)"),
    Row("the device rejects our certificate when it comes to it",
        ours("turn", faults=[fault("refuse-escalation", at="mcinstall", request="Escalate")]),
        APPLY, "blocked", "foreign-supervision", hint="use the identity (-i)"),
    Row("the device rejects our signature when it comes to it",
        ours("sign", faults=[fault("refuse-escalation", at="mcinstall",
                                   request="EscalateResponse")]),
        APPLY, "blocked", "foreign-supervision", hint="use the identity (-i)"),
    Row("nobody paired, and a reader does not", ours("stranger", paired=False), ["verify"],
        "blocked", "untrusted", hint="give the supervision identity (-i), or run chaperone pair"),
    Row("a reader does not pair with the identity either", ours("aloof", paired=False), VERIFY,
        "blocked", "untrusted", hint="chaperone pair"),
    Row("without identity nothing is paired silently", ours("closed", paired=False), ["apply"],
        "blocked", "untrusted", hint="give the supervision identity (-i)"),
    Row("the device asks whether to trust us", device("asking"), ["pair", "--dialog", "--wait", 0],
        "blocked", "trust-pending", hint="tap Trust on the device"),
    Row("a stranger's certificate makes the device ask its holder",
        device("puzzled", supervised_by=OTHER), APPLY, "blocked", "trust-pending",
        hint="with -i: the device does not know this identity"),
    Row("somebody tapped Don't Trust", device("shy", trust="deny"), ["pair", "--dialog"],
        "blocked", "trust-denied", hint="unplug the device, plug it in again and tap Trust"),
    Row("the organization forbids pairing", ours("vault", paired=False, allow_pairing=False),
        ["pair", "--dialog"], "blocked", "pairing-forbidden",
        hint="give the supervision identity of its organization (-i)"),
    Row("the organization forbids pairing and is not ours",
        device("safe", supervised_by=OTHER, allow_pairing=False), ["pair"] + identity(), "blocked",
        "foreign-supervision", hint="use the identity (-i)"),
    Row("the device was restarted and not unlocked since", ours("dark", locked=True), APPLY,
        "blocked", "locked", hint="unlock the device with its passcode (--wait SECONDS"),
    Row("a locked device cannot be paired", ours("shut", paired=False, locked=True), APPLY,
        "blocked", "locked", hint="--wait SECONDS waits for it"),

    # ---- failed
    Row("the cable is pulled while the profile is sent",
        ours("pulled", faults=[fault("unplug", **INSTALL)]), APPLY, "failed", "unplugged",
        truth="sent", hint="check the cable"),
    Row("the cable is pulled when it was acknowledged",
        ours("late", faults=[fault("unplug", phase="after", **INSTALL)]), APPLY, "failed",
        "unplugged", truth="acknowledged", changed=True, hint="check the cable"),
    Row("the device falls silent", ours("silent", faults=[fault("hang", **INSTALL)]),
        APPLY + ["--timeout", 1], "failed", "timeout", truth="sent",
        hint="--timeout SECONDS gives it longer"),
    Row("the device falls silent before anything was sent",
        ours("coma", faults=[fault("hang", at="lockdown", request="StartSession")]),
        APPLY + ["--timeout", 1], "failed", "timeout", is_named=False, hint="--timeout SECONDS gives it longer"),
    Row("the device refuses the profile and says why",
        ours("no", faults=[fault("error", code="4001", text="Not this one.", **INSTALL)]), APPLY,
        "failed", "refused", truth="sent", hint="error chain",
        chain=[{"domain": "MCInstallationErrorDomain", "code": 4001, "text": "Not this one."}]),
    Row("the device cannot reach what its passcode protects",
        ours("keybag", faults=[fault("error", at="mcinstall", request="ProceedWithKeybagMigration",
                                     domain="DMCKeybagErrorDomain", code="37001", text="Timed out.")]),
        APPLY, "failed", "refused", hint="unlock the device with its passcode",
        chain=[{"domain": "DMCKeybagErrorDomain", "code": 37001, "text": "Timed out."}]),
    Row("or takes its time over it", ours("slowbag", faults=[
        fault("hang", at="mcinstall", request="ProceedWithKeybagMigration")]), APPLY + ["--timeout", 1],
        "failed", "timeout", hint="it may take up to 300 seconds"),
    Row("the device answers with bytes that are no property list",
        ours("noise", faults=[fault("garbage", **INSTALL)]), APPLY, "failed", "protocol",
        truth="sent", hint="restart the device"),
    Row("the device hangs up while it stays plugged in",
        ours("rude", faults=[fault("close", **INSTALL)]), APPLY, "failed", "protocol",
        truth="sent", hint="restart the device"),
    Row("the device acknowledges and stores nothing",
        ours("liar", faults=[fault("ack-not-stored", **INSTALL)]), APPLY, "failed",
        "not-stored", truth="acknowledged", changed=True,
        hint="restart the device and run the command again"),
    Row("the device acknowledges and removes nothing",
        ours("keeper", faults=[fault("ack-not-stored", at="mcinstall", request="RemoveProfile")]),
        ["remove"] + identity(), "failed", "not-removed", truth="acknowledged", changed=True,
        before=APPLY, hint="restart the device and run the command again"),
]


def judge(s, b, row):
    name = row.device["name"]
    for twin in ("-1", "-2"):
        if row.before:
            before = b.on(name + twin, *row.before)
            s.quiet("%s: is prepared" % row.sentence, before.code == 0, before.all())
    told = b.on(name + "-1", *row.command)
    r = told.result
    if not s.equal("%s: %s" % (row.sentence, row.word()), told.word(), row.word()):
        print(told.all())
    s.equal("  its truth is %s" % row.truth, r.get("truth"), row.truth)
    s.equal("  changed is %s" % json.dumps(row.changed), r.get("changed"), row.changed)
    error = r.get("error") or {}
    if row.hint:
        s.has("  its hint says what to do", error.get("hint") or "", row.hint)
    if row.chain is not None:
        s.equal("  the device's own words are in the chain", error.get("chain"), row.chain)
    if row.restriction:
        s.equal("  the restriction is shown", r.get("restrictions"), [row.restriction])
    said = b.run(*(row.command[:1] + ["-u", b.udids[name + "-2"]] + row.command[1:]))
    s.equal("  in words it is exit %s too" % told.code, said.code, told.code)
    first = said.out.split("\n")[0]
    want = row.verdict + (" (%s)" % row.reason if row.reason else "") + "  "
    want += name + "-2" if row.is_named else "-"
    s.has("  in words it is the first line", first, want)
    for part in ("message", "hint"):
        # Ids, times and the like may differ between twins; the beginning does not.
        if error.get(part):
            s.has("  its %s is a line of its own" % part,
                  said.out, "    %s%s" % ("hint: " if part == "hint" else "", error[part][:40]))
    if row.truth and row.command[0] not in ("pair", "unpair"):
        s.has("  its truth is a line", said.out, "    truth: %s (" % row.truth)


def lose_usbmuxd(s):
    s.topic("usbmuxd")
    with bench.Bench([ours("orphan", faults=[fault("hang", **INSTALL)])]) as b:
        run = b.start("apply", *identity(), "--json", "--timeout", 30)
        seen = bench.until(lambda: "mcinstall/InstallProfileSilent" in b.requests())
        s.quiet("the profile is under way", seen)
        b.kill()
        run.finish()
        s.equal("usbmuxd ends in the middle: failed/usbmuxd-lost 3", run.word(),
                "failed/usbmuxd-lost 3")
        s.equal("  what was sent is said", run.result.get("truth"), "sent")
        s.has("  its hint says what to do", run.result["error"]["hint"], "usbmuxd")
        s.within("  and at once", run.seconds, 10)


def lose_worker(s):
    s.topic("the worker")
    with bench.Bench([ours("doomed", faults=[fault("hang", **INSTALL)])]) as b:
        run = b.start("apply", *identity(), "--json", "--timeout", 30)
        s.quiet("the profile is under way",
                bench.until(lambda: "mcinstall/InstallProfileSilent" in b.requests()))
        # The last child of the command is the worker; the signer came first.
        # A signal that a sanitizer does not take for a bug of the program.
        os.kill(max(bench.children(run.pid)), signal.SIGKILL)
        run.finish()
        s.equal("a worker that dies costs its device: failed/crashed 3", run.word(),
                "failed/crashed 3")
        s.equal("  what was sent is said", run.result.get("truth"), "sent")
        s.has("  its hint says what to do", run.result["error"]["hint"], "run the command again")
        s.check("  the signal is named", "signal 9" in run.result["error"]["message"],
                run.result["error"]["message"])


def main():
    s = bench.begin("verdicts")
    bench.write("impostor.mobileconfig", IMPOSTOR)
    told = set()
    with bench.Bench([dict(row.device, count=2) for row in ROWS]) as b:
        for row in ROWS:
            judge(s, b, row)
            told.add(row.reason)
    lose_usbmuxd(s)
    lose_worker(s)
    told |= {"usbmuxd-lost", "crashed", "interrupted"}      # interrupted: interrupts.py
    # Of policies.py, and of the tests of the ledger.
    told |= {"not-activated", "os-too-old", "no-policy", "profile-unwanted", "unrecorded"}
    told |= {"profile-unsuitable"}                          # given.py
    told |= {"unsigned"}                                    # agent.py
    s.equal("every reason has its scenario", sorted(
        r for rs in bench.shape.REASONS.values() for r in rs if r and r not in told), [])
    s.end()


main()

#!/usr/bin/env python3
"""Pairing: silently, by the dialog, while a person is waited for, and undone"""
import plistlib
import threading
import time

import bench
from bench import device, fault, identity, ours

APPLY = ["apply"] + identity()
PAIR = ["pair"] + identity()
IMESSAGE = "org.chaperone.preset.imessage-off"
# What libimobiledevice, go-ios and others expect of a stored record.
RECORD = {"DeviceCertificate": bytes, "HostCertificate": bytes, "RootCertificate": bytes,
          "HostPrivateKey": bytes, "RootPrivateKey": bytes, "EscrowBag": bytes, "HostID": str,
          "SystemBUID": str, "WiFiMACAddress": str}


def record_of(b, name):
    stored = b.read_record(b.udids[name])
    return plistlib.loads(stored) if stored else None


def hosts(b, name):
    return sorted(h["host-id"] for h in b.state(name)["hosts"])


def silently(s):
    s.topic("silently, with the supervision identity")
    with bench.Bench([ours("new", paired=False), ours("strict", paired=False, allow_pairing=False),
                      ours("unset", paired=False, set_up=False)]) as b:
        b.mark()
        told = b.on("new", *PAIR)
        s.equal("pair -i: paired", (told.word(), told.result.get("changed"),
                                    told.result.get("truth")), ("compliant 0", True, "effective"))
        s.equal("  nobody was asked", b.state("new")["dialog"], "none")
        s.equal("  with two Pair requests, and a session as proof",
                [r for r in b.asked("new") if r != "lockdown/GetValue"],
                ["lockdown/Pair", "lockdown/Pair", "lockdown/StartSession"])
        record = record_of(b, "new") or {}
        for key, kind in RECORD.items():
            s.check("  the stored record has %s" % key,
                    isinstance(record.get(key), kind) and len(record[key]) > 0, sorted(record))
        s.equal("  and nothing else", sorted(record), sorted(RECORD))
        s.equal("  the device knows this host", hosts(b, "new"), [record.get("HostID")])
        s.equal("  which is told", told.result["trust"]["paired"], True)
        again = b.on("new", *PAIR)
        s.equal("pair again: still paired, nothing changed",
                (again.word(), again.result.get("changed"), record_of(b, "new")),
                ("compliant 0", False, record))
        told = b.on("strict", *APPLY)
        s.equal("apply pairs on the way, also where others may not pair",
                (told.word(), list(b.profiles("strict"))), ("compliant 0", [IMESSAGE]))
        told = b.on("unset", *PAIR)
        s.equal("a device still in its setup is paired too", told.word(), "compliant 0")


def by_dialog(s):
    s.topic("by the dialog")
    with bench.Bench([device("accepts", trust="accept"), device("denies", trust="deny"),
                      device("asks"), device("taps"), device("refuses"), device("short")]) as b:
        told = b.on("accepts", "pair", "--dialog")
        s.equal("accepted: paired", (told.word(), told.result.get("changed"),
                                     bool(record_of(b, "accepts"))), ("compliant 0", True, True))
        told = b.on("denies", "pair", "--dialog")
        s.equal("denied: told so, nothing stored",
                (told.word(), record_of(b, "denies"), hosts(b, "denies")),
                ("blocked/trust-denied 2", None, []))
        told = b.on("asks", "pair", "--dialog", "--wait", 0)
        s.equal("pending: told so, nothing stored, the dialog shows",
                (told.word(), record_of(b, "asks"), b.state("asks")["dialog"]),
                ("blocked/trust-pending 2", None, "showing"))
        s.within("  and at once", told.seconds, 5)
        b.tell("tap", "asks", answer="trust")
        told = b.on("asks", "pair", "--dialog", "--wait", 0)
        s.equal("  tapped meanwhile: the next run is paired", told.word(), "compliant 0")

        for name, answer, want in (("taps", "trust", "compliant 0"),
                                   ("refuses", "deny", "blocked/trust-denied 2")):
            run = b.start("pair", "-u", b.udids[name], "--dialog", "--json", "--timeout", 3)
            b.wait("dialog", name)
            # The job's own time is over when the person taps: theirs does not count.
            bench.until(lambda: time.monotonic() - run.began > 3.5)
            b.tell("tap", name, answer=answer)
            tapped = time.monotonic()
            run.finish()
            s.equal("waiting, then %s: %s" % (answer, want), run.word(), want)
            s.within("  the moment it is tapped", time.monotonic() - tapped, 3)
            s.has("  the wait was announced", run.err, "needs you: tap Trust on the device")
        told = b.on("short", "pair", "--dialog", "--wait", 1)
        s.equal("nobody taps: trust-pending when the patience is over", told.word(),
                "blocked/trust-pending 2")
        s.check("  and not before", 1.0 <= told.seconds, told.seconds)
        s.within("  nor much later", told.seconds, 6)


def unlocked_meanwhile(s):
    s.topic("while somebody unlocks")
    lock = fault("lock", at="mcinstall", request="Escalate", nth=1)
    with bench.Bench([ours("cold", locked=True), ours("strange", paired=False, locked=True), ours("patient", paired=False, locked=True),
                      ours("dozes", faults=[lock]), ours("sleeps", faults=[lock])]) as b:
        for name, sentence in (("cold", "a paired device that was restarted"),
                               ("strange", "a locked device that is to be paired"),
                               ("dozes", "a device that locks in the middle")):
            run = b.start("apply", "-u", b.udids[name], "--json", "--wait", 60, "--timeout", 5,
                          *identity())
            run.wait_for("needs you: unlock the device")
            b.tell("unlock", name)
            opened = time.monotonic()
            run.finish()
            s.equal("%s: goes on by itself" % sentence,
                    (run.word(), list(b.profiles(name))), ("compliant 0", [IMESSAGE]))
            s.within("  the moment it is unlocked", time.monotonic() - opened, 4)
            s.equal("  it was announced once", run.err.count("needs you"), 1)
        # What it signs while it waits is on record, and an agent counts it.
        told = b.on("patient", "apply", "--wait", 10, *identity())
        s.equal("nobody unlocks: locked when the patience is over", told.word(), "blocked/locked 2")
        asked = b.asked("patient").count("lockdown/Pair")
        s.check("  and meanwhile it was asked, less and less often", 8 <= asked < 20, asked)
        told = b.on("sleeps", *APPLY)
        s.equal("a device that locks in the middle, and nobody waits: locked", told.word(),
                "blocked/locked 2")
        s.equal("  which it says of itself", told.result["trust"]["locked"], True)


def many_people(s):
    s.topic("several devices, several hands")
    with bench.Bench([device("t%d" % i) for i in range(3)]) as b:
        run = b.start("pair", "-a", "--dialog", "--json", "--wait", 60)

        def hand(name, answer):
            b.wait("dialog", name)
            b.tell("tap", name, answer=answer)
        hands = [threading.Thread(target=hand, args=a) for a in
                 (("t0", "trust"), ("t1", "deny"), ("t2", "trust"))]
        for h in hands:
            h.start()
        for h in hands:
            h.join(bench.ANSWER_SECONDS)
        run.finish()
        s.equal("each device gets its own hand's answer",
                {r["device"]["name"]: r["reason"] for r in run.lines},
                {"t0": None, "t1": "trust-denied", "t2": None})
        s.equal("  and the exit code is the highest", run.code, 2)


def strangers(s):
    s.topic("a stranger's device")
    with bench.Bench([device("theirs", supervised_by=bench.OTHER)]) as b:
        run = b.start("apply", "-u", b.udids["theirs"], "--json", "--wait", 60, *identity())
        b.wait("dialog", "theirs")
        b.tell("tap", "theirs", answer="trust")
        run.finish()
        s.equal("trusted by its holder, it still is supervised by somebody else", run.word(),
                "blocked/foreign-supervision 2")
        s.equal("  whose name is told", run.result["trust"]["organization"], "Other GmbH")
        s.equal("  nothing was changed", (b.profiles("theirs"), run.result["profiles"]), ({}, []))


def records(s):
    s.topic("pair records of every kind")
    names = ["stale", "stale-locked", "locked", "foreign-key", "wrong-types", "broken-pem", "empty"]
    parts = ["HostID", "SystemBUID", "HostCertificate", "HostPrivateKey"]
    with bench.Bench([ours(n) for n in names + ["no-" + p for p in parts] + ["donor"]] +
                     [ours("cold", paired=False, locked=True)]) as b:
        good = {n: b.read_record(b.udids[n]) for n in b.udids}

        def spoil(name, content):
            b.record(b.udids[name], content)
            s.quiet("the record of %s is stored" % name,
                    b.read_record(b.udids[name]) == content)

        # Known to us, no longer to them.
        for name in ("stale", "stale-locked"):
            s.quiet("unpair", b.on(name, "unpair").code == 0)
            spoil(name, good[name])
        b.tell("lock", "stale-locked")
        b.tell("lock", "locked")
        b.on("donor", "unpair")
        b.on("donor", *PAIR)
        donor, mixed = record_of(b, "donor"), plistlib.loads(good["foreign-key"])
        mixed.update(HostCertificate=donor["HostCertificate"], RootCertificate=donor["RootCertificate"],
                     HostPrivateKey=donor["HostPrivateKey"])
        spoil("foreign-key", plistlib.dumps(mixed))
        spoil("wrong-types", plistlib.dumps({key: 7 for key in RECORD}))
        broken = plistlib.loads(good["broken-pem"])
        broken.update(HostCertificate=b"\x00\xff no PEM \xfe", HostPrivateKey=b"\n")
        spoil("broken-pem", plistlib.dumps(broken))
        spoil("empty", plistlib.dumps({}))
        for part in parts:
            lacking = plistlib.loads(good["no-" + part])
            del lacking[part]
            spoil("no-" + part, plistlib.dumps(lacking))

        for name in ["stale", "foreign-key", "wrong-types", "broken-pem", "empty"] + ["no-" + p for p in parts]:
            spoiled = b.read_record(b.udids[name])
            told = b.on(name, "verify")
            s.equal("record %s: a reader says untrusted" % name, told.word(),
                    "blocked/untrusted 2")
            s.equal("  and leaves the record alone", b.read_record(b.udids[name]), spoiled)
            told = b.on(name, *APPLY)
            s.equal("  apply pairs again", (told.word(), list(b.profiles(name))),
                    ("compliant 0", [IMESSAGE]))
            fresh = record_of(b, name) or {}
            s.equal("  and stores a whole record, which the device knows",
                    (sorted(fresh), fresh.get("HostID") in hosts(b, name)), (sorted(RECORD), True))
        for name, sentence in (("locked", "works"), ("stale-locked", "does not even work")):
            told = b.on(name, *(APPLY if name == "stale-locked" else PAIR))
            s.equal("a locked device whose record %s: the record stays" % sentence,
                    b.read_record(b.udids[name]), good[name])
            s.check("  and the verdict is %s" % ("compliant" if name == "locked" else "locked"),
                    told.word() == ("compliant 0" if name == "locked" else "blocked/locked 2"),
                    told.all())
        told = b.on("cold", *PAIR)
        s.equal("a locked device that was never paired: locked, and nothing is stored",
                (told.word(), record_of(b, "cold"), hosts(b, "cold")),
                ("blocked/locked 2", None, []))


def not_stored(s):
    s.topic("a usbmuxd that cannot keep records")
    with bench.Bench([ours("new", paired=False)],
                     faults=[fault("error", at="usbmuxd", request="SavePairRecord")]) as b:
        told = b.on("new", *PAIR)
        s.check("it is a failure, and says which file could not be kept",
                told.code == 3 and "pair record" in (told.result.get("error") or
                                                     {}).get("message", ""), told.all())
        s.equal("  the device trusts this computer all the same, and that is said",
                (told.result.get("changed"), told.result.get("truth"), len(hosts(b, "new"))),
                (True, "acknowledged", 1))


def half_way(s):
    s.topic("a pairing that breaks off")
    rows = [("offer", "before", 1, (False, "sent", 0)),
            ("answer", "before", 2, (False, "sent", 0)),
            ("lost", "unanswered", 2, (False, "sent", 1)),
            ("told", "after", 2, (True, "acknowledged", 1))]
    with bench.Bench([ours(name, paired=False,
                           faults=[fault("unplug", at="lockdown", request="Pair", nth=nth, phase=phase)])
                      for name, phase, nth, _ in rows] +
                     [ours("session", paired=False,
                           faults=[fault("close", at="lockdown", request="StartSession")]),
                      ours("apply", paired=False,
                           faults=[fault("close", at="mcinstall", request="GetCloudConfiguration")])]) as b:
        for name, _, _, want in rows:
            told = b.on(name, *PAIR)
            s.equal("unplugged at the %s: what is known of the change" % name,
                    (told.word(), told.result.get("changed"), told.result.get("truth"),
                     len(hosts(b, name))), ("failed/unplugged 3",) + want)
        told = b.on("session", *PAIR)
        s.equal("paired, and then no session: changed", (told.word(), told.result.get("changed"),
                told.result.get("truth")), ("failed/protocol 3", True, "acknowledged"))
        told = b.on("apply", *APPLY)
        s.equal("an apply that pairs and gets no further: changed, and nothing about profiles",
                (told.word(), told.result.get("changed"), told.result.get("truth")),
                ("failed/protocol 3", True, None))


def impatient(s):
    s.topic("ten devices at once that soon hang up on who idles")
    with bench.Bench([ours("i%d" % i, paired=False, idle_ms=1000) for i in range(10)]) as b:
        told = b.run("pair", "-a", "-j", 10, "--json", *identity())
        s.equal("keys are made before a device is called",
                sorted({(r["verdict"], r["reason"]) for r in told.lines}), [("compliant", None)])
        s.equal("  all of them", len(told.lines), 10)


def undone(s):
    s.topic("unpair")
    with bench.Bench([ours("known"), ours("stale"), ours("never", paired=False),
                      ours("locked", locked=True)]) as b:
        b.mark()
        told = b.on("known", "unpair")
        s.equal("the device forgets us, and says so itself",
                (told.word(), told.result.get("changed"), told.result.get("truth"),
                 told.result["trust"]["paired"]), ("compliant 0", True, "effective", False))
        s.equal("  no host, no record", (hosts(b, "known"), record_of(b, "known")), ([], None))
        s.equal("  proven by asking for a session again",
                [r for r in b.asked("known") if r != "lockdown/GetValue"],
                ["lockdown/StartSession", "lockdown/Unpair", "lockdown/StartSession"])
        told = b.on("known", "unpair")
        s.equal("once more: nothing to do", (told.word(), told.result.get("changed")),
                ("compliant 0", False))
        record = b.read_record(b.udids["stale"])
        b.on("stale", "unpair")
        b.record(b.udids["stale"], record)
        told = b.on("stale", "unpair")
        s.equal("a record that the device does not know is deleted",
                (told.word(), record_of(b, "stale")), ("compliant 0", None))
        told = b.on("never", "unpair")
        s.equal("a device that never knew us", (told.word(), told.result.get("changed")),
                ("compliant 0", False))
        told = b.on("locked", "unpair")
        s.equal("a locked device can forget too", (told.word(), hosts(b, "locked")),
                ("compliant 0", []))


def main():
    s = bench.begin("pairing")
    silently(s)
    by_dialog(s)
    unlocked_meanwhile(s)
    many_people(s)
    strangers(s)
    records(s)
    not_stored(s)
    half_way(s)
    impatient(s)
    undone(s)
    s.end()


main()

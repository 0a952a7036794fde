#!/usr/bin/env python3
"""plan, apply, verify and remove: what is asked of a device, and what it then has"""
import datetime
import plistlib
import time

import bench
from bench import device, fault, identity, openssl, ours, path, write

IMESSAGE = "org.chaperone.preset.imessage-off"
ROOM = "org.chaperone.preset.conference-room"
APPLY = ["apply"] + identity()
VERIFY = ["verify"] + identity()
REMOVE = ["remove"] + identity()

# ---- what goes over the wire, exactly ------------------------------------------

LISTED = ["usbmuxd/ListDevices"]
CONNECTED = ["usbmuxd/ReadPairRecord", "usbmuxd/Connect", "lockdown/StartSession"]
KNOWN = ["lockdown/GetValue"]
# Who it is, it tells on one connection while the other is opened.
SERVED = ["lockdown/StartService"] + KNOWN + ["usbmuxd/Connect", "mcinstall/GetCloudConfiguration"]
ESCALATED = ["mcinstall/Escalate", "mcinstall/EscalateResponse",
             "mcinstall/ProceedWithKeybagMigration"]
READ = ["mcinstall/GetProfileList"]
ASKED = ["mcinstall/Restrictions"]
INSTALLED = ["mcinstall/InstallProfileSilent"]
REMOVED = ["mcinstall/RemoveProfile"]
OPENED = LISTED + CONNECTED + SERVED

CHANGING = {
    "usbmuxd/SavePairRecord", "usbmuxd/DeletePairRecord", "lockdown/Pair", "lockdown/Unpair",
    "lockdown/SetValue", "lockdown/RemoveValue", "lockdown/EnterRecovery",
    "mcinstall/InstallProfileSilent", "mcinstall/InstallProfile", "mcinstall/RemoveProfile",
    "mcinstall/SetCloudConfiguration", "mcinstall/EraseDevice", "mcinstall/Settings",
    "mcinstall/DeviceLock", "mcinstall/RestartDevice", "mcinstall/ShutDownDevice",
    "mcinstall/StoreProfile", "mcinstall/ClearPasscode", "mcinstall/SetWiFiPowerState",
}

# One device; the rows follow each other. Handshakes: lockdown's session and MCInstall.
BUDGET = [
    ("list", ["list"], OPENED, 2),
    ("show", ["show"], OPENED + READ, 2),
    ("plan, and all is missing", ["plan"] + identity(), OPENED + READ, 2),
    ("verify, and all is missing", VERIFY, OPENED + READ, 2),
    ("apply", APPLY, OPENED + READ + ESCALATED + INSTALLED + READ + ASKED, 2),
    ("apply again", APPLY, OPENED + READ + ESCALATED + ASKED, 2),
    ("verify", VERIFY, OPENED + READ + ESCALATED + ASKED, 2),
    ("verify without an identity", ["verify"], OPENED + READ, 2),
    ("plan", ["plan"] + identity(), OPENED + READ + ESCALATED + ASKED, 2),
    ("apply with other content", APPLY + ["--removable"],
     OPENED + READ + ESCALATED + INSTALLED + READ + ASKED, 2),
    ("remove", REMOVE, OPENED + READ + ESCALATED + REMOVED + READ, 2),
    ("remove again", REMOVE, OPENED + READ, 2),
    ("pair with a device that knows us", ["pair"] + identity(), LISTED + CONNECTED + KNOWN, 1),
]


def budget(s):
    s.topic("the wire: exactly these requests, and no message whose answer is not used")
    with bench.Bench([ours("meter")]) as b:
        for sentence, args, want, handshakes in BUDGET:
            b.mark()
            told = b.run(*(args + ["--json"]))
            s.quiet("%s runs" % sentence, told.code in (0, 1), told.all())
            s.equal("%s asks for %d things and no more" % (sentence, len(want)),
                    b.requests("meter"), want)
            s.equal("  with %d handshake%s" % (handshakes, "s" if handshakes > 1 else ""),
                    b.counters("meter")["handshakes"], handshakes)


# ---- what reads, and what is done twice -----------------------------------------

def readers(s):
    s.topic("what reads changes nothing, whoever asks")
    scenes = [ours("paired"), ours("stranger", paired=False), device("free"),
              ours("locked", locked=True), device("theirs", supervised_by=bench.OTHER)]
    with bench.Bench(scenes) as b:
        for d in scenes:
            name = d["name"]
            b.mark()
            before = b.state(name)
            stored = b.read_record(b.udids[name])
            for command in (["list"], ["show"], ["verify"], ["plan"], APPLY + ["--dry-run"],
                            ["apply", "--dry-run"], VERIFY, ["plan"] + identity()):
                told = b.on(name, *command)
                s.quiet("%s on %s changes nothing" % (told, name),
                        not told.result.get("changed"), told.all())
            asked = sorted(CHANGING & set(b.requests()))
            s.equal("list, show, verify, plan, --dry-run on the %s device ask for no change" % name,
                    asked, [])
            after = b.state(name)
            s.equal("  its hosts, profiles and dialog are as before",
                    [after[k] for k in ("hosts", "profiles", "dialog", "pending")],
                    [before[k] for k in ("hosts", "profiles", "dialog", "pending")])
            s.equal("  and so is the pair record", b.read_record(b.udids[name]), stored)


def twice(s):
    s.topic("a second run sends nothing that changes a device")
    rows = [
        ("the default preset", [], {}),
        ("a device without queries", [], {"queries": False}),
        ("two presets", ["--preset", "imessage-off", "--preset", "conference-room"], {}),
        ("a removable one", ["--removable"], {}),
        ("one for eight hours", ["--for", "8h"], {}),
        ("one until a day", ["--until", "2039-01-02T03:04:05Z"], {}),
        ("another organization's name", ["--organization", "Werk 2"], {}),
        ("a profile file", ["--profile", path("foreign.mobileconfig")], {}),
    ]
    with bench.Bench([ours("d%d" % i, **row[2]) for i, row in enumerate(rows)]) as b:
        for i, (sentence, args, keys) in enumerate(rows):
            name = "d%d" % i
            first = b.on(name, *(APPLY + args))
            want = "present" if keys.get("queries") is False else "effective"
            s.equal("%s: ends %s" % (sentence, want),
                    (first.word(), first.result.get("truth"), first.result.get("changed")),
                    ("compliant 0", want, True))
            kept = b.profiles(name)
            b.mark()
            second = b.on(name, *(APPLY + args))
            s.equal("  once more: compliant, and changed is false",
                    (second.word(), second.result.get("truth"), second.result.get("changed")),
                    ("compliant 0", want, False))
            s.equal("  every action is none",
                    {p["action"] for p in second.result.get("profiles", [])}, {"none"})
            s.equal("  nothing that changes was sent", sorted(CHANGING & set(b.requests())), [])
            s.equal("  the device keeps the very profile of the first time", b.profiles(name), kept)


# ---- plan -------------------------------------------------------------------------

def plans(s):
    s.topic("plan says what apply does")
    with bench.Bench([ours("plan"), ours("plan2")]) as b:
        steps = [
            ("nothing is there", ["--preset", "imessage-off"], "would-install", "installed"),
            ("it is there", ["--preset", "imessage-off"], "none", "none"),
            ("it is there with other content", ["--preset", "imessage-off", "--removable"],
             "would-replace", "replaced"),
        ]
        for sentence, args, plan, done in steps:
            for name, command in (("plan", ["plan"]), ("plan", ["apply", "--dry-run"])):
                told = b.on(name, *(command + identity() + args))
                s.equal("%s: %s says %s, exit %d" % (sentence, " ".join(command), plan,
                                                     plan != "none"),
                        ([p["action"] for p in told.result.get("profiles", [])], told.code,
                         told.result.get("command")), ([plan], int(plan != "none"), "plan"))
            told = b.on("plan", *(APPLY + args))
            s.equal("  and apply says %s, exit 0" % done,
                    ([p["action"] for p in told.result.get("profiles", [])], told.code),
                    ([done], 0))


# ---- options -------------------------------------------------------------------------

def options(s):
    s.topic("options reach the device")
    names = ["plain", "removable", "hours", "until", "clock", "named", "unnamed", "second"]
    with bench.Bench([ours(n) for n in names]) as b:
        def applied(name, *args, who=identity(), env=()):
            told = b.on(name, "apply", *(list(who) + list(args)), env=dict(env))
            s.quiet("%s is compliant" % told, told.code == 0, told.all())
            return b.profiles(name).get(IMESSAGE, {})

        s.equal("without options the profile is locked and stays",
                [applied("plain").get(k, "absent") for k in ("removal-disallowed", "removal-at")],
                [True, None])
        s.equal("--removable: the holder may remove it",
                applied("removable", "--removable").get("removal-disallowed"), False)
        kept = applied("hours", "--for", "8h")
        s.check("--for 8h: the device lifts it eight hours after it was installed",
                kept.get("removal-at") and
                abs(kept["removal-at"] - kept["installed-at"] - 8 * 3600) <= 5, kept)
        moment = datetime.datetime(2039, 1, 2, 2, 4, 5, tzinfo=datetime.timezone.utc)
        kept = applied("until", "--until", "2039-01-02T03:04:05+01:00")
        s.equal("--until with an offset: the device lifts it at that very second",
                kept.get("removal-at"), int(moment.timestamp()))
        now = datetime.datetime.now(datetime.timezone.utc)
        soon = now + datetime.timedelta(hours=2)
        kept = applied("clock", "--until", soon.strftime("%H:%M"))
        s.equal("--until HH:MM: the next time the local clock shows it", kept.get("removal-at"),
                int(soon.replace(second=0, microsecond=0).timestamp()))
        past = now - datetime.timedelta(hours=2)
        kept = applied("clock", "--until", past.strftime("%H:%M"))
        s.equal("  which is tomorrow when it is over for today", kept.get("removal-at"),
                int((past + datetime.timedelta(days=1)).replace(second=0, microsecond=0)
                    .timestamp()))
        kept = applied("clock", "--until", soon.strftime("%H:%M"), env={"TZ": "UTC-1"})
        s.equal("  and the local clock is TZ's", kept.get("removal-at"),
                int(soon.replace(second=0, microsecond=0).timestamp()) - 3600)

        applied("named", "--organization", "Werk 2")
        applied("unnamed")
        for name, want in (("named", "Werk 2"), ("unnamed", "Acme")):
            shown = b.on(name, "show").result
            s.equal("%s: the device shows %s" % (
                "--organization" if name == "named" else "the identity's name by default", want),
                [p["organization"] for p in shown.get("profiles", [])], [want])

        s.topic("who verifies need not know what apply was told of its sender")
        label = ["--organization", "Werk 2"]
        for name, args, sentence, word in (
                ("unnamed", [], "apply -i, then verify alone", "compliant 0"),
                ("unnamed", identity(), "apply -i, then verify -i", "compliant 0"),
                ("named", [], "apply --organization, then verify alone", "compliant 0"),
                ("named", label, "apply --organization, then verify with it", "compliant 0"),
                ("named", identity() + label, "apply --organization, then verify -i with it",
                 "compliant 0"),
                ("named", identity(), "the identity's own name is another label, which is content",
                 "noncompliant/profile-differs 1")):
            told = b.on(name, "verify", *args)
            s.equal("%s: %s" % (sentence, word), told.word(), word)
        told = b.on("removable", "verify")
        s.equal("but a removable profile is not the locked one", told.word(),
                "noncompliant/profile-differs 1")
        told = b.on("removable", "verify", "--removable")
        s.equal("  and is, when that is what is asked for", told.word(), "compliant 0")
        told = b.on("plain", "verify", "--preset", "conference-room")
        s.equal("another preset is another profile", told.word(), "noncompliant/profile-missing 1")


def lifted(s):
    s.topic("a time-bound profile is lifted when its time comes")
    with bench.Bench([ours("for"), ours("until")]) as b:
        clock = b.tell("clock")["clock"]
        until = datetime.datetime.fromtimestamp(clock + 6 * 3600, datetime.timezone.utc)
        rows = (("for", ["--for", "6h"]),
                ("until", ["--until", until.strftime("%Y-%m-%dT%H:%M:%SZ")]))
        for name, args in rows:
            told = b.on(name, *(APPLY + args))
            s.equal("--%s: in force at first" % name, (told.word(), told.result.get("truth")),
                    ("compliant 0", "effective"))
        b.tell("clock", advance="5h55m")
        for name, args in rows:
            s.equal("--%s: in force five minutes before" % name,
                    b.on(name, *(VERIFY + args)).word(), "compliant 0")
        b.tell("clock", advance="6m")
        for name, args in rows:
            b.wait("removed", name, profile=IMESSAGE)
            s.equal("--%s: gone a minute after" % name, b.on(name, *(VERIFY + args)).word(),
                    "noncompliant/profile-missing 1")
            s.equal("  the device allows iMessage again", b.state(name)["restrictions"]
                    .get("restrictedBool", {}).get("allowChat", {}).get("value", True), True)


# ---- profile files ---------------------------------------------------------------------

def payload(identifier, uuid, restriction="allowChat", name="Ours"):
    return {
        "PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": identifier,
        "PayloadUUID": uuid, "PayloadDisplayName": name, "PayloadRemovalDisallowed": True,
        "PayloadContent": [{
            "PayloadType": "com.apple.applicationaccess", "PayloadVersion": 1,
            "PayloadIdentifier": identifier + ".a", restriction: False,
            "PayloadUUID": uuid[:-1] + "F"}],
    }


FIRST = "0B2F3C4D-0000-4000-8000-000000000001"
SECOND = "0B2F3C4D-0000-4000-8000-000000000002"


def make_files():
    first, second = payload("com.acme.chat", FIRST), payload("com.acme.chat", SECOND, "allowCamera")
    write("foreign.mobileconfig", plistlib.dumps(first))
    write("changed.mobileconfig", plistlib.dumps(second))
    write("binary.mobileconfig", plistlib.dumps(first, fmt=plistlib.FMT_BINARY))
    write("other.mobileconfig", plistlib.dumps(payload("com.acme.other", FIRST)))


def files(s):
    s.topic("profile files, as they come")
    signed = openssl("cms", "-sign", "-in", "foreign.mobileconfig", "-signer", "acme.crt",
                     "-inkey", "acme.key", "-nodetach", "-binary", "-outform", "DER",
                     "-out", "signed.mobileconfig")
    rows = [("XML", "foreign.mobileconfig"), ("binary", "binary.mobileconfig")]
    if signed:
        rows.append(("signed", "signed.mobileconfig"))
    with bench.Bench([ours(kind) for kind, _ in rows] + [ours("replace")]) as b:
        for kind, name in rows:
            told = b.on(kind, *(APPLY + ["--profile", path(name)]))
            s.equal("a profile file, %s: installed and in force" % kind,
                    (told.word(), told.result.get("truth")), ("compliant 0", "effective"))
            kept = b.profiles(kind).get("com.acme.chat", {})
            s.equal("  the device has it as it was written",
                    (kept.get("uuid"), kept.get("signed")), (FIRST, kind == "signed"))
            told = b.on(kind, "verify", "--profile", path(name))
            s.equal("  verify knows it", told.word(), "compliant 0")
            s.equal("  its UUID is its author's, which is said",
                    [(p["expected_uuid"], p["content-addressed"])
                     for p in told.result.get("profiles", [])], [(FIRST, False)])
            s.quiet("the preset was not added to the file", list(b.profiles(kind)) ==
                    ["com.acme.chat"], b.profiles(kind))

        s.topic("what differs is replaced")
        for name, args, action in (
                ("foreign", [], "installed"), ("changed", [], "replaced"),
                ("changed", [], "none"), ("foreign", [], "replaced")):
            told = b.on("replace", *(APPLY + ["--profile", path(name + ".mobileconfig")] + args))
            s.equal("%s content over what is there: %s" % (name, action),
                    ([p["action"] for p in told.result.get("profiles", [])], told.code),
                    ([action], 0))
        told = b.on("replace", *(APPLY + ["--profile", path("foreign.mobileconfig"), "--profile",
                                          path("other.mobileconfig"), "--preset", "conference-room"]))
        s.equal("several files and a preset together",
                {p["identifier"]: p["action"] for p in told.result.get("profiles", [])},
                {"com.acme.chat": "none", "com.acme.other": "installed", ROOM: "installed"})
        s.equal("  all of them are on the device", sorted(b.profiles("replace")),
                sorted(["com.acme.chat", "com.acme.other", ROOM]))
        told = b.on("replace", *(APPLY + ["--profile", path("foreign.mobileconfig"), "--profile",
                                          path("changed.mobileconfig")]))
        s.check("two files with one identifier are refused before anything is sent",
                told.code in (64, 65), told.all())


# ---- remove ------------------------------------------------------------------------------

def made(name, identifier, *restrictions):
    """A file with these restrictions; lint has its say about some of them, so --force goes with it."""
    where = path(name + ".mobileconfig")
    run = bench.run("profile", "build", "--identifier", identifier, "--organization", "Acme",
                    "--overwrite", "-o", where, *[x for r in restrictions for x in ("--restrict", r)])
    assert run.code == 0, run.all()
    return ["--profile", where, "--force"]


def measured(s):
    s.topic("what is in force, and what no device would say")
    devices = [ours("desk"), ours("older", os="18.1"), ours("newer", os="26.1")]
    with bench.Bench(devices) as b:
        day = ["--preset", "student-day", "--for", "8h"]
        lax, strict = made("lax", "org.example.lax", "ratingApps=300"), \
            made("strict", "org.example.strict", "ratingApps=200")
        b.on("desk", *APPLY, *strict)
        for sentence, name, args, truth in (
                ("a stricter number of another profile", "desk", lax, "effective"),
                ("a list under its old name", "desk",
                 made("old", "org.example.old", "blacklistedAppBundleIDs=com.example.a"), "effective"),
                ("a text, which is never reported", "desk",
                 made("text", "org.example.text", "ratingRegion=us", "allowChat=false"), "present"),
                ("a preset on a system that knows it whole", "newer", day, "effective"),
                ("on one that lacks keys of it", "older", day, "present")):
            run = b.on(name, *APPLY, *args)
            s.equal(sentence, (run.word(), run.result["truth"]), ("compliant 0", truth))
            again = b.on(name, *APPLY, *args)
            s.equal("  nothing has to be done twice", (again.word(), again.result["truth"],
                                                       again.result["changed"]),
                    ("compliant 0", truth, False))
        silent = [r["key"] for r in run.result["restrictions"] if r["reported"] is None]
        s.check("  it is told which were not reported", "allowSafariPrivateBrowsing" in silent and
                "allowChat" not in silent, silent)
        run = b.on("desk", *APPLY, *made("laxer", "org.example.strict", "ratingApps=600"))
        s.equal("the stricter of two is what both rest on", (run.word(), [
            (r["want"], r["reported"]) for r in run.result["restrictions"]]), ("compliant 0", [(600, 300)]))


def as_asked(s):
    s.topic("what else people ask for")
    keybag = fault("error", at="mcinstall", request="ProceedWithKeybagMigration", nth="2",
                   domain="DMCKeybagErrorDomain", code="37001")
    devices = [ours("a"), ours("b"), device("free", paired=True), ours("bag", faults=[keybag]),
               ours("curt", faults=[fault("close", at="mcinstall", request="Restrictions")])]
    with bench.Bench(devices) as b:
        run = b.run("apply", "--dry-run", "--json", *identity())
        s.equal("--dry-run reads, so it takes all devices as plan does",
                (run.code, len(run.lines)), (2, 5))
        ecid = hex(int(b.udids["a"][9:], 16))
        b.mark()
        run = b.run("apply", "-u", ecid, "--json", "--preset", "kiosk", "--app", "com.example.till", *identity())
        s.equal("a preset with its app, on the device of an ECID", (run.word(), list(b.profiles("a"))),
                ("compliant 0", ["org.chaperone.preset.kiosk"]))
        s.equal("  for which no other was asked", b.asked("b"), [])
        b.on("bag", *APPLY)
        run = b.on("bag", *VERIFY)
        s.equal("a device that cannot be asked what is in force is judged by its list",
                (run.word(), run.result["truth"]), ("compliant 0", "present"))
        for command in (APPLY, APPLY, VERIFY):
            run = b.on("curt", *command)
            s.equal("%s: one that hangs up on the question does not tell" % command[0],
                    (run.word(), run.result["truth"]), ("compliant 0", "present"))
        s.has("an app that no preset has a use for", b.run("plan", "--app", "com.example.a").err,
              "no preset has a use for it")
        run = b.on("free", *REMOVE)
        s.equal("what has to be gone is not there: no matter whose device it is",
                (run.word(), run.result["changed"]), ("compliant 0", False))
        s.equal("  but what is there only a supervisor takes off", b.on("free", *VERIFY).word(),
                "blocked/unsupervised 2")


def removals(s):
    s.topic("remove proves that it is gone")
    with bench.Bench([ours("has", profiles=["foreign.mobileconfig", "other.mobileconfig"]),
                      ours("bare"), ours("locked-in", profiles=["foreign.mobileconfig"])]) as b:
        b.on("has", *APPLY)
        told = b.on("has", *REMOVE)
        s.equal("the preset: removed, the others stay",
                (told.word(), told.result.get("changed"),
                 [(p["identifier"], p["action"], p["present"])
                  for p in told.result.get("profiles", [])], sorted(b.profiles("has"))),
                ("compliant 0", True, [(IMESSAGE, "removed", False)],
                 ["com.acme.chat", "com.acme.other"]))
        told = b.on("has", *(REMOVE + ["com.acme.chat"]))
        s.equal("by its identifier: removed, the other stays",
                (told.word(), [(p["identifier"], p["action"])
                               for p in told.result.get("profiles", [])], sorted(b.profiles("has"))),
                ("compliant 0", [("com.acme.chat", "removed")], ["com.acme.other"]))
        b.mark()
        told = b.on("has", *(REMOVE + ["com.acme.chat", "com.never.was"]))
        s.equal("what is not there: compliant, nothing changed",
                (told.word(), told.result.get("changed"),
                 [(p["identifier"], p["action"], p["present"], p["uuid"])
                  for p in told.result.get("profiles", [])]),
                ("compliant 0", False, [("com.acme.chat", "none", False, None),
                                        ("com.never.was", "none", False, None)]))
        s.equal("  and no removal was sent", sorted(CHANGING & set(b.requests())), [])
        told = b.on("has", *(REMOVE + ["--profile", path("other.mobileconfig")]))
        s.equal("by its file: removed", (told.word(), b.profiles("has")), ("compliant 0", {}))
        told = b.on("locked-in", "remove", "com.acme.chat")
        s.check("without the identity nothing is removed, and that is said",
                told.code == 2 and list(b.profiles("locked-in")), told.all())
        said = b.run("remove", "-u", b.udids["locked-in"], "com.acme.chat", *identity())
        s.has("in words: removed", said.out, "com.acme.chat: removed")


def main():
    s = bench.begin("applying")
    bench.make_identities()
    make_files()
    budget(s)
    readers(s)
    twice(s)
    plans(s)
    options(s)
    lifted(s)
    files(s)
    measured(s)
    as_asked(s)
    removals(s)
    s.end()


main()

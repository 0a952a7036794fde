#!/usr/bin/env python3
"""Devices that lie, break off, fall silent or send nonsense

Whatever a device does: the right verdict in time, what was sent is said,
nothing of its bytes reaches a terminal raw, and a second run mends it.
"""
import time

import bench
from bench import device, fault, identity, ours

APPLY = ["apply"] + identity()
VERIFY = ["verify"] + identity()
REMOVE = ["remove"] + identity()
IMESSAGE = "org.chaperone.preset.imessage-off"
TIMEOUT = 1                     # seconds; a device that is silent costs that much
GRACE = 3

INSTALL = dict(at="mcinstall", request="InstallProfileSilent")
MC = "mcinstall"
LOCK = "lockdown"
NEIGHBOUR = "00008101-000A1C2D3E4F501E"


class Row:
    def __init__(self, sentence, faults, want, truth=None, command=APPLY, message=None,
                 codes=None, **keys):
        self.__dict__.update(locals())


def f(do, at, request, **keys):
    return [fault(do, at=at, request=request, **keys)]


# (service, request) of a first apply that each fault of the link is tried at, and
# how far the change has come when it strikes before the request is done.
POINTS = [
    (LOCK, "StartSession", None), (LOCK, "GetValue", None), (LOCK, "StartService", None),
    (LOCK, "TLS", None), (MC, "TLS", None), (MC, "GetCloudConfiguration", None),
    (MC, "GetProfileList", None), (MC, "Escalate", None), (MC, "EscalateResponse", None),
    (MC, "ProceedWithKeybagMigration", None), (MC, "InstallProfileSilent", "sent"),
    (MC, "Restrictions", "acknowledged"),
]
LINK = [("unplug", "failed/unplugged 3"), ("close", "failed/protocol 3"),
        ("restart", "failed/unplugged 3")]
# Not every device answers this one: who ends the connection over it does not tell.
HANGS_UP = {("Restrictions", "close"), ("Restrictions", "truncate")}
BYTES = ["garbage", "truncate", "oversized-length", "wrong-type", "missing-key"]


def link_rows():
    for at, request, truth in POINTS:
        for do, want in LINK:
            told = ("compliant 0", "present") if (request, do) in HANGS_UP else (want, truth)
            yield Row("%s at %s/%s" % (do, at, request), f(do, at, request, times=1), *told)


def byte_rows():
    for at, request, truth in POINTS:
        if request == "TLS":
            continue
        for do in BYTES:
            # GetValue of what a device tells: a key that is missing there is only unknown,
            # and the default key of Restrictions is its Status, as with all of MCInstall.
            key = {"GetValue": "Value", "StartSession": "SessionID",
                   "StartService": "Port"}.get(request)
            spoiled = {"key": key} if key and do in ("wrong-type", "missing-key") else {}
            told = ("compliant 0", "present") if (request, do) in HANGS_UP else \
                ("failed/protocol 3", truth)
            yield Row("%s at %s/%s" % (do, at, request), f(do, at, request, times=1, **spoiled), *told)


LIES = [
    Row("an install acknowledged and not stored", f("ack-not-stored", **INSTALL, times=1),
        "failed/not-stored 3", "acknowledged"),
    Row("another content stored under our name", f("other-uuid", **INSTALL, times=1),
        "noncompliant/profile-differs 1"),
    Row("stored and not active", f("inactive", **INSTALL, times=1),
        "noncompliant/profile-inactive 1"),
    Row("two stories: on the list, not in force", f("contradict", MC, "Restrictions", times=1),
        "noncompliant/not-effective 1", "present"),
    Row("listed twice from then on",
        f("listed-twice", MC, "GetProfileList", nth=2, key="OrderedIdentifiers"),
        "failed/protocol 3", "acknowledged"),
    Row("installed, and not on the list that follows",
        f("contradict", MC, "GetProfileList", nth=2), "failed/not-stored 3", "acknowledged"),
    Row("a certificate refused although it is on the device's own list",
        f("refuse-escalation", MC, "Escalate", times=1), "blocked/foreign-supervision 2"),
    Row("a good signature refused", f("refuse-escalation", MC, "EscalateResponse", times=1),
        "blocked/foreign-supervision 2"),
    Row("TLS refused at lockdown: the record is not taken, and a new one is made",
        f("tls-refuse", LOCK, "TLS", times=1), "compliant 0", "effective"),
    Row("TLS refused at lockdown, to somebody who may not pair",
        f("tls-refuse", LOCK, "TLS", times=1), "blocked/untrusted 2", command=["verify"]),
    Row("TLS refused at MCInstall, by a device that took it at lockdown",
        f("tls-refuse", MC, "TLS", times=1), "blocked/untrusted 2"),
]

CHAINS = [
    Row("a refusal with a code that is an integer",
        [fault("error", **INSTALL, times=1, domain="MCProfileErrorDomain", code="1009",
               text="Zweimal.")],
        "failed/refused 3", "sent", message=("MCProfileErrorDomain", 1009, "Zweimal.")),
    Row("a refusal with a code that is a real",
        [fault("error", **INSTALL, times=1, code="4001", code_type="real", text="Real.")],
        "failed/refused 3", "sent", message=("MCInstallationErrorDomain", 4001, "Real.")),
    Row("a refusal with a code that is a text", 
        [fault("error", **INSTALL, times=1, code="4001", code_type="string", text="Text.")],
        "failed/refused 3", "sent", message=("MCInstallationErrorDomain", None, "Text.")),
    Row("a refusal with a terminal's escapes",
        [fault("error", **INSTALL, times=1, code="4001",
               text="\x1b[31mred\x1b]0;title\x07 \x9b2J and \u202eturned\u202c\r\nnext")],
        "failed/refused 3", "sent", message=("MCInstallationErrorDomain", 4001, None)),
    Row("a refusal with a hundred links", [fault("error", **INSTALL, times=1, links="100")],
        "failed/refused 3", "sent", message=("MCInstallationErrorDomain", 4001, None)),
    Row("a refusal with ten thousand links", [fault("error", **INSTALL, times=1, links="10000")],
        "failed/refused 3", "sent", message=("MCInstallationErrorDomain", 4001, None)),
    Row("a refusal with ten thousand links, codes of every kind, and a terminal's escapes",
        [fault("error", **INSTALL, times=1, links="10000", code="4001", code_type="mixed",
               text="\x1b[31mred\x1b]0;title\x07 \x9b2J and \u202eturned\u202c")],
        "failed/refused 3", "sent", message=("MCInstallationErrorDomain", 4001, None),
        codes=[4001, -4002, 4003, -4004, 4005, -4006, 4007, -14000]),
    Row("a refusal with five links, and a megabyte of escapes in each",
        [fault("error", **INSTALL, times=1, links="5", text="\x1b[2J" + "No. " * 249, repeat="1000")],
        "failed/refused 3", "sent", message=("MCInstallationErrorDomain", 4001, None)),
    Row("a refusal with a negative code",
        [fault("error", **INSTALL, times=1, code="-7", text="Minus.")],
        "failed/refused 3", "sent", message=("MCInstallationErrorDomain", -7, "Minus.")),
    Row("a refusal of endless text",
        [fault("error", **INSTALL, times=1, text="No. " * 250)],
        "failed/refused 3", "sent", message=("MCInstallationErrorDomain", 4001, None)),
    Row("a status that nobody knows",
        [fault("error", **INSTALL, times=1, status="PerhapsTomorrow")], "failed/refused 3", "sent"),
    Row("not now, says a device that is locked for all we know",
        [fault("error", **INSTALL, times=1, status="NotNow")], "blocked/locked 2", "sent"),
    Row("a lockdown error that nobody knows",
        f("error", LOCK, "StartService", times=1, text="\x1b[2JFroze"), "failed/refused 3"),
]

# What one hang costs is the whole timeout, so fewer points.
SILENCE = [
    Row("silent at StartSession", f("hang", LOCK, "StartSession", times=1), "failed/timeout 3"),
    Row("silent in the handshake", f("hang", MC, "TLS", times=1), "failed/timeout 3"),
    Row("silent at the install", f("hang", **INSTALL, times=1), "failed/timeout 3", "sent"),
    Row("silent when half of the answer has come", f("hang", **INSTALL, phase="middle", times=1),
        "failed/timeout 3", "sent"),
    Row("silent after the install", f("hang", **INSTALL, phase="after", times=1),
        "failed/timeout 3", "acknowledged"),
    Row("an answer of no length, and then nothing", f("zero-length", **INSTALL, times=1),
        "failed/protocol 3", "sent"),
    Row("slow, and not too slow", [], "compliant 0", "effective", latency_ms=20),
    Row("slow throughout", [], "failed/timeout 3", latency_ms=700),
]


def scene(rows):
    return [ours("d%03d" % i, **dict(row.keys, faults=row.faults)) for i, row in enumerate(rows)]


def group(s, title, rows, timeout=10):
    """All rows at once, each on its own device; then a second run for all of them."""
    s.topic(title)
    rows = list(rows)
    with bench.Bench(scene(rows)) as b:
        names = {udid: name for name, udid in b.udids.items()}
        told, began = {}, time.monotonic()
        for command in (APPLY, ["verify"]):
            udids = [x for i, row in enumerate(rows) if row.command == command
                     for x in ("-u", b.udids["d%03d" % i])]
            if udids:
                run = b.run(*(command + ["-j", 8, "--json", "--timeout", timeout] + udids))
                told.update((names[r["device"]["udid"]], r) for r in run.lines if "verdict" in r)
        took = time.monotonic() - began
        for i, row in enumerate(rows):
            r = told.get("d%03d" % i, {})
            word = "%s%s %s" % (r.get("verdict"), "/" + r["reason"] if r.get("reason") else "",
                                bench.shape.EXITS.get(r.get("verdict")))
            if not s.equal("%s: %s" % (row.sentence, row.want), word, row.want):
                print("      %s" % r)
            if row.truth is not None or row.want.startswith(("failed", "blocked")):
                s.equal("  truth is %s" % row.truth, r.get("truth"), row.truth)
            s.within("  within its time", r.get("duration_ms", 1e9) / 1000, timeout + GRACE)
        s.within("all of them within theirs", took, (timeout + GRACE) * (1 + len(rows) / 8))
        b.tell("clear-faults")
        b.tell("plug")
        b.wait("attached")
        b.tell("set", latency_ms="0")
        again = b.run("apply", "-a", "--json", *identity())
        left = [(names[r["device"]["udid"]], r["verdict"], r["reason"]) for r in again.lines
                if r["verdict"] != "compliant"]
        s.equal("a second run ends as if nothing had happened, for all %d" % len(rows),
                (again.code, len(again.lines), left), (0, len(rows), []))
        s.equal("  every device has the profile, once",
                {tuple(p["identifier"] for p in d["profiles"]) for d in b.state()["devices"]},
                {(IMESSAGE,)})


def chains(s):
    s.topic("what a device says when it refuses")
    with bench.Bench(scene(CHAINS)) as b:
        for i, row in enumerate(CHAINS):
            told = b.on("d%03d" % i, *row.command)
            e = told.result.get("error") or {}
            s.equal("%s: %s" % (row.sentence, row.want), told.word(), row.want)
            s.equal("  truth is %s" % row.truth, told.result.get("truth"), row.truth)
            s.check("  the chain is within limits", len(e.get("chain", [])) <= 16 and
                    all(len(x["text"]) < 600 for x in e.get("chain", [])), e)
            if row.message:
                domain, code, text = row.message
                link = (e.get("chain") or [{}])[0]
                s.check("  the device's words are its own",
                        link.get("domain") == domain and (code is None or link.get("code") == code)
                        and (text is None or link.get("text") == text), link)
            if row.codes:
                s.equal("  every code is read, whatever its type, the last link's too",
                        [x["code"] for x in e.get("chain", [])], row.codes)
            if "links" in row.faults[0]:
                s.equal("  what was left out is counted",
                        len(e["chain"]) + e["chain_left_out"], int(row.faults[0]["links"]))
            b.tell("fault", "d%03d" % i, **{k: str(v) for k, v in row.faults[0].items()})
            said = b.run(*(["apply", "-u", b.udids["d%03d" % i]] + identity()))
            s.quiet("in words too", said.code == told.code and len(said.out) < 8192, said.all())


def answers(s):
    s.topic("lies about what is there, read only")
    rows = [
        ("a list without its manifest", f("missing-key", MC, "GetProfileList",
                                          key="ProfileManifest"), "failed/protocol 3"),
        ("a list without its order", f("missing-key", MC, "GetProfileList",
                                       key="OrderedIdentifiers"), "failed/protocol 3"),
        ("a list whose metadata is a text", f("wrong-type", MC, "GetProfileList",
                                              key="ProfileMetadata"), "failed/protocol 3"),
        ("a cloud configuration that is a text", f("wrong-type", MC, "GetCloudConfiguration",
                                                   key="CloudConfiguration"), "failed/protocol 3"),
        ("restrictions without their dictionary", f("missing-key", MC, "Restrictions",
                                                    key="GlobalRestrictions"), "failed/protocol 3"),
        ("no UDID", f("wrong-type", LOCK, "GetValue", key="UniqueDeviceID"), "compliant 0"),
        ("the UDID of the device beside it", f("other-value", LOCK, "GetValue", key="UniqueDeviceID",
                                               text=NEIGHBOUR), "failed/protocol 3"),
        ("our identifier twice", f("listed-twice", MC, "GetProfileList", key="OrderedIdentifiers"),
         "failed/protocol 3"),
        ("another UUID than was stored", f("other-value", MC, "GetProfileList", key="PayloadUUID",
                                           text="0B2F3C4D-0000-4000-8000-000000000001"),
         "noncompliant/profile-differs 1"),
        ("another organization's name", f("other-value", MC, "GetCloudConfiguration",
                                          key="OrganizationName", text="Other GmbH"), "compliant 0"),
        ("a name that is a number", f("wrong-type", LOCK, "GetValue", key="DeviceName"),
         "compliant 0"),
        ("no version", f("missing-key", LOCK, "GetValue", key="ProductVersion"), "compliant 0"),
        ("a profile whose activity is a text", f("wrong-type", MC, "GetProfileList",
                                                 key="IsActive"), "noncompliant/profile-inactive 1"),
        ("a profile without a UUID", f("missing-key", MC, "GetProfileList", key="PayloadUUID"),
         "noncompliant/profile-differs 1"),
    ]
    with bench.Bench([ours("l%d" % i) for i in range(len(rows))] +
                     [ours("neighbour", udid=NEIGHBOUR)]) as b:
        b.run("apply", "-a", *identity())
        for i, (sentence, faults, want) in enumerate(rows):
            for x in faults:
                b.tell("fault", "l%d" % i, **x)
            told = b.on("l%d" % i, *VERIFY)
            s.equal("%s: %s" % (sentence, want), told.word(), want)
            if "beside" in sentence:
                s.equal("  it is told under the name that usbmuxd knows",
                        told.result["device"]["udid"], b.udids["l%d" % i])
                said = b.run("verify", "-u", b.udids["l%d" % i], *identity())
                s.has("  and in words", said.out, "another device answers")
            if "a name" in sentence or "version" in sentence:
                s.equal("  what is not known is null",
                        told.result["device"]["name" if "name" in sentence else "os"], None)


def names(s):
    s.topic("names that attack a terminal")
    rows = {
        "escape": "\x1b[31mred\x1b[0m",
        "title": "\x1b]0;owned\x07",
        "c1": "\u009b31m and \u0085",
        "delete": "back\x08\x08\x08\x7fspace",
        "lines": "one\ntwo\r\nthree\ttab",
        "turned": "user\u202egnp.exe\u2066\u2069\u200f",
        "hidden": "zero\u200bwidth\u2060\ufeff",
        "long": "x" * 1000,
        "wide": "日本語の端末 🎛 ünïcode",
    }
    import json
    with bench.Bench([ours("n%d" % i) for i in range(0)] +
                     [ours(text, serial="SERIAL%06d" % i) for i, text in
                      enumerate(rows.values())]) as b:
        udids = {d["serial"]: d["udid"] for d in b.state()["devices"]}
        for i, what in enumerate(rows):
            udid = udids["SERIAL%06d" % i]
            told = b.run("verify", "-u", udid, "--json", *identity())
            name = told.result.get("device", {}).get("name") or ""
            s.check("%s: the name is printable in JSON" % what,
                    name and name.isprintable() and len(name) <= 1024, repr(name))
            if what == "wide":
                s.equal("  and what is harmless is kept", name, rows[what])
            for command in ("verify", "show"):
                said = b.run(command, "-u", udid)
                s.check("%s: and in the words of %s" % (what, command),
                        all(c == "\n" or c.isprintable() for c in said.out + said.err),
                        repr(said.out))
        said = b.run("list")
        s.equal("list has one line for each, whatever the names", said.out.count("\n"),
                len(rows) + 1)
        s.check("  all of them printable",
                all(c == "\n" or c.isprintable() for c in said.out), repr(said.out))
        for level in ("-v", "-vv", "-vvv"):
            said = b.run("verify", "-a", level, *identity())
            s.check("%s adds nothing raw" % level,
                    all(c == "\n" or c.isprintable() for c in said.out + said.err), repr(said.err))


def removal(s):
    s.topic("removals")
    rows = [
        Row("acknowledged and kept", f("ack-not-stored", MC, "RemoveProfile", times=1),
            "failed/not-removed 3", "acknowledged"),
        Row("unplugged at the removal", f("unplug", MC, "RemoveProfile", times=1),
            "failed/unplugged 3", "sent"),
        Row("refused", f("error", MC, "RemoveProfile", times=1, code="4008"), "failed/refused 3",
            "sent"),
    ]
    with bench.Bench([ours("r%d" % i) for i in range(len(rows))]) as b:
        b.run("apply", "-a", *identity())
        for i, row in enumerate(rows):
            b.tell("fault", "r%d" % i, **{k: str(v) for k, v in row.faults[0].items()})
            told = b.on("r%d" % i, *REMOVE)
            s.equal("%s: %s" % (row.sentence, row.want), (told.word(), told.result.get("truth")),
                    (row.want, row.truth))
            b.tell("plug", "r%d" % i)
            again = b.on("r%d" % i, *REMOVE)
            s.equal("  a second run removes it", (again.word(), b.profiles("r%d" % i)),
                    ("compliant 0", {}))


def one_of_many(s):
    s.topic("one bad device among good ones costs nobody else anything")
    bad = [("hang", {}), ("garbage", {}), ("unplug", {}), ("oversized-length", {})]
    with bench.Bench([ours("good", count=4)] +
                     [ours("bad-" + do, faults=[fault(do, **INSTALL)]) for do, _ in bad]) as b:
        began = time.monotonic()
        told = b.run("apply", "-a", "--json", "--timeout", 3, *identity())
        verdicts = {r["device"]["name"]: r["verdict"] for r in told.lines}
        s.equal("the good ones are compliant", {verdicts.get("good-%d" % i) for i in (1, 2, 3, 4)},
                {"compliant"})
        s.equal("the bad ones failed", {verdicts.get("bad-" + do) for do, _ in bad}, {"failed"})
        s.within("all of it within the timeout and the grace", time.monotonic() - began, 3 + GRACE)


def main():
    s = bench.begin("liars")
    group(s, "the link breaks, at every message", link_rows())
    group(s, "nonsense, at every message", byte_rows())
    group(s, "lies", LIES)
    group(s, "silence", SILENCE, TIMEOUT)
    chains(s)
    answers(s)
    names(s)
    removal(s)
    one_of_many(s)
    s.end()


main()

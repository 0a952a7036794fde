#!/usr/bin/env python3
"""Every JSON document: each key, its type, when it is null, and that it is there

Whatever the scenarios print is held against shape.py. Here every key is seen
with a value and, where it may be null, without one; and the rules of null are
told one by one.
"""
import datetime
import json
import subprocess

import bench
import shape
from bench import device, fault, identity, ours

APPLY = ["apply"] + identity()
VERIFY = ["verify"] + identity()
IMESSAGE = "org.chaperone.preset.imessage-off"
INSTALL = dict(at="mcinstall", request="InstallProfileSilent")

# Keys that nothing here can fill, or leave empty: a station's slots, errors without a hint,
# and so on. A row that becomes wrong is to be taken out.
NEVER_FILLED = {"device.slot"}
NEVER_NULL = {
    "chaperone.result/1": {"device.location", "error.hint", "device.product", "device.name",
                           "profiles[].expected_uuid", "profiles[].content-addressed"},
    "chaperone.device/1": {"device.location", "error.hint", "trust.paired", "device.serial",
                           "device.ecid", "device.product", "device.model", "device.class",
                           "device.os", "device.build", "device.name", "trust.activation"},
    "chaperone.device/1 of show": {"device.location", "error.hint", "device.ecid",
                                   "device.product", "device.model", "device.class", "device.os",
                                   "device.build", "device.name", "trust.activation",
                                   "trust.paired", "profiles[].display_name"},
}


def paths(rows, prefix=""):
    """Every key of a document by its path, with whether it may be null."""
    for key, kind in rows.items():
        where = prefix + key
        is_maybe = isinstance(kind, tuple) and kind[0] == "maybe"
        if is_maybe:
            kind = kind[1]
        yield where, is_maybe
        if isinstance(kind, dict):
            yield from paths(kind, where + ".")
        elif isinstance(kind, tuple) and kind[0] == "each":
            yield from paths(kind[1], where + "[].")


def values(value, where):
    """All values that a document has at a path; none where a parent is null or empty."""
    head, _, rest = where.partition(".")
    is_list = head.endswith("[]")
    head = head[:-2] if is_list else head
    if not isinstance(value, dict) or head not in value:
        return []
    found = value[head]
    if is_list:
        return [v for item in found or [] for v in (values(item, rest) if rest else [item])]
    return values(found, rest) if rest else [found]


def in_force_today():
    """A policy whose window is open, and ends: results name it and its boundary."""
    today = datetime.datetime.now(datetime.timezone.utc).weekday()
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return bench.write("today.yaml", json.dumps({
        "version": 1, "name": "today", "identity": bench.path("acme.pem"),
        "profiles": [{"preset": "imessage-off"}],
        "window": {"timezone": "UTC", "from": "00:00", "to": "24:00",
                   "days": [days[(today + n) % 7] for n in (-1, 0, 1)]}}))


def collect():
    """Documents of every schema, from scenes as different as there are."""
    out = {}

    def keep(run):
        for line in run.lines:
            schema = line["schema"] + (" of show" if "profiles" in line and
                                       line["schema"] == "chaperone.device/1" else "")
            out.setdefault(schema, []).append(line)
        return run

    plain = bench.write("plain.mobileconfig", """<plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>com.acme.plain</string>
<key>PayloadUUID</key><string>0B2F3C4D-0000-4000-8000-00000000000A</string>
<key>PayloadContent</key><array/></dict></plist>""")
    old = bench.write("old.mobileconfig", open(plain).read().replace("com.acme.plain", IMESSAGE))
    # Lint says of it what only the device can tell: another profile sets the same key.
    wish = bench.write("wish.mobileconfig", """<plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>com.acme.wish</string>
<key>PayloadUUID</key><string>0B2F3C4D-0000-4000-8000-00000000000B</string>
<key>PayloadContent</key><array><dict><key>PayloadType</key>
<string>com.apple.applicationaccess</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>com.acme.wish.1</string>
<key>PayloadUUID</key><string>0B2F3C4D-0000-4000-8000-00000000000C</string>
<key>allowChat</key><false/></dict></array></dict></plist>""")
    scenes = [
        ours("good"), ours("bare", profiles=[plain]), ours("new", paired=False),
        device("free", paired=True), ours("dark", locked=True), ours("mute", queries=False),
        ours("odd", product="iPad99,1"),
        ours("no", faults=[fault("error", **INSTALL)]),
        ours("coma", faults=[fault("hang", at="lockdown", request="StartSession")]),
        ours("vain", faults=[fault("missing-key", at="mcinstall", request="Restrictions",
                                   key="allowChat")]),
    ] + [ours("no" + key, profiles=[old, plain],
              faults=[fault("missing-key", at="mcinstall", request="GetProfileList", key=key)])
         for key in ("PayloadVersion", "PayloadUUID", "IsActive", "PayloadRemovalDisallowed")]
    with bench.Bench(scenes) as b:
        def everyone(command, *args):
            # A device that says nothing takes its whole time: it alone is given little.
            talking = [x for name, udid in b.udids.items() if name != "coma" for x in ("-u", udid)]
            keep(b.run(command, "--json", *(talking + list(args))))
            keep(b.run(command, "--json", "--timeout", 1, "-u", b.udids["coma"], *args))

        everyone("list")
        everyone("list", *identity())
        everyone("verify")
        everyone("plan", *identity())
        everyone("apply", *identity())
        everyone("apply", "--removable", *identity())
        keep(b.run("plan", "--profile", wish, "-u", b.udids["good"], "--json", *identity()))
        keep(b.run("apply", "--policy", in_force_today(), "-u", b.udids["good"], "--json"))
        everyone("show", *identity())
        everyone("remove", "com.none", *identity())
        keep(b.run("pair", "-u", b.udids["good"], "--json"))
        keep(b.run("unpair", "-u", b.udids["good"], "--json"))
        keep(b.run("apply", "-u", "nobody", "--json"))
    keep(bench.run("list", "--frob", "--json"))
    keep(bench.run("list", "--json"))
    for one, other in ((plain, wish), (wish, plain), (wish, wish)):
        keep(bench.run("profile", "diff", one, other, "--json"))
    keep(bench.run("identity", "show", bench.path("acme.pem"), "--json"))
    keep(bench.run("identity", "export", "-i", bench.path("acme.pem"), "--no-encryption", "-o",
                   bench.path("again.pem"), "--json"))
    return out


def coverage(s, documents):
    for schema in ("chaperone.result/1", "chaperone.device/1", "chaperone.device/1 of show",
                   "chaperone.error/1", "chaperone.identity/1", "chaperone.diff/1"):
        s.topic("%s, key by key (%d documents)" % (schema, len(documents[schema])))
        for where, may_be_null in paths(shape.DOCUMENTS[schema]):
            found = [v for d in documents[schema] for v in values(d, where)]
            if where not in NEVER_FILLED:
                s.check("%s has a value somewhere" % where,
                        any(v is not None and v != [] for v in found))
            if may_be_null and where not in NEVER_NULL.get(schema, ()) and \
                    schema != "chaperone.error/1":
                s.check("  and is null where it is not known", any(v is None for v in found))
            if not may_be_null:
                s.check("  and is never null", all(v is not None for v in found))


def nulls(s, documents):
    s.topic("what is not known is null")

    def results(name, command=None):
        return [d for d in documents["chaperone.result/1"] if d["device"]["name"] == name and
                command in (None, d["command"])]

    strangers = [d for d in documents["chaperone.device/1"] if d["device"]["name"] == "new"]
    silent = [d for d in documents["chaperone.result/1"] if d["reason"] == "timeout"]
    rows = [
        ("an unpaired device tells neither serial nor supervision",
         strangers, lambda d: [d["device"]["serial"], d["trust"]["supervised"],
                               d["trust"]["organization"], d["trust"]["ours"]],
         [None, None, None, None]),
        ("  but its UDID, product and system",
         strangers, lambda d: [d["device"]["product"], d["device"]["os"], d["trust"]["paired"]],
         ["iPad13,18", "18.1", False]),
        ("  and why no more is told", strangers, lambda d: bool(d["error"]["message"]), True),
        ("without identity nobody knows whether a device is ours",
         results("good", "verify"), lambda d: d["trust"]["ours"], None),
        ("with one it is known", results("good", "apply"), lambda d: d["trust"]["ours"], True),
        ("an unsupervised device has no organization",
         results("free", "apply"), lambda d: [d["trust"]["supervised"], d["trust"]["organization"]],
         [False, None]),
        ("a model nobody knows is null, its product is not",
         results("odd"), lambda d: [d["device"]["model"], d["device"]["product"]],
         [None, "iPad99,1"]),
        ("a device that never answered has a UDID and a port alone",
         silent, lambda d: sorted(k for k, v in d["device"].items() if v is not None),
         ["connection", "location", "udid"]),
        ("  and its trust is unknown throughout",
         silent, lambda d: set(d["trust"].values()), {None}),
        ("a locked device says so, and whether it is supervised",
         results("dark", "apply"), lambda d: [d["trust"]["locked"], d["trust"]["supervised"]],
         [True, True]),
        ("restrictions are empty where the device does not tell",
         results("mute"), lambda d: d["restrictions"], []),
        ("a restriction that is not reported is null",
         results("vain", "apply"), lambda d: d["restrictions"],
         [{"key": "allowChat", "want": False, "reported": None}]),
        ("reason is null for compliant", [d for d in documents["chaperone.result/1"]
                                          if d["verdict"] == "compliant"],
         lambda d: d["reason"], None),
        ("show knows no profiles of a device that lets nobody in",
         [d for d in documents["chaperone.device/1 of show"] if d["device"]["name"] == "dark"],
         lambda d: d["profiles"], None),
        ("show knows no cloud configuration of an unsupervised device",
         [d for d in documents["chaperone.device/1 of show"] if d["device"]["name"] == "free"],
         lambda d: d["cloud_configuration"], None),
    ]
    for sentence, found, what, want in rows:
        s.check(sentence, found and all(what(d) == want for d in found),
                "%d documents: %s" % (len(found), [what(d) for d in found][:4]))


def sense(s, documents):
    s.topic("values that make sense")
    results = documents["chaperone.result/1"]
    now = datetime.datetime.now(datetime.timezone.utc)
    ages = [(now - datetime.datetime.fromisoformat(d["at"].replace("Z", "+00:00"))).total_seconds()
            for d in results]
    s.check("at is now, in UTC", all(-5 < a < bench.FILE_SECONDS for a in ages), ages)
    s.equal("one run has one UUID, and another run another",
            len({d["run"] for d in results}), len({(d["command"], d["run"]) for d in results}))
    s.check("exits are in error/1 as they are in the shell",
            {d["exit"] for d in documents["chaperone.error/1"]} == {4, 64, 69})
    s.equal("schemas are these", sorted(documents),
            ["chaperone.device/1", "chaperone.device/1 of show", "chaperone.diff/1",
             "chaperone.error/1", "chaperone.identity/1", "chaperone.result/1"])


def watching(s):
    s.topic("chaperone.event/1, as devices come and go")
    with bench.Bench([ours("here"), ours("later", unplugged=True), device("new")]) as b:
        run = b.start("watch", "--json", *identity())
        def events(n):
            return bench.until(lambda: run.so_far()[0].count("\n") >= n)
        s.check("two devices are announced at once", events(2), run.so_far())
        b.tell("plug", "later")
        s.check("a third when it is plugged in", events(3), run.so_far())
        b.tell("unplug", "here")
        s.check("and its going", events(4), run.so_far())
        b.tell("restart", "later")
        s.check("a restart is a going and a coming", events(6), run.so_far())
        run.signal(bench.signal.SIGTERM)
        run.finish()
        names = {u: n for n, u in b.udids.items()}
        told = [(e["event"], names[e["device"]["udid"]]) for e in run.lines]
        s.equal("in their order", sorted(told[:2]) + told[2:],
                [("attached", "here"), ("attached", "new"), ("attached", "later"),
                 ("detached", "here"), ("detached", "later"), ("attached", "later")])
        facts = {names[e["device"]["udid"]]: e for e in run.lines if e["event"] == "attached"}
        s.equal("an attached device comes with its facts",
                [facts["here"]["device"]["name"], facts["here"]["trust"]["ours"],
                 facts["here"]["error"]], ["here", True, None])
        s.equal("  one that does not know us with why not",
                [facts["new"]["trust"]["paired"], bool(facts["new"]["error"])], [False, True])
        gone = [e["device"] for e in run.lines if e["event"] == "detached"]
        s.equal("  and goes with its name", [d["name"] for d in gone], ["here", "later"])
        s.equal("watching pairs nothing", b.state("new")["hosts"], [])
        said = b.start("watch")
        said.wait_for("later")
        said.signal(bench.signal.SIGTERM)
        said.finish()
        s.check("in words: when, what, who", "attached" in said.out and "later" in said.out,
                said.out)


def watching_some(s):
    s.topic("watch, of some devices, and of one that does not answer")
    devices = [ours("mute", faults=[fault("hang", at="lockdown", request="StartSession", nth="1")]),
               ours("a"), ours("b", unplugged=True)]
    with bench.Bench(devices) as b:
        run = b.start("watch", "--json", "--timeout", "2", *identity())
        s.check("who does not answer holds up nobody", run.wait_for('"name":"a"'), run.so_far())
        b.tell("plug", "b")
        s.check("  nor who comes later", run.wait_for('"name":"b"'), run.so_far())
        s.check("  and is told too, with why it is known so little", bench.until(
            lambda: run.so_far()[0].count("\n") >= 3), run.so_far())
        run.signal(bench.signal.SIGTERM)
        run.finish()
        s.equal("  after its time", [(e["device"]["udid"] == b.udids["mute"], bool(e["error"]))
                                     for e in run.lines], [(False, False)] * 2 + [(True, True)])
        b.tell("unplug", "b")
        serial = b.state("a")["serial"]
        for name in (b.udids["a"], serial.lower(), hex(int(b.udids["a"][9:], 16))):
            run = b.start("watch", "--json", "-u", name, "--timeout", "1")
            run.wait_for('"name":"a"')
            b.tell("plug", "b")
            b.tell("unplug", "a")
            s.check("-u %s" % name[:4], run.wait_for("detached"), run.so_far())
            run.signal(bench.signal.SIGTERM)
            run.finish()
            s.equal("  is told of that device alone", [(e["event"], e["device"]["name"]) for e in run.lines],
                    [("attached", "a"), ("detached", "a")])
            b.tell("unplug", "b")
            b.tell("plug", "a")
        watch = subprocess.Popen([bench.CHAPERONE, "watch", "--json"], stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, env=bench.environment(
                                     {"USBMUXD_SOCKET_ADDRESS": "UNIX:" + b.socket}))
        watch.stdout.readline()
        watch.stdout.close()
        s.equal("when nobody reads it any more it ends", watch.wait(bench.RUN_SECONDS), 74)


def main():
    s = bench.begin("documents")
    bench.make_identities()
    documents = collect()
    coverage(s, documents)
    nulls(s, documents)
    sense(s, documents)
    watching(s)
    watching_some(s)
    s.end()


main()

#!/usr/bin/env python3
"""Policies: whose device is it, what should it be, and who may touch it"""
import datetime
import glob
import json
import os

import bench
from bench import device, identity, ours, OTHER

PRESET = "org.chaperone.preset.imessage-off"
OLD = """<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string>
<key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>%s</string>
<key>PayloadUUID</key><string>0B2F3C4D-0000-4000-8000-00000000000%d</string>
<key>PayloadContent</key><array/>
</dict></plist>
"""
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
SOURCE = os.path.abspath(os.environ.get("srcdir", "."))


def policy(name, **keys):
    """Writes a policy file, as JSON, which is YAML; its path."""
    content = dict({"version": 1, "name": name, "profiles": [{"preset": "imessage-off"}]},
                   **{k.replace("_", "-"): v for k, v in keys.items()})
    return bench.write(name + ".yaml", json.dumps(content))


def folder(name, *files):
    """A folder with these policies; its path."""
    where = bench.path(name)
    os.makedirs(where)
    for f in files:
        os.rename(f, os.path.join(where, os.path.basename(f)))
    return where


def acme(name, **keys):
    return policy(name, identity=bench.path("acme.pem"), **keys)


def other(name, **keys):
    return policy(name, identity=bench.path("other.pem"), **keys)


def verdicts(s):
    """One policy, and every way in which a device is or is not its."""
    plain = acme("plain", devices={"supervised-by": ["Acme"], "products": ["iPad*"], "os": ">=17.0"},
                 absent=["com.oldvendor.*"])
    apply, verify = ["apply", "--policy", plain], ["verify", "--policy", plain]
    devices = [
        ours("fresh"), ours("stays"), ours("retires", profiles=["old1.mobileconfig"]),
        ours("unwanted", profiles=["old1.mobileconfig"]), ours("old", os="16.7.10"),
        ours("phone", product="iPhone15,2"), device("free", paired=True),
        device("theirs", supervised_by=OTHER, paired=True), ours("raw", activated=False),
        ours("new", paired=False), ours("gone"),
    ]
    with bench.Bench(devices) as b:
        s.topic("one policy")
        run = b.on("fresh", *apply)
        s.equal("a device of the policy gets its profile", run.word(), "compliant 0")
        s.equal("  the result names the policy", run.result.get("policy"), "plain")
        s.equal("  and without a window there is no boundary", run.result.get("next_boundary"), None)
        s.check("  the device has it", PRESET in b.profiles("fresh"))
        s.equal("a second run changes nothing", b.on("fresh", *apply).result.get("changed"), False)
        s.equal("verify goes by the policy too", b.on("fresh", *verify).word(), "compliant 0")
        s.equal("and misses what is missing", b.on("stays", *verify).word(),
                "noncompliant/profile-missing 1")
        run = b.on("unwanted", *verify)
        b.on("unwanted", "apply", *identity())
        run = b.on("unwanted", *verify)
        s.equal("an old vendor's profile is unwanted", run.word(), "noncompliant/profile-unwanted 1")
        s.has("  its hint says what to do", run.result["error"]["hint"], "apply with the policy")
        run = b.on("retires", *apply)
        s.equal("apply retires it in the same job", run.word(), "compliant 0")
        s.equal("  and installs ours", sorted(b.profiles("retires")), [PRESET])
        s.equal("  both are told", sorted((p["identifier"], p["action"]) for p in
                                          run.result["profiles"]),
                [("com.oldvendor.one", "removed"), (PRESET, "installed")])
        b.mark()
        run = b.on("old", *apply)
        s.equal("too old a system: blocked/os-too-old", run.word(), "blocked/os-too-old 2")
        s.has("  its hint says what to do", run.result["error"]["hint"], "update the device")
        run = b.on("phone", *apply)
        s.equal("another kind of device: blocked/no-policy", run.word(), "blocked/no-policy 2")
        s.has("  its hint says what to do", run.result["error"]["hint"], "policy check")
        s.equal("another client's device: blocked/no-policy", b.on("theirs", *apply).word(),
                "blocked/no-policy 2")
        s.equal("an unsupervised one: blocked/unsupervised", b.on("free", *apply).word(),
                "blocked/unsupervised 2")
        s.equal("one that is not activated: blocked/not-activated", b.on("raw", *apply).word(),
                "blocked/not-activated 2")
        s.equal("none of these was touched", [r for r in b.requests() if "Escalate" in r or
                                              "Install" in r or "Remove" in r], [])
        run = b.on("new", *apply)
        s.equal("a device that nobody paired is paired on the way", run.word(), "compliant 0")
        b.on("gone", *apply)
        run = b.on("gone", "remove", "--policy", plain)
        s.equal("remove takes off what the policy wants", run.word(), "compliant 0")
        s.equal("  and the device has it no longer", list(b.profiles("gone")), [])
        run = b.on("stays", "plan", "--policy", plain)
        s.equal("plan only says what would be", [p["action"] for p in run.result["profiles"]],
                ["would-install"])


def clients(s):
    """Several clients side by side."""
    s.topic("two clients")
    both = folder("both", acme("acme", devices={"supervised-by": ["Acme"]}),
                  other("other", profiles=[{"preset": "messaging-off"}],
                        devices={"supervised-by": ["Other GmbH"]}))
    silent = folder("silent", acme("a-any"), other("b-any", profiles=[{"preset": "messaging-off"}]))
    devices = [ours("a"), device("b", supervised_by=OTHER, paired=True), ours("c", paired=False),
               device("d", supervised_by=OTHER),
               device("e", supervised_by=OTHER, allow_pairing=False),
               device("f", supervised_by={"organization": "Third", "certificate": "third.crt"})]
    with bench.Bench(devices) as b:
        def owner(name, path):
            b.mark()
            run = b.on(name, "apply", "--policy", path)
            return run.word(), run.result.get("policy"), list(b.profiles(name))

        messaging = "org.chaperone.preset.messaging-off"
        s.equal("each gets its own: the first", owner("a", both), ("compliant 0", "acme", [PRESET]))
        s.equal("each gets its own: the second", owner("b", both),
                ("compliant 0", "other", [messaging]))
        s.equal("a device that knows nobody is offered certificates until one is known: the first",
                owner("c", silent), ("compliant 0", "a-any", [PRESET]))
        s.equal("and the second, which shows a Trust box on the way", owner("d", silent),
                ("compliant 0", "b-any", [messaging]))
        s.equal("or none, where pairing is forbidden", owner("e", silent),
                ("compliant 0", "b-any", [messaging]))
        s.equal("a third party's device knows none of the two", owner("f", silent)[0],
                "blocked/trust-pending 2")
        s.equal("  and is not paired", b.state("f").get("pairings", []), [])
        run = b.run("apply", "-a", "--policy", both, "--json")
        s.equal("all at once: each its own", sorted(
            (r["device"]["name"], r.get("policy")) for r in run.lines if r["verdict"] == "compliant"),
            [("a", "acme"), ("b", "other"), ("c", "acme"), ("d", "other"), ("e", "other")])
        serials = {d["name"]: d["serial"] for d in b.state()["devices"]}
        greedy = folder("greedy", other("greedy", devices={"serials": [serials["a"]]}), acme("meek"))
        run = b.on("a", "verify", "--policy", greedy)
        s.equal("a serial in another client's policy does not make it his",
                run.result.get("policy"), "meek")
        rivals = folder("rivals", acme("one", devices={"products": ["iPad*"]}),
                        acme("two", devices={"products": ["*"]}))
        run = b.on("a", "apply", "--policy", rivals)
        s.equal("two policies of equal weight: blocked/no-policy", run.word(), "blocked/no-policy 2")
        s.check("  both are named", all(n in run.result["error"]["message"] for n in ("one", "two")),
                run.result["error"]["message"])
        run = b.run("policy", "check", *sorted(glob.glob(both + "/*.yaml")), "--json")
        s.equal("policy check tells which devices are whose", [
            (r["name"], sorted(d["device"]["name"] for d in r["devices"] if d["match"] == "yes"))
            for r in run.lines], [("acme", ["a", "c"]), ("other", ["b", "d", "e"])])


def windows(s):
    """In force now, or not now: the days say so."""
    s.topic("windows")
    now = datetime.datetime.now(datetime.timezone.utc)
    around = [DAYS[(now.weekday() + n) % 7] for n in (-1, 0, 1)]
    far = [DAYS[(now.weekday() + n) % 7] for n in (3, 4)]
    all_day = {"timezone": "UTC", "from": "00:00", "to": "24:00"}
    inside = acme("inside", window=dict(all_day, days=around))
    outside = acme("outside", window=dict(all_day, days=far))
    with bench.Bench([ours("w"), ours("x")]) as b:
        run = b.on("w", "apply", "--policy", inside)
        s.equal("inside its window the profile goes on", run.word(), "compliant 0")
        end = (now + datetime.timedelta(days=2)).strftime("%Y-%m-%dT00:00:00.000Z")
        s.equal("  until its end", run.result.get("next_boundary"), end)
        s.equal("  once only", b.on("w", "apply", "--policy", inside).result.get("changed"), False)
        run = b.on("w", "verify", "--policy", outside)
        s.equal("outside it is unwanted", run.word(), "noncompliant/profile-unwanted 1")
        run = b.on("w", "apply", "--policy", outside)
        s.equal("and apply takes it off", (run.word(), list(b.profiles("w"))), ("compliant 0", []))
        s.equal("a device without it is as it should be", b.on("x", "verify", "--policy",
                                                               outside).word(), "compliant 0")


def printed(s):
    s.topic("the policy that the contract prints")
    bench.run("profile", "build", "--wifi", "Shop", "--restrict", "allowCamera=false", "--identifier",
              "org.example.wifi", "--overwrite", "-o", bench.path("wifi.mobileconfig"))
    text = """version: 1
name: acme-retail
organization: Acme Retail GmbH
identity: %s
devices:
  supervised-by: [Acme]
  products: ["iPad*"]
  os: ">=17.0"
profiles:
  - preset: imessage-off
  - file: wifi.mobileconfig
absent: ["com.oldvendor.*"]
removable: false
window:
  timezone: Europe/Berlin
  days: [mon, tue, wed, thu, fri, sat, sun]
  from: "00:00"
  to: "00:01"
""" % bench.path("acme.pem")
    name = bench.write("acme-retail.yaml", text)
    config = bench.write("org.yaml", "organization: My Own\n")
    with bench.Bench([ours("desk"), ours("dark", locked=True)]) as b:
        run = b.run("policy", "check", name, "--json")
        s.equal("it is good, with a warning of the file", (run.code, run.result["verdict"],
                [f["line"] for f in run.result["findings"]]), (0, "warning", [11]))
        s.equal("a locked device may be its: it does not say whose it is",
                sorted(d["match"] for d in run.result["devices"]), ["maybe", "yes"])
        run = b.on("desk", "apply", "--policy", name, "--config", config)
        s.equal("outside the window the file is there, and the preset is not", (
            run.word(), list(b.profiles("desk"))), ("compliant 0", ["org.example.wifi"]))
        run = b.run("policy", "check", name, "--json", env={"USBMUXD_SOCKET_ADDRESS": "UNIX:/nonexistent"})
        s.equal("without usbmuxd nobody knows of devices", (run.code, run.result["devices"]), (0, None))
        s.has("  and that is said", run.err, "no device is looked at")


def slots(s):
    """The port decides, also before anybody paired."""
    s.topic("slots")
    with bench.Bench([ours("left", paired=False), ours("right", paired=False)]) as b:
        where = {r["device"]["udid"]: r["device"]["location"] for r in b.run("list", "--json").lines}
        config = bench.write("slots.yaml", json.dumps({"slots": [
            {"name": "7", "port": where[b.udids["left"]]}]}))
        path = folder("by-slot", acme("seven", devices={"slots": ["7"]}),
                      acme("rest", profiles=[{"preset": "messaging-off"}]))
        run = b.on("left", "apply", "--policy", path, "--config", config)
        s.equal("the device in slot 7 gets the policy of slot 7",
                (run.word(), run.result.get("policy")), ("compliant 0", "seven"))
        s.equal("  and the slot is told", run.result["device"]["slot"], "7")
        run = b.on("right", "apply", "--policy", path, "--config", config)
        s.equal("the other does not", (run.word(), run.result.get("policy"),
                                       run.result["device"]["slot"]), ("compliant 0", "rest", None))


def files(s):
    s.topic("files")
    run = bench.run("policy", "check", *sorted(glob.glob(os.path.join(SOURCE, "profiles/*.yaml"))),
                    "--json")
    s.equal("every example is good", [(r["name"], r["verdict"]) for r in run.lines],
            [(os.path.basename(f)[:-5], "ok") for f in
             sorted(glob.glob(os.path.join(SOURCE, "profiles/*.yaml")))])
    bad = bench.write("bad.yaml", "version: 1\nname: bad\nprofiles:\n  - preset: imessage-of\n")
    run = bench.run("policy", "check", bad)
    s.equal("a bad policy is 65", run.code, 65)
    s.has("  with file, line and column", run.out, "bad.yaml:4:13: error: ")
    run = bench.run("verify", "--policy", bad)
    s.equal("verify with it is 65 too", run.code, 65)
    s.has("  with file, line and column", run.err, "bad.yaml:4:13: ")
    s.equal("a policy that is not there is 66", bench.run("policy", "check", "/nowhere").code, 66)
    same = [acme("same1"), acme("same2")]
    run = bench.run("policy", "check", *same)
    s.equal("two for the same devices are 65", run.code, 65)
    s.has("  and it says so", run.out, "neither is more specific")
    run = bench.run("apply", "--policy", same[0], "--preset", "kiosk")
    s.equal("--policy and --preset exclude each other", run.code, 64)


def main():
    s = bench.begin("policies")
    bench.make_identities()
    with open(bench.path("other.crt")) as f:
        bench.write("third.crt", f.read())
    made = bench.run("identity", "create", "--organization", "Third", "--no-encryption", "-o",
                     bench.path("third.pem"))
    with open(bench.path("third.pem")) as f:
        pem = f.read()
    at = pem.index("-----BEGIN CERTIFICATE-----")
    bench.write("third.crt", pem[at:pem.index("-----END CERTIFICATE-----") + 26])
    s.quiet("a third identity", made.code == 0, made.all())
    bench.write("old1.mobileconfig", OLD % ("com.oldvendor.one", 1))
    files(s)
    verdicts(s)
    clients(s)
    windows(s)
    printed(s)
    slots(s)
    s.end()


main()

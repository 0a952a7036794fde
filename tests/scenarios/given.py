#!/usr/bin/env python3
"""Profiles from files: judged once more when the device is known

What lint can say only there (the system, the supervision, the kind, what else
is installed) is in the result, and an error of it stops what would change.
"""
import plistlib

import bench
from bench import device, identity, ours, path, write

CHAT, UPDATES, PHONE = "com.acme.chat", "com.acme.updates", "com.acme.phone"
READ = ["mcinstall/GetProfileList"]
ESCALATED = ["mcinstall/Escalate", "mcinstall/EscalateResponse", "mcinstall/ProceedWithKeybagMigration"]
ASKED = ["mcinstall/Restrictions"]


def profile(identifier, **restrictions):
    """A file whose UUIDs are its author's, as those of foreign tools are."""
    head = {"PayloadVersion": 1, "PayloadIdentifier": identifier, "PayloadDisplayName": "Given",
            "PayloadOrganization": "Acme", "PayloadUUID": "6F1B2C3D-0000-4000-8000-000000000000"}
    return plistlib.dumps(dict(
        head, PayloadType="Configuration", PayloadRemovalDisallowed=True, PayloadContent=[dict(
            head, PayloadType="com.apple.applicationaccess", PayloadIdentifier=identifier + ".1",
            PayloadUUID="6F1B2C3D-0000-4000-8000-000000000001", **restrictions)]))


def args(command, file, *more):
    return [command] + identity() + ["--profile", path(file)] + list(more)


def on(b, name, command, file, *more):
    return b.on(name, command, *(args(command, file, *more)[1:]))


def lint(run):
    """rule, severity and place of what lint said of this device, sorted."""
    return sorted((f["rule"], f["severity"], f["path"]) for f in run.result.get("lint", []))


REMOVED = ("K008", "error", "PayloadContent[0].forceDelayedSoftwareUpdates")
DOUBLE = ("V002", "warning", "PayloadContent[0].allowChat")


def unsuitable(s, b):
    s.topic("an error on this device: nothing is sent")
    for command in ("plan", "apply"):
        run = on(b, "new", command, "updates")
        s.equal("%s, and the system no longer has the key" % command, run.word(),
                "noncompliant/profile-unsuitable 1")
        s.check("  lint says which", REMOVED in lint(run), lint(run))
        s.equal("  and nothing is, or would be, done", [p["action"] for p in run.result["profiles"]], ["none"])
    s.equal("the device has no profile", b.profiles("new"), {})
    run = on(b, "new", "verify", "updates")
    s.equal("verify is about the device", run.word(), "noncompliant/profile-missing 1")
    s.check("  and tells it all the same", REMOVED in lint(run), lint(run))
    text = b.run("apply", "-u", b.udids["new"], *args("apply", "updates")[1:])
    s.has("people read it", text.out, "error K008: com.acme.updates: ")
    s.has("  and how to go on", text.out, "--force")
    run = on(b, "new", "apply", "updates", "--force")
    s.check("--force sends it", UPDATES in b.profiles("new") and run.result.get("changed"), run.all())
    run = on(b, "old", "apply", "updates")
    s.equal("a system that has the key takes it", run.word(), "compliant 0")
    s.check("  without an error", all(f[1] == "warning" for f in lint(run)), lint(run))
    for name, want in (("phone", "noncompliant/profile-unsuitable 1"), ("old", "compliant 0")):
        run = on(b, name, "apply", "phone")
        s.equal("to hide Phone, on %s" % name, run.word(), want)
    run = on(b, "free", "verify", "updates")
    s.equal("an unsupervised device", run.word(), "blocked/unsupervised 2")
    s.check("  would drop the key", any(f[0] == "K005" and f[1] == "warning" for f in lint(run)), lint(run))


def neighbours(s, b):
    s.topic("what else is installed")
    for command in ("plan", "apply", "verify"):
        run = on(b, "shared", command, "chat")
        s.equal("%s: another profile sets the same key" % command, lint(run), [DOUBLE])
        s.has("  and which", run.result["lint"][0]["message"], "com.old.chat")
    s.equal("it is a warning: the profile is there", run.word(), "compliant 0")
    b.mark()
    on(b, "shared", "remove", "chat")
    run = on(b, "shared", "apply", "chat")
    asked = [r for r in b.asked("shared") if r.startswith("mcinstall/")]
    s.equal("asked for once, with the escalation that apply needs anyway", asked[-8:],
            READ + ESCALATED + ASKED + ["mcinstall/InstallProfileSilent"] + READ + ASKED)
    run = on(b, "mute", "apply", "chat")
    s.equal("a device that does not tell is no failure", run.word(), "compliant 0")
    s.equal("  and nothing is guessed", lint(run), [])
    run = on(b, "alone", "apply", "chat")
    s.equal("a device without other profiles", (run.word(), lint(run)), ("compliant 0", []))
    run = on(b, "shared", "apply", "camera")
    s.equal("another key than the neighbour's", (run.word(), lint(run)), ("compliant 0", []))


def twins(s, b):
    s.topic("the same UUID for other content")
    run = on(b, "alone", "verify", "changed")
    s.equal("the device has it by name, number and version", run.result["profiles"][0]["present"], True)
    s.equal("lint sees that it is another", [f[0] for f in lint(run)], ["V001"])
    run = on(b, "alone", "verify", "chat")
    s.equal("the very one has no finding", (run.word(), lint(run)), ("compliant 0", []))


def diff(b, name, file, *more):
    return b.run("profile", "diff", path(file), "-u", b.udids[name], "--json", *more)


def changes(run):
    return [(c["path"], c["change"]) for c in run.result.get("changes", [])]


ALLOW = "com.apple.applicationaccess."


def differences(s, b):
    s.topic("profile diff FILE -u DEVICE")
    who = identity()
    run = diff(b, "alone", "chat", *who)
    s.equal("the same, and nothing of it untold", (run.code, run.result["same"], run.result["untold"]),
            (0, True, []))
    run = diff(b, "alone", "chat")
    s.equal("without an identity the same as far as the list goes", (run.code, run.result["same"]), (0, True))
    s.check("  and it says what is not told", ["(-i)" in u for u in run.result["untold"]] == [True],
            run.result["untold"])
    run = diff(b, "alone", "changed", *who)
    s.equal("a key that is not there, and another name", (run.code, changes(run)),
            (1, [("PayloadDisplayName", "changed"), (ALLOW + "ratingApps", "removed")]))
    run = diff(b, "alone", "wider", *who)
    s.equal("a key more on the device, another UUID and version", (run.code, changes(run)),
            (1, [("PayloadUUID", "changed"), ("PayloadVersion", "changed"), ("PayloadRemovalDisallowed", "changed"),
                 (ALLOW + "allowCamera", "removed"), (ALLOW + "allowChat", "added")]))
    s.equal("what another payload holds is not told", run.result["untold"],
            ["what its payload com.apple.wifi.managed holds"])
    run = diff(b, "alone", "camera", *who)
    s.equal("another name: not listed", (run.code, run.result["listed"], changes(run)),
            (1, False, [("PayloadIdentifier", "removed")]))
    run = diff(b, "alone", "built", *who)
    s.equal("built by us: its UUID proves the whole content",
            (run.code, run.result["proven"], run.result["untold"]), (0, True, []))
    run = diff(b, "mute", "chat", *who)
    s.equal("a device that does not answer", (run.code, run.result["untold"]),
            (0, ["what it restricts: this device does not answer that"]))
    b.mark()
    run = diff(b, "dark", "chat", *who)
    s.equal("a locked one cannot be asked", (run.code, run.result["same"], run.result["reason"]),
            (2, None, "locked"))
    s.check("nothing is ever changed", not [r for r in b.requests() if "Install" in r or "Remove" in r],
            b.requests())
    text = b.run("profile", "diff", path("wider"), "-u", b.udids["alone"], *who)
    s.has("people read it", text.out, "+ com.apple.applicationaccess.allowChat: false\n")
    s.has("  and what is not known", text.out, "? not told: what its payload com.apple.wifi.managed holds\n")
    for sentence, args, code in (
            ("a device and a second file", [path("chat"), path("chat"), "-u", b.udids["alone"]], 64),
            ("neither", [path("chat")], 64), ("several devices", [path("chat"), "-a"], 64),
            ("no such device", [path("chat"), "-u", "nobody"], 4),
            ("no profile", [path("acme.crt"), "-u", b.udids["alone"]], 65)):
        s.equal(sentence, b.run("profile", "diff", *args).code, code)


def main():
    s = bench.begin("given")
    write("chat", profile(CHAT, allowChat=False))
    write("changed", profile(CHAT, allowChat=False, ratingApps=200).replace(b">Given<", b">Given again<"))
    write("camera", profile("com.acme.camera", allowCamera=False))
    write("updates", profile(UPDATES, forceDelayedSoftwareUpdates=True))
    write("phone", profile(PHONE, blockedAppBundleIDs=["com.apple.mobilephone"]))
    write("wider", plistlib.dumps(dict(
        plistlib.loads(profile(CHAT, allowCamera=False)), PayloadVersion=2, PayloadRemovalDisallowed=False,
        PayloadUUID="6F1B2C3D-0000-4000-8000-0000000000FF",
        PayloadContent=plistlib.loads(profile(CHAT, allowCamera=False))["PayloadContent"] + [
            {"PayloadType": "com.apple.wifi.managed", "PayloadVersion": 1, "SSID_STR": "a",
             "PayloadIdentifier": CHAT + ".2", "PayloadUUID": "6F1B2C3D-0000-4000-8000-000000000002"}])))
    bench.run("profile", "build", "--preset", "exam", "-o", path("built"))
    old = write("old", profile("com.old.chat", allowChat=False))
    with bench.Bench([ours("new", os="27.0"), ours("old"), ours("phone", product="iPhone15,2"),
                      ours("shared", profiles=[old]), ours("mute", profiles=[old], queries=False),
                      ours("alone"), ours("dark", locked=True), device("free", paired=True)]) as b:
        unsuitable(s, b)
        neighbours(s, b)
        twins(s, b)
        on(b, "alone", "apply", "built")
        on(b, "mute", "apply", "chat")
        differences(s, b)
    s.end()


main()

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


def main():
    s = bench.begin("given")
    write("chat", profile(CHAT, allowChat=False))
    write("changed", profile(CHAT, allowChat=False, ratingApps=200).replace(b">Given<", b">Given again<"))
    write("camera", profile("com.acme.camera", allowCamera=False))
    write("updates", profile(UPDATES, forceDelayedSoftwareUpdates=True))
    write("phone", profile(PHONE, blockedAppBundleIDs=["com.apple.mobilephone"]))
    old = write("old", profile("com.old.chat", allowChat=False))
    with bench.Bench([ours("new", os="27.0"), ours("old"), ours("phone", product="iPhone15,2"),
                      ours("shared", profiles=[old]), ours("mute", profiles=[old], queries=False),
                      ours("alone"), device("free", paired=True)]) as b:
        unsuitable(s, b)
        neighbours(s, b)
        twins(s, b)
    s.end()


main()

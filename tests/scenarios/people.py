#!/usr/bin/env python3
"""People: who locks a device at the wrong moment, names it badly, or brings an old certificate

What a person does is no failure: it is told as something a person can mend, in
JSON and in words, and the next run goes on from there.
"""
import shutil

import bench
from bench import IMESSAGE, fault, identity, ours, path

APPLY = ["apply"] + identity()
PAIR = ["pair"] + identity()
LOCK, MC = "lockdown", "mcinstall"
LOCKED = "blocked/locked 2"
HINT = "unlock the device with its passcode"


# ---- somebody locks it while we work ---------------------------------------------------

# (command, is it paired, where it is locked, what comes of it, how far the change has come)
MOMENTS = [
    (APPLY, True, LOCK, "StartSession", LOCKED, "sent"),
    (APPLY, True, LOCK, "GetValue", LOCKED, "sent"),
    (APPLY, True, LOCK, "StartService", LOCKED, "sent"),
    (APPLY, True, MC, "GetCloudConfiguration", LOCKED, "sent"),
    (APPLY, True, MC, "GetProfileList", LOCKED, "sent"),
    (APPLY, True, MC, "Escalate", LOCKED, "sent"),
    (APPLY, True, MC, "EscalateResponse", LOCKED, "sent"),
    (APPLY, True, MC, "ProceedWithKeybagMigration", LOCKED, "sent"),
    (APPLY, True, MC, "InstallProfileSilent", LOCKED, "sent"),
    (APPLY, True, MC, "Restrictions", "compliant 0", "effective"),
    (APPLY, False, LOCK, "Pair", LOCKED, None),
    (PAIR, False, LOCK, "GetValue", LOCKED, None),
    (PAIR, False, LOCK, "Pair", LOCKED, None),
    (PAIR, False, LOCK, "StartSession", "compliant 0", "effective"),
]


def moments(s):
    s.topic("locked at each step")
    with bench.Bench([ours("m%d" % i, paired=paired,
                           faults=[fault("lock", at=at, request=request, nth=1)])
                      for i, (_, paired, at, request, _, _) in enumerate(MOMENTS)]) as b:
        for i, (command, paired, at, request, want, truth) in enumerate(MOMENTS):
            name = "m%d" % i
            told = b.on(name, *command)
            s.equal("%s, locked at %s/%s: %s" % (command[0], at, request, want),
                    (told.word(), told.result.get("truth")), (want, truth))
            if want != LOCKED:
                continue
            s.equal("  which is on record as what it is", told.result["trust"]["locked"], True)
            s.quiet("nothing was installed", b.profiles(name) == {}, b.profiles(name))
            if i % 4:
                continue        # the words are the same, and a run is not for nothing
            said = b.run(command[0], "-u", b.udids[name], *identity())
            s.check("  in words: what happened, and what to do",
                    said.code == 2 and said.out.startswith("! blocked (locked)  ") and
                    HINT in said.out, said.all())
        b.tell("unlock")
        again = b.run("apply", "-a", "--json", *identity())
        s.equal("unlocked, all of them are made compliant",
                (again.code, {tuple(p["identifier"] for p in d["profiles"])
                              for d in b.state()["devices"]}), (0, {(IMESSAGE,)}))


# ---- an old certificate -----------------------------------------------------------------

CA = """[ca]
default_ca = here
[here]
database = %s
serial = %s
new_certs_dir = %s
default_md = sha256
policy = any
[any]
organizationName = optional
"""


def old_certificate():
    """Acme's key under a certificate of the year 2020; False where openssl cannot."""
    bench.write("index", "")
    bench.write("serial", "01\n")
    bench.write("ca.cnf", CA % (path("index"), path("serial"), bench.folder()))
    return bench.openssl("req", "-new", "-key", "acme.key", "-subj", "/O=Acme", "-out", "old.csr") and \
        bench.openssl("ca", "-config", "ca.cnf", "-batch", "-selfsign", "-keyfile", "acme.key",
                      "-notext", "-in", "old.csr", "-out", "old.crt",
                      "-startdate", "20200101000000Z", "-enddate", "20210101000000Z")


def expired(s):
    s.topic("a supervision certificate that has expired")
    bench.make_identities()
    if not shutil.which("openssl"):
        print("skipped: no openssl to make one with")
        return
    s.quiet("openssl makes one", old_certificate())
    who = ["-i", path("old.crt") + "," + path("acme.key")]
    old = dict(supervised_by={"organization": "Acme", "certificate": "old.crt"})
    with bench.Bench([ours("known", **old), ours("new", **dict(old, paired=False)),
                      ours("strict", faults=[fault("refuse-escalation", at=MC, request="Escalate")],
                           **old)]) as b:
        for name in ("known", "new"):
            told = b.on(name, "apply", *who)
            s.equal("%s: it is tried, and the device decides" % name,
                    (told.word(), list(b.profiles(name))), ("compliant 0", [IMESSAGE]))
            s.equal("  it is warned of, once", told.err.count("certificate has expired"), 1)
        told = b.run("apply", "-u", b.udids["strict"], *who)
        s.check("a device that does not take it: the warning, and the verdict",
                told.code == 2 and told.out.startswith("! blocked (foreign-supervision)") and
                "certificate has expired; devices may refuse it" in told.err, told.all())
        told = bench.run("identity", "show", *who)
        s.has("identity show says so too", told.out, "(expired)")
        told = bench.run("ledger", "seal", *who)
        s.equal("it seals nothing, for nobody would accept that", told.code, 65)
        s.has("  and says why", told.err, "has expired: a seal by it would never be accepted")


# ---- names --------------------------------------------------------------------------------

def not_text(s):
    s.topic("names that are no text at all")
    rows = {"a byte that is none": "4e61ff6d65", "a character cut off": "4e616d65e280",
            "half of a pair": "4e61eda0bd6d65", "too long a form of a slash": "4e61c0af6d65",
            "beyond Unicode": "4e61f49080806d65", "an escape, the long way": "4ee0809b6d65"}
    with bench.Bench([ours("n%d" % i, faults=[fault("other-value", at=LOCK, request="GetValue",
                                                    key="DeviceName", hex=raw)])
                      for i, raw in enumerate(rows.values())]) as b:
        for i, what in enumerate(rows):
            udid = b.udids["n%d" % i]
            told = b.on("n%d" % i, "apply", *identity())
            name = told.result.get("device", {}).get("name") or ""
            s.check("%s: the job is done, and the name is printable" % what,
                    told.word() == "compliant 0" and name.startswith("N") and name.isprintable(),
                    (told.word(), name))
            said = b.run("verify", "-u", udid)
            s.check("  in words too", said.code == 0 and
                    all(c == "\n" or c.isprintable() for c in said.out), repr(said.out))
        said = b.run("list")
        s.equal("list has a line for each", said.out.count("\n"), len(rows) + 1)


def namesakes(s):
    s.topic("two devices with one serial number")
    with bench.Bench([ours("one", serial="F9FXK0ABCD12"), ours("two", serial="F9FXK0ABCD12")]) as b:
        said = b.run("apply", "-u", "F9FXK0ABCD12", *identity())
        s.check("called by it, neither is touched, and the words say which there are",
                said.code == 64 and "names 2 attached devices" in said.err and
                b.profiles("one") == b.profiles("two") == {}, said.all())
        told = b.run("apply", "-a", "--json", *identity())
        s.equal("called by nothing, each is done once", sorted(
            (r["device"]["udid"], r["verdict"]) for r in told.lines),
                sorted((u, "compliant") for u in b.udids.values()))


def main():
    s = bench.begin("people")
    moments(s)
    expired(s)
    not_text(s)
    namesakes(s)
    s.end()


main()

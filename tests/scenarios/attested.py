#!/usr/bin/env python3
"""Statements: verify --attest, and whether others believe it

The two openssl commands are those of chaperone(1), read from the page itself.
"""
import hashlib
import json
import os
import re
import subprocess

import bench
from bench import identity, ours, path

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "chaperone.1")


def commands_of_page():
    with open(PAGE) as f:
        section = f.read().split(".Sh STATEMENTS")[1].split(".Sh ")[0]
    block = section.split(".Bd -literal")[1].split("\n", 1)[1].split(".Ed")[0]
    return [c.strip() for c in block.replace("\\e\n", " ").split("$ ") if c.strip()]


def read(cms):
    """What openssl says was signed, by the commands of the page; None: it refuses."""
    out = []
    for command in commands_of_page():
        done = subprocess.run(["/bin/sh", "-c", command.replace("statement.p7s", cms)],
                              cwd=bench.folder(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=bench.RUN_SECONDS)
        out.append(done)
    if any(done.returncode for done in out):
        return None
    with open(path("statement.json")) as f:
        return json.load(f), out[1].stdout.decode()


def good(s, b):
    s.topic("a statement says what was seen, and openssl believes it")
    made = b.run("verify", "-a", "--json", "--attest", path("a.p7s"), "--nonce", "n-1", *identity())
    s.equal("verify is what it was: the exit code is the verdict", made.code, 1)
    told = read("a.p7s")
    if not s.check("both openssl commands of the page accept it", told):
        return
    content, fingerprint = told
    s.equal("it has the results that were told, whole",
            sorted(json.dumps(r, sort_keys=True) for r in content["results"]),
            sorted(json.dumps(r, sort_keys=True) for r in made.lines))
    s.equal("  the nonce", content["nonce"], "n-1")
    s.equal("  and the schema", content["schema"], "chaperone.statement/1")
    wanted = content["profiles"]
    s.check("  the profile, by its SHA-256 and the UUID the result expects",
            len(wanted) == 1 and re.match(r"[0-9a-f]{64}\Z", wanted[0]["sha256"]) and
            wanted[0]["uuid"] == made.lines[0]["profiles"][0]["expected_uuid"], wanted)
    show = bench.run("identity", "show", "--json", *identity()).lines[0]
    s.has("the fingerprint is the identity's", fingerprint.replace(":", "").lower(), show["sha256"])
    events = [json.loads(l) for l in bench.run("ledger", "export", "-o", "-").out.splitlines()]
    s.check("the ledger has the signature", any(
        e["kind"] == "signature" and "statement" in json.dumps(e) for e in events))
    s.equal("and its chain holds", bench.run("ledger", "verify").code, 0)
    for sentence, code, args in (
            ("attest verify believes it", 0, []), ("and who signed it", 0, ["--ca", path("acme.crt")]),
            ("but not somebody else", 65, ["--ca", path("other.crt")]),
            ("and repeats the nonce", 0, ["--nonce", "n-1"]), ("no other", 65, ["--nonce", "n-2"])):
        s.equal(sentence, bench.run("attest", "verify", path("a.p7s"), *args).code, code)
    with open(path("a.p7s"), "rb") as f:
        bytes_ = f.read()
    at = bytes_.index(b"noncompliant")
    bench.write("bad.p7s", bytes_[:at] + b"xxxcompliant" + bytes_[at + 12:])
    s.check("an altered one convinces nobody", read("bad.p7s") is None and
            bench.run("attest", "verify", path("bad.p7s")).code == 65)


def signers(s, b):
    s.topic("who signs")
    run = b.on("one", "verify", "--attest", path("o.p7s"), "--attest-with", path("other.pem"),
               *identity())
    s.equal("--attest-with is another's signature", run.code, 1)
    s.equal("  and is said to be", [bench.run("attest", "verify", path("o.p7s"), "--ca", path(c)).code
                                    for c in ("other.crt", "acme.crt")], [0, 65])
    a = bench.Run(["agent", *identity(), "--socket", path("ag")], wait=False)
    a.wait_for("signs as")
    run = b.on("one", "verify", "--attest", path("g.p7s"), "-i", "agent:" + path("ag"))
    s.equal("an agent signs too", (run.code, read("g.p7s") is not None), (1, True))
    a.signal(bench.signal.SIGTERM)
    a.finish()
    s.has("  and tells it", a.err, "signed: statement")


def authority(name):
    """A time-stamping authority of our own, and what it does with a request."""
    bench.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path(name + ".key"),
                  "-out", path(name + ".crt"), "-days", "10", "-subj", "/CN=" + name,
                  "-addext", "extendedKeyUsage=critical,timeStamping")
    bench.write("serial", "01\n")
    config = bench.write("tsa.cnf", "[tsa]\nserial = %s\ndefault_policy = 1.2.3.4\n"
                         "signer_digest = sha256\ndigests = sha256\ness_cert_id_alg = sha256\n"
                         % path("serial"))

    def stamp(request, reply):
        return bench.openssl("ts", "-reply", "-config", config, "-section", "tsa", "-queryfile",
                             path(request), "-signer", path(name + ".crt"), "-inkey",
                             path(name + ".key"), "-out", path(reply))
    return stamp


def stamped(s, b):
    s.topic("when it existed, says somebody else")
    for n in "12":
        b.on("one", "verify", "--attest", path("t%s.p7s" % n), "--timestamp-request",
             path("t%s.tsq" % n), *identity())
    authority("tsa")("t1.tsq", "t1.tsr")
    authority("fake")("t1.tsq", "fake.tsr")
    s.check("openssl finds the reply right", bench.openssl(
        "ts", "-verify", "-data", path("t1.p7s"), "-in", path("t1.tsr"),
        "-CAfile", path("tsa.crt")))
    rows = [
        ("so do we", 0, "t1.p7s", "t1.tsr", "tsa.crt", None),
        ("but not for another statement", 65, "t2.p7s", "t1.tsr", "tsa.crt", "for another file"),
        ("not by another authority", 65, "t1.p7s", "fake.tsr", "tsa.crt",
         "not by the authority expected"),
        ("not by somebody who signs statements", 65, "t1.p7s", "t1.tsr", "acme.crt",
         "not by the authority expected"),
        ("a statement is no reply", 65, "t1.p7s", "t2.p7s", "tsa.crt", "no reply"),
        ("a certificate that is none", 65, "t1.p7s", "t1.tsr", "t1.tsq", "no certificate"),
    ]
    for sentence, code, cms, reply, ca, said in rows:
        run = bench.run("attest", "verify", path(cms), "--timestamp", path(reply), "--tsa-ca",
                        path(ca), "--json")
        s.equal(sentence, run.code, code)
        if said:
            s.has("  and says so", run.lines[0]["message"], said)
        else:
            times = run.lines[0]["timestamps"]
            s.check("  and says when, and by whom", len(times) == 1 and
                    times[0]["authority"] == "tsa" and times[0]["at"] >= made_at(run), times)
    run = bench.run("attest", "verify", path("t1.p7s"), "--timestamp", path("t1.tsr"), "--timestamp",
                    path("fake.tsr"), "--tsa-ca", path("tsa.crt"))
    s.equal("of two, both must be right", run.code, 65)


def made_at(run):
    """To the second: an authority's clock tells no less."""
    return run.lines[0]["statement"]["at"][:19] + ".000Z"


def by_policy(s, b):
    s.topic("what policies wanted is in it too")
    b.run("apply", "-u", b.udids["two"], *identity())
    policy = bench.write("kept.yaml", "version: 1\nname: kept\nidentity: %s\norganization: Kept\n"
                         "profiles:\n  - preset: imessage-off\n" % path("acme.pem"))
    run = b.run("verify", "-a", "--policy", policy, "--json", "--attest", path("p.p7s"))
    told = bench.run("attest", "verify", path("p.p7s"), "--json").lines[0]["statement"]["profiles"]
    s.equal("each once, as the results expect it", [p["uuid"] for p in told],
            sorted({p["expected_uuid"] for r in run.lines for p in r["profiles"]}))
    b.run("apply", "-a", "--policy", policy)
    listed = b.run("verify", "-u", b.udids["one"], "--policy", policy, "--json").lines[0]["profiles"]
    s.equal("  the device has it after apply", listed[0]["uuid"], told[0]["uuid"])
    s.check("  with the digest of the bytes that went there",
            re.match(r"[0-9a-f]{64}\Z", told[0]["sha256"]), told)
    bench.run("profile", "build", "--organization", "Kept", "-o", path("kept.mobileconfig"))
    with open(path("kept.mobileconfig"), "rb") as f:
        s.equal("  as profile build makes them", told[0]["sha256"],
                hashlib.sha256(f.read()).hexdigest())


def refusals(s, b):
    s.topic("what is not done")
    bench.write("there", "x")
    rows = [
        ("over a file that is there", 73, ["--attest", path("there")] + identity()),
        ("to standard output", 64, ["--attest", "-"] + identity()),
        ("by nobody", 64, ["--attest", path("n.p7s")]),
        ("a signer of nothing", 64, ["--attest-with", path("acme.pem")] + identity()),
        ("a time-stamp request over a file that is there", 73,
         ["--attest", path("n.p7s"), "--timestamp-request", path("there")] + identity()),
        ("a time stamp for no statement", 64, ["--timestamp-request", path("n.tsq")] + identity()),
        ("a nonce of two lines", 64, ["--attest", path("n.p7s"), "--nonce", "a\nb"] + identity()),
        ("by an identity that is not there", 66,
         ["--attest", path("n.p7s"), "--attest-with", path("none.pem")] + identity()),
    ]
    b.mark()
    for sentence, code, args in rows:
        run = b.run("verify", "-u", b.udids["one"], *args)
        s.check("%s: %d" % (sentence, code), run.code == code, run.all())
    s.equal("and no device was asked for it", b.asked("one"), [])
    s.check("no file is made", not os.path.exists(path("n.p7s")))
    run = b.run("verify", "-u", b.udids["one"], "--attest", path("there"), "--overwrite", *identity())
    s.equal("--overwrite replaces it", (run.code, read("there") is not None), (1, True))


def main():
    s = bench.begin("attested")
    if bench.openssl("version") is None:
        print("no openssl here")
        raise SystemExit(bench.SKIPPED)
    with bench.Bench([ours("one"), ours("two")]) as b:
        good(s, b)
        signers(s, b)
        stamped(s, b)
        by_policy(s, b)
        refusals(s, b)
    s.end()


main()

#!/usr/bin/env python3
"""Statements: verify --attest, and whether others believe it

The two openssl commands are those of chaperone(1), read from the page itself.
"""
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


def refusals(s, b):
    s.topic("what is not done")
    bench.write("there", "x")
    rows = [
        ("over a file that is there", 73, ["--attest", path("there")] + identity()),
        ("to standard output", 64, ["--attest", "-"] + identity()),
        ("by nobody", 64, ["--attest", path("n.p7s")]),
        ("a signer of nothing", 64, ["--attest-with", path("acme.pem")] + identity()),
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
        refusals(s, b)
    s.end()


main()

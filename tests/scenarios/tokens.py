#!/usr/bin/env python3
"""Tokens: a key in softhsm2, by its URI, for commands and for the agent"""
import os
import shutil
import subprocess

import bench
from bench import ours, path, run

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
SPY = ["/usr/lib/x86_64-linux-gnu/pkcs11-spy.so", "/usr/lib/pkcs11/pkcs11-spy.so"]
PIN = "80146273"


def tool(*args):
    done = subprocess.run(args, cwd=bench.folder(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=bench.RUN_SECONDS, env=ENV)
    if done.returncode:
        raise bench.Refused("%s: %s" % (args, done.stdout))
    return done.stdout


def make_token():
    """A token with an RSA key and its certificate, and a P-256 key without."""
    tool("softhsm2-util", "--init-token", "--free", "--label", "acme", "--pin", PIN, "--so-pin", "0000")
    tool("softhsm2-util", "--import", path("acme.key"), "--token", "acme", "--label", "ipads",
         "--id", "01", "--pin", PIN)
    tool("openssl", "x509", "-in", path("acme.crt"), "-outform", "DER", "-out", path("acme.der"))
    tool("pkcs11-tool", "--module", MODULE, "--token-label", "acme", "--write-object", path("acme.der"),
         "--type", "cert", "--label", "ipads", "--id", "01")
    tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", path("ec.key"), "-out", path("ec.crt"), "-days", "30", "-subj", "/O=Curve")
    tool("softhsm2-util", "--import", path("ec.key"), "--token", "acme", "--label", "curve",
         "--id", "02", "--pin", PIN)
    bench.write("pin", PIN + "\n")
    bench.write("bad", "11111111\n")
    bench.secrets().append(PIN)


def uri(attributes, query="", module=MODULE):
    return "pkcs11:%s?module-path=%s%s" % (attributes, module, query)


def main():
    global ENV
    s = bench.begin("tokens")
    missing = [t for t in ("softhsm2-util", "pkcs11-tool", "openssl") if not shutil.which(t)]
    if missing or not os.path.exists(MODULE):
        print("no %s here" % (missing or MODULE))
        raise SystemExit(bench.SKIPPED)
    os.mkdir(path("tokens"), 0o700)
    bench.write("hsm.conf", "directories.tokendir = %s\nobjectstore.backend = file\n" % path("tokens"))
    ENV = bench.environment({"SOFTHSM2_CONF": path("hsm.conf")})
    os.environ["SOFTHSM2_CONF"] = path("hsm.conf")
    hsm = {"SOFTHSM2_CONF": path("hsm.conf")}
    bench.make_identities()
    make_token()
    pin = ["--passphrase-file", path("pin")]
    key = uri("token=acme;object=ipads")

    def client(*args, **more):
        return run(*args, env=dict(hsm, **more.pop("env", {})), **more)

    s.topic("a token's identity is as good as a file's")
    told = client("identity", "show", "--json", "-i", key, *pin)
    if "engine" in told.err and told.code == 69:
        print("no engine for tokens here: %s" % told.err)
        raise SystemExit(bench.SKIPPED)
    file = run("identity", "show", "--json", *bench.identity())
    s.equal("its certificate is on the token", told.lines and told.lines[0]["sha256"],
            file.lines[0]["sha256"])
    for sentence, ref in (("a certificate beside it", key + "," + path("acme.crt")),
                          ("by its id", uri("token=acme;id=%01")),
                          ("the PIN from pin-source", uri("token=acme;object=ipads",
                                                          "&pin-source=file:" + path("pin")))):
        got = client("identity", "show", "-i", ref, *([] if "pin-source" in ref else pin))
        s.check(sentence, got.code == 0, got.all())
    with bench.Bench([ours("new", paired=False)]) as b:
        for command in ("pair", "apply", "verify"):
            s.equal(command, b.on("new", command, "-i", key, *pin, env=hsm).word(), "compliant 0")
        a = bench.Run(["agent", "-i", key, "--socket", path("ag"), *pin], hsm, wait=False)
        a.wait_for("signs as")
        s.equal("an agent holds it for others",
                b.on("new", "remove", "-i", "agent:" + path("ag")).word(), "compliant 0")
        shutil.rmtree(path("tokens"))
        os.mkdir(path("tokens"), 0o700)
        lost = b.on("new", "apply", "-i", "agent:" + path("ag"))
        s.equal("a token that is taken away: nothing is signed, and the agent says so",
                (lost.word(), list(b.profiles("new"))), ("failed/unsigned 3", []))
        a.signal(bench.signal.SIGTERM)
        a.finish()
        gone = b.on("new", "verify", "-i", key, *pin, env=hsm)
        s.check("without it the next command ends: 69", gone.code == 69 and "token" in gone.err,
                gone.all())
    make_token()
    made = client("profile", "build", "--sign", uri("token=acme;object=curve") + "," + path("ec.crt"),
                  "-o", path("ec.mobileconfig"), *pin)
    s.equal("a P-256 key signs", made.code, 0)
    s.equal("  and openssl accepts it", bench.openssl(
        "cms", "-verify", "-binary", "-inform", "DER", "-in", path("ec.mobileconfig"), "-CAfile",
        path("ec.crt"), "-purpose", "any", "-out", path("ec.out")), True)

    s.topic("what is refused")
    rows = [
        ("a wrong PIN", 77, key, ["--passphrase-file", path("bad")], "PIN is wrong"),
        ("no PIN and nobody to ask", 77, key, [], "no terminal"),
        ("another token", 69, uri("token=other;object=ipads"), pin, "no such token"),
        ("another key", 69, uri("token=acme;object=other"), pin, "no such"),
        ("a key whose certificate is nowhere", 69, uri("token=acme;object=curve"), pin, "comma"),
        ("somebody else's certificate", 65, key + "," + path("other.crt"), pin, "do not belong"),
        ("a module that is not there", 66, uri("token=acme", module=path("none.so")), pin, "none.so"),
        ("a module that is none", 69, uri("token=acme", module=path("acme.crt")), pin, "module"),
        ("a PIN in the name", 64, uri("token=acme", "&pin-value=" + PIN), [], "pin-value"),
        ("an attribute that nobody knows", 64, uri("token=acme", "&colour=red"), pin, "colour"),
        ("nothing at all", 64, "pkcs11:", pin, "no key"),
        ("a PIN file that others read", 77, key, ["--passphrase-file", bench.write("loose", PIN, 0o644)],
         "read by others"),
    ]
    for sentence, code, ref, args, says in rows:
        got = client("identity", "show", "-i", ref, *args)
        s.check("%s: %d" % (sentence, code), got.code == code and says in got.err, got.all())
    got = client("identity", "export", "-i", key, "--no-encryption", "-o", path("k.pem"), *pin)
    s.check("to take the key out: 64", got.code == 64 and not os.path.exists(path("k.pem")), got.all())

    s.topic("a PIN is tried once")
    spy = [x for x in SPY if os.path.exists(x)]
    if not spy:
        print("skipped: no pkcs11-spy here")
    for name, logins in (("pin", 1), ("bad", 1)) if spy else ():
        log = path("spy-" + name)
        client("identity", "show", "-i", uri("token=acme;object=ipads", module=spy[0]),
               "--passphrase-file", path(name),
               env={"PKCS11SPY": MODULE, "PKCS11SPY_OUTPUT": log})
        with open(log, errors="replace") as f:
            said = f.read()
        s.equal("with the %s one the token hears of %d" % (name, logins), said.count("C_Login\n"), logins)
    s.end()


ENV = None
main()

#!/usr/bin/env python3
"""By the page: every command of chaperone-ledger(5), as it stands there, in its order

What the page needs is made first: a ledger whose event 9 is a seal, a seal and
a statement as files, the certificates, and an authority that stamps times.
"""
import os
import shutil
import subprocess

import bench
from bench import identity, ours, path

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools",
                    "chaperone-ledger.5")


def commands_of_page():
    """Each command with its further lines, as somebody who reads it would type it."""
    with open(PAGE) as f:
        section = f.read().split(".Sh EXAMPLES")[1].split(".Sh ")[0]
    out = []
    for block in section.split(".Bd -literal")[1:]:
        lines = block.split("\n", 1)[1].split(".Ed")[0].replace("\\&", "").replace("\\e\n", "\\\n")
        out += [c.strip() for c in ("\n" + lines).split("\n$ ") if c.strip()]
    return out


class Folder:
    """Where the ledger lies, and a shell in it."""

    def __init__(self):
        self.path = os.path.join(bench.folder(), "chaperone")
        programs = path("programs")
        os.makedirs(programs)
        os.symlink(bench.CHAPERONE, os.path.join(programs, "chaperone"))
        config = path("config/chaperone")
        os.makedirs(config)
        bench.write("config/chaperone/chaperone.yaml", "passphrase-file: %s\n" % path("pw"))
        self.env = bench.environment({"XDG_CONFIG_HOME": path("config"),
                                      "PATH": programs + ":/usr/bin:/bin"})

    def run(self, command):
        return subprocess.run(["/bin/sh", "-c", command], cwd=self.path, env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=bench.RUN_SECONDS)

    def must(self, command):
        done = self.run(command)
        if done.returncode:
            raise RuntimeError("%s: %s" % (command, done.stdout + done.stderr))
        return done.stdout


def prepare(folder, b):
    b.run("verify", "-a", "--attest", path("statement.p7s"), *identity())
    for name in ("acme.p12", "acme.crt", "statement.p7s"):
        shutil.copy(path(name), folder.path)
    count = "sqlite3 ledger.db 'SELECT count(*) FROM events'"
    while int(folder.must(count)) < 9:
        folder.must("chaperone ledger seal -i acme.p12 -o head.p7s --overwrite")
    folder.must("openssl req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.crt -days 10"
                " -subj /CN=TSA -addext extendedKeyUsage=critical,timeStamping")
    folder.must("echo 01 >serial; printf '[tsa]\\nserial = serial\\ndefault_policy = 1.2.3.4\\n"
                "signer_digest = sha256\\ndigests = sha256\\ness_cert_id_alg = sha256\\n' >tsa.cnf")


def is_there(folder, name):
    return os.path.exists(os.path.join(folder.path, name))


def main():
    s = bench.begin("bypage")
    for tool in ("openssl", "sqlite3", "jq"):
        if not shutil.which(tool):
            print("no %s here" % tool)
            raise SystemExit(bench.SKIPPED)
    with bench.Bench([ours("one")]) as b:
        folder, said = Folder(), []
        prepare(folder, b)
        s.topic("every command of the page does what it says")
        for command in commands_of_page():
            if is_there(folder, "stamped.tsq") and not is_there(folder, "stamped.tsr"):
                folder.must("openssl ts -reply -config tsa.cnf -section tsa -queryfile stamped.tsq"
                            " -signer tsa.crt -inkey tsa.key -out stamped.tsr")
            done = folder.run(command)
            said.append((command, done.stdout))
            s.check(" ".join(command.split())[:90], done.returncode == 0, done.stdout + done.stderr)
        s.topic("and says what it should")
        s.check("the page has them all", len(said) > 15, len(said))
        answers = [out.split()[0] for command, out in said
                   if "events WHERE sequence = 7" in " ".join(command.split()) or "sed -n 7p" in command]
        s.check("four ways to the hash of event 7, and one hash", len(answers) == 4 and
                len(set(answers)) == 1 and len(answers[0]) == 64, answers)
        links = [out for command, out in said if "b.previous <> a.hash" in command]
        s.equal("no event follows another than the one before it", links, [""])
        seals = [out for command, out in said if "cms -verify" in command and "-out" not in command]
        s.check("both seals name station, event and hash", len(seals) == 2 and
                all('"chaperone.seal/1"' in out and '"sequence"' in out for out in seals), seals)
        with open(os.path.join(folder.path, "statement.json")) as f:
            s.has("what the statement says is in statement.json", f.read(), "chaperone.statement/1")
        stamps = [out for command, out in said if "--timestamp " in command]
        s.has("the time stamp says since when", "".join(stamps), "existed at 20")
        folder.must("cp ledger-2026.db bad.db; sqlite3 bad.db \"DROP TRIGGER events_are_not_changed;"
                    " UPDATE events SET body = '{}' WHERE sequence = 6\"")
        found, kept = (folder.must(said[i][0].replace("ledger.db", "bad.db").replace("= 7", "= 6"))
                       for i in (0, 1))
        s.check("of a changed event the hash is another", found.split()[0] != kept.strip(), found)
        folder.must("sqlite3 bad.db \"UPDATE events SET hash = '%s' WHERE sequence = 6\""
                    % found.split()[0])
        s.equal("and with that hash the next one does not follow it",
                folder.must(said[2][0].replace("ledger.db", "bad.db")), "6\n")
    s.end()


main()

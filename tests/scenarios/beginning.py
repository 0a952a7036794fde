#!/usr/bin/env python3
"""The beginning: a device is looked at while the key is decrypted, and changed by nobody unknown

What is wrong with the identity or the ledger is told as if no device had been
there: no verdict, no change, nothing left running.
"""
import os
import signal

import bench
from bench import IMESSAGE, identity, ours, path, write

COUNT = 6
READING = {"usbmuxd/ListDevices", "usbmuxd/ReadPairRecord", "usbmuxd/Connect",
           "lockdown/GetValue", "lockdown/StartSession", "lockdown/StartService",
           "mcinstall/GetCloudConfiguration"}
SEALED = bench.locked_identity()


def devices():
    return [ours("known"), ours("new", paired=False)] + [ours("more%d" % i) for i in range(COUNT)]


def is_untouched(b):
    return not [d for d in b.state()["devices"] if d["profiles"]] and \
        "SavePairRecord" not in " ".join(b.requests())


def refused(s, b, sentence, code, args, env=()):
    b.mark()
    told = b.run("apply", "--json", *args, env=dict(env))
    s.equal("%s: exit %d" % (sentence, code), told.code, code)
    s.equal("  no device has a verdict", [line["schema"] for line in told.lines],
            ["chaperone.error/1"])
    s.equal("  nothing was asked that changes a device", set(b.requests()) - READING, set())
    s.quiet("  and nothing is changed", is_untouched(b), b.requests())
    s.check("  no device has a connection open",
            bench.until(lambda: not [d for d in b.state()["devices"] if d["connections"]], 5))
    return told


def identities(s):
    s.topic("an identity that cannot be had, with devices attached")
    write("wrong", "not the passphrase\n")
    write("loose.p12", open(path("acme.p12"), "rb").read(), 0o644)
    passphrase = ["--passphrase-file", path("pw")]
    with bench.Bench(devices()) as b:
        for who, which in (("one device", ["-u", b.udids["known"]]),
                           ("one that is not paired", ["-u", b.udids["new"]]),
                           ("all", ["-a"])):
            told = refused(s, b, "%s, the wrong passphrase" % who, 77,
                           which + SEALED[:2] + ["--passphrase-file", path("wrong")])
            s.has("  the message names it", told.result["message"], "passphrase")
            refused(s, b, "%s, a file that others can read" % who, 77,
                    which + ["-i", path("loose.p12")] + passphrase)
            refused(s, b, "%s, a file that is not there" % who, 66,
                    which + ["-i", path("none.p12")] + passphrase)
            told = refused(s, b, "%s, an agent that is not there" % who, 69,
                           which + ["-i", "agent:" + path("no.sock")])
        told = b.run("apply", "-u", b.udids["new"], "--json", *SEALED)
        s.equal("the right one, then", told.word(), "compliant 0")
        shown = b.run("show", "-u", b.udids["new"], "--json").result["profiles"]
        s.equal("  and its profile bears the organization's name",
                [p["organization"] for p in shown], [bench.ACME["organization"]])
    with bench.Bench([]) as b:
        told = b.run("apply", "--json", *SEALED[:2], "--passphrase-file", path("wrong"))
        s.equal("no device, and the wrong passphrase: the passphrase is the story", told.code, 77)
        told = b.run("apply", "--json", *SEALED)
        s.equal("no device, and the right one", told.code, 4)


def ledgers(s):
    s.topic("a ledger that cannot be had, with devices attached")
    with bench.Bench(devices()) as b:
        for who, which in (("one device", ["-u", b.udids["known"]]), ("all", ["-a"])):
            refused(s, b, "%s, a ledger that is a folder" % who, 74,
                    which + SEALED + ["--ledger", bench.folder()])
        told = b.run("verify", "-a", "--json", *SEALED, "--no-ledger")
        s.equal("who reads needs none", {r["verdict"] for r in told.lines}, {"noncompliant", "blocked"})


def people(s):
    s.topic("a passphrase that somebody has yet to give: no device waits for a person")
    os.mkfifo(path("fifo"), 0o600)
    with bench.Bench(devices()) as b:
        run = b.start("apply", "-u", b.udids["known"], "--json", *SEALED[:2],
                      "--passphrase-file", path("fifo"))
        bench.until(lambda: len(bench.family(run.pid)) >= 2)
        s.equal("nobody has been asked anything yet", b.requests(), [])
        with open(path("fifo"), "w") as f:
            f.write(bench.PASSPHRASE + "\n")
        run.finish()
        s.equal("given, it is done", (run.word(), list(b.profiles("known"))),
                ("compliant 0", [IMESSAGE]))
        run = b.start("apply", "-u", b.udids["more1"], "--json", *SEALED[:2],
                      "--passphrase-file", path("fifo"))
        bench.until(lambda: len(bench.family(run.pid)) >= 2)
        run.signal(signal.SIGINT)
        run.finish()
        s.equal("interrupted before it is given", run.code, 130)
        s.quiet("  nothing has changed", not b.profiles("more1"), b.profiles("more1"))


def labels(s):
    s.topic("whose profile it is, when the device has begun before that is known")
    with bench.Bench([ours("a"), ours("b")]) as b:
        one = b.run("apply", "-u", b.udids["a"], "--json", *SEALED)
        known = b.run("apply", "-u", b.udids["b"], "--json", *identity())
        uuids = [r["profiles"][0]["expected_uuid"] for r in (one.result, known.result)]
        s.equal("the same content, whichever came first", len(set(uuids)), 1)
        told = b.run("verify", "-a", "--json", *SEALED)
        s.equal("  and verify finds it", [r["verdict"] for r in told.lines], ["compliant"] * 2)
        told = b.run("verify", "-u", b.udids["a"], "--json", "--organization", "Other", *SEALED)
        s.equal("  an organization that is named comes first", told.word(),
                "noncompliant/profile-differs 1")


def main():
    s = bench.begin("beginning")
    bench.make_identities()
    for part in (identities, ledgers, people, labels):
        part(s)
    s.end()


main()

#!/usr/bin/env python3
"""The beginning: a device is looked at while the key is decrypted, and changed by nobody unknown

What is wrong with the identity or the ledger is told as if no device had been
there: no verdict, no change, nothing left running.
"""
import fcntl
import os
import signal
import socket
import sqlite3
import time

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


def side_by_side(s):
    s.topic("the device is looked at while the identity is on its way")
    silent = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    silent.bind(path("silent.sock"))
    os.chmod(path("silent.sock"), 0o600)
    silent.listen(4)
    with bench.Bench(devices()) as b:
        for name, last in (("known", "mcinstall/GetCloudConfiguration"), ("new", "usbmuxd/ListDevices")):
            b.mark()
            run = b.start("apply", "-u", b.udids[name], "--json", "-i", "agent:" + path("silent.sock"))
            asking, _ = silent.accept()
            s.check("%s: it is asked up to %s" % (name, last),
                    bench.until(lambda: last in b.requests()), b.requests())
            s.equal("  and for nothing that changes it", set(b.requests()) - READING, set())
            asking.close()
            run.finish()
            s.equal("  the agent ends without a word: that is the story", (run.code,
                    [line["schema"] for line in run.lines]), (69, ["chaperone.error/1"]))
            s.quiet("  nothing is changed", is_untouched(b), b.requests())
    silent.close()


def late(s):
    s.topic("a parent that comes late hears what its worker has said")
    slow = {"latency-ms": 200}
    with bench.Bench([ours("a", **slow)]) as b:
        run = b.start("apply", "--json", "--timeout", 3, *SEALED)
        bench.until(lambda: "mcinstall/InstallProfileSilent" in b.requests())
        run.signal(signal.SIGSTOP)
        bench.until(lambda: b.profiles("a") and not b.state("a")["connections"])
        time.sleep(5)       # beyond the job's time and the parent's grace
        run.signal(signal.SIGCONT)
        run.finish()
        s.equal("the verdict is the worker's", (run.word(), run.result["truth"]),
                ("compliant 0", "effective"))


def busy(s):
    s.topic("a ledger that somebody else holds for longer than a job may take")
    with bench.Bench([ours("a")]) as b:
        b.run("apply", "--json", "--ledger", path("busy.db"), *SEALED)
        b.run("remove", "--json", "--ledger", path("busy.db"), *SEALED)
        other = sqlite3.connect(path("busy.db"), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        run = b.start("apply", "--json", "--timeout", 2, "--ledger", path("busy.db"), *SEALED)
        time.sleep(4)
        s.equal("nothing is changed meanwhile", b.profiles("a"), {})
        other.execute("COMMIT")
        other.close()
        run.finish()
        s.equal("that time was not the job's", run.word(), "compliant 0")


def records(s):
    s.topic("a device that has forgotten us, and a ledger that is not to be had")
    with bench.Bench([ours("a")]) as b:
        record = b.read_record(b.udids["a"])
        b.run("unpair", "-u", b.udids["a"], "--ledger", path("held.db"))
        b.record(b.udids["a"], record)
        with open(path("held.db.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            run = b.start("unpair", "-u", b.udids["a"], "--json", "--ledger", path("held.db"))
            bench.until(lambda: "lockdown/StartSession" in b.requests())
            time.sleep(1)
            run.signal(signal.SIGINT)
            run.finish()
        s.equal("interrupted before it is on record, our record of it stays",
                (run.code, b.read_record(b.udids["a"])), (130, record))
        told = b.on("a", "unpair", "--ledger", path("held.db"))
        s.equal("and goes when it is", (told.word(), b.read_record(b.udids["a"])), ("compliant 0", None))
        told = bench.run("ledger", "list", "--json", "--ledger", path("held.db"))
        s.check("  on record as what it is", [e for e in told.lines if e["kind"] == "sent" and
                                              e["body"].get("step") == "forget"], told.out)


def nameless(s):
    s.topic("who a device is, is told also when it fails us at the service")
    rows = ("hang", "close", "garbage", "truncate")
    with bench.Bench([ours(do, faults=[bench.fault(do, at="lockdown", request="StartService")])
                      for do in rows]) as b:
        for do in rows:
            told = b.on(do, "verify", "--timeout", "2", *SEALED)
            s.equal("%s: it fails, and has its name" % do,
                    (told.result["verdict"], told.result["device"]["name"], told.result["trust"]["paired"]),
                    ("failed", do, True))


def people(s):
    s.topic("a passphrase that somebody has yet to give: no device waits for a person")
    os.mkfifo(path("fifo"), 0o600)
    with bench.Bench(devices()) as b:
        run = b.start("apply", "-u", b.udids["known"], "--json", *SEALED[:2],
                      "--passphrase-file", path("fifo"))
        with open(path("fifo"), "w") as f:      # opens when the signer has begun to read
            s.equal("nobody has been asked anything yet", b.requests(), [])
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
    for part in (identities, ledgers, side_by_side, late, busy, records, nameless, people, labels):
        part(s)
    s.end()


main()

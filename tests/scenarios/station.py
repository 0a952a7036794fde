#!/usr/bin/env python3
"""The station: plug in, wait for green, unplug"""
import json
import os
import signal

import bench
from bench import device, ours, until, OTHER

PRESET = "org.chaperone.preset.imessage-off"
ENDLESS = 60 * bench.SLOW       # a deadline for what must happen, never a measure


def folder(name, *policies):
    """A folder of policies; each is a dictionary."""
    where = bench.path(name)
    os.makedirs(where, exist_ok=True)
    for p in policies:
        put_policy(where, p)
    return where


def put_policy(where, p):
    content = dict({"version": 1, "identity": bench.path("acme.pem"), "profiles": [{"preset": "imessage-off"}]}, **p)
    with open(os.path.join(where, p["name"] + ".yaml"), "w") as out:
        json.dump(content, out)


class Station:
    """A running chaperone station, and the events that it tells."""
    count = 0

    def __init__(self, b, policies, *more, ledger=None, config=None):
        Station.count += 1
        self.ledger = ledger or bench.path("station%d.db" % Station.count)
        args = ["station", "--policies", policies, "--json", "--ledger", self.ledger]
        if config:
            args += ["--config", config]
        self.run = b.start(*(args + list(more)), seconds=ENDLESS)
        self.bench = b
        self.mark = 0

    def events(self):
        out = self.run.so_far()[0]
        return [json.loads(line) for line in out[:out.rfind("\n") + 1].splitlines()]

    def told(self, event, name=None, **keys):
        """Events since the mark, of one kind, of one device, with these values."""
        udid = self.bench.udids[name] if name else None
        return [e for e in self.events()[self.mark:] if e["event"] == event and
                (not udid or (e["device"] or {}).get("udid") == udid) and
                all(e.get(k) == v for k, v in keys.items())]

    def wait(self, event, name=None, n=1, **keys):
        until(lambda: len(self.told(event, name, **keys)) >= n or
              self.run.process.poll() is not None, ENDLESS)
        return self.told(event, name, **keys)

    def forget(self):
        self.mark = len(self.events())

    def stop(self, number=signal.SIGTERM):
        self.run.signal(number)
        self.run.finish()
        return self.run.code

    def verifies(self):
        return bench.run("ledger", "verify", "--ledger", self.ledger).code

    def records(self):
        out = bench.run("ledger", "export", "--ledger", self.ledger, "-o", "-").out
        return [json.loads(line) for line in out.splitlines()]


def plugging(s):
    s.topic("eight devices")
    bench.make_identities()
    policies = folder("plain", {"name": "plain"})
    with bench.Bench([ours("d%d" % i) for i in range(8)]) as b:
        station = Station(b, policies)
        done = station.wait("result", verdict="compliant", n=8)
        s.equal("all that are plugged in are made what they should be", len(done), 8)
        s.equal("  each once", sorted(e["device"]["name"] for e in done),
                ["d%d" % i for i in range(8)])
        s.check("  and have the profile", all(PRESET in b.profiles("d%d" % i) for i in range(8)))
        station.forget()
        b.tell("unplug", "d0")
        s.check("one is unplugged", station.wait("detached", "d0"))
        b.tell("plug", "d0")
        again = station.wait("result", "d0")
        s.equal("and plugged in again: nothing has to be changed",
                [(e["verdict"], e["changed"]) for e in again], [("compliant", False)])
        s.equal("SIGTERM ends it well", station.stop(), 0)
        s.equal("what it did is on record", station.verifies(), 0)
        kinds = [r["kind"] for r in station.records()]
        s.equal("  every arrival, job and verdict", [kinds.count(k) for k in
                ("attach", "job-started", "verdict", "policy-loaded")], [9, 9, 9, 1])


def main():
    s = bench.begin("station")
    plugging(s)
    s.end()


main()

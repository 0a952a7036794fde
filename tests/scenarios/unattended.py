"""unattended: a running station, its folder of policies, and the events that it tells"""
import json
import os
import signal
import sqlite3

import bench
from bench import until

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

    def __init__(self, b, policies, *more, ledger=None, config=None, env=(),
                 seconds=ENDLESS, **popen):
        Station.count += 1
        self.ledger = ledger or bench.path("station%d.db" % Station.count)
        args = ["station", "--policies", policies, "--json", "--ledger", self.ledger]
        if config:
            args += ["--config", config]
        self.run = b.start(*(args + list(more)), seconds=seconds, env=dict(env),
                           **popen)
        self.bench = b
        self.policies = policies
        self.mark = 0

    def events(self):
        out = self.run.out if self.run.out_file.closed else self.run.so_far()[0]
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
        """What the file says, to others than the client."""
        with sqlite3.connect("file:%s?mode=ro" % self.ledger, uri=True) as db:
            return [{"kind": kind, "body": json.loads(body)} for kind, body in
                    db.execute("SELECT kind, body FROM events ORDER BY sequence")]

#!/usr/bin/env python3
"""A disk that gets full at each write of the ledger in turn, from no file to the last verdict

A library that is preloaded (tests/harness/fulldisk.c) lets the n-th write fail: that one
only, as where somebody made room, or all from it on. DISK_WRITES=all tries
every one of them; make check takes a sample.
"""
import os
import shutil
import sqlite3

import bench
from bench import identity, ours

INSTALL = "InstallProfile"
SAMPLE = 8
LIBRARY = os.path.abspath("fulldisk.so")


def has_writes_inside():
    """clang links its sanitizer's write() into the program, which then comes first."""
    with open(bench.CHAPERONE, "rb") as f:
        return b"__interceptor_write" in f.read()


class Place:
    def __init__(self, s, b):
        self.s, self.bench = s, b
        self.folder, self.log = bench.path("disk"), bench.path("writes")
        self.ledger = os.path.join(self.folder, "ledger.db")

    def begin(self):
        """No ledger, and no profile on the device."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.mkdir(self.folder, 0o700)
        if os.path.exists(self.log):
            os.unlink(self.log)
        for device in self.bench.state()["devices"]:
            for entry in device["profiles"]:
                self.bench.tell("remove", device["name"], profile=entry["identifier"])
        self.bench.mark()

    def apply(self, at, is_once=False):
        env = {"LD_PRELOAD": LIBRARY, "FULL_DISK": self.folder, "FULL_DISK_AT": str(at),
               "FULL_DISK_LOG": self.log}
        options = os.environ.get("ASAN_OPTIONS", "")
        env["ASAN_OPTIONS"] = options + ":verify_asan_link_order=0"
        if is_once:
            env["FULL_DISK_ONCE"] = "1"
        return self.bench.run("apply", "-a", "--json", "--ledger", self.ledger, *identity(), env=env)

    def events(self):
        """(kind, step) as somebody else's SQLite reads them."""
        if not os.path.exists(self.ledger):
            return []
        db = sqlite3.connect(self.ledger, timeout=20)
        try:
            return db.execute("SELECT kind, json_extract(body, '$.step') FROM events"
                              " ORDER BY sequence").fetchall()
        except sqlite3.OperationalError as e:
            if "no such table" in str(e):       # full before there was one
                return []
            raise
        finally:
            db.close()

    def check(self, when, run):
        s, events = self.s, self.events()
        asked = len([r for r in self.bench.asked("pad") if INSTALL in r])
        kinds = [kind for kind, step in events]
        s.quiet("%s: 74, or 0 when all is on record" % when,
                run.code == 74 or run.code == 0 and "verdict" in kinds, (run.code, kinds, run.all()))
        s.quiet("%s: nothing is sent without its record" % when,
                asked <= events.count(("sent", "install")), (asked, events))
        s.quiet("%s: nothing on the device is not from us" % when,
                asked or not self.bench.profiles("pad"))
        verified = self.bench.run("ledger", "verify", "--ledger", self.ledger)
        s.quiet("%s: the chain holds" % when, verified.code == 0 or not events, verified.all())
        before = len(events)
        run = self.bench.run("apply", "-a", "--json", "--ledger", self.ledger, *identity())
        s.quiet("%s: the next run ends compliant" % when, run.code == 0, run.all())
        verified = self.bench.run("ledger", "verify", "--ledger", self.ledger)
        s.quiet("%s: and continues the chain" % when, verified.code == 0 and
                self.events()[:before] == events and len(self.events()) > before, verified.all())
        return asked


def main():
    s = bench.begin("fulldisk")
    with bench.Bench([ours("pad")]) as b:
        place = Place(s, b)
        s.topic("each write in turn")
        place.begin()
        run = place.apply(0)
        s.equal("undisturbed it is compliant", run.code, 0)
        n = os.path.getsize(place.log) if os.path.exists(place.log) else 0
        if n == 0 and has_writes_inside():
            print("this build's sanitizer writes past a preloaded library")
            raise SystemExit(bench.SKIPPED)
        s.check("the ledger's writes are counted", n > 20, n)
        step = 1 if os.environ.get("DISK_WRITES") == "all" else max(1, n // SAMPLE)
        codes, sent = {}, 0
        for at in range(1, n + 1, step):
            for is_once in (False, True) if step == 1 else (at // step % 2 == 1,):
                place.begin()
                run = place.apply(at, is_once)
                codes[run.code] = codes.get(run.code, 0) + 1
                sent += place.check("write %d of %d fails%s" % (
                    at, n, " once" if is_once else " and all after it"), run)
        print("      %d writes, %d runs; exit codes %s; %d changes had been sent by then" % (
            n, sum(codes.values()), codes, sent))
        s.check("most of them end the command", codes.get(74, 0) > sum(codes.values()) // 2, codes)
    s.end()


main()

#!/usr/bin/env python3
"""Crashes: kill -9 of any process at any moment, a full disk, a read-only one, a flipped byte

CRASHES says how many moments are tried; make check takes a sample of them.
"""
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess

import bench
from bench import identity, ours

PRESET = "org.chaperone.preset.imessage-off"
MOMENTS = int(os.environ.get("CRASHES", "10"))
SEED = int(os.environ.get("CRASHES_SEED", "20261124"))
DEVICES = 16
INSTALL = "InstallProfile"


# ---- looking on ---------------------------------------------------------------

def events_after(ledger, sequence):
    """(sequence, kind, device, step) as somebody else's SQLite reads them."""
    if not os.path.exists(ledger):
        return []
    db = sqlite3.connect(ledger, timeout=20)
    try:
        return db.execute("SELECT sequence, kind, device, json_extract(body, '$.step') FROM events"
                          " WHERE sequence > ? ORDER BY sequence", (sequence,)).fetchall()
    except sqlite3.OperationalError as e:
        if "no such table" in str(e):       # stopped before there was one
            return []
        raise
    finally:
        db.close()


def name_of(pid):
    try:
        with open("/proc/%d/comm" % pid) as f:
            return f.read().strip()
    except OSError:
        return ""


class Place:
    """A bench of sixteen, and its ledger."""

    def __init__(self, s, b, ledger):
        self.s, self.bench, self.ledger, self.since, self.last = s, b, ledger, 0, 0
        self.names = {udid: name for name, udid in b.udids.items()}

    def begin(self):
        for device in self.bench.state()["devices"]:
            for entry in device["profiles"]:
                self.bench.tell("remove", device["name"], profile=entry["identifier"])
        self.bench.mark()
        self.since = self.last

    def start(self, **more):
        return self.bench.start("apply", "-a", "--json", "--ledger", self.ledger, *identity(), **more)

    def check(self, when):
        """What holds whatever happened; how many changes devices saw."""
        verified = self.bench.run("ledger", "verify", "--ledger", self.ledger)
        events = events_after(self.ledger, self.since)
        sent = {}
        for sequence, kind, device, step in events:
            self.last = sequence
            if kind == "sent" and step == "install":
                sent[device] = sent.get(device, 0) + 1
        self.s.quiet("%s: the chain verifies" % when, verified.code == 0 or
                     not events_after(self.ledger, 0), verified.all())
        seen = 0
        for udid, name in self.names.items():
            asked = len([r for r in self.bench.asked(name) if INSTALL in r])
            seen += asked
            self.s.quiet("%s: every change that %s saw was written down before" % (when, name),
                         asked <= sent.get(udid, 0), (asked, sent))
            self.s.quiet("%s: what %s has came from us" % (when, name),
                         asked or not self.bench.profiles(name))
        return seen

    def recover(self, when):
        """The next run goes on and ends compliant."""
        run = self.start().finish()
        self.s.quiet("%s: the next run ends compliant" % when, run.code == 0 and
                     len(run.lines) == DEVICES, run.all()[-2000:])
        self.check(when + ", next run")


# ---- kill -9 --------------------------------------------------------------------

# Where a sanitizer looks for leaks, it does so in a child; killing that one would hang it.
NO_LEAK_CHECK = {"LSAN_OPTIONS": "detect_leaks=0"}


class Killed(bench.Run):
    """One that may end by a signal; what it printed may be cut off."""

    def _read_lines(self):
        pass

    def _check_always(self):
        pass


def pick(dice, run):
    """A process of the run: itself, its signer, or a worker; None when it is over."""
    children = bench.children(run.pid)
    signers = [pid for pid in children if name_of(pid) == "signer"]
    workers = [pid for pid in children if pid not in signers]
    kinds = [("parent", [run.pid]), ("signer", signers), ("worker", workers)]
    what, pids = dice.choice([k for k in kinds if k[1]])
    return what, dice.choice(pids)


def kill_one(dice, run):
    """Which kind it was; a worker may have ended between the look and the blow."""
    what, pid = pick(dice, run)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return "nobody"
    return what


def kills(s, place):
    s.topic("kill -9, %d moments, seed %d" % (MOMENTS, SEED))
    dice = random.Random(SEED)
    place.begin()
    run = place.start().finish()
    s.equal("undisturbed, %d devices become compliant" % DEVICES, (run.code, len(run.lines)),
            (0, DEVICES))
    place.check("undisturbed")
    whole, counts, seen, codes = run.seconds, {}, 0, {}
    for moment in range(MOMENTS):
        place.begin()
        run = Killed(["apply", "-a", "--json", "--ledger", place.ledger] + identity(),
                     dict(NO_LEAK_CHECK, USBMUXD_SOCKET_ADDRESS="UNIX:" + place.bench.socket),
                     wait=False)
        what = "nobody"
        try:
            run.process.wait(dice.random() * whole)
        except subprocess.TimeoutExpired:
            what = kill_one(dice, run)
        run.finish()
        counts[what] = counts.get(what, 0) + 1
        codes[run.code] = codes.get(run.code, 0) + 1
        s.quiet("moment %d: nothing hangs" % moment, run.code is not None)
        seen += place.check("moment %d, %s killed" % (moment, what))
        place.recover("moment %d, %s killed" % (moment, what))
    print("      killed: %s; exit codes: %s; %d changes had reached a device by then; %d events" % (
        counts, codes, seen, place.last))
    s.check("processes were killed", sum(counts.values()) > counts.get("nobody", 0), counts)


# ---- disks --------------------------------------------------------------------------

def full_disk(s, place):
    s.topic("a disk that is full")
    stopped = 0
    sizes = [0, 700, 5000, 40000, 60000, 90000, 120000, 160000]
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in sizes:
        for end in ("", "-wal", "-shm"):
            if os.path.exists(place.ledger + end):
                os.unlink(place.ledger + end)
        place.last = 0
        place.begin()
        # No signal, but EFBIG: write(2) fails as on a disk that is full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, was[1]))
        try:
            run = Killed(["apply", "-a", "--ledger", place.ledger] + identity(),
                         {"USBMUXD_SOCKET_ADDRESS": "UNIX:" + place.bench.socket}, wait=False,
                         restore_signals=False)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, was)
        run.finish()
        when = "%d bytes" % size
        stopped += run.code != 0
        s.quiet("%s: it says 74" % when, run.code == 74 or size > 50000 and run.code == 0, run.all())
        seen = place.check(when) if os.path.exists(place.ledger) and size else len(
            [r for r in place.bench.requests() if INSTALL in r])
        s.quiet("%s: nothing is sent without its record" % when, seen == 0 or size > 5000, seen)
        place.recover(when)
    s.check("%d sizes, %d too small" % (len(sizes), stopped), 3 <= stopped, stopped)


def read_only(s, place):
    s.topic("a disk that cannot be written")
    folder = bench.path("ro")
    os.mkdir(folder, 0o700)
    shutil.copy(place.ledger, folder)
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'

    def inside(*argv):
        return subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", folder, *argv],
                              env=bench.environment({"USBMUXD_SOCKET_ADDRESS": "UNIX:" +
                                                     place.bench.socket}),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=bench.RUN_SECONDS, check=False)

    def chaperone(*args):
        return inside(bench.CHAPERONE, *args, "--ledger",
                      os.path.join(folder, os.path.basename(place.ledger)))

    # There may be no unshare, or, as in a chroot, no namespace to be had.
    if not shutil.which("unshare") or inside("true").returncode != 0:
        print("skip  no mount of one's own here")
        return
    place.begin()
    run = chaperone("apply", "-a", *identity())
    s.equal("apply ends with 74", run.returncode, 74)
    s.equal("  and no device was asked for anything",
            [r for r in place.bench.requests() if INSTALL in r], [])
    s.equal("the record can still be read", chaperone("ledger", "verify").returncode, 0)


def flipped_byte(s, place):
    s.topic("a flipped byte")
    copy = bench.path("flipped.db")
    shutil.copy(place.ledger, copy)
    db = sqlite3.connect(copy)
    sequence, value = db.execute("SELECT sequence, previous || hash FROM events WHERE kind = 'sent'"
                                 " ORDER BY sequence LIMIT 1 OFFSET 3").fetchone()
    db.close()
    with open(copy, "r+b") as f:
        f.seek(f.read().index(value.encode()) + len(value) - 1)
        f.write(b"f" if value[-1] != "f" else b"e")
    run = place.bench.run("ledger", "verify", "--ledger", copy)
    s.check("it is found", run.code not in (0, None), run.all())
    s.has("  and named", run.out + run.err, "event %d" % sequence)


def main():
    s = bench.begin("crashes")
    if MOMENTS > 50:
        signal.alarm(0)
    with bench.Bench([ours("pad%d" % i) for i in range(DEVICES)]) as b:
        place = Place(s, b, bench.path("crash.db"))
        kills(s, place)
        full_disk(s, place)
        read_only(s, place)
        flipped_byte(s, place)
    s.end()


main()

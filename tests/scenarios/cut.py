#!/usr/bin/env python3
"""The cut test: every message of every exchange, and every way to break it

The matrix is made from the transcript of a good run (cutmatrix.py), so it grows
with the protocol. Each cell is a device of its own with one fault; one run of
the client works on many. Whatever happens: the right verdict within the time,
no claim that the device does not bear out, bounded memory, nobody left behind,
and a second run on the healed device as if nothing had happened.

CUT=all in the environment runs the whole matrix, otherwise it is a sample in
which faults, messages, keys and commands take turns.
"""
import json
import os
import time

import bench
import cutmatrix
from bench import IMESSAGE, identity, ours, path
from cutmatrix import COMPLIANT, Cell

ALL = os.environ.get("CUT") == "all"
TIMEOUT = 20                    # seconds; nothing but silence takes that long
SPREAD = 2 if bench.SLOW <= 1 else 8     # one cell of so many is in the sample
SILENCE = 60 if ALL else 4      # the timeout where a cell is silent; with all of them it is busy
ALONE = 15 if ALL else 4        # the same for one job alone
PAIRING = 3                     # jobs that make keys at once, before a device hangs up
GRACE_MS = 8000                 # on a busy machine
MEMORY_MAX_KB = 64 << 10        # of a worker, whatever it is sent

# What a device is before, and what is done to it.
KINDS = {
    "verify": (["verify"], dict(profiles=["now.mobileconfig"])),
    "apply-fresh": (["apply"], {}),
    "apply-replace": (["apply"], dict(profiles=["old.mobileconfig"])),
    "apply-again": (["apply"], dict(profiles=["now.mobileconfig"])),
    "remove": (["remove"], dict(profiles=["now.mobileconfig"])),
    "pair": (["pair"], dict(paired=False)),
}


class Run(bench.Run):
    """A run of which it is known how much memory its largest process took."""

    def wait_for_end(self):
        pid, status, usage = bench.until(self._reap, self.limit) or (0, 0, None)
        if not pid:
            return super().wait_for_end()
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.peak_kb = usage.ru_maxrss
        return self.process.returncode

    def _reap(self):
        got = os.wait4(self.process.pid, os.WNOHANG)
        return got if got[0] else None


def run(b, *args):
    return Run(args, {"USBMUXD_SOCKET_ADDRESS": "UNIX:" + b.socket}, wait=False,
               seconds=600 * bench.SLOW)


def make_profiles(s):
    for name, more in (("now", []), ("old", ["--removable"])):
        made = bench.run("profile", "build", "--preset", "imessage-off", "--organization", "Acme",
                         "-o", path(name + ".mobileconfig"), *more)
        s.quiet("%s is built" % name, made.code == 0, made.all())


def good_runs(s):
    """The exchange of each command, from the transcript of a run without any fault."""
    found = {}
    with bench.Bench([ours(kind, **keys) for kind, (_, keys) in KINDS.items()],
                     options=["--transcript-keys"]) as b:
        for kind, (command, _) in KINDS.items():
            b.mark()
            told = b.on(kind, *command, *identity())
            s.equal("%s without a fault" % kind, told.word(), "compliant 0")
            b.state()
            with open(b.transcript_path) as f:
                f.seek(b.seen)
                lines = [json.loads(line) for line in f]
            found[kind] = cutmatrix.messages(lines)
    return found


def sample(cells):
    """Spread over faults, messages and keys, each by another of the commands."""
    chosen, seen = [], {}
    for cell in cells:
        m = cell.message
        what = (m.service, m.request, m.nth, cell.key or (cell.do, cell.phase))
        seen.setdefault(what, []).append(cell)
    for i, group in enumerate(seen.values()):
        cell = group[i % len(group)]
        # Making the keys of a pairing takes longer than all else together, and what
        # is asked for no device is cut one after the other.
        is_dear = cell.kind == "pair" or (cell.is_silent and not cell.message.is_of_one)
        if i % (24 if is_dear else SPREAD) == 0:
            chosen.append(cell)
    return chosen


# ---- one batch: many cells on one bench ----------------------------------------------

class Batch:
    def __init__(self, s, cells, title, timeout):
        self.s, self.cells, self.timeout = s, list(cells), timeout
        s.topic("%s: %d cells" % (title, len(self.cells)))

    def devices(self):
        return [ours("c%d" % i, idle_ms=0, **dict(KINDS[cell.kind][1], faults=[
            {k: v for k, v in cell.fault().items()}])) for i, cell in enumerate(self.cells)]

    def by_kind(self):
        kinds = {}
        for i, cell in enumerate(self.cells):
            kinds.setdefault(cell.kind, []).append(i)
        return kinds

    def start(self, b, kind, numbers, timeout, jobs):
        udids = [x for i in numbers for x in ("-u", b.udids["c%d" % i])]
        return run(b, *KINDS[kind][0], "--json", "-j", jobs, "--timeout", timeout, *identity(),
                   *udids)

    def go(self, jobs, at_once=False):
        if not self.cells:
            return
        with bench.Bench(self.devices()) as b:
            self.number = {udid: int(name[1:]) for name, udid in b.udids.items()}
            self.check(b, self.work(b, jobs, self.timeout, at_once))
            b.tell("clear-faults")
            b.tell("plug")
            b.wait("attached")
            b.tell("unlock")
            self.check_healed(b, self.work(b, PAIRING if "pair" in self.by_kind() else 16,
                                           TIMEOUT, False))

    def work(self, b, jobs, timeout, at_once):
        """All devices, by the command of their kind; results by number."""
        runs = []
        for kind, numbers in self.by_kind().items():
            runs.append(self.start(b, kind, numbers, timeout, jobs))
            if not at_once:
                runs[-1].finish()
        return self.results(runs)

    def results(self, runs):
        told = {}
        for r in runs:
            if r.process.returncode is None:
                r.finish()
            for line in r.lines:
                if "verdict" in line:
                    told.setdefault(self.number[line["device"]["udid"]], []).append(line)
            self.s.quiet("the memory of a worker stays bounded",
                         bench.SLOW > 1 or r.peak_kb < MEMORY_MAX_KB, r.peak_kb)
        left = bench.until(lambda: not orphans(), 5) or orphans()
        self.s.quiet("nobody is left behind", left is True, left)
        return told

    def check(self, b, told):
        s = self.s
        state = {d["udid"]: d for d in b.state()["devices"]}
        for i, cell in enumerate(self.cells):
            results = told.get(i, [])
            if not s.quiet("%s: exactly one result" % cell, len(results) == 1, results):
                continue
            r, d = results[0], state[b.udids["c%d" % i]]
            word = r["verdict"] + ("/" + r["reason"] if r["reason"] else "")
            s.quiet("%s: %s" % (cell, " or ".join(sorted(cell.want))), word in cell.want,
                    "got %s: %s" % (word, r["error"]))
            if r["verdict"] in ("failed", "blocked") and not r["error"] is None:
                s.quiet("%s: truth is %s" % (cell, cell.truth), r["truth"] == cell.truth, r["truth"])
            s.quiet("%s: within its time" % cell,
                    r["duration_ms"] <= self.timeout * 1000 + GRACE_MS * max(1, bench.SLOW),
                    r["duration_ms"])
            s.quiet("%s: claims nothing that is not so" % cell, is_borne_out(cell, r, d), (r, d))

    def check_healed(self, b, told):
        wrong = [str(self.cells[i]) for i in range(len(self.cells))
                 if [r["verdict"] for r in told.get(i, [])] != [COMPLIANT]]
        self.s.check("a second run ends as if nothing had happened, for all %d" % len(self.cells),
                     not wrong, "\n".join(wrong))


# ---- usbmuxd itself ---------------------------------------------------------------------

def of_bench(s, cells):
    """What usbmuxd is asked for no device: one run after the other on one bench."""
    s.topic("asked for no device: %d cells" % len(cells))
    with bench.Bench([ours(kind, **keys) for kind, (_, keys) in KINDS.items()]) as b:
        for cell in cells:
            command = [KINDS[cell.kind][0][0], "-u", b.udids[cell.kind], "--json", *identity()]
            fault = {k: str(v) for k, v in cell.fault().items()}
            b.tell("bench-fault", **fault)
            # Keys are made before it is known that a job falls silent.
            told = run(b, *command, "--timeout", ALONE if cell.is_silent else TIMEOUT).finish()
            b.tell("clear-bench-faults")
            if cell.message.request == "ListDevices":
                good = cell.want == {COMPLIANT}
                s.quiet("%s: %s" % (cell, "compliant" if good else "exit 69"),
                        told.code == (0 if good else 69), told.all())
            else:
                s.quiet("%s: %s" % (cell, cell.want), told.word().split()[0] in cell.want,
                        told.all())
            b.tell("plug", cell.kind)
            if cell.kind == "pair":
                b.record(b.udids["pair"])


def usbmuxd_dies(s, exchanges):
    """At every message at once: each device hangs at another, and then usbmuxd ends."""
    cells = [Cell(kind, exchange, m, "hang", phase) for kind, exchange in exchanges.items()
             for m in exchange for phase in ("before", "unanswered", "middle", "after")
             if m.is_of_one]
    cells = [c for c in cells if c.want == {cutmatrix.TIMEOUT}]
    if not ALL:
        cells = [c for i, c in enumerate(cells) if c.kind != "pair" and i % (3 * SPREAD) == 0]
    for title, comes_back in (("ends and comes back", True), ("ends", False)):
        chosen = cells if ALL or comes_back else cells[::4]
        for cell in chosen:
            cell.want = {cutmatrix.LOST}
        batch = Batch(s, chosen, "usbmuxd " + title, TIMEOUT)
        with bench.Bench(batch.devices()) as b:
            batch.number = {udid: int(name[1:]) for name, udid in b.udids.items()}
            runs = [batch.start(b, kind, numbers, TIMEOUT, 512)
                    for kind, numbers in batch.by_kind().items()]
            s.quiet("every device hangs", bench.until(lambda: all(
                f["struck"] for d in b.state()["devices"] for f in d["faults"]), 60))
            b.tell("stop-usbmuxd")
            if comes_back:
                b.tell("start-usbmuxd")
            batch.check(b, batch.results(runs))
            b.tell("start-usbmuxd")
            b.tell("clear-faults")
            batch.check_healed(b, batch.work(b, 16, TIMEOUT, False))
        yield len(chosen)


def orphans():
    """Children that are nobody's: those whose parent died become ours."""
    with open("/proc/self/task/%d/children" % os.getpid()) as f:
        return [pid for pid in f.read().split()
                if int(pid) not in [c.pid for c in bench._children]]


def is_borne_out(cell, result, device):
    """A verdict of compliant, against what the device itself keeps."""
    if result["verdict"] != COMPLIANT:
        return True
    if cell.kind == "pair":
        return bool(device["hosts"])
    profiles = [p["identifier"] for p in device["profiles"] if p["active"]]
    if cell.kind == "remove":
        return IMESSAGE not in profiles
    return profiles == [IMESSAGE]


def main():
    s = bench.begin("cut")
    if ALL:
        bench.signal.alarm(3600)
    bench._libc.prctl(36, 1)    # PR_SET_CHILD_SUBREAPER: a worker that is left becomes ours
    bench.make_identities()
    make_profiles(s)
    began = time.monotonic()
    exchanges = good_runs(s)
    everything = [cell for kind, exchange in exchanges.items()
                  for cell in cutmatrix.cells(kind, exchange)]
    chosen = everything if ALL else sample(everything)
    alone = [c for c in chosen if not c.message.is_of_one]
    quick = [c for c in chosen if c.message.is_of_one and not c.is_silent]
    silent = [c for c in chosen if c.message.is_of_one and c.is_silent]
    for kind in KINDS:
        Batch(s, [c for c in quick if c.kind == kind], kind, TIMEOUT).go(
            PAIRING if kind == "pair" else 16)
    Batch(s, silent, "silence", SILENCE).go(512, at_once=True)
    of_bench(s, alone)
    died = sum(usbmuxd_dies(s, exchanges))
    print("\n%d of %d cells, and %d with usbmuxd ended, in %d s" %
          (len(chosen), len(everything), died, time.monotonic() - began))
    s.end()


main()

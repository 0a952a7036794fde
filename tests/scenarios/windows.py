#!/usr/bin/env python3
"""Windows: devices that stay plugged in, at every boundary, on clocks that are moved

The station's wall clock is moved by tests/harness/wallclock.c, the devices' by
the bench. What must be in force when is said by window_year.py, which shares no
code with the program. make check takes the days around both changes of clocks
and an exception; YEAR=all takes every boundary of a year.
"""
import os
import struct
import sys
import time
from datetime import date, datetime, timedelta, timezone

import bench
from bench import ours
from unattended import ENDLESS, PRESET, Station, folder, put_policy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit"))
UTC = timezone.utc
# Certificates are made today: the year must not lie before them.
YEAR = datetime.now(UTC).year + 1
WHOLE_YEAR = os.environ.get("YEAR") == "all"
WALLCLOCK = os.path.abspath("wallclock.so")
CLOSED = None


class Clocks:
    """The station's wall clock, and the devices'."""

    def __init__(self):
        self.path = bench.path("wallclock")
        self.file = None
        self.set_station(datetime.now(UTC))
        # A station that must show its manager that it lives looks at its clock often.
        self.env = {"LD_PRELOAD": WALLCLOCK, "WALLCLOCK": self.path, "WATCHDOG_USEC": "40000",
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def set_station(self, at):
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as f:
            f.write(struct.pack("q", int(at.timestamp()) - int(time.time())))

    def set_devices(self, b, at):
        b.tell("clock", set="%d" % at.timestamp())


class Rule:
    """A policy's window, and its boundaries by another reading of it."""

    def __init__(self, name, devices, zone, days, begin, end, exceptions):
        import window_year
        self.name, self.devices = name, devices
        clock = window_year.clock
        self.window = {"timezone": zone, "days": days, "from": clock(begin), "to": clock(end),
                       "except": exceptions}
        origin, force = window_year.minutes(YEAR, zone, days, begin, end, exceptions)
        changes = [i for i in range(1, len(force)) if force[i] != force[i - 1]]
        # At each boundary: open until the next one, or closed.
        self.boundaries = {}
        for i, minute in enumerate(changes):
            until = origin + timedelta(minutes=changes[i + 1]) if i + 1 < len(changes) else CLOSED
            if force[minute] and until is None:
                continue        # its end lies in the next year
            self.boundaries[origin + timedelta(minutes=minute)] = until if force[minute] else CLOSED

    def policy(self, udids):
        return {"name": self.name, "devices": {"udids": [udids[d] for d in self.devices]},
                "window": self.window}


def changes_of_clocks(zone):
    """The days of the year on which clocks change there."""
    from zoneinfo import ZoneInfo
    noon = [datetime(YEAR, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(364)]
    return [(at + timedelta(days=1)).date() for at in noon if at.astimezone(ZoneInfo(zone)).utcoffset() !=
            (at + timedelta(days=1)).astimezone(ZoneInfo(zone)).utcoffset()]


def make_rules():
    spring, autumn = changes_of_clocks("Europe/Berlin")
    # Both changes are on a Sunday; the Monday after the second is a holiday.
    school = Rule("school", ["cart", "away"], "Europe/Berlin", ["mon", "tue", "wed", "thu", "fri"],
                  8 * 60, 15 * 60 + 30, [(autumn + timedelta(days=1)).isoformat()])
    night = Rule("night", ["night"], "Europe/Berlin", ["sat", "sun"], 22 * 60, 6 * 60, [])
    days = {change + timedelta(days=n) for change in (spring, autumn) for n in range(-2, 3)}
    return [school, night], days, autumn


def removal(b, name):
    """When the device will take the profile off by itself; CLOSED: it has none."""
    have = b.profiles(name)
    if PRESET not in have:
        return CLOSED
    at = have[PRESET]["removal-at"]
    return datetime.fromtimestamp(at, UTC) if at else "never"


class Cart:
    """The bench, the station, and both clocks."""

    def __init__(self, s, b, rules):
        self.s, self.b, self.rules = s, b, rules
        self.clocks = Clocks()
        self.moments = self.lifted = self.taken_off = 0

    def begin(self, at):
        self.clocks.set_station(at)
        self.clocks.set_devices(self.b, at)
        policies = folder("windows", *[r.policy(self.b.udids) for r in self.rules])
        self.station = Station(self.b, policies, env=self.clocks.env, seconds=3600)
        for rule in self.rules:
            for name in rule.devices:
                self.station.wait("result", name, verdict="compliant")

    def plugged(self, at):
        """Devices whose window has a boundary then, and what it brings."""
        return {name: rule.boundaries[at] for rule in self.rules if at in rule.boundaries
                for name in rule.devices if self.b.state(name)["attached"]}

    def go(self, at, devices_are_late):
        """To a boundary: the station must act on its own, and each device be right."""
        changing = self.plugged(at)
        self.station.forget()
        if not devices_are_late:
            self.clocks.set_devices(self.b, at)
        self.clocks.set_station(at)
        what = at.strftime("%a %d %b %H:%M UTC")
        for name, until in changing.items():
            done = self.station.wait("result", name)
            why = [e["why"] for e in self.station.told("started", name)]
            self.s.quiet("%s: %s is worked on at the boundary" % (what, name), why == ["window"] and
                         [e["verdict"] for e in done] == ["compliant"], (why, done))
            self.s.quiet("%s: %s is %s" % (what, name, "free" if until is CLOSED else "until %s" % until),
                         removal(self.b, name) == until, removal(self.b, name))
            if until is CLOSED:
                took = bool(done) and done[-1]["changed"]
                self.s.quiet("%s: %s: what is gone is not taken off again" % (what, name),
                             took == devices_are_late, done)
                self.taken_off += took
                self.lifted += not took
        if devices_are_late:
            self.clocks.set_devices(self.b, at)
        self.moments += 1


def unplugged(s, cart, at, until):
    """Away from the bench a device frees itself."""
    b = cart.b
    s.equal("a device inside its window", removal(b, "away"), until)
    b.tell("unplug", "away")
    cart.station.wait("detached", "away")
    cart.clocks.set_devices(b, until - timedelta(seconds=1))
    s.equal("  unplugged, a second before the end", removal(b, "away"), until)
    cart.clocks.set_devices(b, until)
    s.equal("  and at the end it is free, with nobody near it", removal(b, "away"), CLOSED)
    cart.clocks.set_devices(b, at)


def boundaries(s):
    s.topic("every boundary of a year" if WHOLE_YEAR else "boundaries around both changes of clocks")
    bench.make_identities()
    rules, days, autumn = make_rules()
    moments = sorted({at for rule in rules for at in rule.boundaries
                      if WHOLE_YEAR or at.date() in days})
    with bench.Bench([ours("cart"), ours("away"), ours("night")]) as b:
        cart = Cart(s, b, rules)
        cart.begin(moments[0] - timedelta(hours=1))
        lengths, seals, is_away_tried = set(), {(moments[0] - timedelta(hours=1)).date()}, False
        for i, at in enumerate(moments):
            cart.go(at, devices_are_late=i % 3 == 0)
            seals.add(at.date())
            until = rules[1].boundaries.get(at)
            if until:
                lengths.add((until - at) // timedelta(hours=1))
            if rules[0].boundaries.get(at) and not is_away_tried:
                is_away_tried = True
                unplugged(s, cart, at, rules[0].boundaries[at])
        s.equal("a night has 8 hours, one 7 and one 9", lengths, {7, 8, 9})
        s.check("some devices freed themselves, some were freed", cart.lifted > 0 and cart.taken_off > 0,
                (cart.lifted, cart.taken_off))
        s.check("an exception is no boundary", not [at for at in rules[0].boundaries
                                                    if at.date() == autumn + timedelta(days=1)])
        s.check("%d boundaries, in order" % cart.moments, cart.moments == len(moments) and
                cart.moments >= 16, cart.moments)

        def sealed():
            return sum(r["body"].get("purpose") == "seal" for r in cart.station.records())
        bench.until(lambda: sealed() >= len(seals) - 1, ENDLESS)
        s.equal("each midnight sealed the day before", sealed(), len(seals) - 1)
        s.equal("SIGTERM ends it well", cart.station.stop(), 0)
        s.equal("the record is whole", cart.station.verifies(), 0)


# ---- what comes between ----------------------------------------------------------------

def between(s):
    s.topic("devices that are not ready at a boundary, and stations that are not there")
    school = {"timezone": "UTC", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "15:30"}
    policies = folder("between", {"name": "school", "window": school})
    monday = next(date(YEAR, 6, n) for n in range(1, 8) if date(YEAR, 6, n).weekday() == 0)

    def at(day, hour, minute=0):
        return datetime(YEAR, 6, monday.day + day, hour, minute, tzinfo=UTC)

    names = ["cart", "locked", "refuses"]
    with bench.Bench([ours(n) for n in names + ["away"]]) as b:
        clocks = Clocks()

        def move(moment):
            clocks.set_devices(b, moment)
            clocks.set_station(moment)

        move(at(0, 9))
        station = Station(b, policies, env=clocks.env)
        station.wait("result", verdict="compliant", n=4)
        b.tell("unplug", "away")
        b.tell("lock", "locked")
        b.tell("fault", "refuses", **bench.fault("error", at="mcinstall", request="GetProfileList",
                                                 code="4001"))
        station.forget()
        move(at(0, 15, 30))
        s.check("one that is locked at the end has freed itself, and nobody has to unlock it",
                station.wait("result", "locked", verdict="compliant", changed=False))
        s.check("one that refuses then has failed", station.wait("result", "refuses", verdict="failed"))
        b.tell("clear-faults", "refuses")
        station.forget()
        move(at(1, 8))
        s.check("  and is tried again at the next boundary",
                station.wait("result", "refuses", verdict="compliant", changed=True))
        s.check("one that is locked at the beginning waits for somebody", station.wait("waiting", "locked"))
        b.tell("unlock", "locked")
        s.check("  and goes on when he has come", station.wait("result", "locked", verdict="compliant"))
        s.equal("  until the same end as the others", {removal(b, n) for n in names}, {at(1, 15, 30)})

        station.forget()
        b.tell("lock", "locked")
        move(at(1, 16))
        station.wait("result", verdict="compliant", n=3)
        move(at(2, 8))
        s.check("who waits for somebody", station.wait("waiting", "locked"))
        move(at(2, 15, 30))
        b.tell("unlock", "locked")
        station.wait("result", "cart", n=3)
        s.equal("  and is unlocked when it is too late, gets nothing",
                (len(station.wait("result", "locked", verdict="compliant", n=2)), removal(b, "locked")),
                (2, CLOSED))
        s.equal("the station ends well", station.stop(), 0)

        clocks.set_devices(b, at(3, 8))
        clocks.set_station(at(3, 9))
        again = Station(b, policies, env=clocks.env, ledger=station.ledger)
        s.equal("a station that comes late does what was left", len(again.wait("result", changed=True, n=3)), 3)
        b.tell("plug", "away")
        s.check("  also for one that was away for days", again.wait("result", "away", changed=True))
        again.forget()
        clocks.set_station(at(3, 16))
        again.wait("result", changed=True, n=4)
        again.forget()
        clocks.set_station(at(3, 8))
        s.equal("a clock that was wrong and is set back: windows are judged anew",
                (len(again.wait("result", changed=True, n=4)), {removal(b, n) for n in names},
                 {e["why"] for e in again.told("started")}), (4, {at(3, 15, 30)}, {"window"}))
        again.forget()
        put_policy(policies, {"name": "school", "window": dict(school, to="08:30")})
        again.run.signal(bench.signal.SIGHUP)
        s.equal("a window that a reload makes shorter is shorter at once",
                (len(again.wait("result", changed=True, n=4)), {removal(b, n) for n in names}),
                (4, {at(3, 8, 30)}))
        again.forget()
        clocks.set_station(at(3, 8, 31))
        s.equal("  until its new end", (len(again.wait("result", changed=True, n=4)),
                                        {removal(b, n) for n in names + ["away"]}), (4, {CLOSED}))
        s.equal("it ends well", again.stop(), 0)
        s.equal("the record is whole", again.verifies(), 0)


def main():
    s = bench.begin("windows")
    try:
        from zoneinfo import ZoneInfo
        ZoneInfo("Europe/Berlin")
    except (ImportError, KeyError):
        print("no zoneinfo here")
        raise SystemExit(bench.SKIPPED)
    if not os.access(WALLCLOCK, os.R_OK):
        print("%s is not there" % WALLCLOCK)
        raise SystemExit(bench.SKIPPED)
    if WHOLE_YEAR:
        bench.signal.alarm(0)
    boundaries(s)
    between(s)
    s.end()


main()

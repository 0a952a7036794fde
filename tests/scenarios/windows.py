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
from unattended import ENDLESS, PRESET, Station, folder

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
        self.env = {"LD_PRELOAD": WALLCLOCK, "WALLCLOCK": self.path,
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
        self.is_bell_in = True
        self.moments = self.lifted = self.taken_off = 0

    def begin(self, at):
        self.clocks.set_station(at)
        self.clocks.set_devices(self.b, at)
        policies = folder("windows", *[r.policy(self.b.udids) for r in self.rules])
        self.station = Station(self.b, policies, env=self.clocks.env, seconds=3600)
        for rule in self.rules:
            for name in rule.devices:
                self.station.wait("result", name, verdict="compliant")

    def ring(self):
        """Something happens, so that the station looks at its clock now, not in some seconds."""
        self.is_bell_in = not self.is_bell_in
        self.b.tell("plug" if self.is_bell_in else "unplug", "bell")

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
        self.ring()
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
    with bench.Bench([ours("cart"), ours("away"), ours("night"),
                      bench.device("bell", trust="deny")]) as b:
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
        sealed = [r for r in cart.station.records() if r["body"].get("purpose") == "seal"]
        s.equal("each midnight sealed the day before", len(sealed), len(seals) - 1)
        s.equal("SIGTERM ends it well", cart.station.stop(), 0)
        s.equal("the record is whole", cart.station.verifies(), 0)


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
    s.end()


main()

"""Windows of policies over a year: this reading of them shares no code with the program's."""
import random
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
UTC = timezone.utc


def moments(zone, naive):
    """The first and the last moment at which clocks show naive; the jump when they never do."""
    first = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    last = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == naive:
        return first, max(first, last)
    # In a gap: walk to the change, minute by minute.
    at = naive.replace(tzinfo=UTC) - timedelta(hours=26)
    while at.astimezone(zone).replace(tzinfo=None) < naive:
        at += timedelta(minutes=1)
    return at, at


def minutes(year, name, days, begin, end, exceptions):
    """One byte per minute of the year in UTC: in force or not."""
    zone = ZoneInfo(name)
    origin = datetime(year, 1, 1, tzinfo=UTC)
    n = (datetime(year + 1, 1, 1, tzinfo=UTC) - origin) // timedelta(minutes=1)
    out = bytearray(n)
    day = date(year, 1, 1) - timedelta(days=3)
    while day <= date(year + 1, 1, 3):
        if DAYS[day.weekday()] in days and day.isoformat() not in exceptions:
            midnight = datetime(day.year, day.month, day.day)
            close = end if end > begin else end + 1440
            first, _ = moments(zone, midnight + timedelta(minutes=begin))
            _, last = moments(zone, midnight + timedelta(minutes=close))
            a = max(0, (first - origin) // timedelta(minutes=1))
            b = min(n, (last - origin) // timedelta(minutes=1))
            if b > a:
                out[a:b] = b"\x01" * (b - a)
        day += timedelta(days=1)
    return origin, out


def by_wall_clock(name, days, begin, end, exceptions, at):
    """The plainest reading: what do weekday and clock say? Not for days of a change."""
    local = at.astimezone(ZoneInfo(name))
    now = 60 * local.hour + local.minute

    def opens(day):
        return DAYS[day.weekday()] in days and day.isoformat() not in exceptions

    today = local.date()
    if end > begin:
        return opens(today) and begin <= now < end
    return (opens(today) and now >= begin) or (opens(today - timedelta(days=1)) and now < end)


def is_near_change(name, at):
    zone = ZoneInfo(name)
    offsets = {(at + timedelta(hours=h)).astimezone(zone).utcoffset() for h in (-30, 0, 30)}
    return len(offsets) > 1


def told(program, name, days, begin, end, exceptions, origin, n):
    stop = origin + timedelta(minutes=n)
    args = [program, name, ",".join(days) or "none", clock(begin), clock(end),
            ",".join(exceptions), str(int(origin.timestamp())), str(int(stop.timestamp()))]
    lines = subprocess.run(args, check=True, capture_output=True, text=True).stdout.split("\n")
    steps = [tuple(map(int, line.split())) for line in lines if line]
    out = bytearray(n)
    for i, (at, is_open) in enumerate(steps):
        until = steps[i + 1][0] if i + 1 < len(steps) else int(stop.timestamp())
        a, b = ((x - int(origin.timestamp())) // 60 for x in (at, min(until, int(stop.timestamp()))))
        assert at % 60 == 0 or i == 0, "a boundary within a minute"
        if is_open:
            out[a:b] = b"\x01" * (b - a)
    return out


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


def cases():
    school = DAYS[:5]
    for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Europe/Dublin"):
        yield 2026, name, school, 480, 930, ["2026-12-24", "2026-12-25"]
        yield 2026, name, DAYS, 1320, 360, ["2026-03-28", "2026-10-24"]
    for begin, end in ((120, 180), (150, 240), (60, 150), (135, 165), (180, 120)):
        yield 2026, "Europe/Berlin", DAYS, begin, end, []
    yield 2026, "Europe/Berlin", school, 0, 1440, ["2026-05-01"]
    yield 2050, "Europe/Berlin", school, 480, 930, []
    random.seed(4)
    zones = ["America/Santiago", "Africa/Casablanca", "Asia/Tehran", "Pacific/Chatham",
             "America/St_Johns", "Asia/Kathmandu", "Africa/Cairo", "America/Nuuk"]
    for name in zones:
        begin = random.randrange(1440)
        end = random.choice([m for m in range(1, 1441) if m != begin])
        days = sorted(random.sample(DAYS, random.randrange(1, 8)), key=DAYS.index)
        excepted = [(date(2026, 1, 1) + timedelta(days=random.randrange(365))).isoformat()
                    for _ in range(10)]
        yield random.choice((2024, 2026, 2045)), name, days, begin, end, excepted


def main():
    program, compared = sys.argv[1], 0
    for year, name, days, begin, end, exceptions in cases():
        what = f"{year} {name} {','.join(days)} {clock(begin)}-{clock(end)} but {exceptions}"
        origin, want = minutes(year, name, days, begin, end, exceptions)
        got = told(program, name, days, begin, end, exceptions, origin, len(want))
        for i, (a, b) in enumerate(zip(want, got)):
            assert a == b, f"{what}: {origin + timedelta(minutes=i)}: wanted {a}, was told {b}"
        for i in range(0, len(want), 37):
            at = origin + timedelta(minutes=i)
            if got[i] != by_wall_clock(name, days, begin, end, exceptions, at):
                assert is_near_change(name, at), f"{what}: {at}: the clock on the wall disagrees"
        compared += len(want)
    print(f"{compared} minutes compared")


if __name__ == "__main__":
    main()

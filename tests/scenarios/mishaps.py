#!/usr/bin/env python3
"""The station when the world around it fails, and with every kind of identity"""
import fcntl
import json
import os
import pty
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
import unicodedata
import urllib.error
import urllib.request

import bench
from bench import device, fault, ours, path, until, OTHER
from unattended import ENDLESS, PRESET, Station, folder, put_policy

INSTALL = dict(at="mcinstall", request="InstallProfileSilent")
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "80146273"
CTRL_S, CTRL_Q = b"\x13", b"\x11"


def fetch(station, what):
    """Status and text of that page of the station's; None without a page."""
    found = re.search("http://([0-9.:]+)/", station.run.so_far()[1])
    if not found:
        return None
    try:
        with urllib.request.urlopen("http://%s%s" % (found.group(1), what), timeout=ENDLESS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def healthy(b, station):
    return fetch(station, "/healthz")


def notice(station):
    """What the page says above all else; None: nothing."""
    return json.loads(fetch(station, "/board")[1])["notice"]


# ---- the ledger ------------------------------------------------------------------------

def full_disk(s):
    s.topic("a disk that is full, and later is not")
    policies = folder("disk", {"name": "disk"})
    with bench.Bench([ours("before"), ours("during")]) as b:
        b.tell("unplug", "during")
        station = Station(b, policies, "--http", "127.0.0.1:0", restore_signals=False)
        station.wait("result", "before", verdict="compliant")
        has_page = until(lambda: healthy(b, station), 5)
        station.forget()
        b.mark()
        # write(2) fails with EFBIG; what is printed goes to a shorter file.
        limit = os.path.getsize(station.ledger + "-wal")
        s.check("the file of its events is the shorter one",
                os.fstat(station.run.out_file.fileno()).st_size < limit // 2)
        was = resource.prlimit(station.run.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        b.tell("plug", "during")
        s.check("it is told", station.wait("error", about="ledger"))
        s.equal("nothing is sent that would not be on record", b.profiles("during"), {})
        s.check("  and nobody is green for it", not station.told("result", "during", verdict="compliant"))
        if has_page:
            s.check("the page and the service manager know",
                    until(lambda: (healthy(b, station) or (0, ""))[0] == 503 and
                          "ledger" in healthy(b, station)[1]), healthy(b, station))
        resource.prlimit(station.run.pid, resource.RLIMIT_FSIZE, was)
        s.check("with room again it goes on by itself",
                station.wait("result", "during", verdict="compliant"))
        s.check("  the profile is on the device", PRESET in b.profiles("during"))
        if has_page:
            s.check("  and all is well", until(lambda: healthy(b, station)[0] == 200))
        s.equal("SIGTERM ends it well", station.stop(), 0)
        s.equal("the record is whole", station.verifies(), 0)
        intents = [r for r in station.records() if r["kind"] == "sent" and
                   r["body"].get("step") == "install"]
        s.equal("  with what was sent to each, once", len(intents), 2)


# ---- devices and cables ------------------------------------------------------------------

def cables(s):
    s.topic("devices that vanish, and policies that quarrel")
    policies = folder("quarrel", {"name": "one", "devices": {"products": ["iPad*"]}},
                      {"name": "two", "devices": {"products": ["*13,18"]}})
    with bench.Bench([ours("torn"), ours("other", product="iPhone14,5")]) as b:
        station = Station(b, policies)
        torn = station.wait("result", "torn")
        s.equal("two policies of equal weight: nobody guesses", [(e["verdict"], e["reason"]) for e in torn],
                [("blocked", "no-policy")])
        message = (torn[0]["result"].get("error") or {}).get("message", "")
        s.check("  both are named", "one" in message and "two" in message, message)
        s.equal("  and nothing was done to it", b.profiles("torn"), {})
        station.stop()

    policies = folder("cables", {"name": "cables"})
    devices = [ours("restarts", faults=[fault("restart", times=1, **INSTALL)]),
               ours("busy", faults=[fault("error", status="NotNow", times=1, **INSTALL)]),
               ours("flapping"), ours("plain")]
    with bench.Bench(devices) as b:
        where = {r["device"]["udid"]: r["device"]["location"] for r in b.run("list", "--json").lines}
        config = bench.write("cables.yaml", json.dumps({"slots": [
            {"name": "left 3", "port": where[b.udids["flapping"]]}]}))
        b.tell("unplug", "flapping")
        station = Station(b, policies, config=config)
        s.check("a device that restarts in the middle of its job is done when it is back",
                station.wait("result", "restarts", verdict="compliant"))
        s.check("  with its profile", PRESET in b.profiles("restarts"))
        s.check("one that cannot just now (NotNow) waits",
                station.wait("result", "busy", next="person"))
        s.check("  and is tried again by itself", station.wait("result", "busy", verdict="compliant"))
        s.equal("  once", len(station.told("started", "busy")), 2)
        for _ in range(6):
            b.tell("plug", "flapping")
            b.tell("unplug", "flapping")
        b.tell("plug", "flapping")
        told = station.wait("error", about="port")
        s.check("a port that flaps is named as people call it", told and
                "port left 3 comes and goes" in told[0]["message"], told)
        s.equal("SIGTERM ends it well", station.stop(), 0)
        s.equal("the record is whole", station.verifies(), 0)


def losing_usbmuxd(s):
    s.topic("usbmuxd dies in the middle of jobs")
    policies = folder("dying", {"name": "dying"})
    names = ["d%d" % n for n in range(4)]
    with bench.Bench([ours(n, latency_ms=100) for n in names]) as first:
        station = Station(first, policies, "--per-controller", "0", "--http", "127.0.0.1:0")
        for name in names:
            station.wait("started", name)
        has_page = until(lambda: fetch(station, "/healthz"), 5)
        put_policy(policies, {"name": "dying", "profiles": [{"preset": "imessage-of"}]})
        station.run.signal(signal.SIGHUP)
        station.wait("policy", n=2)
        first.kill()
        s.check("it is told", station.wait("error", about="usbmuxd"))
        os.unlink(first.socket)
        with bench.Bench([ours(n) for n in names], socket=first.socket) as second:
            station.bench = second
            for name in names:
                s.quiet("%s is done when it is back" % name,
                        station.wait("result", name, verdict="compliant"))
                s.quiet("  and is no new arrival", len(station.told("attached", name)) == 1)
            s.check("all have their profiles", all(PRESET in second.profiles(n) for n in names))
            if has_page:
                s.check("the older trouble is still told when the newer one is over",
                        until(lambda: "old policies" in (notice(station) or "")), notice(station))
            put_policy(policies, {"name": "dying"})
            station.run.signal(signal.SIGHUP)
            if has_page:
                s.check("  until that is over too", until(lambda: notice(station) is None), notice(station))
            s.equal("SIGTERM ends it well", station.stop(), 0)
            s.equal("the record is whole", station.verifies(), 0)


# ---- identities ------------------------------------------------------------------------------

def make_token():
    """The other client's key on a token; the environment that finds it, or None."""
    if not all(shutil.which(t) for t in ("softhsm2-util", "pkcs11-tool", "openssl")) or \
            not os.path.exists(SOFTHSM):
        return None
    os.mkdir(path("tokens"), 0o700)
    bench.write("hsm.conf", "directories.tokendir = %s\nobjectstore.backend = file\n" % path("tokens"))
    bench.write("pin", PIN + "\n")
    bench.secrets().append(PIN)
    env = {"SOFTHSM2_CONF": path("hsm.conf")}

    def tool(*args):
        done = subprocess.run(args, cwd=bench.folder(), env=bench.environment(env), check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=bench.RUN_SECONDS)
        if done.returncode:
            raise bench.Refused("%s: %s" % (args, done.stdout))
    tool("softhsm2-util", "--init-token", "--free", "--label", "other", "--pin", PIN, "--so-pin", "0000")
    tool("softhsm2-util", "--import", path("other.key"), "--token", "other", "--label", "ipads",
         "--id", "01", "--pin", PIN)
    uri = "pkcs11:token=other;object=ipads?module-path=%s" % SOFTHSM
    shown = bench.run("identity", "show", "-i", uri + "," + path("other.crt"), "--passphrase-file",
                      path("pin"), env=env)
    return (env, uri + "," + path("other.crt")) if shown.code == 0 else None


def identities(s):
    s.topic("an agent for one client, a token for the other")
    token = make_token()
    if not token:
        print("no token here: the agent alone")
    policies = [{"name": "acme", "identity": "agent:" + path("agent"),
                 "devices": {"supervised-by": ["Acme"]}}]
    if token:
        policies.append({"name": "other", "identity": token[1], "passphrase-file": path("pin"),
                         "devices": {"supervised-by": ["Other GmbH"]}})
    agent = bench.Run(["agent", *bench.identity(), "--socket", path("agent")], wait=False)
    agent.wait_for("signs as")
    with bench.Bench([ours("a", paired=False), ours("late"),
                      device("o", supervised_by=OTHER)]) as b:
        b.tell("unplug", "late")
        station = Station(b, folder("keys", *policies), env=token[0] if token else {})
        s.equal("the agent signs for one", [e["policy"] for e in station.wait("result", "a", verdict="compliant")],
                ["acme"])
        if token:
            s.equal("the token for the other", [e["policy"] for e in station.wait(
                "result", "o", verdict="compliant")], ["other"])
        agent.signal(signal.SIGTERM)
        agent.finish()
        b.tell("plug", "late")
        late = station.wait("result", "late")
        s.check("without its agent nothing is signed, and that is said", late and
                (late[0]["verdict"], late[0]["reason"]) == ("failed", "unsigned"), late)
        s.equal("  and nothing is on the device", b.profiles("late"), {})
        agent = bench.Run(["agent", *bench.identity(), "--socket", path("agent")], wait=False)
        agent.wait_for("signs as")
        station.forget()
        b.tell("unplug", "late")
        b.tell("plug", "late")
        s.check("another one that takes its place is as good", station.wait("result", "late",
                                                                           verdict="compliant"))
        s.equal("SIGTERM ends it well", station.stop(), 0)
        agent.signal(signal.SIGTERM)
        agent.finish()


# ---- a terminal --------------------------------------------------------------------------------

class Screen:
    """A station on a terminal, and what a person sees there at the moment."""

    def __init__(self, b, *args, rows=20, columns=90):
        ours_fd, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = bench.environment({"TERM": "xterm", "USBMUXD_SOCKET_ADDRESS": "UNIX:" + b.socket})
        self.process = subprocess.Popen([bench.CHAPERONE, "station", *args], stdin=theirs,
                                        stdout=theirs, stderr=subprocess.DEVNULL, env=env,
                                        cwd=bench.folder(), preexec_fn=bench._die_with_parent)
        bench._children.append(self.process)
        os.close(theirs)
        self.fd, self.raw, self.columns = ours_fd, b"", columns

    def read(self):
        while select.select([self.fd], [], [], 0)[0]:
            try:
                more = os.read(self.fd, 65536)
            except OSError:
                return
            if not more:
                return
            self.raw += more

    def lines(self):
        """As a terminal would show them."""
        self.read()
        lines, row = [""], 0
        text = self.raw.decode(errors="replace").replace("\r\n", "\n")
        for part in re.split(r"(\n|\x1b\[\d*A|\x1b\[J|\x1b\[2K|\x1b\[[0-9;]*m)", text):
            if part == "\n":
                row += 1
                lines += [""] * (row == len(lines))
            elif part.endswith("A") and part.startswith("\x1b"):
                row -= int(part[2:-1] or "1")
            elif part == "\x1b[J":
                lines[row:] = [""]
            elif part == "\x1b[2K":
                lines[row] = ""
            elif not part.startswith("\x1b"):
                lines[row] += part
        return lines

    def shows(self, *parts):
        """One line has all of them, soon."""
        return until(lambda: any(all(p in line for p in parts) for line in self.lines()), ENDLESS)

    def stop(self):
        self.process.terminate()
        end = time.monotonic() + ENDLESS
        while self.process.poll() is None and time.monotonic() < end:
            select.select([self.fd], [], [], 0.05)
            self.read()
        self.read()
        return self.process.wait(1)


def terminal(s):
    s.topic("on a terminal, a table")
    evil = "\x1b[31mred\x07"
    policies = folder("seen", {"name": "seen"})
    with bench.Bench([ours("front"), ours("dark", locked=True), ours("evil" + evil), ours("東京" * 30), ours("late"),
                      device("theirs", supervised_by=OTHER, paired=True)]) as b:
        b.tell("unplug", "late")
        screen = Screen(b, "--policies", policies, "--ledger", path("seen.db"))
        s.check("who is ready, with a mark that needs no colour", screen.shows("✓", "ready to unplug", "front"),
                "\n".join(screen.lines()))
        s.check("who needs somebody, and what for", screen.shows("!", "needs you", "unlock"),
                "\n".join(screen.lines()))
        s.check("how many there are", screen.shows("5 plugged in", "3 ready"), "\n".join(screen.lines()))
        s.check("a name does nothing to the terminal", b"\x1b[31mred" not in screen.raw and
                b"\x07" not in screen.raw)
        b.tell("unlock", "dark")
        s.check("unlocked it becomes ready", screen.shows("4 ready"), "\n".join(screen.lines()))
        b.tell("unplug", "front")
        s.check("unplugged it is gone", screen.shows("4 plugged in") and
                not any("front" in line for line in screen.lines()), "\n".join(screen.lines()))
        s.check("no line is wider than the terminal, whatever is written in it",
                all(sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in line) < screen.columns
                    for line in screen.lines()), "\n".join(screen.lines()))
        os.write(screen.fd, CTRL_S)
        b.tell("plug", "late")
        s.check("a terminal that is stopped does not stop the station",
                until(lambda: PRESET in b.profiles("late"), ENDLESS))
        b.tell("unplug", "dark")
        os.write(screen.fd, CTRL_Q)
        s.check("  and when it goes on, it shows how it is now", screen.shows("4 plugged in", "5 ready"),
                "\n".join(screen.lines()))
        s.equal("SIGTERM ends it well", screen.stop(), 0)
    devices = [ours("n%02d" % n) for n in range(30)] + [ours("zz", locked=True)]
    with bench.Bench(devices) as b:
        screen = Screen(b, "--policies", policies, "--ledger", path("seen.db"), rows=12)
        s.check("where not all fit, it says how many more", screen.shows("and 23 more"),
                "\n".join(screen.lines()))
        s.check("  and who needs somebody is not among them", screen.shows("needs you", "unlock"),
                "\n".join(screen.lines()))
        s.check("  the table stays within the terminal", len([l for l in screen.lines() if l]) <= 12,
                "\n".join(screen.lines()))
        screen.stop()


def unread_terminal(s):
    """As at the other end of a connection that hangs: what it is sent piles up until no more fits."""
    policies = folder("unread", {"name": "unread"})
    devices = [ours("p%02d" % n) for n in range(40)]
    with bench.Bench(devices) as b:
        screen = Screen(b, "--policies", policies, "--ledger", path("unread.db"), rows=50)
        s.quiet("all are ready", screen.shows("40 plugged in", "40 ready"), screen.lines())
        names, is_done, end = [d["name"] for d in devices], True, time.monotonic() + 5
        while is_done and time.monotonic() < end:
            names.append(names.pop(0))
            b.tell("remove", names[-1], profile=PRESET)
            b.tell("unplug", names[-1])
            b.tell("plug", names[-1])
            is_done = until(lambda: PRESET in b.profiles(names[-1]), ENDLESS)
        s.check("a terminal that nobody reads does not stop the station", is_done)
        b.tell("unplug", names[-1])
        s.check("  and when it is read, it shows how it is now", screen.shows("39 plugged in"),
                "\n".join(screen.lines()))
        s.equal("SIGTERM ends it well", screen.stop(), 0)


def main():
    s = bench.begin("mishaps")
    bench.make_identities()
    full_disk(s)
    cables(s)
    losing_usbmuxd(s)
    identities(s)
    terminal(s)
    unread_terminal(s)
    s.end()


main()

#!/usr/bin/env python3
"""The station: plug in, wait for green, unplug"""
import json
import os
import re
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request

import bench
from bench import device, fault, ours, until, OTHER
from unattended import ENDLESS, PRESET, Station, folder, put_policy

def forked_by(pid, name):
    """Whose children the descendants of that name are."""
    def word(p):
        try:
            with open("/proc/%d/comm" % p) as f:
                return f.read().strip()
        except OSError:
            return ""
    return {word(parent) for parent in bench.family(pid) for child in bench.children(parent)
            if word(child) == name}


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
        s.equal("  sealed at the end", [r["body"].get("purpose") for r in station.records()][-1],
                "seal")
        kinds = [r["kind"] for r in station.records()]
        s.equal("  every arrival, job and verdict", [kinds.count(k) for k in
                ("attach", "job-started", "verdict", "policy-loaded")], [9, 9, 9, 1])


def waiting(s):
    s.topic("devices that wait for somebody")
    policies = folder("plain2", {"name": "plain2"})
    devices = [ours("locked", locked=True), ours("open"), device("stranger", trust="ask"),
               ours("gone", locked=True)]
    with bench.Bench(devices) as b:
        station = Station(b, policies, "--jobs", "1", "--per-controller", "0")
        s.check("a locked device waits", station.wait("waiting", "locked", **{"for": "unlock"}))
        s.check("  without holding the only lane", station.wait("result", "open", verdict="compliant"))
        s.check("one that shows its Trust box too", station.wait("waiting", "stranger",
                                                                 **{"for": "trust"}))
        s.check("all wait", station.wait("waiting", "gone"))
        tries = len(station.told("started", "stranger"))
        b.tell("unlock", "locked")
        s.check("unlocked it goes on by itself",
                station.wait("result", "locked", verdict="compliant"))
        b.tell("tap", "stranger", answer="trust")
        s.check("tapped it goes on by itself",
                station.wait("result", "stranger", reason="unsupervised"))
        s.equal("  asked once before and once after", len(station.told("started", "stranger")),
                tries + 1)
        b.tell("unplug", "gone")
        s.check("unplugged while it waits it is gone", station.wait("detached", "gone"))
        s.equal("a station with waiting devices ends at once", station.stop(), 0)


def trouble(s):
    s.topic("what goes wrong on the cable")
    policies = folder("plain3", {"name": "plain3"})
    devices = [ours("shaky"), ours("flapping"), ours("refusing"), ours("calm"),
               device("nobody", paired=True, supervised_by=OTHER)]
    with bench.Bench(devices) as b:
        b.tell("unplug", "shaky")
        b.tell("unplug", "flapping")
        station = Station(b, policies)
        s.check("a device of nobody's is told", station.wait("result", "nobody", reason="no-policy"))
        b.mark()
        s.equal("  once: it is left alone", len(station.told("started", "nobody")), 1)
        b.tell("fault", "shaky", **fault("unplug", at="mcinstall", request="InstallProfileSilent", nth="1"))
        b.tell("plug", "shaky")
        s.check("unplugged in the middle of its job", station.wait("result", "shaky",
                                                                   reason="unplugged"))
        s.check("  it is gone", station.wait("detached", "shaky"))
        b.tell("clear-faults", "shaky")
        b.tell("plug", "shaky")
        s.check("  and done when it is plugged in again",
                station.wait("result", "shaky", verdict="compliant"))
        for _ in range(7):
            b.tell("plug", "flapping")
            b.tell("unplug", "flapping")
        b.tell("plug", "flapping")
        s.check("a port that comes and goes is set aside and named",
                station.wait("error", about="port"))
        s.equal("the station has not suffered", station.stop(), 0)
        s.equal("and its record is whole", station.verifies(), 0)


def losing(s):
    s.topic("usbmuxd comes and goes")
    policies = folder("plain4", {"name": "plain4"})
    with bench.Bench([ours("a"), ours("b")]) as first:
        station = Station(first, policies)
        station.wait("result", verdict="compliant", n=2)
        station.forget()
        first.kill()
        s.check("it is told", station.wait("error", about="usbmuxd"))
        os.unlink(first.socket)
        with bench.Bench([ours("a"), ours("b"), ours("c")], socket=first.socket) as second:
            station.bench = second
            s.check("a new device is seen when it is back",
                    station.wait("result", "c", verdict="compliant"))
            s.equal("those that were there are no arrivals", station.told("attached", "a"), [])
            s.equal("SIGTERM ends it well", station.stop(), 0)


def signals(s):
    s.topic("signals")
    policies = folder("plain5", {"name": "plain5"})
    with bench.Bench([ours("a"), ours("slow", latency_ms=60), ours("late")]) as b:
        b.tell("unplug", "late")
        station = Station(b, policies)
        station.wait("result", verdict="compliant", n=2)
        s.check("a second station does not start",
                b.run("station", "--policies", policies, "--ledger", station.ledger).code == 69)
        station.forget()
        put_policy(policies, {"name": "plain5", "profiles": [{"preset": "imessage-of"}]})
        station.run.signal(signal.SIGHUP)
        told = station.wait("policy")
        s.has("SIGHUP with a bad policy says where it is bad",
              (told or [{}])[0].get("error", {}).get("message", ""), "plain5.yaml:1:")
        b.tell("plug", "late")
        s.check("  and the old one stays in force",
                station.wait("result", "late", verdict="compliant", policy="plain5"))
        station.forget()
        put_policy(policies, {"name": "plain5", "profiles": [{"preset": "messaging-off"}],
                              "absent": [PRESET]})
        station.run.signal(signal.SIGHUP)
        s.equal("SIGHUP with a good one: everybody is looked at again",
                len(station.wait("result", changed=True, n=3)), 3)
        s.equal("  and has the new profile", list(b.profiles("a")),
                ["org.chaperone.preset.messaging-off"])
        s.equal("  the key is with a process that has heard no worker",
                forked_by(station.run.pid, "signer"), {"launcher"})
        station.forget()
        b.tell("unplug", "slow")
        b.tell("plug", "slow")
        station.wait("started", "slow")
        s.equal("SIGTERM during a job", station.stop(), 0)
        s.equal("  the job is finished", [r["verdict"] for r in station.run.lines if r["event"] == "result" and
                 r["device"]["udid"] == b.udids["slow"]][-1:], ["compliant"])
    with bench.Bench([ours("stuck", faults=[fault("hang", at="mcinstall", request="InstallProfileSilent")]),
                      ours("next")]) as b:
        b.tell("unplug", "next")
        station = Station(b, policies, ledger=station.ledger)
        s.check("a job is in the middle of its change", station.wait("step", "stuck", step="install"))
        station.run.signal(signal.SIGTERM)
        b.tell("plug", "next")
        station.wait("attached", "next")
        s.check("SIGTERM waits for a job that hangs", station.run.process.poll() is None)
        s.equal("a second one does not", station.stop(), 0)
        last = station.told("result", "stuck")
        s.equal("  its device is told as interrupted", [r["reason"] for r in last], ["interrupted"])
        s.equal("  and nothing was begun meanwhile", station.told("started", "next"), [])
        s.equal("  and all of it is on record", [r["body"]["reason"] for r in station.records()
                                                 if r["kind"] == "verdict"][-1:], ["interrupted"])
        s.equal("a station without policies does not start", b.run(
            "station", "--policies", folder("none"), "--ledger", station.ledger).code, 66)


def clients(s):
    s.topic("two clients")
    policies = folder("both", {"name": "acme", "devices": {"supervised-by": ["Acme"]}},
                      {"name": "other", "identity": bench.path("other.pem"),
                       "profiles": [{"preset": "messaging-off"}],
                       "devices": {"supervised-by": ["Other GmbH"]}})
    with bench.Bench([ours("a%d" % i, paired=i % 2 == 0) for i in range(3)] +
                     [device("o%d" % i, supervised_by=OTHER, paired=True) for i in range(3)]) as b:
        station = Station(b, policies)
        done = station.wait("result", verdict="compliant", n=6)
        s.equal("each has its own policy", sorted((e["device"]["name"], e["policy"]) for e in done),
                [("a%d" % i, "acme") for i in range(3)] + [("o%d" % i, "other") for i in range(3)])
        s.equal("  and its own profile", {n: list(b.profiles(n)) for n in ("a0", "o0")},
                {"a0": [PRESET], "o0": ["org.chaperone.preset.messaging-off"]})
        station.stop()


HOOK = """#!/bin/sh
{ echo "$CHAPERONE_EVENT $UDID $deviceType $CHAPERONE_VERDICT"; } >>%(out)s
cat >%(out)s.$CHAPERONE_EVENT
env >%(out)s.env
ls -l /proc/self/fd | wc -l >%(out)s.fds
%(end)s
"""


def hooks(s):
    s.topic("hooks")
    good = bench.write("good", HOOK % {"out": bench.path("told"), "end": "exit 0"}, 0o755)
    bad = bench.write("bad", HOOK % {"out": bench.path("ill"), "end": "echo no such printer >&2; exit 3"},
                      0o755)
    config = bench.write("hooks.yaml", "on-attach: %s\non-verdict: %s\non-detach: %s\n"
                         % (good, good, good))
    policies = folder("plain6", {"name": "plain6", "on-verdict": bad})
    with bench.Bench([ours("a")]) as b:
        station = Station(b, policies, config=config)
        station.wait("result", "a")
        trouble = station.wait("error", about="hook")
        s.has("a hook that fails is told, with what it said last", trouble[0]["message"],
              "exit status 3: no such printer")
        b.tell("unplug", "a")
        station.wait("detached", "a")
        s.equal("the station ends when its hooks have", station.stop(), 0)
        with open(bench.path("told")) as f:
            lines = [line.split() for line in f]
        s.equal("each moment has its hook", [line[0] for line in lines],
                ["attach", "verdict", "detach"])
        s.equal("  with the variables that scripts know", lines[1][1:],
                [b.udids["a"], "iPad13,18", "compliant"])
        with open(bench.path("told.verdict")) as f:
            s.equal("  and the result on standard input", json.load(f)["schema"],
                    "chaperone.result/1")
        with open(bench.path("told.env")) as f:
            names = {line.split("=")[0] for line in f}
        s.check("  and nothing of the station's environment", not names & {
            "HOME", "USBMUXD_SOCKET_ADDRESS", "XDG_STATE_HOME"}, names)
        with open(bench.path("told.fds")) as f:
            s.equal("  and no descriptor of its", f.read().strip(), "5")
        s.check("the failure is on record", [r for r in station.records() if r["kind"] == "note" and
                                             "no such printer" in json.dumps(r)])
    config = bench.write("private.yaml", "privacy:\n  names: omit\n  serials: omit\n  udids: hash\n")
    rude = bench.write("rude", "#!/bin/sh\ncat >&2\nexit 3\n", 0o755)
    with bench.Bench([ours("Anna Meier's iPad")]) as b:
        station = Station(b, folder("plain6b", {"name": "plain6b", "on-verdict": rude}), config=config)
        station.wait("error", about="hook")
        station.stop()
        kept = json.dumps(station.records())
        device = b.state("Anna Meier's iPad")
        s.equal("and tells nothing that is kept out of the record, whatever the hook said",
                [word for word in ("Anna Meier", device["udid"], device["serial"]) if word in kept], [])
        s.check("  but that it failed", "exit status 3" in kept, kept)


def killed(s):
    s.topic("kill -9")
    policies = folder("plain7", {"name": "plain7"})
    with bench.Bench([ours("k%d" % i, latency_ms=10) for i in range(6)]) as b:
        station = Station(b, policies, "--jobs", "2")
        station.wait("result", verdict="compliant", n=2)
        station.run.process.kill()
        station.run.process.wait()
        s.equal("what was recorded is whole", station.verifies(), 0)
        again = Station(b, policies, ledger=station.ledger)
        done = again.wait("result", verdict="compliant", n=6)
        s.equal("the next station goes on", sorted(e["device"]["name"] for e in done),
                ["k%d" % i for i in range(6)])
        s.equal("  and ends well", again.stop(), 0)
        s.equal("  with one unbroken record", again.verifies(), 0)


def fetch(address, what, host=None):
    request = urllib.request.Request("http://%s%s" % (address, what),
                                     headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=ENDLESS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, ""


def page(s):
    s.topic("the page, its counts, and the service manager")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(bench.path("notify"))
    heard = []

    def listen():
        while True:
            heard.append(manager.recv(4096).decode())

    def hears(word):
        return until(lambda: any(word in text for text in heard), ENDLESS)

    threading.Thread(target=listen, daemon=True).start()
    with bench.Bench([ours("a"), ours("b")]) as b:
        station = Station(b, folder("plain9", {"name": "plain9"}), "--http", "127.0.0.1:0", "--http-name", "bench.example",
                          env={"NOTIFY_SOCKET": bench.path("notify"), "WATCHDOG_USEC": "200000"})
        station.run.wait_for("the page is at ")
        if station.run.process.poll() is not None:
            station.run.finish()
            s.check("a build without libmicrohttpd says so", station.run.code == 69)
            return
        address = station.run.so_far()[1].split("http://")[1].split("/")[0]
        station.wait("result", verdict="compliant", n=2)
        s.check("it says that it is ready, and lives", hears("READY=1") and hears("WATCHDOG=1"))
        s.check("  and how it goes", hears("today 2 ready, 0 failed"))
        want = 'chaperone_verdicts_total{verdict="compliant",reason="",policy="plain9"} 2'
        s.check("what was done is counted", until(lambda: want in fetch(address, "/metrics")[1],
                                                  ENDLESS), fetch(address, "/metrics")[1])
        text = fetch(address, "/metrics")[1]
        s.equal("  but not whose device it is", [u for u in list(b.udids.values()) +
                                                 ["Acme"] if u in text], [])
        s.equal("all is well", fetch(address, "/healthz")[0], 200)
        s.check("the page is there", fetch(address, "/")[0] == 200)
        s.equal("it answers to its further name, and to no other",
                [fetch(address, "/board", host)[0] for host in
                 ("bench.example", "bench.example:443", "other.example")], [200, 200, 421])
        for name in ("*", "", "bench.example:80", ".example", "example.", "a/b", "http://a"):
            s.equal("%r is no name" % name, b.run("station", "--policies", station.policies, "--ledger",
                    bench.path("unused.db"), "--http", "127.0.0.1:0", "--http-name", name).code, 64)
        s.equal("a name without a page says nothing", b.run(
            "station", "--policies", station.policies, "--ledger", bench.path("unused.db"),
            "--http-name", "bench.example").code, 64)
        station.run.signal(signal.SIGHUP)
        s.check("a reload is announced", hears("RELOADING=1"))
        s.equal("SIGTERM ends it well", station.stop(), 0)
        s.check("  and it says so", hears("STOPPING=1"))


def learning(s):
    s.topic("learn-slots")
    config = bench.write("learn.yaml", "# ours\njobs: 4\nslots:\n  - name: old\n    port: 1-9\n"
                         "\n# the end of it\ntimeout: 30\n")
    with bench.Bench([ours("a"), ours("b"), ours("there")]) as b:
        b.tell("unplug", "a")
        b.tell("unplug", "b")
        read, write = os.pipe()
        run = b.start("station", "learn-slots", "--config", config, "--json", stdin=read)
        os.close(read)
        s.check("it asks for the first port", run.wait_for("into port 1 "))
        b.tell("plug", "a")
        s.check("  and for the next", run.wait_for("into port 2 "))
        os.write(write, b"left 3\n")
        run.wait_for("into port left 3 ")
        b.tell("plug", "b")
        run.wait_for("into port 3 ")
        b.tell("unplug", "a")
        b.tell("plug", "a")
        s.check("a port that has its name is not named twice", run.wait_for("port 1 already"))
        os.write(write, b"done\n")
        run.finish()
        os.close(write)
        s.equal("what was plugged in has a name", [l["name"] for l in run.lines], ["1", "left 3"])
        with open(config) as f:
            text = f.read()
        s.check("the rest of the configuration stays", "# ours\njobs: 4\n" in text and
                "\n# the end of it\ntimeout: 30\n" in text and "old" not in text, text)
        listed = {r["device"]["udid"]: r["device"]["slot"] for r in
                  b.run("list", "--json", "--config", config).lines}
        s.equal("and is what list goes by", [listed[b.udids[n]] for n in ("a", "b", "there")],
                ["1", "left 3", None])
        station = Station(b, folder("plain8", {"name": "plain8"}), config=config)
        done = station.wait("result", verdict="compliant", n=3)
        s.equal("and the station", {e["device"]["name"]: e["device"]["slot"] for e in done},
                {"a": "1", "b": "left 3", "there": None})
        station.stop()


def changed(s):
    s.topic("a device that is somebody else's after a reload")
    told = bench.path("heard")
    open(told, "w").close()
    hook = bench.write("heard.sh", "#!/bin/sh\necho $* >>%s\n" % told, 0o755)
    hooks = {"on-attach": hook, "on-verdict": hook, "on-detach": hook}
    with bench.Bench([ours("a"), ours("slow", latency_ms=300)]) as b:
        policies = folder("plain11", dict({"name": "plain11"}, **hooks))
        station = Station(b, policies, "--http", "127.0.0.1:0")
        station.wait("result", "a", verdict="compliant")
        address = station.run.so_far()[1].split("http://")[1].split("/")[0]
        station.wait("result", "slow", verdict="compliant")
        until(lambda: len(open(told).read().split()) >= 2, ENDLESS)
        open(told, "w").close()
        station.forget()
        put_policy(policies, dict({"name": "plain11", "devices": {"udids": [b.udids["slow"]]}}, **hooks))
        station.run.signal(signal.SIGHUP)
        result = station.wait("result", "a", reason="no-policy")
        s.check("it is left alone", result)
        s.equal("  because the policies were read again",
                {e["why"] for e in station.told("started")}, {"reload"})
        station.wait("result", "slow", verdict="compliant")
        board = json.loads(fetch(address, "/board")[1])
        s.equal("  the page names no policy for it",
                [t["policy"] for t in board["tiles"] if t["name"] == "a"], [None])
        s.check("  nor do the counts", 'reason="no-policy",policy=""' in fetch(address, "/metrics")[1],
                fetch(address, "/metrics")[1])
        b.tell("unplug", "a")
        station.wait("detached", "a")
        station.stop()
        s.equal("  and the client's programs hear nothing of it", b.udids["a"] in open(told).read(), False)


def early(s):
    s.topic("privacy, before it is known whose device it is")
    devices = [ours("Anna Meier's iPad", faults=[fault("error", at="mcinstall",
                                                       request="GetCloudConfiguration")])]
    policies = folder("plain12", {"name": "plain12", "privacy": {"names": "omit", "serials": "omit"}},
                      {"name": "other12", "devices": {"products": ["iPhone*"]}})
    with bench.Bench(devices) as b:
        station = Station(b, policies)
        station.wait("result", reason="refused")
        station.stop()
        kept = json.dumps(station.records())
        s.equal("what any policy keeps out is kept out", [word for word in (
            "Anna Meier", b.state("Anna Meier's iPad")["serial"]) if word in kept], [])
        s.check("  and that it failed is on record", '"refused"' in kept)


def odd(s):
    s.topic("a usbmuxd that is there and does not answer")
    policies = folder("plain13", {"name": "plain13"})
    with bench.Bench([ours("a")]) as b:
        silent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        where = bench.path("silent")
        silent.bind(where)
        silent.listen(8)
        b.socket, kept = where, b.socket
        station = Station(b, policies, "--http", "127.0.0.1:0")
        b.socket = kept
        s.check("is trouble, and said", station.wait("error", about="usbmuxd"))
        address = station.run.so_far()[1].split("http://")[1].split("/")[0]
        s.equal("  the page is not well then", fetch(address, "/healthz")[0], 503)
        silent.close()
        os.unlink(where)
        os.symlink(kept, where)
        s.check("  and when it does, all goes on", station.wait("result", "a", verdict="compliant"))
        s.check("  well", until(lambda: fetch(address, "/healthz")[0] == 200, ENDLESS))
        s.equal("SIGTERM ends it well", station.stop(), 0)
    pipe = folder("plain14", {"name": "plain14"})
    os.mkfifo(os.path.join(pipe, "waits.yaml"))
    run = bench.run("station", "--policies", pipe, "--ledger", bench.path("pipe.db"))
    s.equal("a pipe among the policies is no policy, and not waited for", run.code, 65)


def journal(s):
    s.topic("under systemd, whose journal notes the time and the program itself")
    policies = folder("plain9", {"name": "plain9"})
    log = open(bench.path("journal"), "a")
    inode = os.fstat(log.fileno())
    stream = {"JOURNAL_STREAM": "%d:%d" % (inode.st_dev, inode.st_ino)}

    def lines():
        with open(log.name) as f:
            return f.read().splitlines()
    with log, bench.Bench([ours("a"), ours("b", locked=True)]) as b:
        env = bench.environment(dict(stream, USBMUXD_SOCKET_ADDRESS="UNIX:" + b.socket))
        station = subprocess.Popen(
            [bench.CHAPERONE, "station", "--policies", policies, "--ledger", bench.path("journal.db")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
        until(lambda: sum("result " in line for line in lines()) == 2, bench.RUN_SECONDS)
        station.terminate()
        s.equal("SIGTERM ends it well", station.wait(bench.RUN_SECONDS), 0)
        s.check("each line begins with its priority, and a word",
                all(re.match("<[4-7]>[a-z]", line) for line in lines()), lines())
        found = {name: [line for line in lines() if "result " in line and " %s " % name in line]
                 for name in "ab"}
        s.check("what is well is no warning",
                re.fullmatch("<6>result .* a  compliant", "".join(found["a"])), lines())
        s.check("what needs somebody is one",
                re.fullmatch("<4>result .* b  blocked: locked", "".join(found["b"])), lines())
        s.check("which policies are loaded is said, and what a device waits for",
                "<6>policy    plain9" in lines() and any(line.endswith("b  for unlock")
                                                         for line in lines()), lines())
        log.truncate(0)
        subprocess.run([bench.CHAPERONE, "policy", "check", bench.path("missing.yaml")],
                       stderr=log, env=bench.environment(stream))
        s.check("why a command fails is an error, and so is its hint", len(lines()) == 2 and
                re.match("<3>", lines()[0]) and re.match("<3>hint: ", lines()[1]), lines())


def main():
    s = bench.begin("station")
    plugging(s)
    waiting(s)
    trouble(s)
    losing(s)
    signals(s)
    clients(s)
    hooks(s)
    killed(s)
    page(s)
    learning(s)
    changed(s)
    early(s)
    odd(s)
    journal(s)
    s.end()


main()

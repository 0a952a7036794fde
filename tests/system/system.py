#!/usr/bin/env python3
"""The real stack: virtual devices on a real USB bus, with Debian's usbmuxd, udev and systemd

usage: tests/system/system.py IMAGE STAGE LOGS [STEP...]

IMAGE is the folder that tests/system/image made, STAGE a folder that `make
install` wrote to, LOGS an empty folder for the disk and what was said. The
bench runs here; the guest takes its devices over USB/IP, as it would take them
from a cable. CHAPERONE and VBENCH name the programs, as for the scenarios.
SYSTEM_SECONDS (540 when it is not set) are for all of it: steps that would not
end in them are left out, and named.
"""
import json
import os
import re
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "scenarios")]

import bench                                            # noqa: E402
from bench import device, fault, ACME, OTHER, IMESSAGE  # noqa: E402
from guest import Guest, Failed                         # noqa: E402

SOURCE = os.path.join(HERE, "..", "..")
ALL_SECONDS = 540 * bench.SLOW
JOB_SECONDS = 120 * bench.SLOW      # for what devices, station and usbmuxd do together
SERVICES = "chaperone-station.service usbmuxd.service"
THIRD = {"organization": "Third", "certificate": "third.crt"}

# Where the cable is pulled, all at once: on which device, and when. The cut ones are new.
MOMENTS = [
    ("asleep", "before anything", "lockdown", "GetValue", "before", 1),
    ("cut-1", "pairing offered", "lockdown", "Pair", "before", 1),
    ("cut-2", "challenge signed, pairing not told", "lockdown", "Pair", "unanswered", 2),
    ("first", "a session begins", "lockdown", "StartSession", "middle", 1),
    ("second", "the profiles listed", "mcinstall", "GetProfileList", "before", 1),
    ("acme-1", "the identity offered", "mcinstall", "Escalate", "middle", 1),
    ("acme-2", "the second challenge answered", "mcinstall", "EscalateResponse", "unanswered", 1),
    ("acme-3", "a profile arrives", "mcinstall", "InstallProfileSilent", "before", 1),
    ("other-1", "it is installed, and not told", "mcinstall", "InstallProfileSilent", "unanswered", 1),
    ("other-2", "it is installed and told", "mcinstall", "InstallProfileSilent", "after", 1),
]


def devices():
    # usbmuxd makes two RSA keys while its connection waits: on an emulated processor that
    # takes longer than the ten seconds after which a device hangs up.
    first = [device("first", supervised_by=ACME, idle_ms=0),
             device("second", supervised_by=ACME)]
    many = [device("acme-%d" % n, supervised_by=ACME) for n in (1, 2, 3)] + [
        device("other-%d" % n, supervised_by=OTHER) for n in (1, 2)] + [
        device("private"),
        device("foreign", supervised_by=THIRD),
        device("asleep", supervised_by=ACME, locked=True)]
    pulled = [device("cut-%d" % n, supervised_by=ACME) for n in (1, 2)]
    return first + many + pulled


# ---- the bench and the guest ----------------------------------------------------

class System:
    """Both, and the hand that plugs things in."""

    def __init__(self, image, stage, logs):
        bench.make_identities()
        made = bench.run("identity", "create", "--organization", "Third", "--no-encryption",
                         "-o", bench.path("third.pem"))
        bench.suite.quiet("an identity of a stranger", made.code == 0, made.all())
        with open(bench.path("third.pem")) as f:
            bench.write("third.crt", re.search(
                "-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", f.read(), re.S).group())
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        made = bench.run("identity", "export", "-i", bench.path("other.pem"), "-o",
                         bench.path("other.p12"), "--out-passphrase-file", bench.path("pw"))
        bench.suite.quiet("an identity of a second client", made.code == 0, made.all())
        for name in ("acme.p12", "other.p12"):
            with open(bench.path(name), "rb") as f, open(os.path.join(stage, name), "wb") as out:
                out.write(f.read())
        self.bench = bench.Bench([dict(d, unplugged=True) for d in devices()],
                                 options=["--usbip", "127.0.0.1:%d" % self.port])
        self.names = [d["name"] for d in self.bench.state()["devices"]]
        self.guest = Guest(image, stage, logs)
        self.seen = 0
        self.hung = 0               # how often usbmuxd did

    def plug(self, *names):
        """As a hand does: bench and bus, one after the other. They are known when it returns."""
        self.all_gone()
        for name in names:
            if not self.bench.state(name)["attached"]:
                self.bench.tell("plug", name)
        # usbip gives up while the kernel still looks at the device before this one.
        self.guest.run("modprobe vhci-hcd; for device in %s; do n=0;"
                       " until usbip --tcp-port %d attach -r 10.0.2.2 -b 1-$device;"
                       " do n=$((n+1)); [ $n -lt 50 ] || exit 1; sleep 0.2; done; done" % (
                           " ".join(str(1 + self.names.index(name)) for name in names), self.port))

    def unplug(self, *names):
        for name in names:
            self.bench.tell("unplug", name)

    def all_gone(self):
        """The kernel has taken away what was unplugged. A hand is slower than its thread for
        hubs, which overlooks a device that went and came back in between: a dead port."""
        gone = [self.bench.udids[name].replace("-", "") for name in self.names
                if not self.bench.state(name)["attached"]]
        if gone:
            self.guest.until("the kernel has seen them go", "! grep -qs %s"
                             " /sys/bus/usb/devices/*/serial" % " ".join("-e " + u for u in gone))

    def forget(self):
        """From here on verdicts() counts."""
        self.seen = len(self._lines())

    def _lines(self):
        return self.guest.ask("cat /var/lib/chaperone/verdicts.jsonl 2>/dev/null")[1].splitlines()

    def verdicts(self, name):
        """What the hook was given about the device since forget(), as words."""
        told = [json.loads(line) for line in self._lines()[self.seen:] if line.endswith("}")]
        return [r["verdict"] + ("/" + r["reason"] if r.get("reason") else "") for r in told
                if (r.get("device") or {}).get("udid") == self.bench.udids[name]]

    def wait(self, condition):
        """Until it is true, within the time for a job; the last answer.

        Debian's usbmuxd can wait for ever for the transfer of a device that was just pulled
        (https://github.com/libimobiledevice/usbmuxd/issues/114), and with it all others. Then
        this does what chaperone-station(8) says, and says so.
        """
        end = time.monotonic() + JOB_SECONDS
        looked = time.monotonic()
        while True:
            answer = condition()
            if answer or time.monotonic() > end:
                return answer
            # Whoever asks takes the time of those that he waits for.
            time.sleep(0.5)
            if time.monotonic() < looked + 10:
                continue
            looked = time.monotonic()
            if self.guest.ask("systemctl is-active -q usbmuxd && timeout %d idevice_id -l" %
                              (10 * bench.SLOW))[0] == 124:
                print("      usbmuxd hangs: killed, started again", flush=True)
                self.hung += 1
                self.guest.ask("systemctl kill -s KILL usbmuxd;"
                               " ! grep -q 05ac /sys/bus/usb/devices/*/idVendor ||"
                               " systemctl restart usbmuxd")

    def is_left(self):
        """usbmuxd has left, as it does after the last device."""
        return self.wait(lambda: self.guest.ask("systemctl is-active -q usbmuxd")[0] != 0)

    def ends(self, s, name, verdict):
        """The station's last word on the device is this one, within the time for a job."""
        s.check("%s: %s" % (name, verdict),
                self.wait(lambda: self.verdicts(name)[-1:] == [verdict]), self.verdicts(name))

    def installed(self, name):
        return IMESSAGE in self.bench.profiles(name)

    def chain(self, s):
        code, said = self.guest.ask("chaperone ledger verify --ledger /var/lib/chaperone/ledger.db")
        s.check("the ledger's chain is intact", code == 0, said)


# ---- the steps --------------------------------------------------------------------

def readme(heading):
    """The commands of README's first block after these words."""
    with open(os.path.join(SOURCE, "README.md")) as f:
        return f.read().split(heading)[1].split("```")[1].strip("\n")


def setting_up(s, y):
    """what an operator does: README's commands, and a second client"""
    g = y.guest
    g.run("cp -r --no-preserve=ownership /stage/. / && hash -r")
    # Two words of a terminal: root has no need of the one, and the other waits for a person.
    g.run("printf '#!/bin/sh\\nexec \"$@\"\\n' >/usr/local/bin/sudo;"
          "printf '#!/bin/sh\\necho %s\\n' >/usr/local/bin/systemd-ask-password;"
          "chmod +x /usr/local/bin/sudo /usr/local/bin/systemd-ask-password" % bench.PASSPHRASE)
    g.run("mkdir -p /root/chaperone/profiles && cd /root/chaperone && cp /*.p12 . &&"
          " chmod 600 *.p12 && rm /*.p12")
    with open(os.path.join(SOURCE, "profiles", "imessage-off.yaml")) as f:
        g.run("cat >/root/chaperone/profiles/imessage-off.yaml <<'END'\n%sEND\n" % f.read())
    commands = readme("A bench that runs by itself").replace("sudo make -C build install\n", "")
    # The last line would start the station before anything is plugged in.
    commands, last = commands.rsplit("\n", 1)
    s.check("README's last line is the one to leave out",
            "enable --now chaperone-station" in last, last)
    g.run("cd /root/chaperone && set -e\n" + commands)
    g.run("cd /root/chaperone && sed s/acme/other/g >other.sh <<'END'\nset -e\n%s\nEND\nsh other.sh"
          % commands)
    g.run("sed -i 's/^name:.*/name: other/' /etc/chaperone/policies.d/other.yaml")
    g.run("""mkdir -p /usr/local/lib/hooks && cat >/usr/local/lib/hooks/verdict <<'END'
#!/bin/sh
verdict=$(cat) && printf '%s\\n' "$verdict" >>/var/lib/chaperone/verdicts.jsonl
END
chmod 755 /usr/local/lib/hooks/verdict
cat >/etc/chaperone/chaperone.yaml <<'END'
# An emulated processor needs long for a pairing's keys.
timeout: 600
on-verdict: /usr/local/lib/hooks/verdict
slots: [{name: front, port: 1-1}]
END
chaperone policy check /etc/chaperone/policies.d/*.yaml""")


def nothing_runs(s, y):
    """point 1: before the first plug"""
    g = y.guest
    s.equal("no station and no usbmuxd", g.ask("systemctl is-active " + SERVICES)[1].split(),
            ["inactive", "inactive"])
    s.equal("the agents have the keys", g.ask("systemctl is-active chaperone-agent@acme"
                                              " chaperone-agent@other")[1].split(), ["active"] * 2)
    s.check("the station's user cannot read one", g.ask(
        "runuser -u chaperone -- cat /etc/chaperone/identities/acme.p12")[0] != 0)


def first_plug(s, y):
    """points 1 and 2: the first device starts everything, and ends effective"""
    g = y.guest
    y.bench.mark()
    y.plug("first")
    g.until("a station", "systemctl is-active chaperone-station")
    y.ends(s, "first", "compliant")
    s.equal("the rule started it once", g.run(
        "journalctl -b -o cat -u chaperone-station _PID=1 | grep -c ^Started"), "1")
    asked = y.bench.asked("first")
    s.check("usbmuxd had sent its own Pair first: one more than the two of ours",
            "lockdown/SetValue" in asked[:asked.index("lockdown/Pair")] and
            asked.count("lockdown/Pair") == 3, asked)
    state = y.bench.state("first")
    s.equal("nobody tapped anything, no dialog stays", state["dialog"], "none")
    s.check("the device has the profile", y.installed("first"))
    code, said = g.ask("chaperone verify --json -u %s --no-ledger"
                       " -i agent:/run/chaperone-agent/acme/socket" % y.bench.udids["first"])
    result = json.loads(said) if code == 0 else {}
    s.equal("verified by hand: the truth of it", result.get("truth"), "effective")
    s.check("the station recorded it", "apply" in g.run(
        "chaperone ledger list --json --ledger /var/lib/chaperone/ledger.db"))
    y.chain(s)


def slot(s, y):
    """the port is the one that the kernel plugged it into"""
    g = y.guest
    ports = g.run("cd /sys/bus/usb/devices; for d in *; do"
                  " [ \"$(cat $d/idVendor 2>/dev/null)\" = 05ac ] && echo $d $(cat $d/serial); done; true").splitlines()
    s.equal("sysfs has one device", ports, [
        "1-1 " + y.bench.udids["first"].replace("-", "")])
    told = [json.loads(line) for line in y._lines() if line.endswith("}")]
    s.equal("the result names its slot", [r["device"].get("slot") for r in told][-1:], ["front"])


def again(s, y):
    """point 2: unplugged, and plugged in again"""
    g = y.guest
    y.forget()
    y.unplug("first")
    y.is_left()
    s.equal("usbmuxd left with the last device, the station stays",
            g.ask("systemctl is-active " + SERVICES)[1].split(), ["active", "inactive"])
    y.bench.mark()
    y.plug("first")
    y.ends(s, "first", "compliant")
    # But usbmuxd offered no TLS newer than 1.0, was refused, and threw our pair record away.
    asked = y.bench.asked("first")
    s.check("nothing was installed", "mcinstall/InstallProfileSilent" not in asked, asked)
    s.equal("it is still the first station", g.run(
        "journalctl -b -o cat -u chaperone-station _PID=1 | grep -c ^Started"), "1")


def without_preflight(s, y):
    """point 6: usbmuxd without its preflight, by the documented override"""
    g = y.guest
    example = "/usr/local/share/doc/chaperone/examples/no-preflight.conf"
    y.unplug("first")
    y.is_left()
    g.run("install -D -m 644 %s /etc/systemd/system/usbmuxd.service.d/no-preflight.conf &&"
          " systemctl daemon-reload" % example)
    for what, pairs, installs in (("new: two steps of ours and no ordinary Pair", 2, 1),
                                  ("known: no Pair, and nothing is installed", 0, 0)):
        y.forget()
        y.bench.mark()
        y.plug("second")
        y.ends(s, "second", "compliant")
        asked = y.bench.asked("second")
        s.equal(what, [asked.count("lockdown/SetValue"), asked.count("lockdown/Pair"),
                       asked.count("mcinstall/InstallProfileSilent")], [0, pairs, installs])
        y.unplug("second")
        y.is_left()


def many(s, y):
    """point 3: eight devices at once, of two clients and of nobody"""
    y.forget()
    names = ["acme-1", "acme-2", "acme-3", "other-1", "other-2", "private", "foreign", "asleep"]
    y.plug(*names)
    for name in names[:5]:
        y.ends(s, name, "compliant")
    # No certificate of ours opens these two: they ask a person, and nobody is there.
    y.ends(s, "private", "blocked/trust-pending")
    y.ends(s, "foreign", "blocked/trust-pending")
    y.ends(s, "asleep", "blocked/locked")
    y.bench.tell("unlock", "asleep")
    y.ends(s, "asleep", "compliant")
    for name in ("private", "foreign"):
        s.check("%s is as it was" % name, not y.bench.profiles(name))
    s.check("each client's devices were signed for by its own agent", all(
        "for user" in line for line in y.guest.run(
            "journalctl -b -o cat -u chaperone-agent@other | grep signed").splitlines()))
    y.chain(s)


def pulled(s, y):
    """point 4: the cable pulled at ten moments of an apply, then put back"""
    names = [name for name, *_ in MOMENTS]
    y.unplug(*[n for n in y.names if y.bench.state(n)["attached"]])
    for name, _, at, request, phase, nth in MOMENTS:
        if y.installed(name):
            y.bench.tell("remove", name, profile=IMESSAGE)
        y.bench.tell("fault", name, at=at, request=request, phase=phase, nth=str(nth), do="unplug")
    y.forget()
    y.plug(*names)
    for name, moment, *_ in MOMENTS:
        s.check("%s: pulled: %s" % (name, moment),
                y.wait(lambda: not y.bench.state(name)["attached"]), y.bench.asked(name))
    y.bench.tell("clear-faults")
    y.plug(*names)
    for name in names:
        y.ends(s, name, "compliant")
        s.check("%s: it has the profile" % name, y.installed(name))
    y.chain(s)


BUSY = ["acme-1", "other-1"]


def slowly(y):
    """Jobs that last, on devices that need one; returns when all are at it."""
    for name in BUSY:
        y.bench.tell("set", name, latency_ms="700")
        if y.installed(name):
            y.bench.tell("remove", name, profile=IMESSAGE)
        if y.bench.state(name)["attached"]:
            y.unplug(name)
    y.forget()
    y.bench.mark()
    y.plug(*BUSY)
    if not y.wait(lambda: all(any(r.startswith("mcinstall/") for r in y.bench.asked(name))
                              for name in BUSY)):
        raise Failed("the jobs did not begin")


def quickly(y):
    for name in BUSY:
        y.bench.tell("set", name, latency_ms="0")


def usbmuxd_killed(s, y):
    """point 4: usbmuxd killed in mid-job"""
    g = y.guest
    slowly(y)
    before = g.run("systemctl show -p MainPID --value usbmuxd")
    g.run("kill -9 " + before)
    quickly(y)
    g.until("the station saw it", "journalctl -b -o cat -u chaperone-station | grep -i usbmuxd")
    # Nothing starts it again but the next plug, as on any Debian.
    y.unplug(*BUSY)
    y.plug(*BUSY)
    for name in BUSY:
        y.ends(s, name, "compliant")
    s.check("it is another usbmuxd", g.run("systemctl show -p MainPID --value usbmuxd") != before)
    y.chain(s)


def station_restarted(s, y):
    """point 4: the station restarted in mid-job"""
    g = y.guest
    slowly(y)
    g.run("systemctl restart chaperone-station", 240)    # it lets the jobs finish
    quickly(y)
    for name in BUSY:
        y.ends(s, name, "compliant")
        s.check("%s: it has the profile" % name, y.installed(name))
    y.chain(s)


def power_cut(s, y):
    """point 4: the power is cut in mid-job, and comes back"""
    g = y.guest
    slowly(y)
    g.cut_power()
    quickly(y)
    y.unplug(*[n for n in y.names if y.bench.state(n)["attached"]])
    g.boot()
    g.until("the agents", "systemctl is-active -q chaperone-agent@acme chaperone-agent@other")
    y.chain(s)
    y.seen = 0
    y.plug(*BUSY)
    y.forget()
    for name in BUSY:
        s.check("%s: it has the profile" % name, y.wait(lambda: y.installed(name)))
    y.chain(s)


def confined(s, y):
    """point 5: how the services are confined, and that they never miss what they may not do"""
    g = y.guest
    if not any(y.bench.state(name)["attached"] for name in y.names):
        y.plug("second")
        y.ends(s, "second", "compliant")
    for unit in ("chaperone-station.service", "chaperone-agent@acme.service"):
        code, said = g.ask("systemd-analyze security --no-pager --threshold=20 " + unit)
        s.check(said.splitlines()[-1].strip(), code == 0, said)
    policies = "journalctl -u chaperone-station --no-pager -o cat | grep -c '^policy '"
    before = g.ask(policies)[1].strip()
    code, said = g.ask("systemctl reload chaperone-station")
    s.check("systemctl reload is taken", code == 0, said)
    g.until("and the policies are read again", "test $(%s) -gt %s" % (policies, before))
    said = g.ask("udevadm test $(realpath /sys/bus/usb/devices/1-1) 2>&1")[1]
    wants = [line for line in said.splitlines() if line.startswith("SYSTEMD_WANTS=")]
    s.equal("udev wants both services", wants,
            ["SYSTEMD_WANTS=usbmuxd.service chaperone-station.service"])
    s.check("udev has nothing to say against the rule", not re.search(
        "90-chaperone.rules:[0-9]+.*(nvalid|nknown|ailed)", said), said)
    journal = g.run("journalctl --no-pager -o short-iso")
    for what, pattern in (("a system call denied", r"type=1326|SIGSYS|code=dumped, status=31"),
                          ("permission denied", r"chaperone\[.*(not permitted|ermission denied)"),
                          ("a watchdog", r"chaperone.*[Ww]atchdog timeout"),
                          ("a crash", r"chaperone.*(segfault|general protection|code=dumped)")):
        found = [line for line in journal.splitlines() if re.search(pattern, line)]
        s.check("never in the journal: " + what, not found, "\n".join(found))


def rehearsal(s, y):
    """README's three commands for a rehearsal, as they stand there"""
    g = y.guest
    y.unplug(*[n for n in y.names if y.bench.state(n)["attached"]])
    modprobe, serve, attach = readme("A rehearsal without an iPad").splitlines()
    g.run("cd /root/chaperone && ln -sfn /usr/local/bin build && " + modprobe)
    g.run("cd /root/chaperone && { %s } >said 2>&1" % serve)
    g.until("it is ready", "grep ready /root/chaperone/said")
    g.run(attach)
    g.until("chaperone list shows it", "chaperone list | grep iPad")
    g.run("cd /root/chaperone && build/chaperone-vbench ctl --control /tmp/bench unplug 1")
    g.until("it is gone", "! chaperone list | grep iPad")
    s.check("it works", True)


# Each with its seconds on two quiet cores without KVM. What the later ones need is plugged
# in by themselves, but for setting_up; the journal is read when all is in it.
STEPS = [(setting_up, 15), (nothing_runs, 1), (first_plug, 19), (slot, 2), (again, 15),
         (without_preflight, 16), (rehearsal, 5), (many, 43), (pulled, 40), (usbmuxd_killed, 9),
         (station_restarted, 14), (power_cut, 27), (confined, 3)]
BOOT = 18
RESERVE = 1.3                   # one step can be so much slower than those before it


def run_steps(s, y, only, began, end):
    """A table: seconds, outcome, step. What would not end in time does not begin, nor
    what comes after it, but the last step."""
    table, usual, is_over = [], BOOT, False
    for step, seconds in STEPS:
        if only and step.__name__ not in only:
            continue
        pace = max(1, (time.monotonic() - began) / usual)
        last = 0 if step == confined else STEPS[-1][1]
        is_over = is_over and step != confined
        if is_over or time.monotonic() + RESERVE * pace * (seconds + last) > end:
            is_over = True
            table.append((0, "no time", step.__doc__))
            continue
        usual += seconds
        s.topic(step.__doc__)
        began, failed = time.monotonic(), len(s.failures)
        try:
            step(s, y)
        except (Failed, bench.Refused, OSError, ValueError, KeyError, IndexError) as e:
            s.check(step.__doc__, False, "%s: %s" % (type(e).__name__, e))
        table.append((time.monotonic() - began, "ok" if failed == len(s.failures) else "FAILED",
                      step.__doc__))
        print("      %.1f s" % table[-1][0], flush=True)
    return table


def main():
    image, stage, logs = sys.argv[1:4]
    seconds = float(os.environ.get("SYSTEM_SECONDS") or ALL_SECONDS)
    bench.FILE_SECONDS = seconds + JOB_SECONDS / 3
    s = bench.begin("system")
    began = time.monotonic()
    y = System(image, stage, logs)
    s.topic("the guest boots")
    y.guest.boot()
    table = [(time.monotonic() - began, "ok", "the guest boots, the bench has its keys")]
    print("      %.1f s" % table[0][0], flush=True)
    table += run_steps(s, y, sys.argv[4:], began, began + seconds)
    with open(os.path.join(logs, "journal.log"), "w") as out:
        out.write(y.guest.ask("journalctl --no-pager")[1])
    y.guest.cut_power()
    y.bench.stop()
    print("\n%7s  %-7s  %s" % ("seconds", "", "step"))
    for seconds, outcome, what in table:
        print("%7.1f  %-7s  %s" % (seconds, outcome, what))
    s.end()


if __name__ == "__main__":
    main()

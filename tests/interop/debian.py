#!/usr/bin/env python3
"""debian: libimobiledevice's own tools against the bench, and beside chaperone

They work with real devices, so a bench that they do not get on with is wrong.
Each row has a device of its own.
"""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from others import PRESET, Place, Rows, bench, libimobiledevice_env, run, skip  # noqa: E402

TOOLS = ["idevice_id", "ideviceinfo", "idevicepair", "idevicename", "idevicediagnostics"]
LOCKDOWN = "/var/lib/lockdown"
row = Rows()


def listed(place):
    return run("idevice_id", "-l", env=libimobiledevice_env(place.bench)).must().out.split()


@row
def lists(place):
    """idevice_id -l lists every device, and none that is unplugged"""
    everyone = sorted(place.bench.udids.values())
    assert sorted(listed(place)) == everyone
    place.tell("unplug")
    assert sorted(listed(place) + [place.udid]) == everyone
    place.tell("plug")


@row
def asks_in_clear(place):
    """ideviceinfo -s reads the name in clear: no pairing, no TLS"""
    told = place.tool("ideviceinfo", "-s", "-k", "DeviceName").must().out.strip()
    assert told == place.state()["name"]
    assert place.hosts() == [] and place.bench.counters()["handshakes"] == 0
    assert "lockdown/StartSession" not in place.asked()


@row
def pairs_by_itself(place):
    """ideviceinfo pairs a device that trusts at once, and reads it in a TLS session"""
    told = dict(line.split(": ", 1) for line in place.tool("ideviceinfo").must().out.splitlines()
                if ": " in line)
    state = place.state()
    assert told["UniqueDeviceID"] == place.udid and told["SerialNumber"] == state["serial"]
    assert told["ProductVersion"] == state["os"]
    assert len(state["hosts"]) == 1 and place.bench.counters()["handshakes"] == 1


@row
def pairs(place):
    """idevicepair pair, validate, unpair; then validate finds nothing"""
    assert "SUCCESS" in place.tool("idevicepair", "pair").must().out
    host = place.hosts()[0]
    assert place.tool("idevicepair", "systembuid").must().out.strip() == host["system-buid"]
    assert place.tool("idevicepair", "hostid").must().out.strip() == host["host-id"]
    assert "SUCCESS" in place.tool("idevicepair", "validate").must().out
    assert "SUCCESS" in place.tool("idevicepair", "unpair").must().out
    assert place.hosts() == []
    place.tell("set", trust="ask")
    assert "SUCCESS" not in place.tool("idevicepair", "validate").out
    assert place.hosts() == []


@row
def waits_for_a_tap(place):
    """idevicepair pair is told of the dialog, and pairs once Trust was tapped"""
    place.tell("set", trust="ask")
    assert "trust dialog" in place.tool("idevicepair", "pair").must(1).out
    assert place.state()["dialog"] == "showing" and place.hosts() == []
    place.tell("tap", answer="trust")
    assert "SUCCESS" in place.tool("idevicepair", "pair").must().out
    assert len(place.hosts()) == 1


@row
def is_denied(place):
    """idevicepair pair is told that the person tapped Don't Trust"""
    place.tell("set", trust="ask")
    place.tool("idevicepair", "pair").must(1)
    place.tell("tap", answer="deny")
    assert "denied" in place.tool("idevicepair", "pair").must(1).out
    assert place.hosts() == []


@row
def is_locked_out(place):
    """idevicepair pair is told that a locked device wants its passcode first"""
    place.tell("set", passcode="true")
    place.tell("lock")
    assert "passcode" in place.tool("idevicepair", "pair").must(1).out
    assert place.hosts() == []


@row
def lists_pairings(place):
    """idevicepair list tells what lies in this machine's own folder, and asks the bench nothing"""
    place.tool("idevicepair", "pair").must()
    # libimobiledevice 1.3.0 reads the folder of usbmuxd by itself, not through usbmuxd.
    names = os.listdir(LOCKDOWN) if os.path.isdir(LOCKDOWN) else []
    place.begin()
    told = run("idevicepair", "list", env=libimobiledevice_env(place.bench)).out.split()
    assert place.bench.requests() == []
    assert all(udid + ".plist" in names for udid in told), told


@row
def renames(place):
    """idevicename reads the name, and sets another"""
    assert place.tool("idevicename").must().out.strip() == place.state()["name"]
    place.tool("idevicename", "Reception 2").must()
    assert place.state()["name"] == "Reception 2"
    assert place.tool("idevicename").must().out.strip() == "Reception 2"


@row
def restarts(place):
    """idevicediagnostics restart: the device goes and comes back under another number"""
    before = place.state()["device-id"]
    place.tool("idevicediagnostics", "restart").must()
    place.bench.wait("attached", place.name)
    assert place.state()["device-id"] not in (0, before)
    assert "diagnostics_relay/Restart" in place.asked()


@row
def finds_our_pairing(place):
    """after chaperone pair, ideviceinfo and idevicepair find the device paired"""
    place.tell("set", trust="ask")
    assert place.chaperone("pair")["verdict"] == "compliant"
    assert place.state()["dialog"] == "none"
    place.begin()
    assert "SUCCESS" in place.tool("idevicepair", "validate").must().out
    told = place.tool("ideviceinfo", "-k", "SerialNumber").must().out.strip()
    assert told == place.state()["serial"]
    assert "lockdown/Pair" not in place.asked() and len(place.hosts()) == 1


@row
def lends_us_its_pairing(place):
    """after idevicepair pair, chaperone apply works without pairing anew"""
    place.tool("idevicepair", "pair").must()
    place.begin()
    assert place.chaperone("apply")["truth"] == "effective" and place.profiles() == [PRESET]
    assert "lockdown/Pair" not in place.asked() and len(place.hosts()) == 1


@row
def takes_our_pairing_back(place):
    """idevicepair unpair undoes chaperone pair, and chaperone pairs again"""
    place.chaperone("pair")
    assert "SUCCESS" in place.tool("idevicepair", "unpair").must().out
    assert place.hosts() == []
    assert place.chaperone("pair")["changed"] and len(place.hosts()) == 1


@row
def sees_us_unpair(place):
    """chaperone unpair undoes idevicepair pair, and validate finds nothing"""
    place.tool("idevicepair", "pair").must()
    place.chaperone("unpair")
    assert place.hosts() == []
    place.tell("set", trust="ask")
    assert "SUCCESS" not in place.tool("idevicepair", "validate").out


def main():
    missing = [name for name in TOOLS if not shutil.which(name)]
    if missing:
        skip("%s not found (Debian: libimobiledevice-utils; tools/setup)" % ", ".join(missing))
    suite = bench.begin("debian")
    names = ["desk%d" % i for i in range(len(row.functions))]
    with bench.Bench([bench.device(name, supervised_by=bench.ACME, trust="accept", restart_ms=50)
                      for name in names]) as b:
        places = iter(names)
        row.run(suite, lambda: (Place(b, next(places)),))
    suite.end()


main()

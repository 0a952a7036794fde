#!/usr/bin/env python3
"""debian: libimobiledevice's own tools against the bench, and beside chaperone.

They work with real devices, so a bench that they do not get on with is wrong.
Each row has a device of its own.
"""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from bench import PRESET, Bench, Place, Rows, skip  # noqa: E402

TOOLS = ["idevice_id", "ideviceinfo", "idevicepair", "idevicename", "idevicediagnostics"]
row = Rows()


@row
def lists(place):
    """idevice_id -l lists every device, and none that is unplugged"""
    everyone = [entry["udid"] for entry in place.bench.ctl("state")["bench"]["devices"]]
    assert sorted(place.bench.run("idevice_id", "-l").must().out.split()) == sorted(everyone)
    place.ctl("unplug")
    listed = place.bench.run("idevice_id", "-l").must().out.split()
    assert place.udid not in listed and len(listed) == len(everyone) - 1, listed
    place.ctl("plug")


@row
def asks_in_clear(place):
    """ideviceinfo -s reads the name in clear: no pairing, no TLS"""
    before = place.bench.counters()["handshakes"]
    assert place.tool("ideviceinfo", "-s", "-k", "DeviceName").must().out.strip() == \
        place.state()["name"]
    assert place.state()["hosts"] == [] and place.bench.counters()["handshakes"] == before
    assert "lockdown StartSession" not in place.requests()


@row
def pairs_by_itself(place):
    """ideviceinfo pairs a device that trusts at once, and reads it in a TLS session"""
    before = place.bench.counters()["handshakes"]
    told = dict(line.split(": ", 1) for line in place.tool("ideviceinfo").must().out.splitlines()
        if ": " in line)
    assert told["UniqueDeviceID"] == place.udid and told["SerialNumber"] == place.state()["serial"]
    assert told["ProductVersion"] == place.state()["os"]
    assert len(place.state()["hosts"]) == 1 and place.bench.counters()["handshakes"] == before + 1


@row
def pairs(place):
    """idevicepair pair, validate, unpair; then validate finds nothing"""
    assert "SUCCESS" in place.tool("idevicepair", "pair").must().out
    assert [host["system-buid"] for host in place.state()["hosts"]] == [
        place.tool("idevicepair", "systembuid").must().out.strip()]
    assert "SUCCESS" in place.tool("idevicepair", "validate").must().out
    assert place.tool("idevicepair", "hostid").must().out.strip() == \
        place.state()["hosts"][0]["host-id"]
    assert "SUCCESS" in place.tool("idevicepair", "unpair").must().out
    assert place.state()["hosts"] == []
    place.ctl("set", trust="ask")
    assert "SUCCESS" not in place.tool("idevicepair", "validate").out
    assert place.state()["hosts"] == []


@row
def waits_for_a_tap(place):
    """idevicepair pair is told of the dialog, and pairs once Trust was tapped"""
    place.ctl("set", trust="ask")
    assert "trust dialog" in place.tool("idevicepair", "pair").must(1).out
    assert place.state()["dialog"] == "showing" and place.state()["hosts"] == []
    place.ctl("tap", answer="trust")
    assert "SUCCESS" in place.tool("idevicepair", "pair").must().out
    assert len(place.state()["hosts"]) == 1


@row
def is_denied(place):
    """idevicepair pair is told that the person tapped Don't Trust"""
    place.ctl("set", trust="ask")
    place.tool("idevicepair", "pair").must(1)
    place.ctl("tap", answer="deny")
    assert "denied" in place.tool("idevicepair", "pair").must(1).out
    assert place.state()["hosts"] == []


@row
def is_locked_out(place):
    """idevicepair pair is told that a locked device wants its passcode first"""
    place.ctl("set", passcode="true")
    place.ctl("lock")
    assert "passcode" in place.tool("idevicepair", "pair").must(1).out
    assert place.state()["hosts"] == []


@row
def lists_pairings(place):
    """idevicepair list tells what lies in this machine's own folder, and asks the bench nothing"""
    place.tool("idevicepair", "pair").must()
    folder = Path("/var/lib/lockdown")
    here = {path.stem for path in folder.glob("*.plist")} if folder.is_dir() else set()
    before = place.bench.counters()
    told = set(place.bench.run("idevicepair", "list").out.split())
    # libimobiledevice 1.3.0 reads the folder of usbmuxd by itself.
    assert place.bench.counters() == before and told <= here, told


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
    place.ctl("wait", for_="attached")
    assert place.state()["device-id"] not in (0, before)
    assert "diagnostics_relay Restart" in place.requests(), place.requests()


@row
def finds_our_pairing(place):
    """after chaperone pair, ideviceinfo and idevicepair find the device paired"""
    place.ctl("set", trust="ask")
    result = place.chaperone("pair").must().json_lines()[0]
    assert result["verdict"] == "compliant" and place.state()["dialog"] == "none"
    place.begin()
    assert "SUCCESS" in place.tool("idevicepair", "validate").must().out
    assert place.tool("ideviceinfo", "-k", "SerialNumber").must().out.strip() == \
        place.state()["serial"]
    assert "lockdown Pair" not in place.requests() and len(place.state()["hosts"]) == 1


@row
def lends_us_its_pairing(place):
    """after idevicepair pair, chaperone apply works without pairing anew"""
    place.tool("idevicepair", "pair").must()
    place.begin()
    result = place.chaperone("apply").must().json_lines()[0]
    assert result["truth"] == "effective" and PRESET in place.profiles()
    assert "lockdown Pair" not in place.requests() and len(place.state()["hosts"]) == 1


@row
def takes_our_pairing_back(place):
    """idevicepair unpair undoes chaperone pair, and chaperone pairs again"""
    place.chaperone("pair").must()
    assert "SUCCESS" in place.tool("idevicepair", "unpair").must().out
    assert place.state()["hosts"] == []
    result = place.chaperone("pair").must().json_lines()[0]
    assert result["changed"] and len(place.state()["hosts"]) == 1


@row
def sees_us_unpair(place):
    """chaperone unpair undoes idevicepair pair, and validate finds nothing"""
    place.tool("idevicepair", "pair").must()
    place.chaperone("unpair").must()
    assert place.state()["hosts"] == []
    place.ctl("set", trust="ask")
    assert "SUCCESS" not in place.tool("idevicepair", "validate").out


def main():
    missing = [name for name in TOOLS if not shutil.which(name)]
    if missing:
        skip(f"{', '.join(missing)} not found (Debian: libimobiledevice-utils; tools/setup)")
    count = len(row.functions)
    scenario = f"devices:\n  - {{name: desk, count: {count}, restart-ms: 50, trust: accept,\n" \
        "     supervised-by: {organization: Acme, certificate: identity.crt}}\n"
    with Bench(scenario=scenario) as bench:
        positions = iter(range(1, count + 1))
        return row.run(lambda: (Place(bench, next(positions)),))


sys.exit(main())

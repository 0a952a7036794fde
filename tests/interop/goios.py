#!/usr/bin/env python3
"""goios: the go-ios client against the bench, and beside chaperone.

go-ios supervises, escalates and installs on real devices; it was written by
others in another language. Each row has a device of its own.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))
from bench import PASSPHRASE, PRESET, Bench, Place, Rows, find_go_ios, run, skip  # noqa: E402

row = Rows()


class Client:
    """go-ios for one device. It reads USBMUXD_SOCKET_ADDRESS its own way: no UNIX:."""

    def __init__(self, place):
        self.place = place
        self.env = place.bench.env(str(place.bench.mux))

    def __call__(self, *words, owner=None):
        """owner: the bench whose identity it is given."""
        argv = [find_go_ios(), *words]
        if owner:
            # To pair it reads what chaperone wrote; to sign only the old encryption.
            file = owner.identity if words[0] == "pair" else owner.old_identity
            argv += [f"--p12file={file}", f"--password={PASSPHRASE}"]
        return run([*argv, f"--udid={self.place.udid}"], self.env)


@row
def lists(place, ios):
    """ios list --details names every device with its model and version"""
    del place, ios
    # It reads every device in a session: all of them must be paired.
    with Bench("--devices", "2", "--paired") as bench:
        told = run([find_go_ios(), "list", "--details"], bench.env(str(bench.mux))).must()
        devices = bench.ctl("state")["bench"]["devices"]
    assert sorted((entry["Udid"], entry["ProductType"], entry["ProductVersion"])
        for entry in told.json_lines()[-1]["deviceList"]) == sorted(
        (device["udid"], device["product"], device["os"]) for device in devices)


@row
def pairs(place, ios):
    """ios pair makes the device trust it, and ios info reads it in a TLS session"""
    ios("pair").must()
    assert len(place.state()["hosts"]) == 1
    told = ios("info").must().json_lines()[-1]
    assert told["SerialNumber"] == place.state()["serial"]


@row
def is_shown_the_dialog(place, ios):
    """ios pair on a device that asks: the dialog shows, nothing is paired"""
    place.ctl("set", trust="ask")
    ios("pair")
    assert place.state()["dialog"] == "showing" and place.state()["hosts"] == []


@row
def pairs_by_identity(place, ios):
    """ios pair --p12file pairs silently where a person would be asked"""
    place.ctl("set", trust="ask")
    ios("pair", owner=place.bench).must()
    assert len(place.state()["hosts"]) == 1 and place.state()["dialog"] == "none"
    assert place.requests().count("lockdown Pair") == 2


@row
def installs(place, ios):
    """ios profile add --p12file, list, remove: silently in, listed, out again"""
    profile = place.bench.removable_profile()
    ios("pair", owner=place.bench).must()
    ios("profile", "add", profile, owner=place.bench).must()
    assert place.profiles() == [PRESET] and place.state()["pending"] == []
    told = ios("profile", "list").must().json_lines()[-1]
    assert [entry["Identifier"] for entry in told] == [PRESET]
    ios("profile", "remove", PRESET).must()
    assert place.profiles() == []
    assert ios("profile", "list").must().json_lines()[-1] in ([], None)


@row
def asks_the_person(place, ios):
    """ios profile add without an identity leaves the profile to the person"""
    ios("pair").must()
    ios("profile", "add", place.bench.preset_profile())
    assert place.profiles() == []
    assert [entry["identifier"] for entry in place.state()["pending"]] == [PRESET]


@row
def finds_our_pairing(place, ios):
    """after chaperone pair, ios info finds the device paired"""
    place.ctl("set", trust="ask")
    place.chaperone("pair").must()
    place.begin()
    assert ios("info").must().json_lines()[-1]["UniqueDeviceID"] == place.udid
    assert "lockdown Pair" not in place.requests() and len(place.state()["hosts"]) == 1


@row
def lends_us_its_pairing(place, ios):
    """after ios pair --p12file, chaperone apply works without pairing anew"""
    ios("pair", owner=place.bench).must()
    place.begin()
    result = place.chaperone("apply").must().json_lines()[0]
    assert result["truth"] == "effective" and place.profiles() == [PRESET]
    assert "lockdown Pair" not in place.requests() and len(place.state()["hosts"]) == 1


@row
def installs_for_us(place, ios):
    """after ios profile add of our profile, chaperone verify says compliant and changes nothing"""
    ios("pair", owner=place.bench).must()
    assert place.chaperone("verify").must(1).json_lines()[0]["reason"] == "profile-missing"
    ios("profile", "add", place.bench.preset_profile(), owner=place.bench).must()
    result = place.chaperone("verify").must().json_lines()[0]
    assert result["verdict"] == "compliant" and result["truth"] == "effective", result
    assert place.chaperone("apply").must().json_lines()[0]["changed"] is False


@row
def lists_ours(place, ios):
    """ios profile list shows what chaperone apply installed, with its UUID"""
    result = place.chaperone("apply").must().json_lines()[0]
    told = ios("profile", "list").must().json_lines()[-1]
    assert [entry["Metadata"]["PayloadUUID"] for entry in told] == [
        result["profiles"][0]["uuid"]]


@row
def cannot_remove_ours(place, ios):
    """ios profile remove is refused what chaperone apply installed locked"""
    place.chaperone("apply").must()
    ios("profile", "remove", PRESET)
    assert place.profiles() == [PRESET]
    assert place.chaperone("verify").must().json_lines()[0]["verdict"] == "compliant"


@row
def cannot_pose_as_another(place, ios):
    """ios profile add with another organisation's identity installs nothing"""
    place.chaperone("pair").must()
    with Bench(organization="Mallory") as stranger:
        ios("profile", "add", place.bench.preset_profile(), owner=stranger)
    assert place.profiles() == []


def main():
    if not find_go_ios():
        skip("go-ios not found: set GO_IOS, or npm install --ignore-scripts go-ios here")
    count = len(row.functions)
    scenario = f"devices:\n  - {{name: desk, count: {count}, trust: accept,\n" \
        "     supervised-by: {organization: Acme, certificate: identity.crt}}\n"
    with Bench(scenario=scenario) as bench:
        positions = iter(range(1, count + 1))

        def take():
            place = Place(bench, next(positions))
            return place, Client(place)

        return row.run(take)


sys.exit(main())

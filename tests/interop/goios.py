#!/usr/bin/env python3
"""goios: the go-ios client against the bench, and beside chaperone

go-ios supervises, escalates and installs on real devices; it was written by
others in another language. Each row has a device of its own.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from others import (PRESET, Place, Rows, bench, find_go_ios, go_ios_env, old_identity,  # noqa: E402
                    preset_profile, run, skip)

row = Rows()


def last(done):
    """What it says at the end; before that come lines of its log."""
    return json.loads(done.must().out.splitlines()[-1])


class Client:
    """go-ios for one device."""

    def __init__(self, place):
        self.place = place

    def __call__(self, *words, owner=None):
        """owner: whose identity it is given."""
        argv = [find_go_ios(), *words]
        if owner:
            # To pair it reads what chaperone wrote; to sign only the old encryption.
            file = bench.path(owner + ".p12") if words[0] == "pair" else old_identity(owner)
            argv += ["--p12file=" + file, "--password=" + bench.PASSPHRASE]
        return run(*argv, "--udid=" + self.place.udid, env=go_ios_env(self.place.bench))


@row
def lists(place, ios):
    """ios list --details names every device with its model and version"""
    del place, ios
    # It reads every device in a session: all of them must be paired.
    with bench.Bench([bench.ours("one"), bench.ours("two")]) as b:
        told = last(run(find_go_ios(), "list", "--details", env=go_ios_env(b)))["deviceList"]
        devices = b.state()["devices"]
    assert sorted((entry["Udid"], entry["ProductType"], entry["ProductVersion"])
                  for entry in told) == sorted(
                      (device["udid"], device["product"], device["os"]) for device in devices)


@row
def pairs(place, ios):
    """ios pair makes the device trust it, and ios info reads it in a TLS session"""
    ios("pair").must()
    assert len(place.hosts()) == 1
    told = last(ios("info"))
    assert told["SerialNumber"] == place.state()["serial"]


@row
def is_shown_the_dialog(place, ios):
    """ios pair on a device that asks: the dialog shows, nothing is paired"""
    place.tell("set", trust="ask")
    ios("pair")
    assert place.state()["dialog"] == "showing" and place.hosts() == []


@row
def pairs_by_identity(place, ios):
    """ios pair --p12file pairs silently where a person would be asked"""
    place.tell("set", trust="ask")
    ios("pair", owner="acme").must()
    assert len(place.hosts()) == 1 and place.state()["dialog"] == "none"
    assert place.asked().count("lockdown/Pair") == 2


@row
def installs(place, ios):
    """ios profile add --p12file, list, remove: silently in, listed, out again"""
    profile = preset_profile("--removable")
    ios("pair", owner="acme").must()
    ios("profile", "add", profile, owner="acme").must()
    assert place.profiles() == [PRESET] and place.state()["pending"] == []
    told = last(ios("profile", "list"))
    assert [entry["Identifier"] for entry in told] == [PRESET]
    ios("profile", "remove", PRESET).must()
    assert place.profiles() == []
    assert last(ios("profile", "list")) in ([], None)


@row
def asks_the_person(place, ios):
    """ios profile add without an identity leaves the profile to the person"""
    ios("pair").must()
    ios("profile", "add", preset_profile())
    assert place.profiles() == []
    assert [entry["identifier"] for entry in place.state()["pending"]] == [PRESET]


@row
def finds_our_pairing(place, ios):
    """after chaperone pair, ios info finds the device paired"""
    place.tell("set", trust="ask")
    place.chaperone("pair")
    place.begin()
    assert last(ios("info"))["UniqueDeviceID"] == place.udid
    assert "lockdown/Pair" not in place.asked() and len(place.hosts()) == 1


@row
def lends_us_its_pairing(place, ios):
    """after ios pair --p12file, chaperone apply works without pairing anew"""
    ios("pair", owner="acme").must()
    place.begin()
    result = place.chaperone("apply")
    assert result["truth"] == "effective" and place.profiles() == [PRESET]
    assert "lockdown/Pair" not in place.asked() and len(place.hosts()) == 1


@row
def installs_for_us(place, ios):
    """after ios profile add of our profile, chaperone verify says compliant and changes nothing"""
    ios("pair", owner="acme").must()
    assert place.chaperone("verify", 1)["reason"] == "profile-missing"
    ios("profile", "add", preset_profile(), owner="acme").must()
    result = place.chaperone("verify")
    assert result["verdict"] == "compliant" and result["truth"] == "effective", result
    assert place.chaperone("apply")["changed"] is False


@row
def lists_ours(place, ios):
    """ios profile list shows what chaperone apply installed, with its UUID"""
    result = place.chaperone("apply")
    told = last(ios("profile", "list"))
    assert [entry["Metadata"]["PayloadUUID"] for entry in told] == [
        result["profiles"][0]["uuid"]]


@row
def cannot_remove_ours(place, ios):
    """ios profile remove is refused what chaperone apply installed locked"""
    place.chaperone("apply")
    ios("profile", "remove", PRESET)
    assert place.profiles() == [PRESET]
    assert place.chaperone("verify")["verdict"] == "compliant"


@row
def cannot_pose_as_another(place, ios):
    """ios profile add with another organisation's identity installs nothing"""
    place.chaperone("pair")
    ios("profile", "add", preset_profile(), owner="other")
    assert place.profiles() == []


def main():
    if not find_go_ios():
        skip("go-ios not found: set GO_IOS, or npm install --ignore-scripts go-ios here")
    suite = bench.begin("goios")
    names = ["desk%d" % i for i in range(len(row.functions))]
    with bench.Bench([bench.device(name, supervised_by=bench.ACME, trust="accept")
                      for name in names]) as b:
        places = iter(names)

        def take():
            place = Place(b, next(places))
            return place, Client(place)

        row.run(suite, take)
    suite.end()


main()

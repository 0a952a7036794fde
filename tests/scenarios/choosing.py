#!/usr/bin/env python3
"""Which devices a command is for, and many of them at once"""
import re

import bench
from bench import device, identity, ours

IMESSAGE = "org.chaperone.preset.imessage-off"
APPLY = ["apply"] + identity()


def names(told):
    return sorted(r["device"]["name"] for r in told.lines if "device" in r)


def by_name(s):
    s.topic("one device, however it is called")
    plate = {"udid": "00008101-000A1C2D3E4F501E", "serial": "F9FXK0ABCD12"}
    with bench.Bench([ours("it", **plate), ours("other"), ours("hex", serial="1E"),
                      ours("old", udid="0123456789abcdef0123456789abcdef01234567")]) as b:
        state = b.state("it")
        ecid = state["ecid"]
        calls = [
            ("its UDID", state["udid"]),
            ("its UDID without the dash", state["udid"].replace("-", "")),
            ("its UDID in lower case", state["udid"].lower()),
            ("its UDID in lower case without the dash", state["udid"].replace("-", "").lower()),
            ("its serial number", state["serial"]),
            ("its serial number in lower case", state["serial"].lower()),
            ("its ECID with 0x", "0x%x" % ecid),
            ("its ECID with 0X in capitals", "0X%X" % ecid),
            ("its ECID in bare hexadecimal", "%x" % ecid),
            ("its ECID with leading zeros", "%016X" % ecid),
            ("its ECID in decimal", "%d" % ecid),
        ]
        for sentence, call in calls:
            told = b.run("verify", "-u", call, "--json")
            s.equal("by %s, %s" % (sentence, call), names(told), ["it"])
        told = b.run("verify", "-u", b.udids["old"].upper(), "--json")
        s.equal("an old UDID of forty digits, in capitals", names(told), ["old"])
        for sentence, call in (
                ("half a UDID", state["udid"][:12]), ("a UDID with one digit more",
                                                      state["udid"] + "0"),
                ("its name", "it"), ("half a serial", state["serial"][:6]),
                ("a negative ECID", "-%d" % ecid), ("a number and more", "0x%xg" % ecid)):
            told = b.run("verify", "-u", call, "--json")
            s.equal("not by %s, %r: exit 4" % (sentence, call), told.code, 4)
        told = b.run("verify", "-u", "it", "--json")
        s.has("a name is told from what nobody has", told.result["message"],
              "it is a device's name; its UDID is " + b.udids["it"])
        told = b.run("verify", "-u", state["serial"], "--udid=" + b.udids["other"], "--json")
        s.equal("two of them", names(told), ["it", "other"])
        told = b.run("verify", "-u", state["serial"], "-u", state["udid"], "--json")
        s.equal("one of them called twice is one", names(told), ["it"])


def ambiguous(s):
    s.topic("names that several devices have")
    with bench.Bench([ours("one", serial="F9FXK0ABCD12"), ours("two", serial="F9FXK0ABCD12")]) as b:
        for command in (["verify"], APPLY):
            told = b.run(*(command + ["-u", "F9FXK0ABCD12", "--json"]))
            s.equal("%s by an ambiguous serial is exit 64" % command[0], told.code, 64)
            s.has("  and says so", told.result.get("message", ""), "names 2 attached devices")
            s.has("  and what to do", told.result.get("hint") or "", "UDID")
        s.equal("  nothing was changed", (b.profiles("one"), b.profiles("two")), ({}, {}))


def none_named(s):
    s.topic("no device named")
    with bench.Bench([ours("a"), ours("b"), ours("c", unplugged=True)]) as b:
        for command in (["list"], ["show"], ["verify"], ["plan"], ["apply", "--dry-run"]):
            told = b.run(*(command + ["--json"]))
            s.equal("%s, which reads, is for all attached devices" % " ".join(command),
                    names(told), ["a", "b"])
        for command in (APPLY, ["remove"] + identity(), ["pair"], ["unpair"]):
            told = b.run(*(command + ["--json"]))
            s.equal("%s, which changes, does not choose among several: exit 64" % command[0],
                    (told.code, [line["schema"] for line in told.lines]),
                    (64, ["chaperone.error/1"]))
            s.has("  and says how to", told.result.get("message", ""), "-u ID), or all (-a)")
        s.equal("nothing was changed", [b.profiles(n) for n in "abc"], [{}, {}, {}])
        told = b.run("apply", "-a", "-u", b.udids["a"], "--json")
        s.equal("-a with -u is exit 64", told.code, 64)
        told = b.run(*(APPLY + ["-a", "--json"]))
        s.equal("-a is for all that are attached", (names(told), told.code), (["a", "b"], 0))
        b.tell("unplug", "b")
        told = b.run(*(APPLY + ["--json", "--removable"]))
        s.equal("the only attached device needs no name", names(told), ["a"])


def highest_code(s):
    s.topic("several devices, one exit code: the highest")
    with bench.Bench([ours("good"), ours("bare"), device("free", paired=True),
                      ours("bad", faults=[bench.fault("garbage", at="mcinstall",
                                                      request="GetProfileList")])]) as b:
        b.on("good", *APPLY)
        for want, chosen in ((0, ["good"]), (1, ["good", "bare"]), (2, ["bare", "free", "good"]),
                             (3, ["bad", "free", "bare", "good"])):
            args = [x for n in chosen for x in ("-u", b.udids[n])]
            told = b.run("verify", "--json", *(args + identity()))
            s.equal("%s: exit %d, one line each" % (", ".join(chosen), want),
                    (told.code, names(told)), (want, sorted(chosen)))
        s.equal("list tells what it can and is content", b.run("list").code, 0)


def order(s):
    s.topic("list is in the order of the ports")
    with bench.Bench([ours("p%02d" % i) for i in range(5)]) as b:
        told = b.run("list")
        ports = re.findall(r"0x[0-9a-f]{8}", told.out)
        s.equal("one line each, and a header", told.out.count("\n"), 6)
        s.equal("  sorted by port", ports, sorted(ports))


def many(s):
    s.topic("sixteen at once, and one after the other")
    with bench.Bench([ours("bench", count=16, latency_ms=15)]) as b:
        told = b.run(*(APPLY + ["-a", "--json"]))
        s.equal("sixteen devices at once: all compliant",
                (told.code, len(told.lines), {r["verdict"] for r in told.lines}),
                (0, 16, {"compliant"}))
        s.equal("  each was told once", len({r["device"]["udid"] for r in told.lines}), 16)
        s.equal("  one run, one name for it", len({r["run"] for r in told.lines}), 1)
        s.equal("  all of them have the profile",
                {tuple(p["identifier"] for p in d["profiles"]) for d in b.state()["devices"]},
                {(IMESSAGE,)})
        b.mark()
        told = b.run("verify", "-a", "-j", 1, "--json")
        s.equal("-j 1: all of them too", (told.code, len(told.lines)), (0, 16))
        with open(b.transcript_path, "rb") as f:
            f.seek(b.seen)
            asked = [line["device"] for line in map(bench.json.loads, f)
                     if line["device"] and line["direction"] == "in"]
        runs = [d for i, d in enumerate(asked) if i == 0 or asked[i - 1] != d]
        s.equal("  strictly one after the other", len(runs), 16)
        plain = b.run("verify", "-a")
        s.equal("in words: one verdict each", plain.out.count("✔ compliant"), 16)


def main():
    s = bench.begin("choosing")
    by_name(s)
    ambiguous(s)
    none_named(s)
    highest_code(s)
    order(s)
    many(s)
    s.end()


main()

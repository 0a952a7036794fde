#!/usr/bin/env python3
"""What people see: words, levels of talk, colours, and live lines on a terminal"""
import re
import unicodedata

import bench
from bench import Terminal, device, fault, identity, ours

APPLY = ["apply"] + identity()
VERIFY = ["verify"] + identity()
IMESSAGE = "org.chaperone.preset.imessage-off"
PLATE = {"udid": "00008101-000A1C2D3E4F501E", "serial": "F9FXK0ABCD12"}
LINE = "  front-desk  iPad (10th generation), iOS 18.1  00008101-000A1C2D3E4F501E\n"

# (sentence, command, the whole of stdout), on one device, one after the other.
GOLDEN = [
    ("missing", VERIFY,
     "! noncompliant (profile-missing)" + LINE +
     "    the profile is not on the device\n"
     "    hint: chaperone apply installs it\n"
     "    " + IMESSAGE + ": not on the device\n"),
    ("planned", ["plan"] + identity(),
     "! noncompliant (profile-missing)" + LINE +
     "    the profile is not on the device\n"
     "    hint: chaperone apply installs it\n"
     "    " + IMESSAGE + ": would-install\n"),
    ("installed", APPLY,
     "✔ compliant" + LINE +
     "    " + IMESSAGE + ": installed\n"
     "    allowChat: wanted false, reported false\n"
     "    truth: effective (the device itself reports the restriction in force)\n"),
    ("there already", APPLY,
     "✔ compliant" + LINE +
     "    " + IMESSAGE + ": present\n"
     "    allowChat: wanted false, reported false\n"
     "    truth: effective (the device itself reports the restriction in force)\n"),
    ("seen without an identity", ["verify"],
     "✔ compliant" + LINE +
     "    " + IMESSAGE + ": present\n"
     "    truth: present (the device lists it as active; it does not tell whether it is in force)\n"),
    ("another one", VERIFY + ["--removable"],
     "! noncompliant (profile-differs)" + LINE +
     "    the device has another version of the profile\n"
     "    hint: chaperone apply replaces it\n"
     "    " + IMESSAGE + ": present\n"),
    ("removed", ["remove"] + identity(),
     "✔ compliant" + LINE +
     "    " + IMESSAGE + ": removed\n"
     "    truth: present (the device no longer lists it)\n"),
    ("paired", ["pair"], "✔ compliant" + LINE),
    ("forgotten", ["unpair"], "✔ compliant" + LINE),
    ("a stranger", ["verify"],
     "! blocked (untrusted)" + LINE +
     "    this computer is not paired with the device\n"
     "    hint: give the supervision identity (-i), or run chaperone pair --dialog and tap Trust\n"),
]


def golden(s):
    s.topic("the words, whole")
    with bench.Bench([ours("front-desk", **PLATE)]) as b:
        for sentence, command, want in GOLDEN:
            said = b.run(*command)
            s.equal("%s: the whole of stdout" % sentence, said.out, want)
            s.equal("  and stderr is empty", said.err, "")

    s.topic("a refusal, whole")
    refusal = fault("error", at="mcinstall", request="InstallProfileSilent", code="4001",
                    text="Nicht heute.")
    with bench.Bench([ours("front-desk", faults=[refusal], **PLATE)]) as b:
        said = b.run(*APPLY)
        want = ("✘ failed (refused)" + LINE +
                "    InstallProfileSilent: the device answers Error: MCInstallationErrorDomain 4001\n"
                "    device: MCInstallationErrorDomain 4001 Nicht heute.\n"
                "    hint: the device's own words are in the error chain, the last link names the "
                "cause\n")
        s.equal("the device's words stay apart from ours", said.out[:len(want)], want)


def tables(s):
    s.topic("list and show")
    with bench.Bench([ours("front-desk", **PLATE), device("free", paired=True),
                      ours("new", paired=False), ours("dark", locked=True)]) as b:
        b.on("front-desk", *APPLY)
        lines = b.run("list", *identity()).out.splitlines()
        s.equal("list has a header and a line for each", len(lines), 5)
        s.equal("  the header names the columns", lines[0].split(),
                "UDID NAME MODEL OS PORT SUPERVISED BY PAIRED LOCKED".split())
        row = {l.split()[1]: l for l in lines[1:]}
        s.check("  a device of ours", re.fullmatch(
            r"00008101-000A1C2D3E4F501E +front-desk +iPad \(10th generation\) +18\.1 +0x[0-9a-f]{8} +"
            r"Acme \(ours\) +yes +no *", row["front-desk"]), row["front-desk"])
        for name, words in (("free", r"not supervised +yes +no"), ("new", r"\? +no +(\?|no)"),
                            ("dark", r".* +yes +yes")):
            s.check("  %s: %s" % (name, words), re.search(words + r" *$", row.get(name, "")),
                    row.get(name))
        starts = [lines[0].index(c) for c in ("NAME", "MODEL", "OS", "PORT", "SUPERVISED", "PAIRED")]
        s.check("  the columns stand below their names",
                all(row["front-desk"][i - 1] == " " and row["front-desk"][i] != " "
                    for i in starts), lines)
        s.check("  nothing follows the last column", not [l for l in lines if l.endswith(" ")], lines)
        said = b.run("show", "-u", b.udids["front-desk"], *identity()).out
        for part in ("front-desk  iPad (10th generation), iOS 18.1  00008101-000A1C2D3E4F501E\n",
                     "serial         F9FXK0ABCD12\n", "product        iPad13,18\n",
                     "paired         yes\n", "supervised     ours\n", "organization   Acme\n",
                     "locked         no\n", "activation     Activated\n", "profiles       1\n",
                     IMESSAGE + ", " if False else IMESSAGE, ", version 1, by Acme, locked\n",
                     "cloud configuration\n", "OrganizationName: \"Acme\"\n"):
            s.has("show says %s" % part.strip(), said, part)
        s.check("  and shows no certificate, only its fingerprint",
                "SupervisorHostCertificates: [{\"sha256\":\"" in said, said)


def widths(s):
    s.topic("list: a table stays one, whatever things are called")
    wide = fault("other-value", at="lockdown", request="GetValue", key="DeviceName",
                 text="会議室の大きなiPadとても長い名前")
    with bench.Bench([ours("a", product="iPad14,1", faults=[wide]), ours("old", udid="a" * 40), ours("b")]) as b:
        lines = b.run("list", *identity()).out.splitlines()
        at = text_columns(lines[0][:lines[0].index("PAIRED")])
        s.equal("PAIRED stands in one column of the terminal",
                {text_columns(l[:re.search(r"(PAIRED|yes|no|\?) +(LOCKED|yes|no|\?)$", l).start()])
                 for l in lines}, {at})


def truths(s):
    s.topic("words say what was measured, and no more")
    liar = fault("ack-not-stored", at="mcinstall", request="InstallProfileSilent")
    with bench.Bench([ours("liar", faults=[liar]), ours("clean")]) as b:
        said = b.run("apply", "-u", b.udids["liar"], *identity()).out
        s.has("acknowledged and not stored is not installed", said,
              IMESSAGE + ": acknowledged, but the device does not list it\n")
        s.check("  what is not reported is not", "allowChat: wanted false, not reported\n" in said and
                "installed" not in said, said)
        said = b.run("remove", "com.example.none", "-u", b.udids["clean"], *identity()).out
        s.has("what was never there is not there", said, "(the device does not list it)")
        b.on("clean", *APPLY)
        said = b.run("remove", "-u", b.udids["clean"], *identity()).out
        s.has("what was there is there no longer", said, "(the device no longer lists it)")


def text_columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def levels(s):
    s.topic("how much is said on stderr")
    with bench.Bench([ours("front-desk", **PLATE), ours("dark", locked=True)]) as b:
        b.on("front-desk", *APPLY)
        at = ["-u", b.udids["front-desk"]]
        said = {level: b.run(*(VERIFY + at + level.split())) for level in
                ("", "-q", "-v", "-vv", "-vvv", "-v -v", "-q -v")}
        s.equal("stdout is the same at every level", len({r.out for r in said.values()}), 1)
        s.equal("nothing by default, nothing with -q", (said[""].err, said["-q"].err), ("", ""))
        s.equal("-q and -v take each other back", said["-q -v"].err, "")
        s.check("-vv says more than -v", len(said["-vv"].err) > len(said["-v"].err),
                said["-vv"].err)
        s.equal("-v -v is -vv", len(said["-v -v"].err.splitlines()),
                len(said["-vv"].err.splitlines()))
        for request in ("lockdown: StartSession", "lockdown: StartService",
                        "MCInstall: GetProfileList", "MCInstall: Restrictions"):
            s.has("-vv shows each message: %s" % request, said["-vv"].err, request)
        s.check("  with the device's id shortened",
                b.udids["front-desk"] not in said["-vvv"].err and
                "…" + b.udids["front-desk"][-8:] in said["-vvv"].err,
                said["-vvv"].err)
        wait = ["-u", b.udids["dark"], "--wait", 1]
        s.has("a wait is announced by default", b.run(*(APPLY + wait)).err,
              "needs you: unlock the device")
        s.equal("  and not with -q", b.run(*(APPLY + wait + ["-q"])).err, "")
        s.check("errors are said with -q too",
                "unknown preset" in b.run("-q", "verify", "--preset", "x").err or
                b.run("-q", "verify", "--preset", "x").err != "")
        s.check("no device is said with -q too",
                b.run("-q", "verify", "-u", "nobody").err != "")


def escapes(text):
    return re.findall(r"\x1b\[[0-9;]*[A-Za-z]", text)


def colours(s):
    s.topic("colours")
    with bench.Bench([ours("good"), ours("bare"),
                      ours("bad", faults=[fault("garbage", at="mcinstall",
                                                request="GetProfileList")])]) as b:
        b.on("good", *APPLY)
        env = {"USBMUXD_SOCKET_ADDRESS": "UNIX:" + b.socket}

        def seen(*args, **more):
            return Terminal(args, dict(env, **more))
        for name, paint, words in (("good", "32", "✔ compliant"), ("bare", "33", "! noncompliant"),
                                   ("bad", "31", "✘ failed")):
            t = seen("verify", "-u", b.udids[name])
            s.has("%s is painted on a terminal" % words, t.text, "\x1b[%sm%s\x1b[0m" % (paint, words))
            s.equal("  every colour is taken back", t.text.count("\x1b[0m"),
                    len([e for e in escapes(t.text) if e.endswith("m") and e != "\x1b[0m"]))
        for sentence, args, more in (
                ("--no-color", ["--no-color"], {}), ("NO_COLOR", [], {"NO_COLOR": "1"}),
                ("TERM=dumb", [], {"TERM": "dumb"})):
            t = seen("verify", "-u", b.udids["good"], *args, **more)
            s.equal("%s: no colour on a terminal" % sentence,
                    [e for e in escapes(t.text) if e.endswith("m")], [])
            s.has("  and the same words", t.plain, "✔ compliant  good")
        t = seen("verify", "-u", b.udids["good"], NO_COLOR="")
        s.check("an empty NO_COLOR is none", "\x1b[32m" in t.text, t.text)
        t = seen("list", "--json")
        s.equal("JSON is never painted", [e for e in escapes(t.text) if e.endswith("m")], [])
        t = seen("list")
        s.check("the head of list is painted", "\x1b[2mUDID" in t.text, t.text)


def live(s):
    s.topic("live lines")
    # One after the other: those that end together are counted together.
    devices = [ours("d-%d" % n, latency_ms=40 * n) for n in (1, 2, 3)]
    with bench.Bench(devices) as b:
        env = {"USBMUXD_SOCKET_ADDRESS": "UNIX:" + b.socket}
        t = Terminal(APPLY + ["-a"], env)
        s.equal("three devices on a terminal: compliant", t.code, 0)
        for phrase in ("connecting", "installing", "reading it back", "0 of 3 done", "2 of 3 done"):
            s.has("it is shown live: %s" % phrase, t.plain, phrase)
        s.check("  by shortened ids", re.search(r"  · …[0-9A-F]{8}  \w", t.plain), t.plain[:400])
        s.check("  and by names when they are known",
                re.search(r"  · …[0-9A-F]{8}  d-2  installing", t.plain), t.plain)
        drawn = len(re.findall(r"^.*(  · |of 3 done).*\n", t.text, re.M))
        s.equal("every line drawn is taken away again", t.text.count("\x1b[1A\x1b[2K"), drawn)
        left = screen(t.text)
        s.equal("what stays are the verdicts and nothing else",
                [l for l in left if l and not l.startswith(("✔ compliant", "    "))], [])
        s.equal("  of all three", len([l for l in left if l.startswith("✔ compliant")]), 3)
        t = Terminal(APPLY + ["-a"], env, columns=32)
        s.equal("on a narrow terminal no line is longer than it, or it would wrap and stay",
                [l for l in t.plain.splitlines() if l.startswith("  · ") and len(l) >= 32], [])
        with open(bench.path("out"), "w+") as out:
            t = Terminal(["verify", "-a", "--json"], env, stdout=out.fileno())
            out.seek(0)
            s.equal("with stdout in a file the live lines stay on the terminal",
                    (len(out.read().splitlines()), "of 3 done" in t.plain), (3, True))
        for level in ("-q", "-v"):
            t = Terminal(["verify", "-a", level], env)
            s.check("%s: no live lines" % level if level == "-v" else
                    "-q: the terminal shows the verdicts alone",
                    "of 3 done" not in t.plain, t.plain)


def needed(s):
    s.topic("who needs a person, and what for")
    with bench.Bench([ours("front desk", paired=False, locked=True)]) as b:
        t = Terminal(APPLY + ["-u", b.udids["front desk"], "--wait", 3],
                     {"USBMUXD_SOCKET_ADDRESS": "UNIX:" + b.socket})
        drawn = [l for l in t.plain.splitlines() if l.startswith("  · ")]
        s.check("the device is called by its name",
                re.search(r"  · …\w{8}  front desk  needs you: unlock the device$", t.plain, re.M),
                t.plain)
        s.has("  to the end, whatever is signed meanwhile", drawn[-1] if drawn else "", "needs you")
        said = b.run(*(APPLY + ["-u", b.udids["front desk"], "--wait", 1]))
        s.check("likewise where lines stay", re.search(
            r"^chaperone: …\w{8}, front desk: needs you: unlock the device$", said.err, re.M), said.err)


def screen(text):
    """The lines a terminal shows in the end."""
    lines, row = [""], 0
    for part in re.split(r"(\n|\x1b\[1A|\x1b\[2K|\x1b\[[0-9;]*m)", text):
        if part == "\n":
            row += 1
            if row == len(lines):
                lines.append("")
        elif part == "\x1b[1A":
            row -= 1
        elif part == "\x1b[2K":
            lines[row] = ""
        elif not part.startswith("\x1b"):
            lines[row] += part
    return lines


def main():
    s = bench.begin("terminal")
    bench.make_identities()
    golden(s)
    tables(s)
    widths(s)
    truths(s)
    levels(s)
    colours(s)
    live(s)
    needed(s)
    s.end()


main()

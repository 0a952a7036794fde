#!/usr/bin/env python3
"""Makes the corpora of the protocol's fuzzers anew, from what is said on real runs

usage: cd build && make fuzz-tap chaperone-vbench && ../tests/fuzz/record.py

fuzz-tap is the client, and tells every message that it exchanges; it works
here on the virtual bench, scene after scene. What differs from run to run
(keys, certificates, challenges) is replaced by what the harnesses know. Files
that a found bug left behind are kept: only those named after a scene are
written. See talk.h for their form.
"""
import base64
import os
import plistlib
import re
import socket
import ssl
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "scenarios"))
os.environ["CHAPERONE"] = os.path.abspath("fuzz-tap")

import bench                                                        # noqa: E402
from bench import OTHER, device, fault, identity, ours, path, write   # noqa: E402

UDID = "00008101-000000000000001E"      # of fuzz_device
LIST, SHOW, VERIFY, PLAN, APPLY, REMOVE, PAIR, UNPAIR = range(8)
RECORD, IDENTITY, ASKS, NAMED = 8, 16, 32, 64
KNOWN = RECORD | IDENTITY | NAMED
MUX, ESCALATED, PAIRED = 6, 8, 64

APPLY_IT = ["apply"] + identity()
INSTALL = dict(at="mcinstall", request="InstallProfileSilent")
LONG_CHAIN = dict(INSTALL, domain="MCInstallationErrorDomain", code=4001)
OLD = write("old.mobileconfig", plistlib.dumps({
    "PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": "com.old.wifi",
    "PayloadUUID": "6F1B2C3D-0000-4000-8000-000000000000", "PayloadContent": [
        {"PayloadType": "com.apple.applicationaccess", "PayloadVersion": 1, "allowCamera": False,
         "PayloadIdentifier": "com.old.wifi.1", "PayloadUUID": "6F1B2C3D-0000-4000-8000-000000000001"}]}))

# The file's name, the first byte for fuzz_device, the device, and what is asked of it;
# the last command is the one that is recorded.
SCENES = [
    ("list", LIST | KNOWN, ours("a"), [["list"]]),
    ("show", SHOW | KNOWN, ours("a", profiles=[OLD]), [["show"]]),
    ("verify-missing", VERIFY | KNOWN, ours("a"), [["verify"] + identity()]),
    ("verify-good", VERIFY | KNOWN, ours("a"), [APPLY_IT, ["verify"] + identity()]),
    ("plan-replace", PLAN | KNOWN, ours("a"), [APPLY_IT + ["--removable"], ["plan"] + identity()]),
    ("apply", APPLY | KNOWN, ours("a"), [APPLY_IT]),
    ("apply-beside-old", APPLY | KNOWN, ours("a", profiles=[OLD]), [APPLY_IT]),
    ("apply-silent-pair", APPLY | IDENTITY | NAMED, ours("a", paired=False), [APPLY_IT]),
    ("apply-refused", APPLY | KNOWN, ours("a", faults=[fault("error", **LONG_CHAIN)]), [APPLY_IT]),
    ("apply-not-stored", APPLY | KNOWN, ours("a", faults=[fault("ack-not-stored", **INSTALL)]), [APPLY_IT]),
    ("apply-not-ours", APPLY | KNOWN, ours("a", supervised_by=OTHER), [APPLY_IT]),
    ("apply-unsupervised", APPLY | KNOWN, device("a", paired=True), [APPLY_IT]),
    ("apply-locked", APPLY | KNOWN, ours("a", locked=True), [APPLY_IT]),
    ("remove", REMOVE | KNOWN, ours("a"), [APPLY_IT, ["remove"] + identity()]),
    ("pair", PAIR | IDENTITY, ours("a", paired=False), [["pair"] + identity()]),
    ("pair-dialog", PAIR | ASKS, device("a"), [["pair", "--dialog", "--wait", "0"]]),
    ("unpair", UNPAIR | KNOWN, ours("a"), [["unpair"]]),
]


# ---- what was said --------------------------------------------------------------

def plain(value, der):
    """The message without what is another in every run, as the harnesses have it."""
    if isinstance(value, dict):
        return {k: False if k in ("EnableSessionSSL", "EnableServiceSSL") else
                UDID if k in ("UniqueDeviceID", "SerialNumber") and len(str(v)) > 20 else plain(v, der)
                for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v, der) for v in value]
    if value == der:
        return b"certificate"
    if isinstance(value, bytes) and value.startswith(b"-----BEGIN"):
        return value[:64] + b"\n-----END"
    if isinstance(value, bytes) and len(value) > 64 and not value.startswith(b"<?xml"):
        return value[:16]
    return value


def message(value):
    text = plistlib.dumps(value, sort_keys=True).decode()
    text = re.sub(r"\n\t*", "\n", text.split('<plist version="1.0">\n', 1)[1])
    return b"<plist>" + text.encode().rstrip()


def taps(text, der):
    """Connections; each a list of (direction, message as a value). Two may be open at once."""
    connections, by_name = [], {}
    for line in text.splitlines():
        found = re.fullmatch(r"(?:\S+ )?tap (.) (\S+) ?(\S*)", line)
        if found and found.group(1) == "=":
            by_name[found.group(2)] = []
            connections.append(by_name[found.group(2)])
        elif found:
            value = plistlib.loads(base64.b64decode(found.group(3)))
            by_name[found.group(2)].append((found.group(1), plain(value, der)))
    return connections


# ---- corpora -----------------------------------------------------------------------

class Corpora:
    def __init__(self):
        self.seen, self.words, self.kinds, self.bytes = set(), set(), {}, 0

    def put(self, corpus, name, content):
        folder = os.path.join(HERE, "corpus", corpus)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "wb") as out:
            out.write(content)
        self.bytes += len(content)

    def put_talk(self, corpus, name, choice, connections):
        turns = [b"\n--\n".join(messages) for messages in connections if messages]
        content = bytes([choice]) + b"\n==\n".join(turns)
        if turns and (corpus, content) not in self.seen:
            self.seen.add((corpus, content))
            self.put(corpus, name, content)

    def put_once(self, corpus, name, value):
        """A message of a kind that was not there yet."""
        kind = (corpus, name.split("-")[0], repr(shape_of(value)))
        if kind not in self.seen:
            self.seen.add(kind)
            self.kinds[name] = self.kinds.get(name, 0) + 1
            self.put(corpus, "%s-%d" % (name, self.kinds[name]), message(value))

    def learn(self, value):
        if isinstance(value, dict):
            for key, inner in value.items():
                self.words.add(key)
                self.learn(inner)
        elif isinstance(value, list):
            for inner in value:
                self.learn(inner)
        elif isinstance(value, str) and 3 < len(value) < 40:
            self.words.add(value)

    def put_dictionary(self):
        marks = ["<plist>", "</plist>", "<dict>", "</dict>", "<dict/>", "<array>", "</array>", "<key>", "</key>",
                 "<string>", "</string>", "<integer>", "</integer>", "<real>", "</real>", "<data>", "</data>",
                 "<true/>", "<false/>", "bplist00", "\\x0a--\\x0a", "\\x0a==\\x0a"]
        words = sorted(w for w in self.words if w.isascii() and w.isprintable() and '"' not in w and "\\" not in w)
        with open(os.path.join(HERE, "wire.dict"), "w") as out:
            out.write("".join('"%s"\n' % w for w in marks + words))


def shape_of(value):
    if isinstance(value, dict):
        return sorted((k, shape_of(v)) for k, v in value.items())
    return [shape_of(v) for v in value[:1]] if isinstance(value, list) else type(value).__name__


def record_scene(c, name, choice, spec, commands):
    with bench.Bench([spec]) as b:
        der = ssl.PEM_cert_to_DER_cert(open(path("acme.crt")).read())
        for command in commands:
            run = subprocess.run([bench.CHAPERONE] + command + ["-u", b.udids["a"]],
                                 env=bench.environment({"USBMUXD_SOCKET_ADDRESS": "UNIX:" + b.socket}),
                                 stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    connections = taps(run.stderr.decode(errors="replace"), der)
    if not connections:
        raise SystemExit("%s: nothing was said\n%s" % (name, run.stderr.decode()))
    c.put_talk("device", name, choice,
               [[message(v) for way, v in said if way == "<"] for said in connections])
    if name == "verify-good":
        # The profile that fuzz_device is given, in place of what was installed.
        turns = [[message(v).replace(b"org.chaperone.preset.imessage-off", b"com.given")
                  for way, v in said if way == "<"] for said in connections]
        c.put_talk("device", "diff", SHOW | RECORD | IDENTITY, turns)
    for said in connections:
        for way, value in said:
            c.learn(value)
            request = value.get("Request") or value.get("RequestType") or "answer"
            if way == "<":
                c.put_once("reply", request.lower(), value)
        asked = [v for way, v in said if way == ">"]
        is_lockdown = asked and "Request" in asked[0]
        c.put_talk("bench", "%s-%s" % (name, "lockdown" if is_lockdown else "mcinstall"),
                   (0 if is_lockdown else 1 | ESCALATED) | PAIRED, [[message(v) for v in asked]])


def mux(b, *requests):
    """What usbmuxd answers, and what it says unasked in a moment."""
    said = []
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(2)
        s.connect(b.socket)
        for request in requests:
            body = plistlib.dumps(request)
            s.sendall(struct.pack("<IIII", 16 + len(body), 1, 8, 1) + body)
        b.tell("unplug", "a")
        b.tell("plug", "a")
        got = b""
        while len(said) < len(requests) + 3:
            try:
                got += s.recv(65536)
            except socket.timeout:
                break
            while len(got) >= 16 and len(got) >= struct.unpack("<I", got[:4])[0]:
                size = struct.unpack("<I", got[:4])[0]
                said.append(plistlib.loads(got[16:size]))
                got = got[size:]
            if requests[0]["MessageType"] != "Listen" and len(said) == len(requests):
                break
    return said


def record_mux(c):
    requests = {
        "list": [{"MessageType": "ListDevices"}], "listen": [{"MessageType": "Listen"}],
        "buid": [{"MessageType": "ReadBUID"}],
        "records": [{"MessageType": "SavePairRecord", "PairRecordID": UDID, "PairRecordData": b"x"},
                    {"MessageType": "ReadPairRecord", "PairRecordID": UDID},
                    {"MessageType": "DeletePairRecord", "PairRecordID": UDID},
                    {"MessageType": "ListListeners"}],
    }
    ask = {"MessageType": "Connect", "DeviceID": 1, "PortNumber": 32498}
    query = {"Label": "x", "Request": "QueryType"}
    with bench.Bench([ours("a"), ours("b")]) as b:
        for name, asked in requests.items():
            said = mux(b, *asked)
            for value in asked + said:
                c.learn(value)
            if name in ("list", "listen"):
                c.put_talk("mux", name, 0, [[message(v) for v in said]])
            c.put_talk("bench", "mux-" + name, MUX, [[message(v) for v in asked]])
    c.learn(ask)
    c.put_talk("bench", "mux-connect", MUX | PAIRED, [[message(ask)], [message(query)]])
    c.put("mux", "raw-length", b"\0!\xff\xff\xff\x7f\1\0\0\0\x08\0\0\0\1\0\0\0")


def record_signer(c):
    def packet(magic, kind, body):
        return magic + struct.pack(">HHI", 1, kind, len(body)) + body
    c.put("sign", "pair", packet(b"CHRQ", 1, b"0123456789abcdef"))
    c.put("sign", "escalate", packet(b"CHRQ", 2, b"0123456789abcdef\n"))
    c.put("sign", "certificate", packet(b"CHRQ", 16, b""))
    c.put("sign", "document", packet(b"CHRQ", 2, b"<?xml version"))
    c.put("sign", "signed", packet(b"CHRA", 0, b"0\x82"))
    c.put("sign", "refused", packet(b"CHRA", 4, b"this channel has had all its signatures"))
    name, nobody = UDID.encode().ljust(64, b"\0"), bytes(64)
    c.put("agent", "pair", packet(b"CHAG", 1, name + b"0123456789abcdef"))
    c.put("agent", "escalate", packet(b"CHAG", 2, name + b"0123456789abcdef\n"))
    c.put("agent", "seal", packet(b"CHAG", 3, nobody + bytes(range(32))))
    c.put("agent", "certificate", packet(b"CHAG", 16, nobody))
    c.put("agent", "to-a-signer", packet(b"CHRQ", 1, b"0123456789abcdef"))
    c.put("agent", "certified", packet(b"CHRA", 0, b"0\x82"))
    c.put("agent", "refused", packet(b"CHRA", 1, b"more than 60 signatures in a minute"))
    c.put("agent", "escape", packet(b"CHRA", 4, b"\x1b]0;title\x07\nand a line"))


def record_policies(c):
    """The shipped ones, and the mistakes that its unit test knows."""
    folder = os.path.join(HERE, "..", "..", "profiles")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".yaml"):
            with open(os.path.join(folder, name), "rb") as f:
                c.put("policy", name, f.read())
    c.put("policy", "everything", b"""version: 1
name: all
organization: Acme
identity: acme.p12
devices:
  supervised-by: [Acme]
  serials: ["F9FY*"]
  products: ["iPad*"]
  udids: [00008101-000000000000001E]
  slots: ["a *"]
  os: ">=17.0 <19"
profiles:
  - preset: kiosk
    app: com.acme.shop
    always: true
absent: ["com.old.*"]
removable: true
window:
  timezone: Europe/Berlin
  days: [mon, fri]
  from: "22:00"
  to: "06:00"
  except: [2026-12-24]
on-verdict: /usr/bin/true
""")


def main():
    c = Corpora()
    bench.begin("record")
    bench.make_identities()
    for scene in SCENES:
        record_scene(c, *scene)
    record_mux(c)
    record_signer(c)
    record_policies(c)
    c.put_dictionary()
    print("%d bytes of corpora" % c.bytes)
    bench.clean_up()


if __name__ == "__main__":
    main()

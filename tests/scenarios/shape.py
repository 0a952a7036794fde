"""shape: the keys of every JSON document, their types, and when they are null

This is section 3 of the contract once more, as data. Every line that any
scenario makes the client print is held against it, so a key that vanishes,
changes its type or appears unannounced fails wherever it happens.
"""
import re

TEXT, TRUTH, NUMBER = "text", "true or false", "a whole number"
SOMETHING = "anything but null"
OBJECT, LIST = "an object", "a list"


def maybe(kind):
    """The kind, or null when it is not known."""
    return ("maybe", kind)


def one_of(*words):
    return ("one of", words)


def matches(pattern):
    return ("matches", re.compile(pattern + r"\Z"))


def each(keys):
    return ("each", keys)


TIME = matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
UUID = matches(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
HEX = matches(r"0x[0-9a-f]+")

DEVICE = {
    "udid": matches(r"[0-9A-Za-z-]{1,63}"), "serial": maybe(TEXT), "ecid": maybe(HEX),
    "name": maybe(TEXT), "product": maybe(TEXT), "model": maybe(TEXT), "class": maybe(TEXT),
    "os": maybe(TEXT), "build": maybe(TEXT), "location": maybe(matches(r"0x[0-9a-f]{8}")),
    "slot": maybe(TEXT), "connection": one_of("usb", "network"),
}
TRUST = {
    "paired": maybe(TRUTH), "supervised": maybe(TRUTH), "organization": maybe(TEXT),
    "ours": maybe(TRUTH), "locked": maybe(TRUTH), "activation": maybe(TEXT),
}
CHAIN = {"domain": TEXT, "code": NUMBER, "text": TEXT}
ERROR = {"message": TEXT, "hint": maybe(TEXT), "chain": each(CHAIN), "chain_left_out": NUMBER}
CHANGES = each({"path": TEXT, "change": one_of("added", "removed", "changed"),
                "before": maybe(TEXT), "after": maybe(TEXT)})

REASONS = {
    "compliant": (None,),
    "noncompliant": ("profile-missing", "profile-differs", "profile-inactive", "profile-unwanted",
                     "not-effective", "profile-unsuitable"),
    "blocked": ("unsupervised", "foreign-supervision", "untrusted", "trust-pending",
                "trust-denied", "pairing-forbidden", "locked", "not-activated", "os-too-old",
                "no-policy"),
    "failed": ("unplugged", "timeout", "refused", "protocol", "not-stored", "not-removed",
               "usbmuxd-lost", "crashed", "interrupted", "unrecorded", "unsigned"),
}
EXITS = {"compliant": 0, "noncompliant": 1, "blocked": 2, "failed": 3}
ACTIONS = ("none", "installed", "replaced", "removed")
PLANS = ("none", "would-install", "would-replace", "would-remove")

SHA256 = matches(r"[0-9a-f]{64}")

# What other test files judge whole: only the name of the schema is looked at here.
JUDGED_ELSEWHERE = ("chaperone.report/1", "chaperone.audit/1")

DOCUMENTS = {
    "chaperone.record/1": {
        "schema": TEXT, "station": TEXT, "sequence": NUMBER, "at": TIME, "wall_ms": NUMBER,
        "monotonic_ms": NUMBER, "boot": TEXT, "run": UUID, "device": maybe(TEXT), "kind": TEXT,
        "body": OBJECT, "previous": SHA256, "hash": SHA256,
    },
    "chaperone.result/1": {
        "schema": TEXT, "at": TIME,
        "command": one_of("verify", "plan", "apply", "remove", "pair", "unpair"),
        "run": UUID, "device": DEVICE, "trust": TRUST,
        "verdict": one_of(*REASONS),
        "reason": maybe(TEXT),
        "truth": maybe(one_of("sent", "acknowledged", "present", "effective")),
        "changed": TRUTH,
        "profiles": each({
            "identifier": TEXT, "uuid": maybe(TEXT), "expected_uuid": maybe(TEXT),
            "present": TRUTH, "active": maybe(TRUTH), "action": one_of(*(ACTIONS + PLANS)),
            "content-addressed": maybe(TRUTH)}),
        "restrictions": each({"key": TEXT, "want": SOMETHING, "reported": maybe(SOMETHING)}),
        "lint": each({"identifier": TEXT, "rule": matches(r"[A-Z]\d{3}"),
                      "severity": one_of("error", "warning"), "path": TEXT, "message": TEXT}),
        "error": maybe(ERROR),
        "steps": each({"name": one_of("connect", "service", "facts", "escalate", "install",
                                      "remove", "unpair", "confirm"), "ms": NUMBER}),
        "duration_ms": NUMBER,
        "policy": maybe(TEXT), "next_boundary": maybe(TIME),
    },
    "chaperone.device/1": {
        "schema": TEXT, "at": TIME, "device": DEVICE, "trust": TRUST, "error": maybe(ERROR),
    },
    "chaperone.device/1 of show": {
        "schema": TEXT, "at": TIME, "device": DEVICE, "trust": TRUST, "error": maybe(ERROR),
        "profiles": maybe(each({
            "identifier": TEXT, "uuid": maybe(TEXT), "display_name": maybe(TEXT),
            "organization": maybe(TEXT), "version": maybe(NUMBER), "active": maybe(TRUTH),
            "removal_disallowed": maybe(TRUTH)})),
        "cloud_configuration": maybe(OBJECT),
    },
    "chaperone.event/1": {
        "schema": TEXT, "at": TIME,
        "event": one_of("attached", "detached", "started", "step", "result", "waiting", "policy",
                        "error"),
        "device": DEVICE,
    },
    "chaperone.event/1 attached": {
        "schema": TEXT, "at": TIME, "event": one_of("attached"),
        "device": DEVICE, "trust": TRUST, "error": maybe(ERROR),
    },
    "chaperone.event/1 started": {
        "schema": TEXT, "at": TIME, "event": one_of("started"), "device": DEVICE,
        "why": one_of("arrival", "retry", "person", "window", "reload"), "attempt": NUMBER,
    },
    "chaperone.event/1 step": {
        "schema": TEXT, "at": TIME, "event": one_of("step"), "device": DEVICE,
        "step": TEXT, "profile": maybe(TEXT), "uuid": maybe(TEXT),
        "truth": maybe(one_of("sent", "acknowledged")),
    },
    "chaperone.event/1 result": {
        "schema": TEXT, "at": TIME, "event": one_of("result"), "device": DEVICE, "trust": TRUST,
        "verdict": one_of(*REASONS), "reason": maybe(TEXT),
        "truth": maybe(one_of("sent", "acknowledged", "present", "effective")),
        "changed": TRUTH, "policy": maybe(TEXT), "next": one_of("nothing", "retry", "person"),
        "result": OBJECT,
    },
    "chaperone.event/1 waiting": {
        "schema": TEXT, "at": TIME, "event": one_of("waiting"), "device": DEVICE,
        "for": one_of("unlock", "trust"),
    },
    "chaperone.event/1 policy": {
        "schema": TEXT, "at": TIME, "event": one_of("policy"), "device": maybe(DEVICE),
        "policies": each({"name": TEXT, "file": TEXT, "sha256": SHA256,
                          "organization": maybe(TEXT)}),
        "error": maybe({"message": TEXT, "hint": maybe(TEXT)}),
    },
    "chaperone.event/1 error": {
        "schema": TEXT, "at": TIME, "event": one_of("error"), "device": maybe(DEVICE),
        "about": one_of("hook", "ledger", "memory", "port", "seal", "usbmuxd"), "message": TEXT,
        "hint": maybe(TEXT),
    },
    "chaperone.attested/1": {
        "schema": TEXT, "file": TEXT, "signed_at": TIME,
        "signer": {"organization": TEXT, "sha256": SHA256, "trusted": TRUTH},
        "timestamps": each({"file": TEXT, "at": TIME, "authority": TEXT, "sha256": SHA256}),
        "statement": {
            "schema": TEXT, "at": TIME, "station": TEXT, "nonce": TEXT, "results": LIST,
            "profiles": each({"identifier": TEXT, "uuid": TEXT, "sha256": maybe(SHA256)})},
    },
    "chaperone.slot/1": {"schema": TEXT, "name": TEXT, "port": TEXT},
    "chaperone.agent/1": {"schema": TEXT, "at": TIME, "event": one_of("idle", "stopped")},
    "chaperone.agent/1 ready": {
        "schema": TEXT, "at": TIME, "event": one_of("ready"), "socket": TEXT,
        "organization": TEXT, "sha256": SHA256, "max_rate": NUMBER,
    },
    "chaperone.agent/1 of a request": {
        "schema": TEXT, "at": TIME, "event": one_of("signed", "told", "refused", "dropped"),
        "purpose": maybe(one_of("pairing", "escalation", "seal", "statement", "profile")),
        "device": maybe(TEXT), "message": maybe(TEXT), "uid": NUMBER, "pid": NUMBER,
    },
    "chaperone.error/1": {
        "schema": TEXT, "exit": one_of(4, 64, 65, 66, 69, 70, 73, 74, 77, 130), "message": TEXT,
        "hint": maybe(TEXT),
    },
    "chaperone.diff/1": {
        "schema": TEXT, "same": TRUTH, "changes": CHANGES,
    },
    "chaperone.diff/1 with a device": {
        "schema": TEXT, "device": DEVICE, "same": maybe(TRUTH), "listed": maybe(TRUTH),
        "proven": maybe(TRUTH), "changes": CHANGES, "untold": LIST,
        "verdict": maybe(one_of("blocked", "failed")), "reason": maybe(TEXT), "error": maybe(ERROR),
    },
    "chaperone.policy/1": {
        "schema": TEXT, "file": TEXT, "name": maybe(TEXT),
        "verdict": one_of("ok", "warning", "error"),
        "findings": each({"severity": one_of("error", "warning"), "line": NUMBER,
                          "column": NUMBER, "message": TEXT}),
        "devices": maybe(each({"device": DEVICE, "match": one_of("yes", "maybe", "os-too-old", "no"),
                               "rival": maybe(TEXT), "yields_to": maybe(TEXT)})),
    },
    "chaperone.identity/1": {
        "schema": TEXT, "organization": TEXT, "common_name": TEXT, "issuer": TEXT, "key": TEXT,
        "sha256": matches(r"[0-9a-f]{64}"), "not_before": TIME, "not_after": TIME,
        "expired": TRUTH, "file": maybe(TEXT),
    },
}


def document(line):
    """The rows that a line is held against; None for an unknown schema."""
    schema = line.get("schema")
    if schema == "chaperone.device/1" and "profiles" in line:
        schema += " of show"
    if schema == "chaperone.diff/1" and "device" in line:
        schema += " with a device"
    # What watch says of a device that came has its facts; a station's job reads them later.
    if schema == "chaperone.event/1" and (line.get("event") != "attached" or "trust" in line):
        schema = "%s %s" % (schema, line.get("event"))
        return DOCUMENTS.get(schema, DOCUMENTS["chaperone.event/1"])
    if schema == "chaperone.agent/1" and line.get("event") == "ready":
        schema += " ready"
    elif schema == "chaperone.agent/1" and "uid" in line:
        schema += " of a request"
    return DOCUMENTS.get(schema)


def is_kind(value, kind):
    if kind is SOMETHING:
        return value is not None
    if kind is TEXT:
        return isinstance(value, str)
    if kind is TRUTH:
        return isinstance(value, bool)
    if kind is NUMBER:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is OBJECT:
        return isinstance(value, dict)
    if kind is LIST:
        return isinstance(value, list)
    name, detail = kind
    if name == "one of":
        return value in detail and not isinstance(value, bool)
    return isinstance(value, str) and bool(detail.match(value))


def differences(value, kind, where, out):
    if isinstance(kind, tuple) and kind[0] == "maybe":
        if value is None:
            return
        kind = kind[1]
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            out.append("%s is no object: %r" % (where, value))
            return
        for key in kind:
            if key not in value:
                out.append("%s.%s is missing" % (where, key))
            else:
                differences(value[key], kind[key], "%s.%s" % (where, key), out)
        out.extend("%s.%s is not in the contract" % (where, k) for k in value if k not in kind)
    elif isinstance(kind, tuple) and kind[0] == "each":
        if not isinstance(value, list):
            out.append("%s is no list: %r" % (where, value))
            return
        for i, item in enumerate(value):
            differences(item, kind[1], "%s[%d]" % (where, i), out)
    elif not is_kind(value, kind):
        out.append("%s is %r" % (where, value))


# What the keys owe each other: a sentence, and when it is broken.
RULES = [
    ("the reason belongs to the verdict",
     lambda r: r["reason"] not in REASONS[r["verdict"]]),
    ("error is null exactly when the verdict is compliant",
     lambda r: (r["error"] is None) != (r["verdict"] == "compliant")),
    ("every failure has a message of one line and a hint",
     lambda r: r["error"] and (not r["error"]["message"] or "\n" in r["error"]["message"] or
                               not r["error"]["hint"] or "\n" in r["error"]["hint"])),
    ("compliant rests on present or effective, never on less",
     lambda r: r["verdict"] == "compliant" and r["truth"] not in ("present", "effective")),
    ("blocked rests on nothing better than acknowledged",
     lambda r: r["verdict"] in ("blocked", "failed") and r["truth"] in ("present", "effective")),
    ("only plan says would-",
     lambda r: any((p["action"] in PLANS[1:]) != (r["command"] == "plan") and
                   p["action"] != "none" for p in r["profiles"])),
    ("what reads changes nothing",
     lambda r: r["command"] in ("verify", "plan") and r["changed"]),
    ("a profile that is not present has no UUID and is not active",
     lambda r: any(not p["present"] and (p["uuid"] is not None or p["active"] is not False)
                   for p in r["profiles"])),
    ("the steps begin with connect",
     lambda r: r["steps"] and r["steps"][0]["name"] != "connect"),
    ("no step takes longer than the whole",
     lambda r: sum(s["ms"] for s in r["steps"]) > r["duration_ms"] + 1),
]


def problems(line):
    """Everything that is wrong with one JSON line, as sentences."""
    if isinstance(line, dict) and line.get("schema") in JUDGED_ELSEWHERE:
        return []
    rows = document(line) if isinstance(line, dict) else None
    if rows is None:
        return ["a document of no known schema: %r" % (line,)]
    out = []
    differences(line, rows, "", out)
    if not out and line.get("event") == "result":
        return problems(line["result"])
    if not out and line["schema"] == "chaperone.result/1":
        out.extend("broken: %s" % sentence for sentence, broken in RULES if broken(line))
    return out

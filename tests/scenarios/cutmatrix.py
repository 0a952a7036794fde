"""cutmatrix: every way to cut an exchange, made from the transcript of a good one

Pure: messages in, cells out, and for each cell what has to come of it. What is
expected is worked out from what the protocol means, not from what was seen:
which message carries the change, what still has to be asked after it, which keys
a verdict rests on.
"""
from bench import IMESSAGE

LINK = ("close", "unplug", "restart", "hang")
PHASES = ("before", "arriving", "unanswered", "middle", "after")
BYTES = ("garbage", "truncate", "oversized-length", "zero-length")
TLS = ("tls-alert", "tls-close")
KEYS = ("missing-key", "wrong-type")
CHANGES = ("InstallProfileSilent", "RemoveProfile", "Pair")

COMPLIANT = "compliant"
PROTOCOL, UNPLUGGED, TIMEOUT = "failed/protocol", "failed/unplugged", "failed/timeout"
LOST = "failed/usbmuxd-lost"
UNTRUSTED, LOCKED = "blocked/untrusted", "blocked/locked"
ANY_TRUTH = object()


class Message:
    """A request and its answer, or a TLS handshake."""

    def __init__(self, service, request, connection, keys):
        self.service, self.request, self.connection, self.keys = service, request, connection, keys
        self.nth = self.place = 0       # among those of its name; among all of its service
        self.is_answered_late = False   # more is asked on this connection
        self.is_followed = False        # more is asked of this device

    @property
    def is_tls(self):
        return self.request == "TLS"

    @property
    def is_of_device(self):
        """Whether the device has to be there for it."""
        return self.service != "usbmuxd" or self.request == "Connect"

    @property
    def is_of_one(self):
        """Whether it is asked for one device; a fault of any other is the bench's."""
        return self.request not in ("ListDevices", "ReadBUID")

    def __str__(self):
        return "%s/%s#%d" % (self.service, self.request, self.nth)


def messages(lines):
    """The messages of one run, in order, from its lines of the transcript."""
    found, asked = [], {}
    for line in lines:
        at = (line["service"], line["connection"], line["request"])
        if line["direction"] == "in":
            asked[at] = Message(line["service"], line["request"], at[:2], [])
            found.append(asked[at])
        elif line["request"] == "TLS":
            found.append(Message(line["service"], "TLS", at[:2], []))
        elif at in asked:
            asked[at].keys = line.get("keys", [])
    for i, m in enumerate(found):
        before, later = found[:i], found[i + 1:]
        m.nth = 1 + sum(1 for x in before if (x.service, x.request) == (m.service, m.request))
        m.place = 1 + sum(1 for x in before if x.service == m.service and not x.is_tls)
        # What was connected is used.
        m.is_answered_late = m.request == "Connect" or \
            any(x.connection == m.connection for x in later)
        m.is_followed = any(x.is_of_device for x in later)
    return found


class Cell:
    """One message of one command, and what is done to it."""

    def __init__(self, kind, exchange, message, do, phase=None, key=None):
        self.kind, self.exchange, self.message = kind, exchange, message
        self.do, self.phase, self.key = do, phase, key
        self.want, self.truth = expect(self)

    def fault(self):
        m = self.message
        where = {"at": m.service, "nth": m.place} if self.phase == "arriving" else \
            {"at": m.service, "request": m.request, "nth": m.nth}
        return dict(where, do=self.do, **{k: v for k, v in
                                          (("phase", self.phase), ("key", self.key)) if v})

    @property
    def is_silent(self):
        """It costs the whole timeout, whatever else happens."""
        return TIMEOUT in self.want

    def __str__(self):
        return "%s: %s%s at %s%s" % (self.kind, self.do, " " + self.phase if self.phase else "",
                                     self.message, ", key " + self.key if self.key else "")


def cells(kind, exchange):
    """All cells of one command."""
    for m in exchange:
        for do in LINK if m.is_of_one else ("close", "hang"):
            for phase in PHASES:
                if phase != "arriving" or (m.service != "usbmuxd" and not m.is_tls):
                    yield Cell(kind, exchange, m, do, phase)
        if m.is_tls:
            for do in ("garbage", "truncate", "tls-refuse"):
                yield Cell(kind, exchange, m, do)
            continue
        for do in BYTES + (TLS + ("lock",) if m.service != "usbmuxd" else ()):
            yield Cell(kind, exchange, m, do)
        for key in m.keys:
            if not m.is_of_one and "/" in key:
                continue                # of whatever device is the first
            for do in KEYS:
                yield Cell(kind, exchange, m, do, key=key)


# ---- what has to come of it ---------------------------------------------------------

def expect(cell):
    """(the words that are right, the truth that goes with them)."""
    words = by_link(cell) if cell.do in LINK else \
        by_lock(cell) if cell.do == "lock" else \
        by_key(cell) if cell.do in KEYS else by_bytes(cell)
    words = {words} if isinstance(words, str) else set(words)
    return words, truth(cell, words)


def truth(cell, words):
    """How far the change has come when the message is struck."""
    order = [m.request for m in cell.exchange]
    at = cell.exchange.index(cell.message)
    if cell.do == "lock":
        return "sent" if "InstallProfileSilent" in order else None
    changes = [i for i, r in enumerate(order) if r in CHANGES]
    change, last = (changes[0], changes[-1]) if changes else (None, None)
    if cell.kind == "pair" and words in ({LOCKED}, {"failed/refused"}):
        return None                     # refused, or it agrees and has stored nothing
    if cell.phase == "after":
        at += 1                         # it is the next one on its way that suffers
        while cell.message.is_of_device and at < len(order) and \
                cell.exchange[at].service == "usbmuxd":
            at += 1
        return None if change is None or at < change else \
            "sent" if at <= last else "acknowledged"
    if change is None or at < change:
        return None
    return "sent" if at <= last else "acknowledged"


def follower(cell):
    """The request after the cell's message; None: it is the last."""
    later = cell.exchange[cell.exchange.index(cell.message) + 1:]
    return later[0].request if later else None


def by_link(cell):
    m = cell.message
    if cell.phase == "after" and not (m.is_followed if cell.do in ("unplug", "restart")
                                      else m.is_answered_late):
        return COMPLIANT
    if m.service == "usbmuxd" and cell.phase in ("unanswered", "middle") and cell.do != "close":
        return TIMEOUT                  # the device leaves, and usbmuxd falls silent
    if cell.do in ("unplug", "restart"):
        return UNPLUGGED if m.is_of_device or m.is_followed else COMPLIANT
    if cell.do == "hang":
        return TIMEOUT
    if "Restrictions" in (m.request, follower(cell) if cell.phase == "after" else None):
        return COMPLIANT                # who hangs up on that question does not tell
    # After Connect it is the device that hangs up.
    return LOST if m.service == "usbmuxd" and cell.phase != "after" else PROTOCOL


def by_bytes(cell):
    m = cell.message
    if cell.do == "tls-refuse":
        # A record that is not taken: who may pair makes a new one; MCInstall is no such place.
        may_pair = cell.kind != "verify" and m.service == "lockdown"
        return COMPLIANT if may_pair and cell.kind != "pair" else UNTRUSTED
    if m.service == "usbmuxd":
        return LOST
    if m.request == "Restrictions" and cell.do in ("truncate", "tls-alert", "tls-close"):
        return COMPLIANT                # each of these ends the connection
    return PROTOCOL


def by_lock(cell):
    """Locked while it works: nothing can be paired or installed from then on."""
    order = [m.request for m in cell.exchange]
    at = cell.exchange.index(cell.message)
    return LOCKED if "Pair" in order[at:] or "InstallProfileSilent" in order[at:] else COMPLIANT


# Keys without which an answer makes no sense.
NEEDED = {
    "GetValue": ("Request", "Value"),
    "StartSession": ("Request", "SessionID", "EnableSessionSSL"),
    "StartService": ("Request", "Port", "EnableServiceSSL"),
    "Pair": ("Request", "ExtendedResponse", "ExtendedResponse/PairingChallenge"),
    "GetCloudConfiguration": ("Status",),
    "GetProfileList": ("Status", "OrderedIdentifiers", "ProfileManifest", "ProfileMetadata"),
    "Escalate": ("Status", "Challenge"),
    "Restrictions": ("Status", "GlobalRestrictions"),
}


def by_key(cell):
    m, key, is_wrong = cell.message, cell.key, cell.do == "wrong-type"
    if m.service == "usbmuxd":
        return by_usbmuxd_key(cell)
    if key in NEEDED.get(m.request, ("Status",)):
        return PROTOCOL
    if m.request == "Pair" and key == "EscrowBag":
        return PROTOCOL if is_wrong else LOCKED         # it agrees, and has stored nothing
    if m.request == "Pair" and key == "Error":
        return "failed/refused" if is_wrong else LOCKED
    if m.request == "GetValue" and key == "Value/DevicePublicKey" and is_wrong and \
            cell.kind == "pair" and m.nth == 1:
        return PROTOCOL                 # it cannot be paired with; missing, it is asked for again
    if m.request == "GetCloudConfiguration":
        return by_cloud_key(cell)
    if m.request == "GetProfileList":
        return by_list_key(cell)
    if m.request == "Restrictions":
        return by_restriction_key(cell)
    return COMPLIANT


def by_usbmuxd_key(cell):
    if cell.key in ("MessageType", "Number", "PairRecordData", "BUID", "DeviceList"):
        return LOST
    return COMPLIANT


def by_cloud_key(cell):
    key, is_wrong = cell.key, cell.do == "wrong-type"
    if key in ("CloudConfiguration", "CloudConfiguration/IsSupervised"):
        return PROTOCOL if is_wrong else "blocked/unsupervised"
    if key == "CloudConfiguration/SupervisorHostCertificates":
        return PROTOCOL if is_wrong else "blocked/foreign-supervision"
    if key == "CloudConfiguration/SupervisorHostCertificates/0":
        return PROTOCOL if is_wrong else "blocked/foreign-supervision"
    return COMPLIANT


def by_list_key(cell):
    """The list before the change decides what is done; the one after it, the verdict."""
    key, is_wrong = cell.key, cell.do == "wrong-type"
    manifest, metadata = "ProfileManifest/" + IMESSAGE, "ProfileMetadata/" + IMESSAGE
    if key == "OrderedIdentifiers/0":
        # No text; or a list that contradicts itself, which a removal takes as there.
        return COMPLIANT if cell.kind == "remove" and not is_wrong else PROTOCOL
    words = {manifest: "noncompliant/profile-inactive",
             manifest + "/IsActive": "noncompliant/profile-inactive",
             metadata: "noncompliant/profile-differs",
             metadata + "/PayloadUUID": "noncompliant/profile-differs",
             metadata + "/PayloadVersion": "noncompliant/profile-differs"}.get(key)
    if not words:
        return COMPLIANT
    if cell.kind == "verify" or cell.message.nth == 2:
        return words
    return COMPLIANT                    # it is installed again, or removed all the same


def by_restriction_key(cell):
    key, is_wrong = cell.key, cell.do == "wrong-type"
    group = "GlobalRestrictions/restrictedBool"
    if is_wrong and key.startswith("GlobalRestrictions/") and key.count("/") == 1:
        return PROTOCOL
    if is_wrong and key == group + "/allowChat":
        return PROTOCOL
    if key in (group, group + "/allowChat", group + "/allowChat/value"):
        # A run that can still act installs it again, and is told the truth then.
        return COMPLIANT if cell.kind == "apply-again" else "noncompliant/not-effective"
    return COMPLIANT

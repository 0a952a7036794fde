"""memory: looking for a private key in the memory of processes

Linux shows a process's memory as /proc/PID/mem, to root, and to its user when
it may be dumped. What is looked for are the six secret numbers of an RSA key in
both byte orders, its PEM and DER, and its passphrase.
"""
import base64
import os
import re

import bench
from bench import path

SHADOW = 1 << 40
CHUNK = 8 << 20
NUMBERS = ("d", "p", "q", "dP", "dQ", "qInv")


# ---- the key, as OpenSSL keeps it in memory ---------------------------------------

def der(data, at=0):
    """(tag, content, next) of one DER element."""
    tag, length = data[at], data[at + 1]
    at += 2
    if length & 0x80:
        n = length & 0x7F
        length, at = int.from_bytes(data[at:at + n], "big"), at + n
    return tag, data[at:at + length], at + length


def integers(data):
    out, at = [], 0
    while at < len(data):
        tag, content, at = der(data, at)
        if tag == 2:
            out.append(int.from_bytes(content, "big"))
    return out


def key_of(name):
    """The DER of a PKCS#8 RSA key in PEM, its lines, and its numbers from d on."""
    with open(path(name)) as f:
        lines = [l for l in f.read().splitlines() if not l.startswith("-----")]
    whole = base64.b64decode("".join(lines))
    outer = der(whole, 0)[1]
    at = der(outer, 0)[2]           # version
    at = der(outer, at)[2]          # algorithm
    inner = der(outer, at)[1]
    return whole, lines, dict(zip(NUMBERS, integers(der(inner)[1])[3:9]))


def needles(name="acme.key"):
    """What must not be found: the key in both byte orders and as text, and the passphrase."""
    whole, lines, numbers = key_of(name)
    out = {"passphrase": bench.PASSPHRASE.encode(), "DER": whole[-64:],
           "PEM": lines[len(lines) // 2].encode()}
    for what, number in numbers.items():
        size = (number.bit_length() + 7) // 8
        out["%s, little endian" % what] = number.to_bytes(size, "little")[:32]
        out["%s, big endian" % what] = number.to_bytes(size, "big")[-32:]
    return out


def in_use():
    """The names of the needles that whoever signs cannot be without."""
    return {"%s, little endian" % what for what in NUMBERS}


def holds(pid, wanted):
    """Names of the needles in a process's writable memory; None: not ours to read."""
    found = set()
    try:
        with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
            for line in maps:
                m = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
                if not m or line.rstrip().endswith("[vvar]"):
                    continue
                at, end = int(m.group(1), 16), int(m.group(2), 16)
                # Only the shadow of a sanitizer is that large: flags, no content.
                if end - at > SHADOW:
                    continue
                while at < end:
                    try:
                        mem.seek(at)
                        chunk = mem.read(min(CHUNK, end - at))
                    except OSError:
                        break
                    if not chunk:
                        break
                    found.update(n for n, bytes_ in wanted.items() if bytes_ in chunk)
                    at += len(chunk)
    except OSError:
        return None
    return found


def read(pid, what):
    try:
        with open("/proc/%d/%s" % (pid, what), "rb") as f:
            return f.read()
    except OSError:
        return None

#!/usr/bin/env python3
"""--usbip: the program's devices as USB devices, plugged and pulled on the control socket

A computer's side of USB/IP, as short as it can be; tests/sim has the details of
the protocols, tests/system the real ones.
"""
import socket
import struct

import bench
from bench import device

LIST, IMPORT = 0x05, 0x03
BUSID = 32
DEVICE_LEN, INTERFACE_LEN = 312, 4
SUBMIT = 1


def receive(s, n):
    said = b""
    while len(said) < n:
        more = s.recv(n - len(said))
        if not more:
            raise EOFError(said)
        said += more
    return said


class Computer:
    """Asks the server at the port; after attach() it is the USB host of a device."""

    def __init__(self, port):
        self.port, self.seq = port, 0

    def ask(self, code, more=b""):
        s = socket.create_connection(("127.0.0.1", self.port), bench.ANSWER_SECONDS)
        s.sendall(struct.pack(">HHI", 0x0111, 0x8000 | code, 0) + more)
        _, got, status = struct.unpack(">HHI", receive(s, 8))
        return s, got, status

    def listed(self):
        s, _, _ = self.ask(LIST)
        with s:
            names = []
            for _ in range(struct.unpack(">I", receive(s, 4))[0]):
                entry = receive(s, DEVICE_LEN)
                names.append(entry[256:256 + BUSID].rstrip(b"\0").decode())
                receive(s, INTERFACE_LEN * entry[-1])
            return names

    def attach(self, busid):
        """The status; the cable is self.cable when it is 0."""
        self.cable, _, status = self.ask(IMPORT, busid.encode().ljust(BUSID, b"\0"))
        if status == 0:
            receive(self.cable, DEVICE_LEN)
        return status

    def transfer(self, endpoint, data=b"", length=0, setup=bytes(8)):
        """One transfer, and its end: what came in."""
        self.seq += 1
        is_in = 0 if data or not length else 1
        self.cable.sendall(struct.pack(">IIIIIIIIII", SUBMIT, self.seq, 0, is_in, endpoint, 0,
                                       length or len(data), 0, 0, 0) + setup + data)
        head = struct.unpack(">IIIIIiI", receive(self.cable, 48)[:28])
        if head[5] != 0:
            raise EOFError("status %d" % head[5])
        return receive(self.cable, head[6]) if is_in else b""

    def mux_version(self):
        """What the device answers to a usbmuxd that speaks version 2."""
        self.transfer(0, setup=bytes([0, 9, 4, 0, 0, 0, 0, 0]))
        self.transfer(4, struct.pack(">IIIII", 0, 20, 2, 0, 0))
        return struct.unpack(">IIIII", self.transfer(5, length=16384))[2]

    def is_pulled(self):
        try:
            while self.cable.recv(4096):
                pass
            return True
        except ConnectionError:
            return True
        except TimeoutError:
            return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    s = bench.begin("usbip")
    port = free_port()
    devices = [device("new"), device("old", mux_version=1), device("away", unplugged=True)]
    with bench.Bench(devices, options=["--usbip", "127.0.0.1:%d" % port]) as b:
        s.topic("list")
        s.equal("those that are plugged in", Computer(port).listed(), ["1-1", "1-2"])
        b.tell("plug", "away")
        s.equal("and one more after plug", Computer(port).listed(), ["1-1", "1-2", "1-3"])
        b.tell("unplug", "away")
        s.check("none that is not there can be attached", Computer(port).attach("1-3") != 0)

        s.topic("the mux")
        for name, busid, version in (("new", "1-1", 2), ("old", "1-2", 1)):
            c = Computer(port)
            s.equal("%s is attached" % name, c.attach(busid), 0)
            s.equal("  and speaks version %d" % version, c.mux_version(), version)
            s.check("  is nobody else's meanwhile", Computer(port).attach(busid) != 0)
            s.check("  nor in the list", busid not in Computer(port).listed())
            b.tell("unplug", name)
            s.check("  unplug pulls the cable", c.is_pulled())
            b.tell("plug", name)
            s.equal("  plugged in again, attached again", Computer(port).attach(busid), 0)
    s.end()


main()

"""demo: the page's server without a station, for the tests of this folder

Starts web-demo of this build, tells it what to show, and asks it in raw HTTP,
so that a request can be as wrong as a test wants it.
"""
import json
import os
import select
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenarios"))
import bench  # noqa: E402

PROGRAM = os.path.abspath("web-demo")


def absent():
    """The program was built without libmicrohttpd, or not at all."""
    if not os.access(PROGRAM, os.X_OK):
        return "no web-demo here"
    done = subprocess.run([PROGRAM, "nowhere"], capture_output=True, text=True, check=False)
    return "built without the page" if "without the page" in done.stderr else None


class Answer:
    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        first = lines[0].split(" ", 2)
        self.status = int(first[1]) if first[0].startswith("HTTP/") else None
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.raw = data

    def __repr__(self):
        return "%s %s %r" % (self.status, self.headers, self.body[:200])


class Demo:
    """options are those of web-demo; address is where it listens."""

    def __init__(self, *options, address="127.0.0.1:0"):
        # What a sanitizer keeps of freed memory is not the program's.
        env = bench.environment()
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        self.process = subprocess.Popen([PROGRAM, *options, address], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=env)
        bench._children.append(self.process)
        said = self.process.stdout.readline().split()
        if not said:
            raise bench.Refused("no web-demo: %s" % self.process.stderr.read())
        self.address, self.is_exposed = said[0], "exposed" in said
        self.host, _, port = self.address.rpartition(":")
        self.port = int(port)
        self.boards = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        code = self.process.wait(bench.ANSWER_SECONDS)
        errors = self.process.stderr.read()
        bench.suite.quiet("web-demo ends cleanly", code == 0 and not errors,
                          "exit code %s\n%s" % (code, errors))

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def publish(self, **keys):
        self.boards += 1
        return self.tell(json.dumps(dict({"schema": "chaperone.board/1", "n": self.boards}, **keys)))

    def descriptors(self):
        return sorted(int(n) for n in os.listdir("/proc/%d/fd" % self.process.pid))

    def connect(self, source=None, receive_buffer=None):
        family = socket.AF_INET6 if self.host.startswith("[") else socket.AF_INET
        s = socket.socket(family)
        s.settimeout(bench.ANSWER_SECONDS)
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            s.bind((source, 0))
        s.connect((self.host.strip("[]"), self.port))
        return s

    def ask_raw(self, request):
        with self.connect() as s:
            s.sendall(request)
            return Answer(rest(s))

    def ask(self, path, *headers, method="GET", host=None):
        """headers are lines; host: None is the address, "" leaves the line out."""
        lines = ["%s %s HTTP/1.1" % (method, path)]
        if host != "":
            lines.append("Host: " + (host or self.address))
        return self.ask_raw(("\r\n".join(lines + list(headers)) + "\r\n\r\n").encode("latin-1"))

    def stream(self, **connect):
        s = self.connect(**connect)
        s.sendall(("GET /events HTTP/1.1\r\nHost: %s\r\n\r\n" % self.address).encode())
        return Stream(s)


def rest(s):
    """What comes until the end; a connection that is cut ends too."""
    data = b""
    while True:
        try:
            more = s.recv(1 << 16)
        except ConnectionError:
            return data
        if not more:
            return data
        data += more


class Stream:
    """A stream of events, read as they come."""

    def __init__(self, s):
        self.socket = s
        self.data = b""         # of the connection
        self.text = b""         # without head and chunks
        self.head = None
        self.ended = False

    def close(self):
        self.socket.close()

    def _read(self):
        try:
            more = self.socket.recv(1 << 16)
        except ConnectionError:
            more = b""
        self.ended = not more
        self.data += more
        if self.head is None and b"\r\n\r\n" in self.data:
            head, _, self.data = self.data.partition(b"\r\n\r\n")
            self.head = Answer(head + b"\r\n\r\n")
        while self.head is not None and self._read_chunk():
            pass

    def _read_chunk(self):
        line, found, after = self.data.partition(b"\r\n")
        if not found or len(after) < int(line, 16) + 2:
            return False
        size = int(line, 16)
        self.text += after[:size]
        self.data = after[size + 2:]
        return size > 0

    def event(self):
        """The next one as a dictionary of its fields; None at the end."""
        while b"\n\n" not in self.text:
            if self.ended:
                return None
            self._read()
        one, _, self.text = self.text.partition(b"\n\n")
        return dict(line.split(": ", 1) for line in one.decode().split("\n"))

    def status(self):
        while self.head is None and not self.ended:
            self._read()
        return self.head.status if self.head else None

    def next(self, name, wanted=lambda data: True):
        """The data of the next event of this name that is wanted."""
        while True:
            event = self.event()
            if event is None:
                return None
            if event.get("event") == name and wanted(json.loads(event["data"])):
                return json.loads(event["data"])

    def has_more(self):
        return bool(select.select([self.socket], [], [], 0)[0])

"""bench: a virtual bench and the client run against it, for the scenarios

A scenario file starts one Bench with the devices of all its rows, runs the
client on one device after the other, and says what it checked. Everything here
has a deadline, nothing sleeps: what must become true is asked for again until
its time is over. No network, no root, no device, no order between files.

From the environment: CHAPERONE and VBENCH, the two programs; without them the
ones in the current folder.
"""
import atexit
import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import shape

CHAPERONE = os.path.abspath(os.environ.get("CHAPERONE", "./chaperone"))
VBENCH = os.path.abspath(os.environ.get("VBENCH", "./chaperone-vbench"))
# Sanitizers make everything several times slower.
SLOW = float(os.environ.get("SCENARIO_SLOWNESS", "1"))
FILE_SECONDS = 240 * SLOW       # for a whole test file
READY_SECONDS = 60 * SLOW       # for the bench, which makes keys first
RUN_SECONDS = 60 * SLOW         # for one run of the client
ANSWER_SECONDS = 20 * SLOW      # for one answer of the bench

SKIPPED = 77
# Devices' keys: made by the first bench, kept for all that follow.
KEYS = os.path.abspath("vbench-keys.pem")
IMESSAGE = "org.chaperone.preset.imessage-off"
PASSPHRASE = "correct horse battery staple"
NO_ESCAPES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
SANITIZERS = re.compile(r"Sanitizer|runtime error:")


# ---- counting ---------------------------------------------------------------

class Suite:
    """What one test file checked. A check is a sentence that holds or does not."""

    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.failures = []
        self.prefix = ""
        signal.signal(signal.SIGALRM, self._too_late)
        signal.alarm(int(FILE_SECONDS))

    def _too_late(self, *_):
        self.check("the file ends within %d seconds" % FILE_SECONDS, False)
        self.end()

    def topic(self, text):
        print("\n# %s" % text, flush=True)

    def check(self, sentence, holds, detail=""):
        sentence = self.prefix + sentence
        if holds:
            self.passed += 1
            print("ok    %s" % sentence, flush=True)
        else:
            self.failures.append(sentence)
            print("FAIL  %s" % sentence, flush=True)
            if detail != "":
                print("      %s" % str(detail).replace("\n", "\n      "), flush=True)
        return bool(holds)

    def equal(self, sentence, got, want):
        return self.check(sentence, got == want, "got  %r\nwant %r" % (got, want))

    def within(self, sentence, seconds, limit):
        return self.check(sentence, seconds <= limit * max(1, SLOW),
                          "took %.2f s, may take %.2f s" % (seconds, limit))

    def has(self, sentence, text, part):
        return self.check(sentence, part in text, "%r is not in\n%s" % (part, text))

    def quiet(self, sentence, holds, detail=""):
        """A check that everything goes through: only worth a line when it fails."""
        if holds:
            self.passed += 1
        else:
            self.check(sentence, False, detail)
        return bool(holds)

    def end(self):
        signal.alarm(0)
        told = leaks()
        self.quiet("no secret in ledgers, transcripts, logs and what was printed", not told, told)
        for failure in self.failures:
            print("\nfailed: %s" % failure, end="")
        print("\n%s: %d checks passed, %d failed" % (self.name, self.passed, len(self.failures)),
              flush=True)
        clean_up()
        os._exit(1 if self.failures or not self.passed else 0)


suite = None


def begin(name):
    """Every file's first line of action; returns its suite."""
    global suite
    suite = Suite(name)
    for program in (CHAPERONE, VBENCH):
        if not os.access(program, os.X_OK):
            print("%s is not there" % program)
            sys.exit(SKIPPED)
    return suite


# ---- leaving nothing behind ---------------------------------------------------

_folder = None
_children = []


def folder():
    """A private folder with a short path, for sockets have short paths."""
    global _folder
    if not _folder:
        _folder = tempfile.mkdtemp(prefix="cs-", dir="/tmp")
    return _folder


def path(name):
    return os.path.join(folder(), name)


def write(name, content, mode=0o600):
    with open(path(name), "wb") as out:
        out.write(content if isinstance(content, bytes) else content.encode())
    os.chmod(path(name), mode)
    return path(name)


def clean_up():
    for child in _children:
        if child.poll() is None:
            child.kill()
            child.wait()
    _children.clear()
    if _folder:
        shutil.rmtree(_folder, ignore_errors=True)


atexit.register(clean_up)
_libc = ctypes.CDLL(None)


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(child) for child in f.read().split()]
    except OSError:
        return []


def family(pid):
    """The process and all its descendants."""
    return [pid] + [member for child in children(pid) for member in family(child)]


def until(condition, seconds=ANSWER_SECONDS):
    """Asks again until it is true; the last answer."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer or time.monotonic() > end:
            return answer
        select.select([], [], [], 0.01)


# ---- the bench ------------------------------------------------------------------

def device(name, **keys):
    """One entry of a scenario's devices; allow_pairing stands for allow-pairing."""
    return dict({"name": name}, **{k.replace("_", "-"): v for k, v in keys.items()})


def ours(name, **keys):
    """Supervised by Acme and paired with this host, unless keys say otherwise."""
    return device(name, **dict({"supervised_by": ACME, "paired": True}, **keys))


def fault(do, **keys):
    return dict({"do": do}, **{k.replace("_", "-"): v for k, v in keys.items()})


ACME = {"organization": "Acme", "certificate": "acme.crt"}
OTHER = {"organization": "Other GmbH", "certificate": "other.crt"}


class Refused(Exception):
    """The bench did not do what it was told."""


class Bench:
    """A running chaperone-vbench. devices is a list, or a scenario as text."""
    count = 0

    def __init__(self, devices, faults=(), socket=None, options=()):
        Bench.count += 1
        make_identities()
        self.id = "%d" % Bench.count
        self.socket, self.control = socket or path("m" + self.id), path("c" + self.id)
        self.transcript_path = path("t" + self.id)
        self.seen = 0
        text = devices
        if not isinstance(devices, str):
            # JSON is YAML, but for raw control characters and pairs of surrogates.
            text = json.dumps({"devices": list(devices), "faults": list(faults)}, indent=1,
                              ensure_ascii=False)
            text = "".join(c if c.isprintable() or c == "\n" else "\\u%04x" % ord(c) for c in text)
        scenario = write("s%s.yaml" % self.id, text)
        self.errors = open(path("e" + self.id), "w+b")
        self.process = subprocess.Popen(
            [VBENCH, "--socket", self.socket, "--control", self.control, "--scenario", scenario,
             "--transcript", self.transcript_path, "--keys", KEYS] + list(options),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, env=environment(),
            preexec_fn=_die_with_parent)
        _children.append(self.process)
        self._wait_for_ready()
        self.udids = {d["name"]: d["udid"] for d in self.state()["devices"]}

    def _wait_for_ready(self):
        end, said = time.monotonic() + READY_SECONDS, b""
        while b"\n" not in said and time.monotonic() < end:
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                more = os.read(self.process.stdout.fileno(), 4096)
                if not more:
                    break
                said += more
        if said != b"ready\n":
            raise Refused("no bench: %r %s" % (said, self.complaints()))

    def complaints(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.kill()

    def stop(self):
        """Ends it as an operator would; it must have had nothing to complain about."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(ANSWER_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            suite.quiet("the bench ends cleanly", self.process.returncode == 0,
                        "exit code %s\n%s" % (self.process.returncode, self.complaints()))
        suite.quiet("the bench has no complaints", not self.complaints(), self.complaints())

    def kill(self):
        self.process.kill()
        self.process.wait()

    # What a hand would do -------------------------------------------------------

    def tell(self, command, name=None, **keys):
        """One command of the control socket; its answer."""
        message = dict({"command": command},
                       **{k.replace("_", "-"): v for k, v in keys.items()})
        if name:
            message["device"] = self.udids[name]
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(ANSWER_SECONDS)
            s.connect(self.control)
            s.sendall(json.dumps(message).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                more = s.recv(1 << 20)
                if not more:
                    raise Refused("%s: the bench hung up" % message)
                answer += more
        answer = json.loads(answer)
        if not answer.get("ok"):
            raise Refused("%s: %s" % (message, answer.get("error")))
        return answer

    def wait(self, condition, name=None, **keys):
        patience = {"timeout-ms": "%d" % (1000 * ANSWER_SECONDS - 1000)}
        return self.tell("wait", name, **dict(patience, **keys, **{"for": condition}))

    def state(self, name=None):
        return self.tell("state", name)["device" if name else "bench"]

    def profiles(self, name):
        """Identifier to what the device itself keeps of the profile."""
        return {p["identifier"]: p for p in self.state(name)["profiles"]}

    def record(self, udid, content=None):
        """Stores a pair record as usbmuxd's client; None deletes it."""
        import plistlib
        message = {"MessageType": "DeletePairRecord" if content is None else "SavePairRecord",
                   "PairRecordID": udid}
        if content is not None:
            message["PairRecordData"] = content
        return self._mux(plistlib, message)

    def read_record(self, udid):
        import plistlib
        answer = self._mux(plistlib, {"MessageType": "ReadPairRecord", "PairRecordID": udid})
        return answer.get("PairRecordData")

    def _mux(self, plistlib, message):
        import struct
        body = plistlib.dumps(message)
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(ANSWER_SECONDS)
            s.connect(self.socket)
            s.sendall(struct.pack("<IIII", 16 + len(body), 1, 8, 1) + body)
            answer = b""
            while len(answer) < 4 or len(answer) < struct.unpack("<I", answer[:4])[0]:
                more = s.recv(65536)
                if not more:
                    raise Refused("usbmuxd hung up")
                answer += more
        return plistlib.loads(answer[16:])

    # What was said -------------------------------------------------------------

    def mark(self):
        """From here on requests() and counters() count."""
        self.tell("reset-counters")
        self.seen = self._transcript_size()

    def _transcript_size(self):
        return os.path.getsize(self.transcript_path) if os.path.exists(self.transcript_path) else 0

    def requests(self, name=None):
        """Requests since mark(), as service/request, those of usbmuxd included."""
        self.state()    # whatever came before it is written by now
        with open(self.transcript_path, "rb") as f:
            f.seek(self.seen)
            lines = [json.loads(line) for line in f]
        return ["%s/%s" % (line["service"], line["request"]) for line in lines
                if line["direction"] == "in" and
                (not name or line["device"] in (None, self.udids[name]))]

    def asked(self, name):
        """The same without usbmuxd: what the device itself was asked."""
        return [r for r in self.requests(name) if not r.startswith("usbmuxd/")]

    def counters(self, name=None):
        return self.state(name)["counters"]

    # The client ------------------------------------------------------------------

    def run(self, *args, **more):
        return Run(args, dict({"USBMUXD_SOCKET_ADDRESS": "UNIX:" + self.socket},
                              **more.pop("env", {})), **more)

    def start(self, *args, **more):
        return Run(args, dict({"USBMUXD_SOCKET_ADDRESS": "UNIX:" + self.socket},
                              **more.pop("env", {})), wait=False, **more)

    def on(self, name, command, *args, **more):
        """The command on one device, as JSON; its result is .result."""
        return self.run(command, "-u", self.udids[name], "--json", *args, **more)


# ---- the client -------------------------------------------------------------------

def environment(extra=()):
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": folder(), "TZ": "UTC",
           "XDG_STATE_HOME": folder()}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    env.update(extra)
    return env


def is_utf8(said):
    try:
        said.decode()
    except UnicodeDecodeError:
        return False
    return True


class Run:
    """One run of the client. What holds for every run is checked here."""

    def __init__(self, args, env=(), wait=True, stdin=subprocess.DEVNULL, seconds=RUN_SECONDS,
                 **popen):
        self.args = [str(a) for a in args]
        self.began = time.monotonic()
        self.limit = seconds
        self.out_file, self.err_file = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [CHAPERONE] + self.args, stdin=stdin, stdout=self.out_file, stderr=self.err_file,
            env=environment(env), cwd=folder(), preexec_fn=_die_with_parent, **popen)
        _children.append(self.process)
        if wait:
            self.finish()

    @property
    def pid(self):
        return self.process.pid

    def so_far(self):
        """stdout and stderr of a run that still runs."""
        def read(f):
            return os.pread(f.fileno(), 1 << 24, 0).decode(errors="replace")
        return read(self.out_file), read(self.err_file)

    def wait_for(self, text):
        """Until the text is said on stderr or stdout."""
        return until(lambda: any(text in said for said in self.so_far()) or
                     self.process.poll() is not None)

    def signal(self, number):
        self.process.send_signal(number)

    def wait_for_end(self):
        """The exit code; None when it had to be killed."""
        try:
            return self.process.wait(self.limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def finish(self):
        self.code = self.wait_for_end()
        self.seconds = time.monotonic() - self.began
        self.out, self.err = self.so_far()
        self.is_utf8 = all(is_utf8(os.pread(f.fileno(), 1 << 24, 0))
                           for f in (self.out_file, self.err_file))
        self.out_file.close()
        self.err_file.close()
        self.lines = []
        if "--json" in self.args:
            self._read_lines()
        self._check_always()
        return self

    def _read_lines(self):
        for line in self.out.splitlines():
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                suite.check("%s: stdout is JSON Lines and nothing else" % self, False, line)

    def _check_always(self):
        suite.quiet("%s: ends by itself, and not by a signal" % self,
                    self.code is not None and self.code >= 0,
                    "%s\n%s%s" % (self.code, self.out, self.err))
        suite.quiet("%s: what is said is UTF-8" % self, self.is_utf8, self.all())
        suite.quiet("%s: no sanitizer speaks" % self, not SANITIZERS.search(self.err), self.err)
        for what, text in (("stdout", self.out), ("stderr", self.err)):
            bad = NO_ESCAPES.search(text)
            suite.quiet("%s: no control character on %s" % (self, what), not bad,
                        bad and "%r in %r" % (bad.group(), text[max(0, bad.start() - 40):][:80]))
            told = [s for s in secrets() if s in text]
            suite.quiet("%s: no secret on %s" % (self, what), not told, told)
        for line in self.lines:
            wrong = shape.problems(line)
            suite.quiet("%s: %s is as cli.md says" % (self, line.get("schema")), not wrong,
                        "\n".join(wrong) + "\n" + json.dumps(line))

    @property
    def result(self):
        """The one JSON line; {} when there is none or more."""
        return self.lines[0] if len(self.lines) == 1 else {}

    def word(self):
        """verdict/reason, and the exit code: 'blocked/locked 2'."""
        r = self.result
        reason = r.get("reason")
        return "%s%s %s" % (r.get("verdict"), "/" + reason if reason else "", self.code)

    def all(self):
        return "exit %s\n%s%s" % (self.code, self.out, self.err)

    def __str__(self):
        return "chaperone " + " ".join(a.replace(folder(), "") for a in self.args)


def run(*args, **more):
    """The client without any usbmuxd."""
    env = dict({"USBMUXD_SOCKET_ADDRESS": "UNIX:" + path("nobody")}, **more.pop("env", {}))
    return Run(args, env, **more)


# ---- identities ---------------------------------------------------------------------

_secrets = []
_der = []       # in hexadecimal; to be found as bytes too


def secrets():
    return _secrets


def _note_key(pem):
    """Lines of a key's base64, and of its DER as other encodings show it."""
    import base64
    lines = [l for l in pem.splitlines() if l and not l.startswith("-----")]
    der = base64.b64decode("".join(lines))
    # The modulus is public: a seal holds it, in the same base64 when its length falls so.
    private = max(0, der.find(b"\x02\x03\x01\x00\x01"))
    _secrets.extend(l for i, l in enumerate(lines) if len(l) >= 32 and 48 * i >= private)
    _der.append(der[-48:].hex())
    _secrets.append(_der[-1])


# What is searched in the end: ledgers, what the benches and the clients wrote down.
KEPT = re.compile(r"^([te]\d+|.*\.(log|txt|json|jsonl|html|db|sqlite|ledger)(-wal|-shm)?|.*ledger.*)$")


def leaks():
    """Files of this run, and its own output, that hold one of the secrets: their names."""
    files = [os.path.join(at, name) for at, _, names in os.walk(folder()) for name in names
             if KEPT.match(name)]
    printed = os.readlink("/proc/self/fd/1")
    if os.path.isfile(printed):
        files.append(printed)
    wanted = [s.encode() for s in secrets()] + [bytes.fromhex(s) for s in _der]
    found = []
    for name in files:
        try:
            with open(name, "rb") as f:
                content = f.read()
        except OSError:     # a socket, or gone
            continue
        found += [name for secret in wanted if secret in content]
    return found


def make_identities():
    """acme.p12 (with pw), acme.pem (in clear), acme.crt, and the same for other."""
    if os.path.exists(path("acme.crt")):
        return
    write("pw", PASSPHRASE + "\n")
    _secrets.append(PASSPHRASE)
    for name, organization in (("acme", "Acme"), ("other", "Other GmbH")):
        made = run("identity", "create", "--organization", organization, "--no-encryption",
                   "-o", path(name + ".pem"))
        if made.code != 0:
            raise Refused(made.all())
        with open(path(name + ".pem")) as f:
            pem = f.read()
        parts = re.findall(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----\n", pem, re.S)
        if len(parts) != 2:
            raise Refused("an identity of %s" % parts)
        for match in re.finditer(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----\n", pem, re.S):
            if match.group(1) == "CERTIFICATE":
                write(name + ".crt", match.group(0), 0o644)
            else:
                write(name + ".key", match.group(0))
                _note_key(match.group(0))
    made = run("identity", "export", "-i", path("acme.pem"), "--out-passphrase-file", path("pw"),
               "-o", path("acme.p12"))
    if made.code != 0:
        raise Refused(made.all())


def identity(name="acme"):
    """The options for an identity whose key is in clear, which is the quickest."""
    return ["-i", path(name + ".pem")]


def locked_identity():
    """The options for the one behind a passphrase."""
    return ["-i", path("acme.p12"), "--passphrase-file", path("pw")]


def openssl(*args):
    """Runs openssl(1) in the folder; None when there is none."""
    if not shutil.which("openssl"):
        return None
    done = subprocess.run(["openssl"] + list(args), cwd=folder(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=RUN_SECONDS)
    return done.returncode == 0


# ---- a terminal -----------------------------------------------------------------------

class Terminal:
    """The client on a terminal of its own: stdin, stdout, stderr and /dev/tty are it.

    answers: (what is prompted, what is typed then), in order.
    """

    def __init__(self, args, env=(), answers=(), seconds=RUN_SECONDS, columns=100, stdout=None):
        import fcntl
        import pty
        import struct
        import termios
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))

        def begin_session():
            _die_with_parent()
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        process = subprocess.Popen(
            [CHAPERONE] + [str(a) for a in args], stdin=theirs,
            stdout=theirs if stdout is None else stdout, stderr=theirs,
            env=environment(dict({"TERM": "xterm"}, **dict(env))), cwd=folder(),
            preexec_fn=begin_session)
        _children.append(process)
        os.close(theirs)
        self.raw = self._talk(ours, list(answers), time.monotonic() + seconds)
        os.close(ours)
        self.code = process.wait(ANSWER_SECONDS)
        # What a terminal makes of it: \r\n are lines.
        self.text = self.raw.decode(errors="replace").replace("\r\n", "\n")
        self.plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", self.text)
        told = [s for s in secrets() if s in self.text]
        suite.quiet("chaperone %s on a terminal: no secret is shown" % args[0], not told, told)

    @staticmethod
    def _talk(fd, answers, end):
        said = b""
        while time.monotonic() < end:
            if not select.select([fd], [], [], 0.2)[0]:
                continue
            try:
                more = os.read(fd, 65536)
            except OSError:     # the other side is closed
                break
            if not more:
                break
            said += more
            if answers and answers[0][0].encode() in said:
                os.write(fd, answers.pop(0)[1].encode())
        return said

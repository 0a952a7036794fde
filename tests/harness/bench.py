"""bench: a chaperone-vbench of one's own, the programs to point at it, and rows to run.

Shared by the tests that are scripts. Standard library only. Programs are taken
from the build folder, which is where make check runs.
"""

import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

BUILD = Path(os.environ.get("CHAPERONE_BUILD", os.getcwd())).resolve()
SOURCE = Path(__file__).resolve().parents[2]
SKIPPED = 77
PATIENCE_S = 60
PASSPHRASE = "correct horse"
PRESET = "org.chaperone.preset.imessage-off"
GO_IOS = "node_modules/go-ios/dist/go-ios-linux-amd64_linux_amd64/ios"


class Refused(Exception):
    """The bench answered a command with ok: false."""


class Program:
    """What a command did: exit code and texts; it has ended."""

    def __init__(self, argv, done):
        self.argv = [str(word) for word in argv]
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def json_lines(self):
        return [json.loads(line) for line in self.out.splitlines() if line.startswith(("{", "["))]

    def must(self, code=0):
        assert self.code == code, (
            f"{' '.join(self.argv)}: exit {self.code}, not {code}\n{self.out}{self.err}")
        return self


def program(name):
    """A program of this build."""
    return str(BUILD / name)


def run(argv, env=None):
    """Runs argv to its end, without standard input; a hang is an error."""
    done = subprocess.run([str(word) for word in argv], env=env, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", timeout=PATIENCE_S, check=False)
    return Program(argv, done)


def find_go_ios():
    """GO_IOS, else what npm install --ignore-scripts go-ios left here, else PATH; or None."""
    named = os.environ.get("GO_IOS")
    if named:
        return shutil.which(named)
    for folder in (SOURCE, BUILD, BUILD.parent):
        if os.access(folder / GO_IOS, os.X_OK):
            return str(folder / GO_IOS)
    return shutil.which("ios")


class Bench:
    """A running chaperone-vbench; use it as a context manager.

    options: words of its command line. organization: None for devices without
    supervision. Everything lives in self.folder and goes with it.
    """

    def __init__(self, *options, organization="Acme", scenario=None):
        # A socket's path has little room: the folder is made where paths are short.
        self.folder = Path(tempfile.mkdtemp(prefix="chaperone-", dir="/tmp"))
        self.mux = self.folder / "mux"
        self.control = self.folder / "control"
        self.transcript = self.folder / "transcript"
        self.identity = self.folder / "identity.p12"
        self.old_identity = self.folder / "old.p12"
        self.passphrase = self.folder / "passphrase"
        self.certificate = self.folder / "identity.crt"
        self.options = list(options)
        self.organization = organization
        self.scenario = scenario
        self.process = None
        self.link = None

    def __enter__(self):
        try:
            self.make_identity()
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- life

    def make_identity(self):
        self.passphrase.write_text(PASSPHRASE + "\n")
        self.passphrase.chmod(0o600)
        run([program("chaperone"), "identity", "create", "--organization",
            self.organization or "Acme", "-o", self.identity,
            "--passphrase-file", self.passphrase]).must()
        run(["openssl", "pkcs12", "-in", self.identity, "-passin", f"file:{self.passphrase}",
            "-nokeys", "-out", self.certificate]).must()
        # go-ios 1.2.0 signs with what golang.org/x/crypto/pkcs12 reads: SHA-1, 3DES.
        pem = self.folder / "identity.pem"
        run([program("chaperone"), "identity", "export", "-i", self.identity,
            "--passphrase-file", self.passphrase, "--no-encryption", "-o", pem]).must()
        run(["openssl", "pkcs12", "-export", "-in", pem, "-out", self.old_identity,
            "-passout", f"file:{self.passphrase}", "-macalg", "sha1",
            "-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES"]).must()
        self.old_identity.chmod(0o600)

    def start(self):
        argv = [program("chaperone-vbench"), "--socket", self.mux, "--control", self.control,
            "--transcript", self.transcript, *self.options]
        if self.organization:
            argv += ["--supervised-by", f"{self.organization}={self.certificate}"]
        if self.scenario:
            path = self.folder / "scenario.yaml"
            path.write_text(self.scenario)
            argv += ["--scenario", path]
        self.process = subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        if not readable or not self.process.stdout.readline().startswith("ready"):
            self.process.kill()
            raise RuntimeError(f"the bench does not start: {self.process.communicate()[1]}")
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(PATIENCE_S)
        self.link.connect(str(self.control))
        self.lines = self.link.makefile("r")

    def stop(self):
        if self.link:
            self.link.close()
        try:
            if self.process:
                self.process.terminate()
                _, said = self.process.communicate(timeout=PATIENCE_S)
                if self.process.returncode != 0:
                    raise RuntimeError(f"the bench ended with {self.process.returncode}: {said}")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- asking it

    def ctl(self, command, device=None, **more):
        """One command on the control socket; Python names get their hyphens."""
        words = {key.replace("_", "-").rstrip("-"): value for key, value in more.items()}
        if device is not None:
            words["device"] = str(device)
        self.link.sendall((json.dumps({"command": command, **words}) + "\n").encode())
        answer = json.loads(self.lines.readline())
        if not answer["ok"]:
            raise Refused(answer.get("error"))
        return answer

    def state(self, device=1):
        return self.ctl("state", device)["device"]

    def profiles(self, device=1):
        return [entry["identifier"] for entry in self.state(device)["profiles"]]

    def counters(self):
        answer = self.ctl("counters")
        return {"mux-commands": answer["mux-commands"], **answer["counters"]}

    def forget_profiles(self):
        for device in self.ctl("state")["bench"]["devices"]:
            for entry in device["profiles"]:
                self.ctl("remove", device["position"], profile=entry["identifier"])

    def requests(self, since=0):
        """What was asked, as "service request", after the first since lines."""
        entries = [json.loads(line) for line in self.transcript.read_text().splitlines()]
        return [f"{entry['service']} {entry['request']}" for entry in entries[since:]
            if entry["direction"] == "in"]

    def mark(self):
        """For requests(): how long the transcript is now."""
        self.ctl("counters")
        return len(self.transcript.read_text().splitlines())

    # ---- programs that speak to it

    def env(self, address=None):
        env = {key: value for key, value in os.environ.items()
            if not key.startswith(("CHAPERONE_", "USBMUXD_"))}
        return {**env, "USBMUXD_SOCKET_ADDRESS": address or f"UNIX:{self.mux}",
            "XDG_CONFIG_HOME": str(self.folder), "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}

    def run(self, *argv):
        """A program that finds usbmuxd as libusbmuxd does."""
        return run(argv, self.env())

    def chaperone(self, *words):
        return self.run(program("chaperone"), *words)

    def as_us(self, *words):
        """chaperone with the supervision identity of this bench."""
        return self.chaperone(*words, "-i", self.identity, "--passphrase-file", self.passphrase)

    def preset_profile(self):
        """The preset as a file, the bytes that chaperone apply installs here."""
        path = self.folder / "preset.mobileconfig"
        path.write_text(run([program("preset-profile"), "imessage-off",
            self.organization]).must().out)
        return path

    def removable_profile(self):
        """The same for a person to remove, which makes another profile of it."""
        path = self.folder / "removable.mobileconfig"
        path.write_text(run([program("preset-profile"), "--removable", "imessage-off",
            self.organization]).must().out)
        return path


class Place:
    """One device of the bench, taken by one row."""

    def __init__(self, bench, position):
        self.bench = bench
        self.position = position
        self.udid = bench.state(position)["udid"]
        self.begun = bench.mark()

    def state(self):
        return self.bench.state(self.position)

    def ctl(self, command, **more):
        return self.bench.ctl(command, self.position, **more)

    def profiles(self):
        return self.bench.profiles(self.position)

    def tool(self, name, *words):
        """One of libimobiledevice's tools."""
        return self.bench.run(name, "-u", self.udid, *words)

    def chaperone(self, *words):
        return self.bench.as_us("--json", *words, "-u", self.udid)

    def begin(self):
        """Forgets what was asked so far."""
        self.begun = self.bench.mark()

    def requests(self):
        return self.bench.requests(self.begun)


class Rows:
    """A test is a function whose docstring is a sentence; it fails by exception."""

    def __init__(self):
        self.functions = []

    def __call__(self, function):
        self.functions.append(function)
        return function

    def run(self, take):
        """take() makes the arguments of one row. The exit code of the test file."""
        failed = 0
        for number, function in enumerate(self.functions, 1):
            began = time.monotonic()
            verdict = "ok"
            try:
                function(*take())
            except Exception:
                verdict = "FAILED"
                failed += 1
                traceback.print_exc(file=sys.stdout)
            took_ms = int(1000 * (time.monotonic() - began))
            print(f"{verdict} {number} - {function.__doc__.strip()} ({took_ms} ms)", flush=True)
        print(f"{len(self.functions) - failed} of {len(self.functions)} hold")
        return 1 if failed else 0


def skip(why):
    """Ends the test file as skipped, and says so."""
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)

"""others: clients that others wrote, on the bench of the scenarios

Adds to tests/scenarios/bench.py what the tests of interoperability and the
benchmark need: how those clients find the bench, one device of it as a row of
a test sees it, and rows that fail by assert.
"""
import os
import shutil
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenarios"))
import bench  # noqa: E402

SOURCE = os.path.dirname(os.path.dirname(HERE))
PRESET = "org.chaperone.preset.imessage-off"
GO_IOS = "node_modules/go-ios/dist/go-ios-linux-amd64_linux_amd64/ios"


# ---- programs ---------------------------------------------------------------------

class Ended:
    """What a program did that ran to its end."""

    def __init__(self, argv, env):
        done = subprocess.run(argv, env=env, cwd=bench.folder(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace",
                              timeout=bench.RUN_SECONDS, check=False)
        self.argv, self.code, self.out, self.err = argv, done.returncode, done.stdout, done.stderr

    def must(self, code=0):
        assert self.code == code, "%s: exit %d, not %d\n%s%s" % (
            " ".join(self.argv), self.code, code, self.out, self.err)
        return self


def run(*argv, env=()):
    return Ended(argv, bench.environment(env))


def built(name):
    """A program of this build that is for tests only."""
    return os.path.abspath(name)


def find_go_ios():
    """GO_IOS, else what npm install --ignore-scripts go-ios left here, else PATH; or None."""
    named = os.environ.get("GO_IOS")
    if named:
        return shutil.which(named)
    for folder in (SOURCE, os.getcwd(), os.path.dirname(os.getcwd())):
        if os.access(os.path.join(folder, GO_IOS), os.X_OK):
            return os.path.join(folder, GO_IOS)
    return shutil.which("ios")


def go_ios_env(b):
    """It reads USBMUXD_SOCKET_ADDRESS in its own way: a path, without UNIX:."""
    return {"USBMUXD_SOCKET_ADDRESS": b.socket}


def libimobiledevice_env(b):
    return {"USBMUXD_SOCKET_ADDRESS": "UNIX:" + b.socket}


# ---- files ------------------------------------------------------------------------

def preset_profile(*options, organization="Acme"):
    """The preset as a file: without options the bytes that chaperone apply installs."""
    name = "preset%s.mobileconfig" % "".join(options)
    made = run(built("preset-profile"), *options, "imessage-off", organization).must()
    return bench.write(name, made.out)


def old_identity(name="acme"):
    """The identity as a PKCS#12 file of SHA-1 and 3DES, all that go-ios 1.2.0 signs with."""
    if not os.path.exists(bench.path(name + "-old.p12")):
        made = bench.openssl("pkcs12", "-export", "-in", name + ".pem", "-out", name + "-old.p12",
                             "-passout", "file:pw", "-macalg", "sha1",
                             "-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES")
        assert made, "openssl pkcs12 -export"
        os.chmod(bench.path(name + "-old.p12"), 0o600)
    return bench.path(name + "-old.p12")


# ---- rows -------------------------------------------------------------------------

class Place:
    """One device of the bench, taken by one row."""

    def __init__(self, b, name):
        self.bench, self.name, self.udid = b, name, b.udids[name]
        self.begin()

    def begin(self):
        """From here on asked() and counters count."""
        self.bench.mark()

    def asked(self):
        return self.bench.requests(self.name)

    def state(self):
        return self.bench.state(self.name)

    def hosts(self):
        return self.state()["hosts"]

    def profiles(self):
        return list(self.bench.profiles(self.name))

    def tell(self, command, **keys):
        return self.bench.tell(command, self.name, **keys)

    def tool(self, name, *words):
        """One of libimobiledevice's tools on this device."""
        return run(name, "-u", self.udid, *words, env=libimobiledevice_env(self.bench))

    def chaperone(self, command, code=0):
        """The result of a run of ours, with the supervision identity."""
        done = self.bench.on(self.name, command, *bench.identity())
        assert done.code == code, "%s: %s" % (done, done.all())
        return done.result


class Rows:
    """A row is a function whose docstring is a sentence; it fails by exception."""

    def __init__(self):
        self.functions = []

    def __call__(self, function):
        self.functions.append(function)
        return function

    def run(self, suite, take):
        """take() makes the arguments of one row, with a device of its own."""
        for function in self.functions:
            try:
                function(*take())
                suite.check(function.__doc__, True)
            except Exception:
                suite.check(function.__doc__, False, traceback.format_exc())


def skip(why):
    """Ends the test file as skipped, and says so."""
    print("SKIPPED: %s" % why)
    sys.exit(bench.SKIPPED)

"""guest: a Debian machine in QEMU, with a root shell that the test holds

    guest = Guest(image, stage, folder)     the image of tests/system/image
    guest.boot()
    guest.run("lsusb")                      what it printed; Failed when it failed
    guest.until("a device", "idevice_id -l | grep -q .")
    guest.cut_power()                       as when the plug is pulled
    guest.boot()                            the disk is as it was left

The guest sees 10.0.2.2, which is this computer's 127.0.0.1, and the folder
`stage` read-only at /stage.
"""
import ctypes
import functools
import os
import select
import shlex
import signal
import socket
import subprocess
import tempfile
import time

BOOT_SECONDS = 120
KVM_SECONDS = 4
RUN_SECONDS = 90
MEMORY_MIB = 1024
MACHINE = ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-no-reboot"]
# Emulated, newer processors' wide registers cost more than they save.
EMULATED = ["-accel", "tcg,thread=multi", "-cpu", "Nehalem"]
HARDWARE = ["-accel", "kvm", "-cpu", "host"]


class Failed(Exception):
    """A command of the guest failed, or did not end in time."""


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


@functools.lru_cache
def processor(kernel):
    """KVM where it works. It can be there and hang, so a kernel without a disk has to give up."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return EMULATED
    try:
        done = subprocess.run(MACHINE + HARDWARE + ["-m", "256", "-kernel", kernel,
                                                    "-append", "panic=-1"],
                              capture_output=True, timeout=KVM_SECONDS)
    except subprocess.TimeoutExpired:
        return EMULATED
    return EMULATED if done.returncode else HARDWARE


class Guest:
    def __init__(self, image, stage, folder):
        self.image, self.stage, self.folder = image, stage, folder
        self.disk = os.path.join(folder, "disk.qcow2")
        self.console = os.path.join(folder, "console.log")
        self.process = self.shell = None
        self.count = 0
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b",
                        os.path.abspath(os.path.join(image, "root.img")), self.disk], check=True)

    # ---- the power ------------------------------------------------------------

    def boot(self):
        """Returns when the shell answers: before the system is all up."""
        # A socket's path is short.
        path = tempfile.mktemp(prefix="chaperone-guest-")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        with open(os.path.join(self.folder, "qemu.log"), "a") as log:
            self.process = subprocess.Popen(
                self._command(path), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=die_with_parent)
        listener.settimeout(20)
        try:
            self.shell, _ = listener.accept()
        except TimeoutError:
            raise Failed("QEMU does not start, see qemu.log")
        finally:
            listener.close()
            os.unlink(path)
        self.run("mkdir -p /stage && mount -t 9p -o ro,trans=virtio,version=9p2000.L stage /stage",
                 BOOT_SECONDS)

    def _command(self, shell):
        return MACHINE + processor(os.path.join(self.image, "kernel")) + [
            "-smp", "2", "-m", str(MEMORY_MIB),
            "-kernel", os.path.join(self.image, "kernel"),
            "-initrd", os.path.join(self.image, "initrd"),
            "-append", "root=/dev/vda rw console=ttyS0 quiet mitigations=off",
            "-chardev", "file,id=console,path=%s,append=on" % self.console,
            "-serial", "chardev:console",
            "-drive", "file=%s,if=virtio,format=qcow2" % self.disk,
            "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
            "-chardev", "socket,id=shell,path=%s" % shell,
            "-device", "virtserialport,chardev=shell,name=test",
            "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=",
            "-virtfs", "local,path=%s,mount_tag=stage,security_model=none,readonly=on" % self.stage]

    def cut_power(self):
        """What the guest had not yet written to its disk is lost."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.shell and self.shell.close()
        self.process = self.shell = None

    # ---- the shell -------------------------------------------------------------

    def ask(self, command, seconds=RUN_SECONDS):
        """Exit code and output. One command at a time; an orphan may stay behind."""
        self.count += 1
        mark = "end-%d-of-command" % self.count
        line = "sh -c %s </dev/null 2>&1; code=$?; echo; echo %s $code\n" % (
            shlex.quote(command), mark)
        self.shell.sendall(line.encode())
        end, said = time.monotonic() + seconds, b""
        while True:
            at = said.rfind(b"\n" + mark.encode() + b" ")
            if at >= 0 and said.endswith(b"\n"):
                return (int(said[at:].split()[1]),
                        said[:at].decode(errors="replace").removesuffix("\n"))
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.shell], [], [], left)[0]:
                raise Failed("%s: did not end within %d s, said\n%s" % (
                    command, seconds, said.decode(errors="replace")))
            more = self.shell.recv(65536)
            if not more:
                raise Failed("%s: the guest is gone" % command)
            said += more

    def run(self, command, seconds=RUN_SECONDS):
        code, said = self.ask(command, seconds)
        if code != 0:
            raise Failed("%s: exit code %d\n%s" % (command, code, said))
        return said

    def until(self, what, command, seconds=RUN_SECONDS):
        """Waits in the guest until the command succeeds; its output then."""
        code, said = self.ask(
            "end=$(($(date +%%s) + %d)); until said=$(%s); do [ $(date +%%s) -lt $end ] || exit 1;"
            " sleep 0.2; done; echo \"$said\"" % (seconds, command), seconds + RUN_SECONDS)
        if code != 0:
            raise Failed("%s: not within %d s; at last\n%s" % (what, seconds,
                                                               self.ask(command)[1]))
        return said

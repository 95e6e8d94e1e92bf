"""Processes, cores, memory and the page cache of the machine that measures.

Every process is started here, in a session of its own, and dies with this one (PR_SET_PDEATHSIG); what it leaves
behind comes to this process as its subreaper. So end_all() ends what was started, by its id, and nothing else.
"""

import ctypes
import fcntl
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get("SILLOK_CACHE", os.path.expanduser("~/.cache/sillok"))
PEERS = os.path.join(CACHE, "peers")
TICKS = os.sysconf("SC_CLK_TCK")
GB = 1e9

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None, use_errno=True)

STOP_SECONDS = 60
# More free memory than this and the ballast is read again: free pages go back to the host and come as faults.
FREE_BYTES_MAX = 2e9


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


HELD = []  # for as long as this process lives


def interrupted(*_):
    raise KeyboardInterrupt


def begin():
    """Before anything is started: no other measurement is under way, and whatever asks this one to end is as Ctrl-C.

    SIGINT is among them since a shell has what it starts in the background ignore it.
    """
    lock = open(os.path.join(tempfile.gettempdir(), f"sillok-measures-{os.getuid()}.lock"), "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"another measurement is under way ({lock.name}): each would measure the other, too") from None
    HELD.append(lock)
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)


def start(command, core=None, log=None, env=None, cwd=None, stdin=subprocess.DEVNULL, stdout=None, stderr=None):
    """A process in a session of its own, on one core, that dies with this one; what it prints goes to the file `log`."""
    parent = os.getpid()

    def prepare():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        if core is not None:
            os.sched_setaffinity(0, {core})

    sink = open(log, "ab") if log else subprocess.DEVNULL
    try:
        return subprocess.Popen([str(word) for word in command], stdin=stdin, stdout=sink if stdout is None else stdout,
                                stderr=sink if stderr is None else stderr, env=env, cwd=cwd, start_new_session=True, preexec_fn=prepare)
    finally:
        if log:
            sink.close()


class Failed(RuntimeError):
    """A command that ended with an error, or not in time."""


def run(command, core=None, env=None, cwd=None, timeout=600, log=None, check=True):
    """Runs a command to its end and returns what it printed on stdout; stderr goes to `log`, or is kept for the error."""
    with tempfile.TemporaryFile() as errors:
        process = start(command, core, log, env, cwd, stdout=subprocess.PIPE, stderr=None if log else errors)
        try:
            out, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"{words(command)}: not done after {timeout} s") from None
        finally:
            if process.poll() is None:
                end(process.pid, signal.SIGKILL)
                process.wait()
        errors.seek(0)
        complaint = errors.read()[-2000:].decode(errors="replace")
    text = out.decode(errors="replace")
    if check and process.returncode != 0:
        raise Failed(f"{words(command)}: exit code {process.returncode}\n{complaint}{text[-1000:]}")
    return text


def words(command):
    return " ".join(str(word) for word in command)


def end(pid, number=signal.SIGTERM, seconds=STOP_SECONDS):
    """Ends a process of ours and waits until it holds nothing any more; SIGKILL where it does not go by itself."""
    try:
        os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return
    give_up = time.monotonic() + seconds
    while not is_gone(pid):
        if time.monotonic() > give_up:
            os.kill(pid, signal.SIGKILL)
            give_up += seconds
        time.sleep(0.005)


def is_gone(pid):
    """Whether an ended process holds nothing any more. Its first thread may be a zombie long before its last one, which
    can sit in an fdatasync and hold lock and port until that returns."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            is_zombie = stat.read().rpartition(")")[2].split()[0] == "Z"
        return is_zombie and len(os.listdir(f"/proc/{pid}/task")) <= 1
    except (FileNotFoundError, ProcessLookupError):
        return True


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += [int(word) for word in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def tree(pid):
    """The process and all that descends from it."""
    found = [pid]
    for one in found:
        found += children(one)
    return found


def end_all():
    """Ends every process that this one started and that is still there, orphans of its children included."""
    give_up = time.monotonic() + STOP_SECONDS
    while time.monotonic() < give_up:
        ours = tree(os.getpid())[1:]
        if not ours:
            return
        for pid in ours:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        reap()
        time.sleep(0.01)


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def cpu_seconds(pids):
    """User and system time of the processes so far, in steps of a tick (10 ms)."""
    ticks = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return ticks / TICKS


def resident_bytes(pids):
    kilobytes = 0
    for pid in pids:
        with open(f"/proc/{pid}/status") as status:
            kilobytes += sum(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    return kilobytes * 1024


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, seconds=60):
    give_up = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > give_up:
                raise Failed(f"nothing listens on port {port} after {seconds} s") from None
            time.sleep(0.05)


def memory(name):
    with open("/proc/meminfo") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return 0


class Ballast:
    """One clean file in the page cache, so that the pages of a run are recycled ones.

    On a virtual machine that hands free memory back to its host each fresh page costs a fault, and produce then costs
    two and a half times as much.
    """

    def __init__(self, folder, gigabytes, spare_gb):
        self.path = os.path.join(folder, "sillok-peers-ballast")
        room = shutil.disk_usage(folder).free / GB + self.size_now() / GB - spare_gb
        wanted = 20.0 if gigabytes is None else gigabytes
        self.gigabytes = max(0.0, min(wanted, memory("MemTotal") / GB - 4, room))
        if self.gigabytes < min(wanted, 1.0):
            self.gigabytes = 0.0

    def size_now(self):
        return os.path.getsize(self.path) if os.path.exists(self.path) else 0

    def fill(self):
        if self.gigabytes <= 0 or memory("MemFree") < FREE_BYTES_MAX:
            return
        size = int(self.gigabytes * GB)
        if self.size_now() != size:
            say(f"writing a ballast of {self.gigabytes:.1f} GB")
            block = os.urandom(1 << 20)
            with open(self.path, "wb") as file:
                for begin in range(0, size, len(block)):
                    file.write(block[:size - begin])
                os.fsync(file.fileno())
        buffer = bytearray(1 << 20)
        with open(self.path, "rb", buffering=0) as file:
            while file.readinto(buffer):
                pass

    def remove(self):
        if os.path.exists(self.path):
            os.unlink(self.path)


def describe():
    """What the figures were taken on."""
    def first(path, start_of_line):
        with open(path) as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith(start_of_line)), "")

    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    dirty = subprocess.run(["git", "-C", ROOT, "status", "--porcelain", "-uno"], capture_output=True, text=True)
    return {"processor": first("/proc/cpuinfo", "model name"), "cores": os.cpu_count(),
            "memory_gb": round(memory("MemTotal") / GB, 1), "kernel": platform.release(),
            "commit": commit.stdout.strip() + ("+" if dirty.stdout.strip() else "")}

"""What a server is confined to: a share of the memory (page cache included), some cores, a disk that can be stalled.

Each is a context that undoes itself, after errors and signals too.
"""

import fcntl
import os
import subprocess
import time

import machine
from machine import say

V1_ROOT = "/sys/fs/cgroup/memory"
V2_ROOTS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
FIFREEZE = 0xC0045877  # _IOWR('X', 119, int)
FITHAW = 0xC0045878
REMOVE_SECONDS_MAX = 20


class Skip(Exception):
    """This machine does not let us; the text says why."""


def confine(server, cores, group=None):
    """The server starts on these cores ("0" or "0,1") and in that memory group."""
    plain = server.command
    place = group.processes if group else "/dev/null"
    script = 'place=$0 cores=$1; shift; echo $$ >"$place" && exec taskset -c "$cores" "$@"'
    server.command = lambda: ["sh", "-c", script, place, cores, *plain()]
    return server


class MemoryGroup:
    """A control group that limits memory and page cache together. What a process in it reads or writes first counts
    against it, so a log that is larger cannot stay in memory."""

    def __init__(self, limit_bytes):
        if os.geteuid() != 0:
            raise Skip("a memory control group needs root")
        self.is_v1 = os.path.exists(os.path.join(V1_ROOT, "memory.limit_in_bytes"))
        root = V1_ROOT if self.is_v1 else next((root for root in V2_ROOTS if self.has_memory(root)), None)
        if root is None:
            raise Skip("no memory controller: neither cgroup v1 at /sys/fs/cgroup/memory nor v2 with memory in "
                       "cgroup.controllers")
        self.path = os.path.join(root, f"sillok-peers-{os.getpid()}")
        self.limit_bytes = limit_bytes
        self.processes = os.path.join(self.path, "cgroup.procs")

    @staticmethod
    def has_memory(root):
        try:
            with open(os.path.join(root, "cgroup.controllers")) as file:
                if "memory" not in file.read().split():
                    return False
            with open(os.path.join(root, "cgroup.subtree_control"), "w") as file:
                file.write("+memory")
            return True
        except OSError:
            return False

    def __enter__(self):
        try:
            os.mkdir(self.path)
            self.set("memory.limit_in_bytes" if self.is_v1 else "memory.max", self.limit_bytes)
        except OSError as refused:
            self.__exit__()
            raise Skip(f"a memory control group does not work here: {refused}") from None
        return self

    def __exit__(self, *_):
        give_up = time.monotonic() + REMOVE_SECONDS_MAX
        while os.path.isdir(self.path):
            try:
                os.rmdir(self.path)
            except OSError as busy:  # until the last process in it is gone
                if time.monotonic() > give_up:
                    say(f"{self.path} stays behind: {busy}")
                    return
                time.sleep(0.1)

    def set(self, name, value):
        with open(os.path.join(self.path, name), "w") as file:
            file.write(str(value))

    def used_bytes(self):
        with open(os.path.join(self.path, "memory.usage_in_bytes" if self.is_v1 else "memory.current")) as file:
            return int(file.read())


class StallingDisk:
    """An ext4 in a file, mounted while the context lasts. While it is stalled (frozen) writes, flushes and whatever else
    changes it wait in the kernel; reads go on."""

    def __init__(self, folder, megabytes):
        if os.geteuid() != 0:
            raise Skip("mounting a disk needs root")
        self.image = os.path.join(folder, "disk.img")
        self.path = os.path.join(folder, "disk")
        self.megabytes = megabytes
        self.is_mounted = False
        self.guard = None
        self.descriptor = None

    def __enter__(self):
        os.makedirs(self.path)
        with open(self.image, "wb") as image:
            image.truncate(self.megabytes << 20)
        try:
            machine.run(["mkfs.ext4", "-q", "-F", self.image])
            machine.run(["mount", "-o", "loop", self.image, self.path])
            self.is_mounted = True
            self.descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            # Should this process be killed while the disk is frozen, the end of its pipe thaws it.
            self.guard = subprocess.Popen(["sh", "-c", 'read -r _; fsfreeze -u "$0"', self.path], stdin=subprocess.PIPE,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            self.freeze()
            self.thaw()
        except (machine.Failed, OSError) as refused:
            self.__exit__()
            raise Skip(f"a disk that stalls does not work here: {refused}") from None
        return self

    def __exit__(self, *_):
        if self.descriptor is not None:
            self.thaw()
            os.close(self.descriptor)
            self.descriptor = None
        if self.guard is not None:
            self.guard.stdin.close()
            self.guard.wait()
            self.guard = None
        if self.is_mounted:
            try:
                machine.run(["umount", self.path])
            except machine.Failed as busy:
                # It goes with its last user.
                say(f"{self.path} is unmounted later: {busy}")
                machine.run(["umount", "-l", self.path], check=False)
            self.is_mounted = False
        if os.path.exists(self.image):
            os.unlink(self.image)

    def freeze(self):
        fcntl.ioctl(self.descriptor, FIFREEZE, 0)

    def thaw(self):
        try:
            fcntl.ioctl(self.descriptor, FITHAW, 0)
        except OSError:
            pass  # it was not frozen

    def stall(self, seconds):
        """Unix seconds of the begin and the end."""
        began = time.time()
        try:
            self.freeze()
            time.sleep(max(0.0, began + seconds - time.time()))
        finally:
            self.thaw()
        return began, time.time()

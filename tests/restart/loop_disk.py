"""A small ext4 disk in a file, whose power a test can cut: what was not synced by then is lost."""

import fcntl
import os
import shutil
import struct
import subprocess

from harness import Skip, run, tool

EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2  # not even the journal's pending transaction gets to the disk


class LoopDisk:
    """Mounted while the context lasts. Skips the test where this machine does not let us."""

    def __init__(self, folder, megabytes):
        self.image = os.path.join(folder, "disk.img")
        self.path = os.path.join(folder, "disk")
        self.megabytes = megabytes
        self.is_mounted = False

    def __enter__(self):
        if os.geteuid() != 0:
            raise Skip("mounting a disk needs root")
        for name in ("mkfs.ext4", "mount", "umount"):
            tool(name)
        os.makedirs(self.path)
        with open(self.image, "wb") as image:
            image.truncate(self.megabytes << 20)
        run(["mkfs.ext4", "-q", "-F", self.image])
        try:
            self.mount()
        except subprocess.CalledProcessError as refused:
            raise Skip(f"mounting a loop device does not work here: {refused.stderr.decode(errors='replace').strip()}") from None
        return self

    def __exit__(self, *_):
        if self.is_mounted:
            self.unmount()

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True, stderr=subprocess.PIPE)
        self.is_mounted = True

    def unmount(self):
        run(["umount", self.path])
        self.is_mounted = False

    def cut_power(self):
        """Nothing written from now on, and nothing unsynced until now, is on the disk that mount() brings back."""
        directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(directory, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        except OSError as refused:
            raise Skip(f"this kernel does not cut the power of an ext4: {refused}") from None
        finally:
            os.close(directory)

    def free_bytes(self):
        return shutil.disk_usage(self.path).free

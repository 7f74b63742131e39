"""What is left on a disk when the power fails? A disk whose cache can be lost.

Two file systems stand on each other: the system's folders lie on the inner one, whose disk is a file on the outer
one. What the inner one writes without a flush is in the outer one's memory, as in a drive's cache; the flush alone
(`fsync` down to the drive) puts it on the outer disk. When the power is cut, some blocks of 4 KB that the seed draws
have reached the disk all the same, in no order (half a page of PostgreSQL's among them), and everything else that was
not flushed is gone, in both memories.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import random
import shutil
import struct
import subprocess
from pathlib import Path

from tests.faults.disks import MEGABYTE, unmount

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
NO_LOG_FLUSH = 2
WRITE_OUT = 2  # SYNC_FILE_RANGE_WRITE
BLOCK = 4096


def _run(*command: str | Path) -> None:
    subprocess.run([str(one) for one in command], check=True, capture_output=True)


class PowerDisk:
    """A disk of ``megabytes`` in ``folder``; ``place`` is where it is mounted."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        """Make and mount it, and bind nothing yet."""
        self.image, self.under, self.place = folder / "image", folder / "under", folder / "disk"
        self.drive = self.under / "drive"
        self.bound: dict[Path, Path] = {}
        for place in (self.under, self.place):
            place.mkdir(parents=True)
        with self.image.open("wb") as out:
            out.truncate((megabytes + 200) * MEGABYTE)
        _run("mkfs.ext4", "-q", "-F", self.image)
        _run("mount", "-o", "loop", self.image, self.under)
        with self.drive.open("wb") as out:  # written once, so that the outer one has nothing to remember but content
            for _ in range(megabytes):
                out.write(bytes(MEGABYTE))
            out.flush()
            os.fsync(out.fileno())
        _run("mkfs.ext4", "-q", "-F", self.drive)
        _run("mount", "-o", "loop", self.drive, self.place)

    def hold(self, folder: Path) -> None:
        """Let ``folder``, with all that is in it, lie on this disk."""
        inside = self.place / folder.name
        _run("cp", "-a", folder, inside)
        shutil.rmtree(folder)
        folder.mkdir()
        self.bound[folder] = inside
        _run("mount", "--bind", inside, folder)

    def cut(self, draw: random.Random, share: float | None = None) -> None:
        """Cut the power: nothing that is written from now on is kept, nor what was not flushed, but for some blocks.

        ``share``: of all blocks, so many reach the disk all the same; drawn where it is not said.
        """
        share = draw.choice((0.0, 0.1, 0.5, 0.9)) if share is None else share
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = os.open(self.drive, os.O_RDWR)
        try:
            for number in range(os.fstat(descriptor).st_size // BLOCK):
                if draw.random() < share:
                    libc.sync_file_range(
                        descriptor, ctypes.c_int64(number * BLOCK), ctypes.c_int64(BLOCK), ctypes.c_uint(WRITE_OUT)
                    )
        finally:
            os.close(descriptor)
        folder = os.open(self.under, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def restore(self) -> None:
        """Give it power again, once nobody uses it any more: both file systems replay their journals."""
        self.release()
        _run("mount", "-o", "loop", self.image, self.under)
        _run("mount", "-o", "loop", self.drive, self.place)
        for folder, inside in self.bound.items():
            _run("mount", "--bind", inside, folder)

    def release(self) -> None:
        """Unmount everything."""
        for place in (*self.bound, self.place, self.under):
            if os.path.ismount(place):
                unmount(place)

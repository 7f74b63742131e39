"""What can a disk do to a system? Small ones of memory that fill; each lies where a folder lay."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coordination.config.launcher.folders import private

MEGABYTE = 1024 * 1024


@functools.cache
def may_mount() -> bool:
    """Whether this user may mount a disk here: root outside a container that forbids it."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "none", folder], capture_output=True, check=False).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
    return True


@contextmanager
def small(place: Path, megabytes: int) -> Iterator[Path]:
    """Put a disk of so many MB where the folder ``place`` is, with what lies there; take it away at the end."""
    found = private(place).stat() if not place.exists() else place.stat()
    aside = place.with_name(f"{place.name}-before")
    place.rename(aside)
    place.mkdir()
    options = f"size={megabytes}m,mode={stat.S_IMODE(found.st_mode):o},uid={found.st_uid},gid={found.st_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "muster-test", str(place)], check=True)
    try:
        subprocess.run(["/bin/cp", "-a", f"{aside}/.", str(place)], check=True)
        shutil.rmtree(aside)
        yield place
    finally:
        unmount(place)


def unmount(place: Path) -> None:
    """Take a disk away; a process that was just killed may hold it for a moment."""
    for _try in range(50):
        if subprocess.run(["umount", str(place)], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.2)
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path, *, leave: int = 0) -> Path:
    """Take the room of the disk at ``place`` but for ``leave`` bytes; return the file that takes it."""
    file = place / "filler"
    free = shutil.disk_usage(place).free - leave
    with file.open("wb", buffering=0) as out:
        try:
            while free > 0:
                free -= out.write(bytes(min(MEGABYTE, free)))
        except OSError:
            pass  # full, which is what was wanted
    return file

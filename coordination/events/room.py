"""How much room is left on the disks, and what is no longer taken in when it gets little?

Asks nothing but the disk, so that the launcher and the web process judge by the same marks. Source of the marks: as
much as a disk of any size needs for an orderly night (share), but no more than large disks need (bytes).
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Refused

OK, WARN, BAD, CRITICAL = "ok", "warn", "bad", "critical"
MARKS = ((0.10, 10_000_000_000, WARN), (0.05, 5_000_000_000, BAD), (0.02, 1_000_000_000, CRITICAL))
"""Less than the smaller of this share and these bytes free: this level."""
LEVELS = (OK, WARN, BAD, CRITICAL)
LOOK_SECONDS = 5.0

_seen: tuple[float, str] = (float("-inf"), OK)


class NoRoom(Refused):
    """The disk is too full for this. ``extra``: retry_after in seconds."""

    status = 507
    code = "no_room"


def level_of(free: int, total: int) -> str:
    """Return ok, warn, bad or critical by the bytes that are free and all there are."""
    reached = OK
    for share, size, name in MARKS:
        if free < min(total * share, size):
            reached = name
    return reached


def level_at(folders: Iterable[Path]) -> str:
    """Return the worst level of the disks that hold (or will hold) ``folders``; one that cannot be asked counts not."""
    worst = OK
    for folder in folders:
        place = Path(folder)
        while not place.exists() and place != place.parent:
            place = place.parent
        try:
            usage = shutil.disk_usage(place)
        except OSError:
            continue
        worst = max(worst, level_of(usage.free, usage.total), key=LEVELS.index)
    return worst


def folders() -> tuple[Path, ...]:
    """Return where this process's system keeps what grows, as its environment says."""
    names = ("MUSTER_FILES", "MUSTER_INSTANCE", "MUSTER_DATA_FOLDER")
    return tuple(Path(os.environ[name]) for name in names if os.environ.get(name))


def level() -> str:
    """Return the level now, looked at again every five seconds."""
    global _seen
    now = time.monotonic()
    if now - _seen[0] >= LOOK_SECONDS:
        _seen = (now, level_at(folders()))
    return _seen[1]


def for_files() -> None:
    """Raise `NoRoom` unless a file may be kept."""
    if level() in (BAD, CRITICAL):
        raise NoRoom(
            _("The disk is almost full: no files are taken in now. Send the words without the file; they are kept."),
            retry_after=60,
        )


def for_machines() -> None:
    """Raise `NoRoom` unless other systems may write: at the last, only what people enter by hand is taken."""
    if level() == CRITICAL:
        raise NoRoom(
            _("The disk is full: only what people enter by hand is taken in now. Try again later."), retry_after=60
        )

"""How much room is left on the disks, and what is no longer taken in when it gets little?

Asks nothing but the disk, so that the launcher and the web process judge by the same marks. Source of the marks: as
much as a disk of any size needs for an orderly night (share), but no more than large disks need (bytes).
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Refused

OK, WARN, BAD, CRITICAL = "ok", "warn", "bad", "critical"
MARKS = ((0.10, 10_000_000_000, WARN), (0.05, 5_000_000_000, BAD), (0.02, 1_000_000_000, CRITICAL))
"""Less than the smaller of this share and these bytes free: this level."""
LEVELS = (OK, WARN, BAD, CRITICAL)
LOOK_SECONDS = 5.0
RETRY_SECONDS = 60

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
    named = [os.environ.get(name, "") for name in ("MUSTER_INSTANCE", "MUSTER_DATA_FOLDER")]
    return (Path(settings.MEDIA_ROOT), *(Path(name) for name in named if name))


def level() -> str:
    """Return the level now, looked at again every five seconds."""
    global _seen
    now = time.monotonic()
    if now - _seen[0] >= LOOK_SECONDS:
        _seen = (now, level_at(folders()))
    return _seen[1]


def banner() -> str:
    """Return what every page says about the disk; "" while there is room enough."""
    return {
        BAD: str(_("The disk is almost full: files are refused until there is room.")),
        CRITICAL: str(_("The disk is full: only what people enter by hand is taken in.")),
    }.get(level(), "")


def for_files() -> None:
    """Raise `NoRoom` unless a file may be kept."""
    if level() in (BAD, CRITICAL):
        raise NoRoom(
            _("The disk is almost full: no files are taken in now. Send the words without the file; they are kept."),
            retry_after=RETRY_SECONDS,
        )


def for_machines() -> None:
    """Raise `NoRoom` unless other systems may write: at the last, only what people enter by hand is taken."""
    if level() == CRITICAL:
        raise NoRoom(
            _("The disk is full: only what people enter by hand is taken in now. Try again later."),
            retry_after=RETRY_SECONDS,
        )


def full_after_all() -> NoRoom:
    """Return what is said when the disk refused a file in spite of the marks."""
    return NoRoom(
        _("The disk is full: the file was not kept. Send the words without the file."), retry_after=RETRY_SECONDS
    )


def is_full(error: OSError) -> bool:
    """Whether the disk, or this user's share of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)

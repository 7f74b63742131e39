"""Which bases and which part of the log are kept?"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from coordination.config.backup import seal
from coordination.config.backup.files import Files
from coordination.config.backup.seal import BackupProblem
from coordination.config.backup.source import Store
from coordination.config.backup.wal import SEGMENT

BASE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
TAKEN = timedelta(days=1)
"""No base takes so long: what is not whole by then never will be."""


@dataclass(frozen=True, slots=True)
class Keep:
    """``days``: each base so long, and the log from the oldest of them on; ``months``: the first base of each month."""

    days: int
    months: int


def moment(name: str) -> datetime:
    """When a base was begun."""
    return datetime.strptime(name, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def kept(names: list[str], keep: Keep, now: datetime) -> set[str]:
    """Which of these bases stay; the newest always does."""
    stay = {name for name in names if moment(name) >= now - timedelta(days=keep.days)}
    first: dict[tuple[int, int], str] = {}
    for name in sorted(names):
        first.setdefault((moment(name).year, moment(name).month), name)
    oldest = now.year * 12 + now.month - keep.months
    stay |= {name for (year, month), name in first.items() if year * 12 + month > oldest}
    return stay | set(sorted(names)[-1:])


def prune(store: Store, key: bytes, keep: Keep, files: Files | None, now: datetime) -> list[str]:
    """Remove what need not be kept any longer; return what was removed. ``files``: None leaves them to the follower."""
    names = store.base_names()
    stay = kept(names, keep, now)
    removed = []
    for name in names:
        if name not in stay:
            shutil.rmtree(store.bases / name)
            removed.append(f"base {name}")
    removed += _unfinished(store, now)
    daily = [name for name in stay if moment(name) >= now - timedelta(days=keep.days)] or sorted(stay)[-1:]
    if daily:
        first = start_segment(store, min(daily), key)
        for path in sorted(store.wal.iterdir()) if store.wal.is_dir() else ():
            segment = path.name.removesuffix(".partial")
            if SEGMENT.fullmatch(segment) and first and segment[8:] < first[8:]:
                path.unlink()
                removed.append(f"segment {path.name}")
    forgotten = files.forget((now - timedelta(days=keep.days)).timestamp()) if files is not None else 0
    return removed + ([f"{forgotten} files"] if forgotten else [])


def _unfinished(store: Store, now: datetime) -> list[str]:
    """Remove what is there of bases that were killed while they were taken: nobody can restore from it."""
    removed = []
    for folder in sorted(store.bases.iterdir()) if store.bases.is_dir() else ():
        if BASE.fullmatch(folder.name) and not (folder / "manifest").exists() and moment(folder.name) < now - TAKEN:
            shutil.rmtree(folder)
            removed.append(f"unfinished base {folder.name}")
    return removed


def start_segment(store: Store, name: str, key: bytes) -> str:
    """The first segment that a base needs, or "" (keep all) where it cannot be read."""
    try:
        return str(seal.read_json(store.bases / name / "manifest", f"base/{name}/manifest", key).get("segment", ""))
    except BackupProblem:
        return ""

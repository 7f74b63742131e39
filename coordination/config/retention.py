"""How long is what kept, and what removes the rest?

The figures stand in ``retention.yaml``. Rows go in small statements, so that nobody waits for a purge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from django.db.models import Model, QuerySet

from coordination.deadlines import purge as deadlines
from coordination.events import purge as events
from coordination.notify import purge as notify

FILE = Path(__file__).with_name("retention.yaml")
BATCH = 2_000

Old = Callable[[datetime, Collection[int]], QuerySet[Any]]
# class → its rows from before a moment, less those of incidents under legal hold
OLD: Mapping[str, Old] = {
    "commands": events.old_commands,
    "notices": notify.notices,
    "deliveries": notify.deliveries,
    "alarms": deadlines.alarms,
}
# the application may not delete these: they belong to the log
FOR_GOOD = frozenset({"events", "refusals", "reads"})


class BadRetention(ValueError):
    """The file cannot be followed; the message says where. Nothing is removed then."""


@dataclass(frozen=True, slots=True)
class Retention:
    """``days`` by class (None: for good); ``held``: classes, and incidents, of which nothing is removed."""

    days: Mapping[str, int | None]
    held_classes: frozenset[str]
    held_incidents: frozenset[int]


def read(path: Path = FILE) -> Retention:
    """Return what the file says; raises BadRetention for a class, a number or a hold that makes no sense."""
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    days, hold = said["classes"], said["legal_hold"]
    unknown = (set(days) | set(hold["classes"])) - set(OLD) - FOR_GOOD
    if unknown or set(OLD) - set(days):
        raise BadRetention(f"classes: unknown {sorted(unknown)}, missing {sorted(set(OLD) - set(days))}")
    for name, kept in days.items():
        if kept is not None and (name in FOR_GOOD or isinstance(kept, bool) or not isinstance(kept, int) or kept < 1):
            wanted = "null" if name in FOR_GOOD else "a number of days, or null"
            raise BadRetention(f"{name}: {kept!r} must be {wanted}")
    if not all(isinstance(pk, int) for pk in hold["incidents"]):
        raise BadRetention("legal_hold: incidents are numbers")
    return Retention(days, frozenset(hold["classes"]), frozenset(hold["incidents"]))


def purge(*, now: datetime, retention: Retention | None = None, dry: bool = False) -> dict[str, int]:
    """Remove what is older than it need be; return how many rows of each class went (``dry``: would go)."""
    found = retention or read()
    gone = {}
    for name, old in OLD.items():
        kept = found.days[name]
        if kept is None or name in found.held_classes:
            gone[name] = 0
            continue
        rows = old(now - timedelta(days=kept), found.held_incidents)
        gone[name] = rows.count() if dry else _remove(rows)
    return gone


def _remove(rows: QuerySet[Model]) -> int:
    removed = 0
    while True:
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        removed += rows.model._base_manager.filter(pk__in=ids).delete()[0]
        if len(ids) < BATCH:
            return removed

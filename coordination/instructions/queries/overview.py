"""How many instructions move, stand still or are late, for a wall that shows only exceptions?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DateTimeField, F, Q, QuerySet
from django.db.models.functions import Coalesce

from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer
from coordination.events.kept import kept
from coordination.instructions.models import Assignment, Instruction
from sharing import access

_ENDED = ("closed", "superseded", "cancelled")
_HISTORY = timedelta(hours=6)
_BUCKETS = 12


@dataclass(frozen=True)
class Counts:
    """Assignments of one incident: all, still open, not yet acknowledged, overdue, waiting to be evaluated."""

    total: int = 0
    open: int = 0
    acknowledged: int = 0
    unacknowledged: int = 0
    overdue: int = 0
    to_evaluate: int = 0
    closed: int = 0


@dataclass(frozen=True)
class Standout:
    """One row that needs attention: whose, which instruction, why, since or until when."""

    assignment_id: int
    instruction_id: int
    incident_id: int
    number: int
    headline_zh: str
    headline_en: str
    department_zh: str
    department_en: str
    why: str
    at: datetime
    level: int


def counts(*, actor: Actor, incident_ids: Iterable[int], now: datetime) -> dict[int, Counts]:
    """Counts per incident of what the actor may see; one query."""
    return answer(counts_steps(actor=actor, incident_ids=incident_ids, now=now))


def counts_steps(*, actor: Actor, incident_ids: Iterable[int], now: datetime) -> Steps[dict[int, Counts]]:
    """`counts`, to be asked beside other questions; one step."""
    (plain,) = yield [kept(_counted, actor, list(incident_ids), now)]
    return {row["incident"]: Counts(**{f.name: row[f.name] for f in fields(Counts)}) for row in plain}


def _counted(actor: Actor, incident_ids: list[int], now: datetime) -> QuerySet[Any, Any]:
    running = ~Q(state__in=_ENDED)
    return (
        access.scope(actor, Assignment, at=now)
        .filter(instruction__incident_id__in=incident_ids)
        .values(incident=F("instruction__incident_id"))
        .annotate(
            total=Count("id", distinct=True),
            open=Count("id", filter=running, distinct=True),
            acknowledged=Count("id", filter=Q(acknowledged_at__isnull=False), distinct=True),
            unacknowledged=Count("id", filter=running & Q(acknowledged_at=None) & ~Q(state="declined"), distinct=True),
            overdue=Count("id", filter=running & Q(overdue_since__isnull=False), distinct=True),
            to_evaluate=Count("id", filter=Q(state="feedback_submitted"), distinct=True),
            closed=Count("id", filter=Q(state="closed"), distinct=True),
        )
        .order_by()
    )


def standouts(*, actor: Actor, incident_ids: Iterable[int], now: datetime, most: int = 40) -> list[Standout]:
    """What needs a person, worst first: overdue (longest first), declined, not acknowledged (oldest first)."""
    return answer(standouts_steps(actor=actor, incident_ids=incident_ids, now=now, most=most))


def standouts_steps(
    *, actor: Actor, incident_ids: Iterable[int], now: datetime, most: int = 40
) -> Steps[list[Standout]]:
    """`standouts`, to be asked beside other questions; one step."""
    (plain,) = yield [kept(_standing_out, actor, list(incident_ids), str(most), now)]
    found = [_standout(row) for row in plain]
    rank = {"overdue": 0, "declined": 1, "unacknowledged": 2}
    return sorted(found, key=lambda row: (rank[row.why], row.at))


def _standing_out(
    actor: Actor, incident_ids: list[int], most: str, now: datetime
) -> QuerySet[Any, Any]:
    return (
        access.scope(actor, Assignment, at=now)
        .filter(instruction__incident_id__in=incident_ids)
        .exclude(state__in=_ENDED)
        .filter(Q(overdue_since__isnull=False) | Q(acknowledged_at=None) | Q(state="declined"))
        .filter(instruction__versions__n=F("instruction__current"))
        .annotate(since=Coalesce("overdue_since", "created_at", output_field=DateTimeField()))
        .values(
            "id", "instruction_id", "instruction__incident_id", "instruction__number", "state", "overdue_since",
            "since", "escalated_level", "instruction__versions__headline_zh", "instruction__versions__headline_en",
            "department__short_zh", "department__short_en",
        )
        .order_by(F("overdue_since").asc(nulls_last=True), "created_at", "id")
        .distinct()[: int(most)]
    )


def _standout(row: dict[str, Any]) -> Standout:
    why = "overdue" if row["overdue_since"] else "declined" if row["state"] == "declined" else "unacknowledged"
    return Standout(
        assignment_id=row["id"],
        instruction_id=row["instruction_id"],
        incident_id=row["instruction__incident_id"],
        number=row["instruction__number"],
        headline_zh=row["instruction__versions__headline_zh"],
        headline_en=row["instruction__versions__headline_en"],
        department_zh=row["department__short_zh"],
        department_en=row["department__short_en"],
        why=why,
        at=row["since"],
        level=row["escalated_level"],
    )


def acknowledge_history(*, actor: Actor, incident_ids: Iterable[int], now: datetime) -> list[float | None]:
    """Mean minutes from issue to acknowledgement, in twelve half-hours of the last six; None where none was."""
    rows = (
        access.scope(actor, Assignment, at=now)
        .filter(instruction__incident_id__in=list(incident_ids), acknowledged_at__gt=now - _HISTORY)
        .values_list("id", "created_at", "acknowledged_at")
        .distinct()
    )
    buckets: list[list[float]] = [[] for _ in range(_BUCKETS)]
    step = _HISTORY / _BUCKETS
    for _id, created, acknowledged in rows:
        if acknowledged is None:
            continue
        place = _BUCKETS - 1 - min(_BUCKETS - 1, int((now - acknowledged) / step))
        buckets[place].append((acknowledged - created).total_seconds() / 60)
    return [sum(bucket) / len(bucket) if bucket else None for bucket in buckets]


def together(counts: Iterable[Counts]) -> Counts:
    """The sum over several incidents."""
    rows = list(counts)
    return Counts(**{f.name: sum(getattr(row, f.name) for row in rows) for f in fields(Counts)})


def places(*, actor: Actor, incident_ids: Iterable[int], now: datetime) -> list[dict[str, Any]]:
    """Issued instructions that name coordinates: instruction_id, number, headlines, latitude, longitude (WGS-84)."""
    rows = (
        access.scope(actor, Instruction, at=now)
        .filter(incident_id__in=list(incident_ids), versions__n=F("current"), versions__latitude__isnull=False)
        .exclude(state__in=("draft", "in_approval", "approved", "cancelled"))
        .values(
            "number", instruction_id=F("pk"), latitude=F("versions__latitude"), longitude=F("versions__longitude"),
            headline_zh=F("versions__headline_zh"), headline_en=F("versions__headline_en"),
        )
        .order_by("number")
        .distinct()
    )
    return [dict(row) for row in rows]

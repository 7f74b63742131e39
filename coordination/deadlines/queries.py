"""What is due, how does it climb, and is anybody watching?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from coordination.deadlines.models import Alarm, Deadline, EngineGap, EngineHeartbeat, Policy
from coordination.events.at_once import Steps, answer
from coordination.events.kept import kept

LIVE = (Deadline.State.ARMED, Deadline.State.HELD)
#: an engine that has not ticked for this long counts as gone
SILENT_AFTER = timedelta(seconds=10)
WARN_OVERDUE = timedelta(seconds=10)
PAGE_OVERDUE = timedelta(seconds=60)

_OFFSET = re.compile(r"^(?:(?P<w>-?\d*\.?\d*)w)?(?P<seconds>[+-]?\d+(?:\.\d+)?)?$")


class BadLadderError(ValueError):
    """A ladder whose data cannot be understood; the message quotes it."""


def live_of(subject_type: str, ids: Iterable[int]) -> dict[int, list[Deadline]]:
    """Return {subject id: its armed and held deadlines, nearest first}; ids without any are missing."""
    return answer(live_steps(subject_type, ids))


def live_steps(subject_type: str, ids: Iterable[int]) -> Steps[dict[int, list[Deadline]]]:
    """`live_of`, to be asked beside other questions; one step."""
    found: dict[int, list[Deadline]] = defaultdict(list)
    (rows,) = yield [kept(_live, subject_type, list(ids))]
    for row in rows:
        found[row.subject_id].append(row)
    return dict(found)


def _live(subject_type: str, ids: list[int]) -> QuerySet[Deadline]:
    rows = Deadline.objects.filter(subject_type=subject_type, subject_id__in=ids, state__in=LIVE)
    return rows.order_by("due_at", "id")


def is_climbing(subject_type: str, subject_id: int, kind: str, generation: int) -> bool:
    """Whether a chain has not been answered: its newest row fired as the last of its ladder, or waits for the next."""
    rows = Deadline.objects.filter(
        subject_type=subject_type, subject_id=subject_id, kind=kind, generation=generation
    )
    state = rows.order_by("-level").values_list("state", flat=True).first()
    return state is not None and state != Deadline.State.CANCELLED


def history_of(subject_type: str, subject_id: int) -> list[Deadline]:
    """All deadlines of one subject, fired and cancelled ones too, oldest first."""
    rows = Deadline.objects.filter(subject_type=subject_type, subject_id=subject_id)
    return list(rows.order_by("armed_at", "id"))


def policy(set: str, response_level: int | None) -> Policy:
    """The policy of a set at a response level (None and 0: no level set).

    Falls back to the set's policy without level, then to the standard set. Raises Policy.DoesNotExist where no
    policies were loaded at all.
    """
    level = response_level or 0
    rows = list(Policy.objects.filter(set__in={set, "standard"}, response_level__in={level, 0}))
    if not rows:
        raise Policy.DoesNotExist(f"no policy {set} level {level}: load_policies has not run")
    return max(rows, key=lambda row: (row.set == set, row.response_level == level))


def within(policy: Policy, kind: str, pace: float = 1) -> float:
    """Seconds a policy allows for a kind of deadline, at an incident's pace (2 = twice as fast)."""
    return float(policy.within[kind]) / (pace or 1)


def ladder(policy: Policy, kind: str, term_seconds: float, pace: float = 1) -> list[list[Any]]:
    """The ladder of a kind in its frozen form: [[seconds after due, step], ...], sorted.

    ``term_seconds`` is the time from arming to due, already at pace; shares like ``"-50%"`` are of it. A last entry
    may read [seconds, step, every, cap]. Raises BadLadderError for an offset that cannot be read.
    """
    entries = policy.ladders.get(kind, policy.ladders.get("default", []))
    frozen: list[list[Any]] = []
    for offset, step, *repeat in entries:
        seconds = _seconds(offset, policy.wait, term_seconds, pace)
        frozen.append([seconds, step, *(float(n) / (pace or 1) for n in repeat)])
    return sorted(frozen, key=lambda entry: entry[0])


def _seconds(offset: Any, wait: float, term: float, pace: float) -> float:
    if isinstance(offset, int | float):
        return float(offset) / (pace or 1)
    text = str(offset).replace(" ", "")
    if text.endswith("%"):
        try:
            return float(text[:-1]) / 100 * term
        except ValueError:
            raise BadLadderError(f"offset {offset!r}") from None
    found = _OFFSET.match(text)
    if not text or found is None:
        raise BadLadderError(f"offset {offset!r}")
    times = found["w"]
    waits = 0.0 if times is None else {"": 1.0, "-": -1.0}.get(times) or float(times or 0)
    return (waits * wait + float(found["seconds"] or 0)) / (pace or 1)


def wait_after(ladder: list[list[Any]], level: int) -> float | None:
    """Seconds from the step at ``level`` to the next one; None when the ladder ends there.

    A repeating last entry waits ``every``, doubling with each level beyond it, never longer than its cap.
    """
    if level + 1 < len(ladder):
        return max(0.0, float(ladder[level + 1][0]) - float(ladder[level][0]))
    if not ladder or len(ladder[-1]) < 3:
        return None
    every = float(ladder[-1][2])
    cap = float(ladder[-1][3]) if len(ladder[-1]) > 3 else every
    doublings = min(level - (len(ladder) - 1), 40)
    return float(min(every * 2**doublings, max(cap, every)))


def step_at(ladder: list[list[Any]], level: int) -> str:
    """The name of the step at ``level``; a repeating last one goes on; empty where there is none."""
    if level < len(ladder):
        return str(ladder[level][1])
    return str(ladder[-1][1]) if ladder and len(ladder[-1]) > 2 else ""


def oldest_overdue(now: datetime) -> timedelta:
    """How long the most overdue armed deadline waits (zero when none is overdue). Index-only."""
    due = Deadline.objects.filter(state=Deadline.State.ARMED, due_at__lte=now).aggregate(first=Min("due_at"))["first"]
    return now - due if due else timedelta()


def next_due(now: datetime) -> float | None:
    """Seconds until the next armed deadline (negative: overdue); None when nothing is armed."""
    armed = Deadline.objects.filter(state=Deadline.State.ARMED).order_by("due_at")
    due = armed.values_list("due_at", flat=True).first()
    return (due - now).total_seconds() if due else None


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine process as last heard of."""

    process: str
    at: datetime
    alive: bool
    doing: str


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the status line and the engine page show. ``watched`` false = red: deadlines unwatched."""

    now: datetime
    watched: bool
    last_tick: datetime | None
    engines: list[Engine]
    armed: int
    held: int
    poisoned: int
    overdue: int
    oldest_overdue_seconds: float
    next_due_seconds: float | None
    open_alarms: int
    gaps: list[EngineGap]


def engine_status(now: datetime) -> EngineStatus:
    """How the engine does: seven queries, whatever the number of deadlines that wait."""
    beats = list(EngineHeartbeat.objects.order_by("-at")[:20])
    counts = Deadline.objects.filter(state__in=LIVE).aggregate(
        armed=Count("id", filter=Q(state=Deadline.State.ARMED)),
        held=Count("id", filter=Q(state=Deadline.State.HELD)),
        poisoned=Count("id", filter=Q(state=Deadline.State.HELD, held_why__startswith="poison")),
        overdue=Count("id", filter=Q(state=Deadline.State.ARMED, due_at__lte=now)),
    )
    last = beats[0].at if beats else None
    return EngineStatus(
        now=now,
        watched=last is not None and now - last <= SILENT_AFTER and oldest_overdue(now) < PAGE_OVERDUE,
        last_tick=last,
        engines=[Engine(b.process, b.at, now - b.at <= SILENT_AFTER, b.doing) for b in beats],
        oldest_overdue_seconds=oldest_overdue(now).total_seconds(),
        next_due_seconds=next_due(now),
        open_alarms=Alarm.objects.filter(settled_at=None).count(),
        gaps=list(EngineGap.objects.order_by("-began_at")[:10]),
        **counts,
    )


def unwatched_since(now: datetime) -> datetime | None:
    """Since when no engine has ticked (None: one does). One index-free query on a table of a few rows."""
    last: datetime | None = EngineHeartbeat.objects.aggregate(last=Max("at"))["last"]
    if last is not None and now - last <= SILENT_AFTER:
        return None
    return last or now


def open_alarms(
    *, department_ids: Iterable[int] | None = None, incident_id: int | None = None, limit: int = 50
) -> list[Alarm]:
    """Open alarms, newest first; of these departments, of this incident, or all."""
    rows = Alarm.objects.filter(settled_at=None)
    if department_ids is not None:
        rows = rows.filter(department_id__in=list(department_ids))
    if incident_id is not None:
        rows = rows.filter(incident_id=incident_id)
    return list(rows.order_by("-raised_at", "-id")[:limit])

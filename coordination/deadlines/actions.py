"""How is a clock set, stopped, held and moved?

Plain functions, called inside other rooms' actions: they write rows and record nothing themselves. All take the
subject (a saved model instance) or ids, and ``now`` from the edge.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest

from coordination.deadlines.handlers import type_of
from coordination.deadlines.models import Deadline, PausedIncident
from coordination.deadlines.queries import LIVE, step_at
from coordination.notify import urgency as urgencies

PAUSED = "paused"
POISON = "poison"
ARCHIVE_BATCH = 2_000
ARCHIVE_SECONDS = 8.0
"""Other work of the same queue must have its turn."""


@dataclass(frozen=True, slots=True)
class Order:
    """One deadline to arm; the fields are those of `arm`."""

    subject: models.Model
    kind: str
    due_at: datetime
    ladder: Sequence[Sequence[Any]] = field(default_factory=list)
    urgency: str = "routine"
    incident_id: int | None = None
    armed_version: int = 1
    every: float | None = None
    start_level: int = 0
    on_outage: str = "fire"


def arm(
    *,
    subject: models.Model,
    kind: str,
    due_at: datetime,
    ladder: Sequence[Sequence[Any]],
    urgency: str,
    incident_id: int | None,
    now: datetime,
    armed_version: int = 1,
    every: float | None = None,
    start_level: int = 0,
    on_outage: str = "fire",
) -> Deadline:
    """Arm one deadline; a live one of the same kind is cancelled and the generation grows.

    ``ladder`` in the frozen form of `queries.ladder`. ``every``: seconds of a repeating deadline's grid.
    ``start_level`` skips the ladder's first steps. ``on_outage``: ``fire`` or ``extend``.
    """
    order = Order(
        subject, kind, due_at, ladder, urgency, incident_id, armed_version, every, start_level, on_outage
    )
    return arm_many([order], now=now)[0]


def arm_many(orders: Sequence[Order], *, now: datetime) -> list[Deadline]:
    """Arm many at once, in four statements whatever their number; in the order given."""
    if not orders:
        return []
    keys = [(type_of(order.subject), order.subject.pk, order.kind) for order in orders]
    if len(set(keys)) < len(keys):
        raise ValueError("the same subject and kind twice in one arm_many")
    same = _these(keys)
    generations: dict[tuple[str, int, str], int] = {
        (row["subject_type"], row["subject_id"], row["kind"]): row["last"]
        for row in same.values("subject_type", "subject_id", "kind").annotate(last=Max("generation"))
    }
    same.filter(state__in=LIVE).update(state=Deadline.State.CANCELLED, left=None)
    incidents = {order.incident_id for order in orders if order.incident_id is not None}
    paused = set(PausedIncident.objects.filter(pk__in=incidents).values_list("pk", flat=True)) if incidents else set()
    rows = [
        _row(order, key, generations.get(key, 0) + 1, order.incident_id in paused, now)
        for order, key in zip(orders, keys, strict=True)
    ]
    return Deadline.objects.bulk_create(rows)


def _these(keys: Sequence[tuple[str, int, str]]) -> QuerySet[Deadline]:
    wanted = Q()
    groups: dict[tuple[str, str], list[int]] = {}
    for subject_type, subject_id, kind in keys:
        groups.setdefault((subject_type, kind), []).append(subject_id)
    for (subject_type, kind), ids in groups.items():
        wanted |= Q(subject_type=subject_type, kind=kind, subject_id__in=ids)
    return Deadline.objects.filter(wanted)


def _row(order: Order, key: tuple[str, int, str], generation: int, paused: bool, now: datetime) -> Deadline:
    ladder = [list(entry) for entry in order.ladder]
    level = min(order.start_level, max(0, len(ladder) - 1))
    offset = float(ladder[level][0]) if ladder else 0.0
    # a later start level is for a chain that has climbed before: its first step still comes at due
    first = order.due_at + timedelta(seconds=offset if order.start_level == 0 else min(offset, 0.0))
    return Deadline(
        subject_type=key[0],
        subject_id=key[1],
        kind=order.kind,
        level=level,
        generation=generation,
        due_at=first,
        base_due=order.due_at,
        armed_at=now,
        urgency=urgencies.rank(order.urgency),
        state=Deadline.State.HELD if paused else Deadline.State.ARMED,
        held_why=PAUSED if paused else "",
        left=(first - now).total_seconds() if paused else None,
        armed_version=order.armed_version,
        on_outage=order.on_outage,
        ladder=ladder,
        every=order.every,
        incident_id=order.incident_id,
        step=step_at(ladder, level),
    )


def rearm(*, subject: models.Model, kind: str, now: datetime) -> Deadline | None:
    """Put a live repeating deadline on the next point of its own grid after ``now``, ladder from its beginning.

    The grid is kept: what is answered late is owed again at the old rhythm. None when there is no live one.
    """
    live = _live(subject).filter(kind=kind).first()
    if live is None or not live.every:
        return None
    return arm(
        subject=subject,
        kind=kind,
        due_at=next_on_grid(live.base_due, live.every, now),
        ladder=live.ladder,
        urgency=urgencies.name(live.urgency),
        incident_id=live.incident_id,
        now=now,
        armed_version=live.armed_version,
        every=live.every,
        on_outage=live.on_outage,
    )


def next_on_grid(base: datetime, every: float, now: datetime) -> datetime:
    """The first point of the grid base + n × every (seconds) that lies after ``now`` and after ``base``."""
    passed = max(0.0, (now - base).total_seconds())
    return base + timedelta(seconds=(int(passed // every) + 1) * every)


def cancel(*, subject: models.Model, kinds: Iterable[str] | None = None, now: datetime) -> int:
    """Stop the subject's live deadlines (of these kinds, or all); return how many."""
    return cancel_many(subject_type=type_of(subject), subject_ids=[subject.pk], kinds=kinds, now=now)


def cancel_many(
    *, subject_type: str, subject_ids: Iterable[int], kinds: Iterable[str] | None = None, now: datetime
) -> int:
    """Stop the live deadlines of many subjects of one type in one statement; return how many."""
    rows = Deadline.objects.filter(subject_type=subject_type, subject_id__in=list(subject_ids), state__in=LIVE)
    if kinds is not None:
        rows = rows.filter(kind__in=list(kinds))
    return rows.update(state=Deadline.State.CANCELLED, left=None, fired_at=None)


def hold(*, subject: models.Model, why: str, now: datetime, except_kinds: Iterable[str] = ()) -> int:
    """Hold the subject's armed deadlines with the time they have left; return how many.

    Those held because the incident is paused keep that time and take this reason.
    """
    rows = _live(subject).exclude(kind__in=list(except_kinds))
    standing = rows.filter(state=Deadline.State.HELD, held_why=PAUSED).update(held_why=why[:200])
    return standing + _hold(rows.filter(state=Deadline.State.ARMED), why, now)


def resume(*, subject: models.Model, now: datetime) -> int:
    """Arm the subject's held deadlines again with the time they had left; return how many.

    What is poisoned stays held; in a paused incident they stay held until it goes on.
    """
    rows = _live(subject).filter(state=Deadline.State.HELD).exclude(held_why__startswith=POISON)
    incident_id = rows.values_list("incident_id", flat=True).first()
    if incident_id is not None and PausedIncident.objects.filter(pk=incident_id).exists():
        return rows.update(held_why=PAUSED)
    return _resume(rows, now)


def shorten(
    *, subject: models.Model, kind: str, due_at: datetime, every: float | None = None, now: datetime
) -> int:
    """Bring a live deadline forward to ``due_at`` (never back), and its repetition to ``every``; return 0 or 1."""
    rows = _live(subject).filter(kind=kind)
    if every is not None:
        rows.update(every=every)
    moved = rows.filter(state=Deadline.State.ARMED, due_at__gt=due_at).update(
        due_at=due_at, base_due=Greatest(due_at, now)
    )
    held = rows.filter(state=Deadline.State.HELD, left__gt=(due_at - now).total_seconds()).update(
        left=max(0.0, (due_at - now).total_seconds()), base_due=due_at
    )
    return moved + held


def hold_incident(incident_id: int, now: datetime) -> int:
    """Stop every clock of a paused incident (exercise or story); return how many were running."""
    PausedIncident.objects.get_or_create(incident_id=incident_id, defaults={"paused_at": now})
    running = Deadline.objects.filter(incident_id=incident_id, state=Deadline.State.ARMED)
    held = _hold(running, PAUSED, now)
    # one that was firing just then was waited for: what follows it is there now
    return held + _hold(running.all(), PAUSED, now)


def resume_incident(incident_id: int, now: datetime) -> int:
    """Let the clocks of a paused incident run on with the time they had left; return how many."""
    PausedIncident.objects.filter(pk=incident_id).delete()
    held = Deadline.objects.filter(incident_id=incident_id, state=Deadline.State.HELD, held_why=PAUSED)
    return _resume(held, now)


def hasten(
    *, subject_type: str, subject_id: int, kind: str, generation: int, after_level: int, now: datetime
) -> int:
    """Run the step after ``after_level`` now: nobody could be reached by the one before. Return 0 or 1."""
    rows = Deadline.objects.filter(
        subject_type=subject_type, subject_id=subject_id, kind=kind, generation=generation, state=Deadline.State.ARMED
    )
    return rows.filter(level=after_level + 1, due_at__gt=now).update(due_at=now)


def release(*, deadline_id: int, now: datetime) -> int:
    """Let a poisoned deadline try again at once (an administrator mended its cause); return 0 or 1."""
    return Deadline.objects.filter(
        pk=deadline_id, state=Deadline.State.HELD, held_why__startswith=POISON
    ).update(state=Deadline.State.ARMED, held_why="", left=None, attempts=0, due_at=now)


def release_all(*, now: datetime) -> int:
    """Let every poisoned deadline try again (an engine begins: the cause may be mended); return how many.

    In a paused incident they stay held.
    """
    held = Deadline.objects.filter(state=Deadline.State.HELD, held_why__startswith=POISON)
    free = held.exclude(incident_id__in=PausedIncident.objects.values("pk"), incident_id__isnull=False)
    return free.update(state=Deadline.State.ARMED, held_why="", left=None, attempts=0, due_at=now)


def archive(*, now: datetime, days: int = 90, after: int = 0, seconds: float = ARCHIVE_SECONDS) -> tuple[int, int]:
    """Delete fired and cancelled rows armed more than ``days`` ago whose subject has no live one.

    The log keeps each firing as an event; these rows only guard against firing twice. The newest of each kind stays,
    so that generations, and with them the keys of messages, never begin again.

    Goes through the rows by id, batch after batch, each a transaction of its own. Return how many went, and the id
    ``after`` which to go on when ``seconds`` were not enough; 0: nothing is left.
    """
    ends, cutoff, removed = time.monotonic() + seconds, now - timedelta(days=days), 0
    while True:
        batch = Deadline.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "armed_at")
        found = list(batch[:ARCHIVE_BATCH])
        old = [pk for pk, armed_at in found if armed_at < cutoff]
        if not old:  # ids grow with time: what comes after is younger still
            return removed, 0
        removed += _archivable().filter(pk__in=old).delete()[0]
        after = found[-1][0]
        if time.monotonic() >= ends:
            return removed, after


def _archivable() -> QuerySet[Deadline]:
    live = Deadline.objects.filter(
        subject_type=OuterRef("subject_type"), subject_id=OuterRef("subject_id"), state__in=LIVE
    )
    same = {name: OuterRef(name) for name in ("subject_type", "subject_id", "kind")}
    newer = Deadline.objects.filter(**same, pk__gt=OuterRef("pk"))
    return Deadline.objects.exclude(state__in=LIVE).filter(~Exists(live), Exists(newer))


def _live(subject: models.Model) -> QuerySet[Deadline]:
    return Deadline.objects.filter(subject_type=type_of(subject), subject_id=subject.pk, state__in=LIVE)


_HOLD = """
UPDATE deadlines_deadline
SET state = 'held', held_why = %(why)s, "left" = extract(epoch FROM due_at - %(now)s)
WHERE id = ANY(%(ids)s)"""
_RESUME = """
UPDATE deadlines_deadline
SET state = 'armed', held_why = '', "left" = NULL, due_at = %(now)s + greatest("left", 0) * interval '1 second',
    base_due = base_due + ((%(now)s + greatest("left", 0) * interval '1 second') - due_at)
WHERE id = ANY(%(ids)s)"""


def _hold(rows: QuerySet[Deadline], why: str, now: datetime) -> int:
    return _update(rows, _HOLD, {"why": why[:200], "now": now})


def _resume(rows: QuerySet[Deadline], now: datetime) -> int:
    return _update(rows, _RESUME, {"now": now})


def _update(rows: QuerySet[Deadline], statement: str, values: dict[str, Any]) -> int:
    """Run one UPDATE with intervals, which the ORM cannot say; rows are locked in the order of their ids."""
    ids = list(rows.order_by("id").select_for_update(no_key=True).values_list("id", flat=True))
    if not ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "ids": ids})
        return int(cursor.rowcount)

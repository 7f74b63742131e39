"""Which due deadlines can be taken now, with their subjects locked and still meaning it?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from coordination.deadlines.handlers import Handler, Parties, handler
from coordination.deadlines.models import Deadline, EngineGap
from coordination.events.at_once import at_once
from coordination.events.kept import kept, kept_unplanned

#: a gap older than this no longer excuses anything: what was due in it has fired long since
GAPS_LOOKED_AT = timedelta(days=2)


@dataclass(slots=True)
class Due:
    """One claimed deadline with what is behind it."""

    deadline: Deadline
    subject: Any
    handler: Handler
    parties: Parties
    line: int | None
    outage: bool = False


@dataclass(slots=True)
class Claim:
    """What one batch took: ``due`` will fire, ``stale`` mean nothing any more, ``busy`` belong to a locked subject."""

    due: list[Due] = field(default_factory=list)
    stale: list[Deadline] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)
    taken: int = 0


def claim(now: datetime, limit: int, *, ids: Collection[int] | None = None, skip: Collection[int] = ()) -> Claim:
    """Lock up to ``limit`` due rows by urgency and due time, then their subjects, skipping what others hold.

    ``ids``: only these rows; ``skip``: not these (found busy before).
    """
    one_by_one = list(ids) if ids is not None else None
    (taken,) = at_once(kept_unplanned(_free, now, str(limit), one_by_one, sorted(skip)))
    found = Claim(taken=len(taken))
    if not taken:
        return found
    subjects = _lock(taken)
    gaps = _gaps(now)
    for deadline in taken:
        who = handler(deadline.subject_type)
        subject = subjects.get((deadline.subject_type, deadline.subject_id))
        if subject is None:
            found.busy.append(deadline.pk)
        elif not who.still_due(subject, deadline):
            found.stale.append(deadline)
        else:
            parties = who.parties(subject)
            outage = any(began <= deadline.due_at <= ended for began, ended in gaps)
            found.due.append(Due(deadline, subject, who, parties, parties.line(deadline.kind), outage))
    return found


def _free(now: datetime, limit: str, ids: list[int] | None, skip: list[int]) -> QuerySet[Deadline]:
    rows = Deadline.objects.filter(state=Deadline.State.ARMED, due_at__lte=now)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    if skip:
        rows = rows.exclude(pk__in=skip)
    return rows.order_by("urgency", "due_at", "id").select_for_update(no_key=True, skip_locked=True)[: int(limit)]


def _gaps(now: datetime) -> list[tuple[datetime, datetime]]:
    (rows,) = at_once(kept(_ended_after, now - GAPS_LOOKED_AT))
    return [(began, ended) for began, ended in rows if ended is not None]


def _ended_after(since: datetime) -> QuerySet[EngineGap, Any]:
    return EngineGap.objects.filter(ended_at__gt=since).values_list("began_at", "ended_at")


def _lock(taken: list[Deadline]) -> dict[tuple[str, int], Any]:
    ids: dict[str, set[int]] = defaultdict(set)
    for deadline in taken:
        ids[deadline.subject_type].add(deadline.subject_id)
    locked: dict[tuple[str, int], Any] = {}
    for subject_type in sorted(ids):
        for pk, subject in handler(subject_type).lock(sorted(ids[subject_type])).items():
            locked[subject_type, pk] = subject
    return locked

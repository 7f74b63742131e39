"""How is everything due fired, even when one deadline is broken?"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.db import OperationalError, transaction
from django.db.models import F

from coordination.deadlines import alarms
from coordination.deadlines.actions import POISON
from coordination.deadlines.engine.claim import Claim
from coordination.deadlines.engine.fire import fire_batch
from coordination.deadlines.models import Deadline
from coordination.events import database

BATCH = 100
#: after so many batches relay and delivery get their turn
BATCHES = 20
POISON_AFTER = 5
REST_SECONDS = 1.0
#: row → until when (monotonic)
_resting: dict[int, float] = {}
_log = logging.getLogger(__name__)


def sweep(now: datetime, *, batch: int = BATCH, batches: int = BATCHES) -> int:
    """Fire what is due at ``now``, batch after batch while they are full; return how many fired.

    A lost database is raised to the caller, who comes back later; a broken deadline is not: see `_one_by_one`.
    """
    fired = 0
    busy = _resting_now()
    for _ in range(batches):
        found = _batch(now, batch, busy)
        fired += len(found.due)
        busy.update(found.busy)
        if found.taken < batch:
            break
    return fired


def _resting_now() -> set[int]:
    """The rows that this process leaves alone for a moment, since others hold what they need."""
    for pk in [pk for pk, until in _resting.items() if until <= time.monotonic()]:
        del _resting[pk]
    return set(_resting)


def _batch(now: datetime, limit: int, busy: set[int]) -> Claim:
    try:
        return fire_batch(now, limit, skip=busy)
    except Exception as error:
        if database.is_gone(error):
            raise
        _log.warning("a batch failed and is redone row by row: %s", error)
    return _one_by_one(now, limit, busy)


def _one_by_one(now: datetime, limit: int, busy: set[int]) -> Claim:
    """Fire the same rows one by one; what fails again backs off, the fifth time it is held as poison and alarmed."""
    rows = Deadline.objects.filter(state=Deadline.State.ARMED, due_at__lte=now).exclude(pk__in=busy)
    total = Claim()
    for pk in list(rows.order_by("urgency", "due_at", "id").values_list("pk", flat=True)[:limit]):
        total.taken += 1
        try:
            found = fire_batch(now, 1, ids=[pk])
        except Exception as error:
            if database.is_gone(error):
                raise
            _log.exception("deadline %s failed", pk)
            _back_off(pk, error, now)
        else:
            total.due += found.due
            total.stale += found.stale
            total.busy += found.busy if found.taken else [pk]
    return total


def _back_off(pk: int, error: Exception, now: datetime) -> None:
    """Try again after 1, 2, 4, 8 s; at the fifth failure hold the row. A lock that was not given is no failure.

    It stays due since when it was: whoever watches must see that it does not fire.
    """
    with transaction.atomic():
        rows = Deadline.objects.select_for_update(no_key=True, skip_locked=True)
        row = rows.filter(pk=pk, state=Deadline.State.ARMED).first()
        if row is None:
            return
        if isinstance(error, OperationalError):  # lock or statement time-out, deadlock: the others' fault
            _resting[pk] = time.monotonic() + REST_SECONDS
            return
        row.attempts += 1
        if row.attempts < POISON_AFTER:
            later = now + timedelta(seconds=2 ** (row.attempts - 1))
            Deadline.objects.filter(pk=pk).update(attempts=F("attempts") + 1, due_at=later)
            return
        why = f"{POISON}: {type(error).__name__}: {error}"[:200]
        Deadline.objects.filter(pk=pk).update(
            attempts=row.attempts, state=Deadline.State.HELD, held_why=why, left=0.0
        )
        alarms.raise_alarm(
            alarms.POISON,
            f"deadline:{pk}",
            {"kind": row.kind, "object": [row.subject_type, row.subject_id], "error": type(error).__name__},
            incident_id=row.incident_id,
            now=now,
        )

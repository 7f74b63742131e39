"""Does this engine show that it lives, and was there a time when none did?"""

from __future__ import annotations

import os
import socket
import time
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Max

from coordination.deadlines import alarms
from coordination.deadlines.engine.clock import TOLERANCE, ClockGuard
from coordination.deadlines.models import EngineGap, EngineHeartbeat
from coordination.deadlines.queries import SILENT_AFTER

#: one transaction at a time looks for a gap, so that it is noted once
_GAP_LOCK = 0x6D757374
#: processes that are long gone leave the table
FORGET_AFTER = timedelta(days=1)
#: the longest time an outage adds to a deadline that is extended by it
EXTEND_CAP = timedelta(hours=4)

_guard = ClockGuard()

_EXTEND = """
UPDATE deadlines_deadline SET due_at = due_at + more.by, base_due = base_due + more.by
FROM (SELECT id, least(%(ended)s - greatest(%(began)s, armed_at), %(cap)s * interval '1 second') AS by
      FROM deadlines_deadline
      WHERE state = 'armed' AND on_outage = 'extend' AND armed_at < %(ended)s AND due_at > %(began)s) AS more
WHERE deadlines_deadline.id = more.id
"""


def process_name() -> str:
    """This process, as the status page names it."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"


def tick(now: datetime, doing: str, *, asked: float | None = None, guard: ClockGuard | None = None) -> bool:
    """Write this process's heartbeat, note a gap when nobody ticked before; whether deadlines may fire now.

    ``asked``: the monotonic clock just before the database was asked for ``now``. False while the clock has jumped by
    more than 5 s and three steady looks have not followed.
    """
    guard = guard or _guard
    jump = guard.look(now, asked=asked)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_GAP_LOCK])
        last = EngineHeartbeat.objects.aggregate(last=Max("at"))["last"]
        if last is not None and now - last > SILENT_AFTER:
            cause = EngineGap.Cause.CLOCK if jump else EngineGap.Cause.SILENCE
            note_gap(last, now, cause)
        if last is not None and (last - now > TOLERANCE or (jump < timedelta() and last > now)):
            # the clock went back, perhaps before this process began: nobody is ahead of it any more, or nobody would
            # be missed until then; deadlines are late, none fires twice
            EngineHeartbeat.objects.filter(at__gt=now).update(at=now)
        _beat(now, doing)
    if jump:
        detail = {"seconds": round(jump.total_seconds(), 1), "process": process_name()}
        alarms.raise_alarm(alarms.CLOCK, process_name(), detail, now=now)
    elif guard.may_fire:
        alarms.settle(alarms.CLOCK, process_name(), now=now)
    return guard.may_fire


def _beat(now: datetime, doing: str) -> None:
    name = process_name()
    changed = EngineHeartbeat.objects.filter(process=name).update(
        tick=F("tick") + 1, at=now, monotonic=time.monotonic(), doing=doing[:40]
    )
    if not changed:
        EngineHeartbeat.objects.filter(at__lt=now - FORGET_AFTER).delete()
        EngineHeartbeat.objects.create(process=name, tick=1, at=now, monotonic=time.monotonic(), doing=doing[:40])


def note_gap(began: datetime, ended: datetime, cause: str = EngineGap.Cause.SILENCE) -> EngineGap:
    """Note that nothing could fire from ``began`` to ``ended``; deadlines that an outage extends get that time back."""
    gap = EngineGap.objects.create(began_at=began, ended_at=ended, cause=cause)
    with connection.cursor() as cursor:
        cursor.execute(_EXTEND, {"began": began, "ended": ended, "cap": EXTEND_CAP.total_seconds()})
    return gap

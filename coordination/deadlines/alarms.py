"""What about the platform itself needs a person, and since when?

An alarm is open at most once for a kind and key; raising it again changes nothing, settling it makes room for the
next. Each new one is an event `alarm.raised` that tells the posts it concerns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.db.models import F

from coordination.deadlines.models import Alarm
from coordination.events import streams
from coordination.events.actor import SYSTEM, Actor
from coordination.events.command import action, record

STEP_EMPTY = "step_empty"
UNREACHED = "unreached"
POISON = "poison"
CLOCK = "clock_jump"
OVERDUE = "overdue"
SILENT = "engine_silent"
UNARMED = "no_deadline"
RELAY = "relay_behind"
LEASE = "delivery_stuck"
#: what the house itself watches beside its deadlines; see `watchdog.use`
CANARY = "canary_silent"
DISK = "disk_low"
BACKUP = "backup_old"
LOCKED_OUT = "lock_outs"
BROKER = "broker_away"
EMERGENCY = "emergency_account"
UNSEALED = "log_unsealed"
#: an entry of the log is missing; see `coordination.events.sealing`
LOG_BROKEN = "log_broken"

#: something is open that nothing opens, or the other way round; see `coordination.config.visibility`
DRIFT = "visibility_drift"

_RAISE = """
INSERT INTO deadlines_alarm (kind, key, detail, department_id, incident_id, raised_at, version)
SELECT kind, key, detail, department_id, incident_id, %(now)s, 1
FROM jsonb_to_recordset(%(rows)s::jsonb)
     AS new(kind text, key text, detail jsonb, department_id bigint, incident_id bigint)
ON CONFLICT DO NOTHING
RETURNING id, kind, key
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One alarm to raise. ``tell``: departments whose duty officers hear of it. ``detail``: ids and words, JSON."""

    kind: str
    key: str
    detail: dict[str, Any] = field(default_factory=dict)
    department_id: int | None = None
    incident_id: int | None = None
    tell: tuple[int, ...] = ()
    urgency: str = "urgent"
    exercise: bool = False


def raise_alarm(
    kind: str,
    key: str,
    detail: dict[str, Any],
    department_id: int | None = None,
    incident_id: int | None = None,
    *,
    now: datetime,
) -> bool:
    """Raise one alarm and tell that department's duty officer; whether it is new. Joins an action, or is one."""
    tell = (department_id,) if department_id is not None else ()
    call = Call(kind, key, detail, department_id, incident_id, tell)
    return bool(raise_many(actor=SYSTEM, now=now, calls=[call]))


@action("alarm.raise")
def raise_many(*, actor: Actor, now: datetime, calls: Sequence[Call]) -> list[Alarm]:
    """Raise several alarms in two statements; return those that were not open already."""
    wanted = {(call.kind, call.key[:120]): call for call in calls}
    if not wanted:
        return []
    new = [Alarm(pk=pk, kind=kind, key=key, raised_at=now) for pk, kind, key in _insert(wanted, now)]
    for alarm in new:
        call = wanted[alarm.kind, alarm.key]
        home = [streams.SYSTEM]
        home += [streams.department(pk) for pk in dict.fromkeys((call.department_id, *call.tell)) if pk is not None]
        record(
            type="alarm.raised",
            subject=alarm,
            streams=home,
            payload={**call.detail, "kind": call.kind, "key": alarm.key},  # a detail may be called kind too
            tell=[{"department": pk, "post": "duty_officer"} for pk in dict.fromkeys(call.tell)],
            urgency=call.urgency,
            incident_id=call.incident_id,
            exercise=call.exercise,
        )
    return new


def _insert(wanted: dict[tuple[str, str], Call], now: datetime) -> list[tuple[int, str, str]]:
    rows = [
        {
            "kind": kind,
            "key": key,
            "detail": call.detail,
            "department_id": call.department_id,
            "incident_id": call.incident_id,
        }
        for (kind, key), call in sorted(wanted.items())
    ]
    with connection.cursor() as cursor:
        cursor.execute(_RAISE, {"rows": orjson.dumps(rows).decode(), "now": now})
        return list(cursor.fetchall())


def settle(kind: str, key: str | None = None, *, now: datetime) -> int:
    """Settle the open alarm of a kind and key, or all of a kind; return how many were open."""
    open_ones = Alarm.objects.filter(kind=kind, settled_at=None)
    if key is not None:
        open_ones = open_ones.filter(key=key[:120])
    if not open_ones.exists():
        return 0
    return settle_many(list(open_ones.values_list("pk", flat=True)), now=now)


def settle_many(ids: Sequence[int], *, now: datetime) -> int:
    """Settle those of these alarms that are open still, in four statements whatever their number; return how many."""
    return _settle(actor=SYSTEM, now=now, ids=ids)


@action("alarm.settle")
def _settle(*, actor: Actor, now: datetime, ids: Sequence[int]) -> int:
    mine = Alarm.objects.select_for_update(no_key=True).filter(pk__in=ids, settled_at=None).order_by("pk")
    settled = list(mine)
    Alarm.objects.filter(pk__in=[alarm.pk for alarm in settled]).update(settled_at=now, version=F("version") + 1)
    for alarm in settled:
        alarm.version += 1
        record(
            type="alarm.settled",
            subject=alarm,
            streams=[streams.SYSTEM]
            + ([streams.department(alarm.department_id)] if alarm.department_id is not None else []),
            payload={"kind": alarm.kind, "key": alarm.key},
            incident_id=alarm.incident_id,
        )
    return len(settled)

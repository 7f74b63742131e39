"""What follows when a ladder would find nobody, tonight or in the week to come?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from coordination.deadlines import alarms
from coordination.deadlines.models import Alarm
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.instructions.queries import proof

HOLE = "ladder_hole"
SOON = timedelta(hours=12)


@action("ladder.prove")
def prove_ladders(*, actor: Actor, now: datetime, department_ids: Collection[int] | None = None) -> int:
    """Look at every change of shift of seven days on every ladder in use; alarm each hole, settle what is mended.

    A hole: a step in whose department nobody stands, or nobody of them with a telephone number or address. It is told
    to that department and to command. ``department_ids`` narrows it to those whose roster has changed. Returns how
    many holes there are.
    """
    found, asked = proof.holes(now, department_ids)
    calls = {call.key: call for call in (_call(hole, now) for hole in found)}
    alarms.raise_many(actor=actor, now=now, calls=list(calls.values()))
    gone = Alarm.objects.filter(kind=HOLE, settled_at=None, department_id__in=asked).exclude(key__in=calls)
    for key in list(gone.values_list("key", flat=True)):
        alarms.settle(HOLE, key, now=now)
    return len(calls)


def _call(hole: proof.Hole, now: datetime) -> alarms.Call:
    tell = tuple(dict.fromkeys((hole.department_id, *hole.command)))
    return alarms.Call(
        kind=HOLE, key=f"{hole.department_id}:{hole.step}", department_id=hole.department_id, tell=tell,
        detail={"step": hole.step, "why": hole.why, "from": hole.at.isoformat()},
        urgency="urgent" if hole.at - now < SOON else "routine",
    )

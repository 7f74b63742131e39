"""Would every rung of a ladder find somebody, tonight and in the week to come?"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from accounts import queries as accounts
from accounts.models import Membership, Shift
from accounts.queries import Reachable
from coordination.deadlines import alarms
from coordination.deadlines.models import Alarm
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.instructions.models import Assignment, Instruction
from coordination.instructions.queries.chain import ENDED
from coordination.instructions.states import TERMINAL
from sharing import access

HOLE = "ladder_hole"
AHEAD = timedelta(days=7)
MOST_MOMENTS = 300
_WHY = "whether a ladder would reach somebody is asked of all open work"


@action("ladder.prove")
def prove_ladders(*, actor: Actor, now: datetime, department_ids: Collection[int] | None = None) -> int:
    """Look at every shift boundary of seven days for each department with open work; alarm each hole, settle old ones.

    A hole: nobody on duty, no head, or nobody of them with a telephone number or address. Returns how many there are.
    ``department_ids`` narrows it to those whose roster has changed. Queries by number of boundaries.
    """
    asked = _concerned()
    if department_ids is not None:
        asked &= set(department_ids)
    found: dict[str, alarms.Call] = {}
    for at in _moments(asked, now):
        duty, heads = accounts.on_duty_many(asked, at), accounts.heads_many(asked, at)
        for pk in asked:
            for step, people in (("remind_duty", duty.get(pk, [])), ("head", heads.get(pk, []))):
                why = _hole(people)
                if why:
                    call = _call(pk, step, why, at, now)
                    found.setdefault(call.key, call)
    alarms.raise_many(actor=actor, now=now, calls=list(found.values()))
    gone = Alarm.objects.filter(kind=HOLE, settled_at=None, department_id__in=asked).exclude(key__in=found)
    for key in list(gone.values_list("key", flat=True)):
        alarms.settle(HOLE, key, now=now)
    return len(found)


def _concerned() -> set[int]:
    parts = access.unscoped(Assignment, reason=_WHY).exclude(state__in=TERMINAL)
    orders = access.unscoped(Instruction, reason=_WHY).exclude(state__in=ENDED)
    return {
        *parts.values_list("department_id", flat=True).distinct(),
        *orders.values_list("issuer_id", flat=True).distinct(),
    }


def _moments(department_ids: Iterable[int], now: datetime) -> list[datetime]:
    """Now, and each time at which somebody comes or goes within the week."""
    ids, until = list(department_ids), now + AHEAD
    if not ids:
        return []
    shifts = Shift.objects.filter(department_id__in=ids, starts__lt=until, ends__gt=now)
    posts = Membership.objects.filter(post__department_id__in=ids, valid_to__gt=now, valid_to__lt=until)
    found = {now, *posts.values_list("valid_to", flat=True)}
    for starts, ends in shifts.values_list("starts", "ends"):
        found |= {starts, ends}
    return sorted(at for at in found if at is not None and now <= at < until)[:MOST_MOMENTS]


def _hole(people: Collection[Reachable]) -> str:
    if not people:
        return "nobody"
    return "" if any(one.phone or one.email for one in people) else "no_contact"


def _call(department_id: int, step: str, why: str, at: datetime, now: datetime) -> alarms.Call:
    detail: dict[str, Any] = {"step": step, "why": why, "from": at.isoformat()}
    urgency = "urgent" if at - now < timedelta(hours=12) else "routine"
    return alarms.Call(
        kind=HOLE, key=f"{department_id}:{step}", detail=detail, department_id=department_id, tell=(department_id,),
        urgency=urgency,
    )

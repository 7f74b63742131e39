"""Which messages wait until somebody's quiet hours are over?

Only routine ones, only outside the screen, and only until they have climbed to level 2: everything else rings.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone

from coordination.notify import urgency
from coordination.notify.models import Delivery, QuietRule

#: from this level of a ladder on a routine message rings at night too
RINGS_FROM = 2
CHANNELS = frozenset({"sms", "email"})
#: what no preference mutes or puts off, whatever its urgency: somebody has opened what is theirs to keep
NEVER_MUTED = frozenset({"glass.started", "glass.renewed"})


def bound(row: Delivery) -> bool:
    """Whether quiet hours bind this message at all."""
    waits = row.state == Delivery.State.PENDING and row.person_id is not None and row.channel in CHANNELS
    if row.text_key in NEVER_MUTED:
        return False
    return waits and urgency.name(row.urgency) == "routine" and row.level < RINGS_FROM


def held(rows: Sequence[Delivery], now: datetime) -> dict[int, datetime]:
    """Which of these wait, by id, and until when. One query where any is bound, none otherwise.

    A person's own rule counts before that of the department they are told for.
    """
    asked = [row for row in rows if bound(row)]
    if not asked:
        return {}
    people, departments = {row.person_id for row in asked}, {row.department_id for row in asked} - {None}
    own: dict[int, QuietRule] = {}
    common: dict[int, QuietRule] = {}
    for rule in QuietRule.objects.filter(Q(person__in=people) | Q(department__in=departments)):
        if rule.person_id is not None:
            own[rule.person_id] = rule
        elif rule.department_id is not None:
            common[rule.department_id] = rule
    found = {}
    for row in asked:
        applies = own.get(row.person_id or 0) or common.get(row.department_id or 0)
        until = over(applies.begins, applies.ends, now) if applies is not None else None
        if until is not None:
            found[row.pk] = until
    return found


def over(begins: time, ends: time, now: datetime) -> datetime | None:
    """When the quiet hours that ``now`` lies in are over; None outside them."""
    local = timezone.localtime(now)
    at = local.time().replace(tzinfo=None)
    inside = begins <= at < ends if begins <= ends else at >= begins or at < ends
    if not inside:
        return None
    day = local.date() if at < ends else local.date() + timedelta(days=1)
    return timezone.make_aware(datetime.combine(day, ends))

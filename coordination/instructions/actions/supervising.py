"""How do people press on: urging and supervision?"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from coordination.deadlines import actions as deadlines
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import TooSoon
from coordination.instructions.actions import arming, content, moving
from coordination.instructions.models import Assignment, Urge
from incidents.entered import Entered
from incidents.entered import reason as entered_reason

ONCE_IN = timedelta(minutes=10)


@action("assignment.urge")
def urge(*, actor: Actor, now: datetime, assignment_id: int, note: str = "") -> Assignment:
    """Urge the department on; the same urger once in ten minutes (429 with ``retry_after``)."""
    row = moving.take_assignment(actor=actor, now=now, assignment_id=assignment_id, action="urge")
    words = entered_reason("note", note, needed=False)
    last = row.urges.filter(actor_key=actor.key, at__gt=now - ONCE_IN).order_by("-at").first()
    if last is not None:
        wait = int((last.at + ONCE_IN - now).total_seconds()) + 1
        raise TooSoon(_("You have urged them a moment ago; wait ten minutes."), retry_after=wait)
    Urge.everything.create(
        assignment=row, actor_key=actor.key, department_id=actor.department_id, note=words, at=now
    )
    moving.carry(
        row, "urge", actor=actor, now=now, reason=words, tell=[moving.duty(row.department_id, row.post)],
        urgency="immediate",
    )
    return row


@action("assignment.supervise")
def supervise(
    *, actor: Actor, now: datetime, assignment_id: int, note: str, progress_every: int | None = None
) -> Assignment:
    """Command watches this part closely; progress may be owed more often (seconds)."""
    row = moving.take_assignment(actor=actor, now=now, assignment_id=assignment_id, action="supervise")
    entered = Entered()
    row.supervised_note = entered.text("note", note, 300, needed=True)
    row.progress_every = content.whole(entered, "progress_every", progress_every, 10, 86_400) or row.progress_every
    entered.done()
    row.supervised_since = now
    moving.carry(
        row, "supervise", actor=actor, now=now, reason=row.supervised_note,
        data={"progress_every": row.progress_every}, tell=[moving.duty(row.department_id, row.post)],
        urgency="immediate",
    )
    if progress_every is not None:
        seconds = arming.progress_seconds(row)
        deadlines.shorten(
            subject=row, kind="progress", due_at=now + timedelta(seconds=seconds), every=seconds, now=now
        )
    return row


@action("assignment.lift")
def lift(*, actor: Actor, now: datetime, assignment_id: int, note: str = "") -> Assignment:
    """Command no longer watches it closely."""
    row = moving.take_assignment(actor=actor, now=now, assignment_id=assignment_id, action="lift")
    words = entered_reason("note", note, needed=False)
    row.supervised_since, row.supervised_note, row.progress_every = None, "", None
    moving.carry(row, "lift", actor=actor, now=now, reason=words)
    return row

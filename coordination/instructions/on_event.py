"""What does the closed loop do after something happened elsewhere?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.models import Event
from coordination.instructions.actions.acknowledging import reach
from coordination.instructions.actions.proving import prove_ladders

ROSTER = frozenset({
    "shift.planned", "shift.assigned", "shift.deputy_set", "shift.absent", "shift.present", "shift.taken_over",
    "shift.removed", "membership.appointed", "membership.ended", "person.deactivated",
})
"""What changes who stands in a step of a ladder."""


def handle(events: list[Event]) -> None:
    """A roster has changed: look at once whether the ladders in use still find somebody."""
    touched = {pk for event in events if event.type in ROSTER for pk in _departments(event)}
    if touched:
        prove_ladders(actor=SYSTEM, now=clock.now(), department_ids=touched)


def _departments(event: Event) -> Sequence[int]:
    found = [event.payload.get("department"), *event.payload.get("departments", ())]
    return [pk for pk in found if isinstance(pk, int)]


def reached(assignment_id: int, now: datetime) -> None:
    """The first message about an assignment has left: from now on the time is the department's, not the platform's."""
    reach(actor=SYSTEM, now=now, assignment_id=assignment_id)

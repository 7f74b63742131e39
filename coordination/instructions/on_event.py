"""What does the closed loop do after something happened elsewhere?"""

from __future__ import annotations

from datetime import datetime

from coordination.events.actor import SYSTEM
from coordination.instructions.actions.acknowledging import reach


def reached(assignment_id: int, now: datetime) -> None:
    """The first message about an assignment has left: from now on the time is the department's, not the platform's."""
    reach(actor=SYSTEM, now=now, assignment_id=assignment_id)

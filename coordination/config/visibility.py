"""Does what is open still follow from grants, rules and who takes part, each night?"""

from __future__ import annotations

from datetime import datetime

from coordination.deadlines import alarms
from coordination.events.actor import Actor
from coordination.events.command import action
from sharing import access

KEY = "access"


@action("visibility.check")
def check(*, actor: Actor, now: datetime) -> tuple[int, int]:
    """Compare, and raise the alarm or settle it; (what is open and should not be, what should be and is not)."""
    extra, missing = access.drift(now)
    if extra or missing:
        alarms.raise_alarm(alarms.DRIFT, KEY, {"extra": extra, "missing": missing}, now=now)
    else:
        alarms.settle(alarms.DRIFT, KEY, now=now)
    return extra, missing

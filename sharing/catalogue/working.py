"""By when is a request for data screened and answered? Defaults, held against no statute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sharing.catalogue.working_days import after

SCREEN_DAYS, ANSWER_DAYS, AUTHORITY_DAYS, SIGN_DAYS, DELIVER_DAYS = 2, 10, 2, 3, 20
IN_INCIDENT = {1: timedelta(minutes=30), 2: timedelta(hours=1), 3: timedelta(hours=2), 4: timedelta(hours=4)}
"""By when requests of an open incident are answered, by its response level; one without a level counts as the last."""
DELIVER_IN_INCIDENT = {level: timedelta(hours=hours) for level, hours in ((1, 1), (2, 2), (3, 4), (4, 8))}
"""By when there must be something to read of what was granted in an open incident, likewise."""


@dataclass(frozen=True, slots=True)
class Clock:
    """When something is due, when the steward is reminded of it, and when the data authority hears of it."""

    half: datetime
    due: datetime
    later: datetime


@dataclass(frozen=True, slots=True)
class Times:
    """When a request is screened and answered, when its steward is reminded of each, when the authority may decide."""

    screen_half: datetime
    screen_due: datetime
    answer_half: datetime
    answer_due: datetime
    authority_from: datetime


def times(now: datetime, response_level: int | None, *, in_open_incident: bool) -> Times:
    """The times of a request submitted now."""
    if in_open_incident:
        whole = IN_INCIDENT.get(response_level or 4, IN_INCIDENT[4])
        return Times(now, now, now + whole / 2, now + whole, now + whole * 1.5)
    due = after(now, ANSWER_DAYS)
    return Times(
        after(now, SCREEN_DAYS // 2), after(now, SCREEN_DAYS), after(now, ANSWER_DAYS // 2), due,
        after(due, AUTHORITY_DAYS),
    )


def delivery(now: datetime, response_level: int | None, *, in_open_incident: bool) -> Clock:
    """By when the first delivery of what was granted now is due."""
    if in_open_incident:
        whole = DELIVER_IN_INCIDENT.get(response_level or 4, DELIVER_IN_INCIDENT[4])
        return Clock(now + whole / 2, now + whole, now + whole * 1.5)
    due = after(now, DELIVER_DAYS)
    return Clock(after(now, DELIVER_DAYS // 2), due, after(due, AUTHORITY_DAYS))

"""When has so much working time passed?"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings


def works(day: date) -> bool:
    """Whether people work on a day: Monday to Friday, as changed by the city's holidays and extra days."""
    text = day.isoformat()
    if text in settings.MUSTER_EXTRA_WORKING_DAYS:
        return True
    return day.weekday() < 5 and text not in settings.MUSTER_HOLIDAYS


def after(moment: datetime, days: int) -> datetime:
    """The same time of day so many working days later; what begins on a day off counts from the next day worked."""
    local = moment.astimezone(ZoneInfo(settings.TIME_ZONE))
    while not works(local.date()):
        local += timedelta(days=1)
    while days > 0:
        local += timedelta(days=1)
        days -= works(local.date())
    return local.astimezone(moment.tzinfo)

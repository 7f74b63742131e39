"""What of signing in is no longer needed?"""

from __future__ import annotations

from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session

from accounts.lockout import FAMILIAR, FORGET
from accounts.models import Display, OpenSession
from accounts.queries.sessions import LONGEST_SESSION


def purge(*, now: datetime) -> int:
    """Delete sessions that are over, tries that are forgotten, addresses no longer familiar, screens never paired."""
    gone = [
        OpenSession.objects.filter(started_at__lte=now - LONGEST_SESSION),
        Session.objects.filter(expire_date__lte=now),
        AccessAttempt.objects.filter(attempt_time__lte=now - FORGET),
        AccessLog.objects.filter(attempt_time__lte=now - FAMILIAR),
        Display.objects.filter(department=None, pairing_expires__lte=now - timedelta(hours=1)),
    ]
    return sum(rows.delete()[0] for rows in gone)

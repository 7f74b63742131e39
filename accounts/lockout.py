"""May this user name be tried again from this address, or when?

Two bounds, both of them on a user name and never on an address, because a control room shares one address:

* (user name, address; for a browser in which the person has signed in before, that browser instead of the address:
  `accounts.devices`): after 5 wrong tries 1 minute, after 10 five minutes, from the 15th on 15 minutes each.
* user name, over all addresses from which this person has not signed in during the last 30 days: 30 wrong tries in
  an hour. An attacker with many addresses exhausts it and locks out other strange addresses, but not the control
  room or the desk at which the person works.

Open sessions are never touched. The tries are django-axes' rows in PostgreSQL.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt, AccessLog
from django.db.models import Max, Sum
from django.utils import timezone

FORGET = timedelta(hours=24)
FAMILIAR = timedelta(days=30)
ELSEWHERE_WINDOW = timedelta(hours=1)
ELSEWHERE_LIMIT = 30


def wait_after(failures: int) -> timedelta:
    """How long a user name waits at one address after so many wrong tries in 24 hours."""
    if failures >= 15:
        return timedelta(minutes=15)
    return {5: timedelta(minutes=1), 10: timedelta(minutes=5)}.get(failures, timedelta())


def locked_for(username: str, address: str | None, at: datetime) -> timedelta:
    """How long this user name may not be tried from this address; zero or less = it may. Three queries at most."""
    here = AccessAttempt.objects.filter(
        username=username, ip_address=address, attempt_time__gt=at - FORGET
    ).aggregate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
    if here["last"] is not None:
        left: timedelta = here["last"] + wait_after(here["failures"] or 0) - at
        if left > timedelta():
            return left
    return _locked_elsewhere(username, address, at)


def familiar(username: str, address: str | None) -> None:
    """Note that the person signed in from this address, whichever browser it was."""
    if not AccessLog.objects.filter(
        username=username, ip_address=address, attempt_time__gt=timezone.now() - timedelta(days=1)
    ).exists():
        AccessLog.objects.create(username=username, ip_address=address, user_agent="", http_accept="", path_info="")


def _locked_elsewhere(username: str, address: str | None, at: datetime) -> timedelta:
    familiar = set(
        AccessLog.objects.filter(username=username, attempt_time__gt=at - FAMILIAR)
        .values_list("ip_address", flat=True)
        .distinct()
    )
    if address in familiar:
        return timedelta()
    recent = (
        AccessAttempt.objects.filter(username=username, attempt_time__gt=at - ELSEWHERE_WINDOW)
        .exclude(ip_address__in=familiar)
        .aggregate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
    )
    if (recent["failures"] or 0) < ELSEWHERE_LIMIT:
        return timedelta()
    over: timedelta = recent["last"] + ELSEWHERE_WINDOW - at
    return max(over, timedelta(seconds=1))


class LadderHandler(AxesDatabaseHandler):  # type: ignore[misc]
    """django-axes' book-keeping with our two bounds in place of its single limit."""

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        """Whether the user name of ``credentials`` may not be tried from the request's address now."""
        username = (credentials or {}).get("username")
        if not username:
            return False
        return locked_for(str(username), request.axes_ip_address, timezone.now()) > timedelta()

"""What time is it?

There is one ``now``: the database's clock, taken once at the edge and passed down. Tests move it with
``travel`` (this process) or, across processes, with the ``ClockOffset`` row that is read only where
``settings.MUSTER_MOVABLE_CLOCK`` is on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

_offset = timedelta()


def now() -> datetime:
    """The database's wall clock (UTC, aware), moved by the test offset where one is set."""
    with connection.cursor() as cursor:
        if getattr(settings, "MUSTER_MOVABLE_CLOCK", False):
            cursor.execute(
                "SELECT clock_timestamp() + coalesce((SELECT seconds FROM events_clockoffset LIMIT 1), 0)"
                " * interval '1 second'"
            )
        else:
            cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment + _offset


def travel(by: timedelta | None) -> None:
    """Move this process's clock by ``by`` from now on (tests only); None brings it back."""
    global _offset
    _offset = timedelta() if by is None else _offset + by

"""What time is it?

There is one ``now``: the database's clock, taken once at the edge and passed down. Tests move it with
``travel`` (this process) or, across processes, with the ``ClockOffset`` row that is read only where
``settings.MUSTER_MOVABLE_CLOCK`` is on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import DateTimeField, DurationField, Func, Value
from django.db.models.expressions import CombinedExpression

_offset = timedelta()
_CLOCK = {
    False: "clock_timestamp()",
    True: "clock_timestamp() + coalesce((SELECT seconds FROM events_clockoffset LIMIT 1), 0) * interval '1 second'",
}
"""The clock of the database, and the one that tests move across processes."""


def movable() -> bool:
    """Whether tests may move the clock of this installation."""
    return bool(getattr(settings, "MUSTER_MOVABLE_CLOCK", False))


def now() -> datetime:
    """The database's wall clock (UTC, aware), moved by the test offset where one is set."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_CLOCK[movable()]}")
        moment: datetime = cursor.fetchone()[0]
    return told(moment)


def column(moves: bool) -> Func:
    """The wall clock as a column of a question that is asked anyway; ``moves``: as `movable` says. See `told`."""
    return Func(template=f"({_CLOCK[moves]})", output_field=DateTimeField())


def inside() -> CombinedExpression:
    """The wall clock as part of a condition: what `now` would say."""
    return column(movable()) + Value(_offset, output_field=DurationField())


def told(moment: datetime) -> datetime:
    """What `now` would have said when a `column` was read."""
    return moment + _offset


def travel(by: timedelta | None) -> None:
    """Move this process's clock by ``by`` from now on (tests only); None brings it back."""
    global _offset
    _offset = timedelta() if by is None else _offset + by

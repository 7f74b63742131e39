"""Does the database's clock run as steadily as this machine's?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

TOLERANCE = timedelta(seconds=5)
STEADY_TICKS = 3


@dataclass(slots=True)
class ClockGuard:
    """Compares the database's clock with the monotonic one between two looks, in one process.

    After a jump of more than 5 s nothing fires until three looks in a row were steady.
    """

    last: datetime | None = None
    last_asked: float = 0.0
    last_answered: float = 0.0
    steady: int = STEADY_TICKS

    def look(self, now: datetime, answered: float | None = None, asked: float | None = None) -> timedelta:
        """Take note of ``now``; return how far the clock jumped since the last look (zero when steady).

        ``asked`` and ``answered``: the monotonic clock before and after the database was asked for ``now``. Its answer
        lies somewhere between, so a machine that stood still meanwhile is no jump.
        """
        answered = time.monotonic() if answered is None else answered
        asked = answered if asked is None else asked
        last, self.last = self.last, now
        least, most = asked - self.last_answered, answered - self.last_asked
        self.last_asked, self.last_answered = asked, answered
        if last is None:
            return timedelta()
        passed = (now - last).total_seconds()
        jump = timedelta(seconds=passed - min(max(passed, least), most))
        if abs(jump) > TOLERANCE:
            self.steady = 0
            return jump
        self.steady = min(self.steady + 1, STEADY_TICKS)
        return timedelta()

    @property
    def may_fire(self) -> bool:
        """Whether the clock can be trusted."""
        return self.steady >= STEADY_TICKS

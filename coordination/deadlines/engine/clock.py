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
    last_monotonic: float = 0.0
    steady: int = STEADY_TICKS

    def look(self, now: datetime, monotonic: float | None = None) -> timedelta:
        """Take note of ``now``; return how far the clock jumped since the last look (zero when steady)."""
        measured = time.monotonic() if monotonic is None else monotonic
        last, self.last = self.last, now
        passed, self.last_monotonic = measured - self.last_monotonic, measured
        if last is None:
            return timedelta()
        jump = now - last - timedelta(seconds=passed)
        if abs(jump) > TOLERANCE:
            self.steady = 0
            return jump
        self.steady = min(self.steady + 1, STEADY_TICKS)
        return timedelta()

    @property
    def may_fire(self) -> bool:
        """Whether the clock can be trusted."""
        return self.steady >= STEADY_TICKS

"""When does beat send again after the clock was set back?

It keeps when it last sent each entry. Where that lies ahead, it would send nothing until that time comes again: for an
hour no canary sings, and whoever watches starts it again and again in vain.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from celery.beat import PersistentScheduler

AHEAD = timedelta(seconds=1)
_log = logging.getLogger(__name__)


class Scheduler(PersistentScheduler):  # type: ignore[misc]
    """Beat's own, in which what was sent in the future counts as sent just now."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; return for how long to sleep."""
        now = self.app.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at > now + AHEAD]
        if ahead:
            _log.warning("the clock was set back: %d entries were last sent later than now", len(ahead))
            for entry in ahead:
                entry.last_run_at = now
            self._heap = None  # it is made anew from the entries
        return float(super().tick(*args, **kwargs))

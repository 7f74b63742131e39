"""When does beat send again after it was killed, its disk was full or the clock was set back?

It keeps when it last sent each entry, so that what is done once a day is not done at each start. A file that cannot be
read is nothing to stop for: what it held is at most a day old, and a beat that does not start sends nothing at all.
Where a time lies ahead, beat would send nothing until it comes again: for an hour no canary sings, and whoever watches
starts it again and again in vain.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from celery.beat import Scheduler as InMemoryScheduler

AHEAD = timedelta(seconds=1)
_log = logging.getLogger(__name__)


class Scheduler(InMemoryScheduler):  # type: ignore[misc]
    """Beat's own: a readable file, whole or absent; what was sent in the future counts as sent just now.

    Celery's own keeps a pickle in a dbm file: half of it written, as a power cut leaves it, ends each start.
    """

    def __init__(self, *args: Any, schedule_filename: str, **kwargs: Any) -> None:
        self.path = Path(schedule_filename)
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Take over when what is still in the plan was last sent."""
        super().setup_schedule()
        for name, at in self._kept().items():
            if name in self.schedule:
                self.schedule[name].last_run_at = at

    def _kept(self) -> dict[str, datetime]:
        try:
            kept = json.loads(self.path.read_bytes())
            return {name: datetime.fromisoformat(at).astimezone(self.app.timezone) for name, at in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            _log.warning("%s is not what beat keeps (%s): all is counted from now", self.path, error)
            return {}

    def sync(self) -> None:
        """Keep when each entry was last sent, whole or not at all."""
        beside = self.path.with_name(f"{self.path.name}.new")
        said = json.dumps({name: entry.last_run_at.isoformat() for name, entry in self.schedule.items()})
        try:
            beside.write_text(said)
            os.replace(beside, self.path)
        except OSError as error:
            _log.warning("%s not written (%s): beat goes on", self.path, error)

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

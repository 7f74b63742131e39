"""When is the backup tried, so that nobody finds out in need that it cannot be restored?

Beside what copies: once a night a restore into a blank folder, by a process of its own, whose report goes into the
log. That it went well is noted as the part ``drill`` of the backup; that it did not for too long is an alarm like any
other part's.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coordination.config.backup.source import Store
from coordination.config.launcher import demo
from coordination.config.launcher.folders import REPOSITORY, Instance

LOOK_SECONDS = 30.0
AGAIN = timedelta(hours=1)
STOP_SECONDS = 20.0
Note = Callable[[str, str, int], None]
_log = logging.getLogger(__name__)


def command(folder: Path) -> list[str]:
    """Return the drill's own command, into ``folder``."""
    return [sys.executable, "manage.py", "drill", "--folder", str(folder)]


class Nightly:
    """Drills once a day from ``hour`` (UTC) on; first as soon as there is a base, after a failure each hour."""

    def __init__(
        self, store: Store, folder: Path, *, hour: int, note: Note, last: datetime | None,
        drill: Callable[[Path], Sequence[str]] = command,
    ) -> None:  # fmt: skip
        """``folder``: where the drills restore to; ``last``: when one went well."""
        self.store, self.folder, self.hour, self.note, self.last = store, folder, hour, note, last
        self.drill = drill
        self.tried: datetime | None = None

    def run(self, stop: threading.Event) -> None:
        """Drill each night until ``stop`` is set."""
        while not stop.wait(LOOK_SECONDS if self.last or self.tried else 1.0):
            try:
                if self.due(datetime.now(UTC)):
                    self.once(stop)
            except Exception:  # noqa: BLE001 - a disk that is away for a moment must not end the drills for good
                _log.exception("backup: no drill; tried again")

    def due(self, now: datetime) -> bool:
        """Whether it is time to drill."""
        if not self.store.base_names() or (self.tried is not None and now - self.tried < AGAIN):
            return False
        return self.last is None or (now.hour >= self.hour and self.last.date() < now.date())

    def once(self, stop: threading.Event) -> bool:
        """Drill now, until it is over or ``stop`` is set; whether it went well."""
        self.tried = datetime.now(UTC)
        demo.reset(Instance(self.folder))  # what one that was cut short left
        process = subprocess.Popen(self.drill(self.folder), cwd=REPOSITORY, stdin=subprocess.DEVNULL)  # noqa: S603 - ours
        while process.poll() is None and not stop.wait(0.5):
            pass
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.returncode != 0:
            return False
        self.last = datetime.now(UTC)
        self.note("drill", self.store.base_names()[-1], round((self.last - self.tried).total_seconds()))
        return True

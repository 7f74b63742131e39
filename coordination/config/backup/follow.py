"""How does the backup go on by itself: the log every few seconds, a base every night, old ones away?"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg2

from coordination.config.backup.files import Files
from coordination.config.backup.pruning import moment
from coordination.config.backup.seal import BackupProblem
from coordination.config.backup.source import Source, Store
from coordination.config.backup.wal import Receiver, holes
from coordination.config.launcher.folders import REPOSITORY

BASE_EVERY = 86_400.0
BASE_RETRY = 900.0
_log = logging.getLogger(__name__)

Note = Callable[[str, str, int], None]
"""Tells that a part went well: kind, position, bytes."""


@contextlib.contextmanager
def only_one(store: Store) -> Iterator[None]:
    """Hold the backup's folder; raises BackupProblem when another process does."""
    store.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(store.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupProblem(f"{store.folder} is in use by another backup") from error
        yield
    finally:
        os.close(descriptor)


class Follower:
    """One server followed into one store until it is asked to stop."""

    def __init__(
        self, source: Source, store: Store, key: bytes, *, files: Path, spool: Path, note: Note, every: float,
        hour: int, keep_days: int,
    ) -> None:  # fmt: skip
        """Follow ``source``: nothing is started.

        ``files``: the attachments' folder; ``spool``: where the log arrives; ``every``: seconds between shipments;
        ``hour``: of the day (UTC) from which the night's base is taken; ``keep_days``: what is gone stays so long.
        """
        self.receiver = Receiver(source, store, key, spool)
        self.store, self.note, self.every, self.hour, self.keep_days = store, note, every, hour, keep_days
        self.files = Files(files, store, key)
        self.base: subprocess.Popen[bytes] | None = None
        self.base_tried = float("-inf")
        self.base_wanted = False

    def run(self, stop: threading.Event) -> None:
        """Follow until ``stop`` is set; a round that fails is said and tried again."""
        try:
            while not stop.is_set():
                began = time.monotonic()
                try:
                    self.round()
                except (BackupProblem, OSError, psycopg2.Error) as error:
                    _log.error("backup: %s", error)
                stop.wait(max(0.5, self.every - (time.monotonic() - began)))
        finally:
            self.receiver.stop()
            with contextlib.suppress(BackupProblem, OSError):
                self.receiver.ship()  # what arrived while it stopped
            if self.base is not None and self.base.poll() is None:
                self.base.terminate()

    def round(self) -> None:
        """Ship what is new and take a base when it is time."""
        self.receiver.start()
        place = self.receiver.caught_up()
        stored = self.files.ship()
        self.note("files", f"{len(self.files.known)}", stored)
        written = self.receiver.ship()
        self.note("wal", place, written)
        if self.base is not None and self.base.poll() is not None:
            if self.base.returncode != 0:
                _log.error("backup: the base was not taken (see above); tried again in %d s", BASE_RETRY)
            else:
                self.files.forget(time.time() - self.keep_days * 86_400)
            self.base = None
        if self.base is None and self._due():
            self.base_tried = time.monotonic()
            self.base = subprocess.Popen(
                [sys.executable, "manage.py", "backup", "base"], cwd=REPOSITORY, stdin=subprocess.DEVNULL
            )

    def _due(self) -> bool:
        if time.monotonic() - self.base_tried < BASE_RETRY:
            return False
        names = self.store.base_names()
        if not names or holes(self._since(names[-1])):
            return True
        now = datetime.now(UTC)
        age = (now - moment(names[-1])).total_seconds()
        tonight = now.hour >= self.hour and moment(names[-1]).date() < now.date()
        return age >= BASE_EVERY or (age > BASE_EVERY / 2 and tonight)

    def _since(self, base: str) -> list[str]:
        """The segments stored since a base was taken: a hole in them makes what comes after worthless."""
        began = moment(base).timestamp()
        return [name for name in self.store.segments() if (self.store.wal / name).stat().st_mtime >= began]

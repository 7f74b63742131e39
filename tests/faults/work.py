"""What goes on while one particular thing breaks? Crews work, and at the end all that was promised must hold."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.api.client import Api, City
from tests.faults import checker, records
from tests.faults.clients import CREWS, Client, open_incident, prepare
from tests.faults.history import History
from tests.faults.nemesis import Watchman
from tests.stacks import System

FIRST_SEED = int(os.environ.get("SEED", "1"))
SEEDS = range(FIRST_SEED, FIRST_SEED + int(os.environ.get("SEEDS", "1")))
# crews share their people, and work faster than people do
LIMITS = {"MUSTER_API_READS": "1000000", "MUSTER_API_WRITES": "1000000", "MUSTER_API_LOOP": "1000000"}
QUIET = 90.0
"""Seconds within which everything must have settled once nothing is hurt any more, on a machine that has more to do."""


class Work:
    """Crews at one system, by a seed, with the launcher's watch beside them where ``watched``."""

    def __init__(self, system: System, seed: int, *, clients: int = 4, watched: bool = True, base: str = "") -> None:
        """``base``: another web process of the same system."""
        self.system, self.seed, self.history = system, seed, History()
        self.api = Api(f"{base or system.base_url}/api/v1/schema")
        self.city = City(self.api, system.accounts)
        prepare(self.api, self.city)
        incidents = [open_incident(self.city, number, crew) for number, crew in enumerate(CREWS)]
        self.clients = [
            Client(self.api, self.city, self.history, CREWS[one % len(CREWS)], f"client {one}",
                   incidents[one % len(CREWS)], f"{seed}/{one}")
            for one in range(clients)
        ]  # fmt: skip
        self.watch = [Watchman(system, self.history)] if watched else []

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Crews work meanwhile; one that ended early is raised."""
        threads = [*self.clients, *self.watch]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.stop.set()
            for thread in threads:
                thread.join(60)
        for client in self.clients:
            if client.crash is not None:
                raise client.crash

    def done(self, since: float = 0.0) -> int:
        """How many commands were acknowledged that began after ``since`` (seconds of the run)."""
        return len([one for one in self.history.commands if one.outcome == "ok" and one.began >= since])

    def wait_for_work(self, seconds: float, count: int = 3) -> float:
        """Wait until ``count`` new commands are acknowledged; return after how many seconds."""
        began = self.history.now
        self.system.until(lambda: self.done(began) >= count, seconds=seconds, what="work")
        return self.history.now - began

    def judge(self) -> list[str]:
        """Let all come to rest; return every breach, each kind with the shortest history that shows it."""
        self.system.wait_ready()
        end = time.monotonic() + QUIET
        while True:
            found = records.read(self.system)
            breaches = checker.check(self.history, found)
            if not breaches or time.monotonic() > end:
                break
            time.sleep(1)
        self.city.close()
        return checker.story(self.history, self.seed, breaches)

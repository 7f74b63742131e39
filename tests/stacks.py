"""How do tests get a whole system of their own: every process, on a free port, in its own folder?"""

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from typing import Any

import psutil
import psycopg2.extensions
import redis

from coordination.config.launcher import demo
from coordination.config.launcher.demo import free_port
from coordination.config.launcher.folders import REPOSITORY, Instance
from coordination.config.launcher.roles import OWNER
from coordination.config.launcher.stack import Stack, connect

FOLDER = REPOSITORY / "var"


class System(Stack):
    """A running system, with the handles that tests need."""

    @property
    def accounts(self) -> dict[str, Any]:
        """What the demo city writes for its users: ``people`` and ``clients``."""
        return dict(json.loads(demo.accounts_file(self.instance).read_text(encoding="utf-8")))

    def connect(self, role: str = OWNER) -> psycopg2.extensions.connection:
        """Connect to its database, each statement its own transaction."""
        return connect(self.database(role))

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of one statement, run as the owner."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def redis(self) -> redis.Redis:
        """Return a client of its Redis."""
        return redis.Redis.from_url(self.environment("web")["REDIS_URL"])

    def flush_redis(self) -> None:
        """Wipe its Redis."""
        self.redis().flushall()

    def stop(self) -> None:
        """Stop every process."""
        super().stop()

    def stop_one(self, name: str) -> None:
        """Stop one process and leave it stopped."""
        self.supervisor.stop(name)

    def start_one(self, name: str) -> None:
        """Start one process that was stopped or gave up."""
        self.supervisor.launch(name)

    def until(self, question: Callable[[], Any], *, seconds: float = 15, what: str = "it") -> Any:
        """Return the first true answer of ``question``; fail when there is none in time."""
        deadline = time.monotonic() + seconds
        while True:
            answer = question()
            if answer:
                return answer
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not happen within {seconds} s")
            time.sleep(0.1)


def start(
    name: str = "", *, city: bool = True, story: bool = False, environment: Mapping[str, str] | None = None
) -> System:
    """Start a whole system; ``city``: the demo city is loaded (a second factor is not asked for there)."""
    sweep()
    instance = Instance(FOLDER / f"test-{os.getpid()}{name}")
    variables = {**(demo.ENVIRONMENT if city else {}), "MUSTER_REDIS_PREFIX": "", **(environment or {})}
    more = {"story": ["story"]} if story else {}
    system = System(instance, port=free_port(), environment=variables, more=more)
    system.start(load=demo.load(instance) if city else ())
    return system


def end(system: System) -> None:
    """Stop a system and remove what it kept."""
    system.stop()
    demo.reset(system.instance)


def sweep() -> None:
    """Remove what test processes that were killed left behind."""
    for folder in FOLDER.glob("test-*"):
        match = re.match(r"test-(\d+)", folder.name)
        if match and not psutil.pid_exists(int(match[1])):
            shutil.rmtree(folder, ignore_errors=True)

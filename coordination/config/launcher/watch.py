"""Is everything still working, and what is restarted when it is not?

Supervisor sees processes that end. What hangs, it does not see: a web process that no longer answers, a worker that no
longer takes tasks, an engine whose heart has stopped, a server whose socket was deleted.
"""

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx
import psycopg2
import redis

from coordination.config.launcher.roles import APP
from coordination.config.launcher.stack import QUEUES, Stack, connect

WEB_PROBES = 3
WEB_EVERY = 2.0
SOCKETS_EVERY = 10.0
HEARTS_EVERY = 5.0
CANARY_SECONDS = 30.0
ENGINE_SECONDS = 10.0
GRACE_SECONDS = 45.0  # what was just started may still be starting
FATAL_PAUSE = 5.0


def hung(ages: Mapping[str, float], waiting: Mapping[str, int]) -> dict[str, str]:
    """Which of workers and beat hang, and why.

    ``ages``: seconds since each queue's canary was done (absent: never); ``waiting``: tasks in each queue. A worker
    hangs when something waits and it takes nothing; beat, when nothing is sent to anybody. A canary that is late
    alone proves neither.
    """
    silent = {queue: age for queue in QUEUES if (age := ages.get(queue, float("inf"))) > CANARY_SECONDS}
    found = {
        f"worker-{queue}": f"took no task for {age:.0f} s, {waiting[queue]} wait"
        for queue, age in silent.items() if waiting[queue]
    }  # fmt: skip
    if len(silent) == len(QUEUES) and not any(waiting.values()):
        found["beat"] = f"sent nothing for {min(silent.values()):.0f} s"
    return found


@dataclass
class Watch:
    """Looks at a running stack now and then; ``tick`` is called about once a second."""

    stack: Stack
    say: Callable[[str], None]
    failures: int = 0
    started: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    redis_since: float | None = None

    def tick(self) -> bool:
        """Look at what is due to be looked at; return False when the supervisor itself is gone."""
        if not self.stack.supervisor.alive():
            return False
        if self._due("fatal", FATAL_PAUSE):
            self._given_up()
        if self._due("web", WEB_EVERY):
            self._web()
        if self._due("sockets", SOCKETS_EVERY):
            self._sockets()
        if self._due("hearts", HEARTS_EVERY):
            self._hearts()
        return True

    def _due(self, what: str, seconds: float) -> bool:
        now = time.monotonic()
        if now - self.last.get(what, float("-inf")) < seconds:
            return False
        self.last[what] = now
        return True

    def _restart(self, name: str, why: str) -> None:
        if time.monotonic() - self.started.get(name, float("-inf")) < GRACE_SECONDS:
            return
        self.say(f"{name}: {why}; restarting it")
        self.started[name] = time.monotonic()
        self.stack.supervisor.restart(name)

    def _given_up(self) -> None:
        """Supervisor gives up after its retries; we do not."""
        for name in self.stack.names:
            if self.stack.supervisor.state(name) in {"FATAL", "EXITED"}:
                self.say(f"{name}: does not stay up (see {self.stack.log(name)}); trying again")
                self.stack.supervisor.launch(name)

    def _young(self, name: str) -> bool:
        information = self.stack.supervisor.information(name)
        return information["statename"] != "RUNNING" or information["now"] - information["start"] < GRACE_SECONDS

    def _web(self) -> None:
        try:
            answered = httpx.get(f"{self.stack.base_url}/health/live", timeout=3, trust_env=False).status_code == 200
        except httpx.HTTPError:
            answered = False
        self.failures = 0 if answered else self.failures + 1
        if self.failures >= WEB_PROBES and not self._young("web"):
            self.failures = 0
            self._restart("web", "did not answer three times")

    def _sockets(self) -> None:
        instance = self.stack.instance
        for name, path in (("postgres", instance.postgres_run / ".s.PGSQL.5432"), ("redis", instance.redis_socket)):
            # a server that was stopped, or is just starting, has no socket either
            if name in self.stack.names and not path.exists() and not self._young(name):
                self._restart(name, "its socket is gone")

    def _hearts(self) -> None:
        ages = self._ages()
        if ages is None:
            return
        engine = ages.get("engine")
        if engine is not None and engine > ENGINE_SECONDS and not self._young("engine"):
            self._restart("engine", f"its heart stopped {engine:.0f} s ago")
        self._canaries(ages, self._waiting())

    def _canaries(self, ages: Mapping[str, float], waiting: Mapping[str, int] | None) -> None:
        if waiting is None:
            self.redis_since = None
            return
        if self.redis_since is None:
            self.redis_since = time.monotonic()
        if time.monotonic() - self.redis_since < CANARY_SECONDS or self._young("beat"):
            return  # Redis is just back, or beat is starting still: no canary could sing
        for name, why in hung(ages, waiting).items():
            if not self._young(name):
                self._restart(name, why)

    def _waiting(self) -> dict[str, int] | None:
        """Return how many tasks wait in each queue; None when Redis does not answer."""
        variables = {**os.environ, **self.stack.environment("watch")}
        client = redis.Redis.from_url(variables["REDIS_URL"], socket_timeout=2, socket_connect_timeout=2)
        try:
            return {queue: int(client.llen(variables.get("MUSTER_REDIS_PREFIX", "") + queue)) for queue in QUEUES}  # type: ignore[arg-type]
        except redis.RedisError:
            return None
        finally:
            client.close()

    def _ages(self) -> dict[str, float] | None:
        """Return the seconds since each heart beat, by the database's clock; None when it does not answer."""
        try:
            with contextlib.closing(connect(self.stack.database(APP))) as connection, connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = 2500")
                cursor.execute(
                    "SELECT queue, extract(epoch FROM clock_timestamp() - at) FROM config_canary UNION ALL "
                    "SELECT 'engine', extract(epoch FROM clock_timestamp() - max(at)) FROM deadlines_engineheartbeat "
                    "WHERE doing = 'engine'"
                )
                return {name: float(age) for name, age in cursor.fetchall() if age is not None}
        except psycopg2.Error:
            return None

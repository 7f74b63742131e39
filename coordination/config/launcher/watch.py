"""Is everything still working, and what is restarted when it is not?

Supervisor sees processes that end. What hangs, it does not see: a web process that no longer answers, a worker that no
longer takes tasks, an engine whose heart has stopped, a server whose socket was deleted.
"""

import contextlib
import functools
import os
import shutil
import time
import xmlrpc.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import httpx
import psycopg2
import redis

from coordination.config.launcher.roles import APP
from coordination.config.launcher.stack import QUEUES, Stack, connect
from coordination.config.launcher.supervise import NotStarted
from coordination.config.launcher.words import gettext as _
from coordination.events import room

WEB_PROBES = 3
WEB_EVERY = 2.0
SOCKETS_EVERY = 2.0
SOCKET_GRACE_SECONDS = 5.0
DISK_EVERY = 10.0
HEARTS_EVERY = 2.0
CANARY_SECONDS = 25.0  # so that what takes nothing any more is started again within 30 s
ENGINE_SECONDS = 10.0
GRACE_SECONDS = 45.0  # what was just started may still be starting
FATAL_PAUSE = 5.0
BALLAST_BYTES = 256 * 1024 * 1024


def hung(ages: Mapping[str, float], waiting: Mapping[str, int]) -> dict[str, str]:
    """Which of workers and beat hang, and why.

    ``ages``: seconds since a task of each queue was done (absent: never); ``waiting``: tasks in each queue. A worker
    hangs when something waits and it takes nothing; beat, when nothing is sent to anybody. A canary that is late
    alone proves neither.
    """
    silent = {queue: age for queue in QUEUES if (age := ages.get(queue, float("inf"))) > CANARY_SECONDS}
    found = {
        f"worker-{queue}": _("took no task for %(age).0f s, %(waiting)d wait") % {"age": age, "waiting": waiting[queue]}
        for queue, age in silent.items() if waiting[queue]
    }  # fmt: skip
    if len(silent) == len(QUEUES) and not any(waiting.values()):
        found["beat"] = _("sent nothing for %.0f s") % min(silent.values())
    return found


def words_of(level: str) -> str:
    """Say what a level of the disk means."""
    return {
        room.OK: _("there is room again"),
        room.WARN: _("it fills; make room before files are refused"),
        room.BAD: _("almost full: no files are taken in any more; make room"),
        room.CRITICAL: _("full: only what people enter by hand is taken in; make room at once"),
    }[level]


def lay_ballast(path: Path) -> None:
    """Keep 256 MB aside, to be given back when the disk is full and somebody must still be able to work."""
    if path.exists() and path.stat().st_size == BALLAST_BYTES:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
    finally:
        os.close(descriptor)


@dataclass
class Watch:
    """Looks at a running stack now and then; ``tick`` is called about once a second."""

    stack: Stack
    say: Callable[[str], None]
    failures: int = 0
    started: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    redis_since: float | None = None
    database_since: float | None = float("-inf")
    grace: float = GRACE_SECONDS
    disk: str = room.OK

    def tick(self) -> bool:
        """Look at what is due to be looked at; return False when the supervisor itself is gone."""
        if not self.stack.supervisor.alive():
            return False
        if self._due("fatal", FATAL_PAUSE):
            self._try(self._given_up)
        if "web" in self.stack.parts and self._due("web", WEB_EVERY):
            self._try(self._web)
        if self._due("sockets", SOCKETS_EVERY):
            self._try(self._sockets)
        if self._due("hearts", HEARTS_EVERY):
            self._try(self._hearts)
        if self._due("disk", DISK_EVERY):
            self._try(self._disk)
        return True

    def _try(self, look: Callable[[], None]) -> None:
        """Look once. What cannot be started again now is said and tried again at the next look; the rest goes on."""
        try:
            look()
        except (NotStarted, OSError, HTTPException, xmlrpc.client.Error) as error:
            self.say(str(error) or type(error).__name__)

    def _due(self, what: str, seconds: float) -> bool:
        now = time.monotonic()
        if now - self.last.get(what, float("-inf")) < seconds:
            return False
        self.last[what] = now
        return True

    def _restart(self, name: str, why: str, *, hangs: bool = True) -> None:
        """Start a process again; what hangs hears no request to stop, so it is killed by its handle."""
        if time.monotonic() - self.started.get(name, float("-inf")) < (self.grace if hangs else SOCKET_GRACE_SECONDS):
            return
        self.say(_("%(name)s: %(why)s; restarting it") % {"name": name, "why": why})
        self.started[name] = time.monotonic()
        if hangs:
            self.stack.supervisor.kill(name)
        else:
            self.stack.supervisor.restart(name)

    def _given_up(self) -> None:
        """Supervisor gives up after its retries; we do not."""
        for name in self.stack.names:
            if self.stack.supervisor.state(name) in {"FATAL", "EXITED"}:
                self.say(
                    _("%(name)s: does not stay up (see %(log)s); trying again")
                    % {"name": name, "log": self.stack.log(name)}
                )
                self._try(functools.partial(self.stack.supervisor.launch, name))

    def _young(self, name: str, seconds: float | None = None) -> bool:
        information = self.stack.supervisor.information(name)
        grace = self.grace if seconds is None else seconds
        # by the wall's clock: after one that was set back, what runs is not young until that time comes again
        return information["statename"] != "RUNNING" or 0 <= information["now"] - information["start"] < grace

    def _web(self) -> None:
        try:
            answered = httpx.get(f"{self.stack.base_url}/health/live", timeout=3, trust_env=False).status_code == 200
        except httpx.HTTPError:
            answered = False
        self.failures = 0 if answered else self.failures + 1
        if self.failures >= WEB_PROBES and not self._young("web"):
            self.failures = 0
            self._restart("web", _("did not answer three times"))

    def _sockets(self) -> None:
        instance = self.stack.instance
        for name, path in (("postgres", instance.postgres_run / ".s.PGSQL.5432"), ("redis", instance.redis_socket)):
            # a server that was stopped, or is just starting, has no socket either
            if name in self.stack.names and not path.is_socket() and not self._young(name, SOCKET_GRACE_SECONDS):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)  # a server replaces a file that stands in its way, not a folder
                self._restart(name, _("its socket is gone"), hangs=False)

    def _disk(self) -> None:
        """Say when the disk fills; at the last, give back what was kept for this."""
        instance = self.stack.instance
        level = room.level_at((instance.folder, *(() if self.stack.database_url else (instance.postgres_data,))))
        if level != self.disk:
            self.say(_("disk: %s") % words_of(level))
            self.disk = level
        try:
            if level == room.CRITICAL:
                instance.ballast.unlink(missing_ok=True)
            elif level == room.OK:
                lay_ballast(instance.ballast)
        except OSError as error:
            self.say(_("disk: %s") % error)

    def _hearts(self) -> None:
        ages = self._ages()
        if ages is None:
            self.database_since = None
            return
        if self.database_since is None:
            self.database_since = time.monotonic()
        if time.monotonic() - self.database_since < ENGINE_SECONDS:
            return  # PostgreSQL is just back: no heart could beat without it
        engine = ages.get("engine")
        silent = engine is not None and engine > ENGINE_SECONDS
        if silent and "engine" in self.stack.parts and not self._young("engine"):
            self._restart("engine", _("its heart stopped %.0f s ago") % engine)
        self._canaries(ages, self._waiting())

    def _canaries(self, ages: Mapping[str, float], waiting: Mapping[str, int] | None) -> None:
        if waiting is None:
            self.redis_since = None
            return
        if self.redis_since is None:
            self.redis_since = time.monotonic()
        no_beat = "beat" not in self.stack.parts or self._young("beat")
        if time.monotonic() - self.redis_since < CANARY_SECONDS or no_beat:
            return  # Redis is just back, or beat is starting still: no canary could sing
        for name, why in hung(ages, waiting).items():
            if name in self.stack.parts and not self._young(name):
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

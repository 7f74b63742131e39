"""How do tests get a whole system of their own: every process, on a free port, in its own folder?

Its tables are a copy of some that were made once for this state of the code: what a start makes of nothing is shown
where that is the question.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psutil
import psycopg2.extensions
import redis

from coordination.config.addresses import Database
from coordination.config.launcher import demo, postgres
from coordination.config.launcher.binaries import postgres_programs
from coordination.config.launcher.demo import free_port
from coordination.config.launcher.folders import REPOSITORY, Instance, private
from coordination.config.launcher.keys import keys
from coordination.config.launcher.roles import OWNER
from coordination.config.launcher.services import service_programs, start_services, stop_services
from coordination.config.launcher.stack import Stack, connect
from tests import services

FOLDER = REPOSITORY / "var"


def ended(process: psutil.Process) -> bool:
    """Say whether a process has ended: asked once, as it may end, or be taken away by its parent, between two looks."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


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


def seed(instance: Instance) -> None:
    """Give a new ``instance`` its tables and static files: a copy of what was prepared once for this code."""
    if os.environ.get("DATABASE_URL") or instance.postgres_data.exists():
        return
    private(instance.folder)
    with (FOLDER / "prepared.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = _prepared()
        keys(instance)  # data without keys is refused
        # owners and modes included
        for source, target in ((made.postgres_data, instance.postgres_data), (made.folder / "static", instance.folder)):
            subprocess.run(["/bin/cp", "-a", str(source), str(target)], check=True)


def _prepared() -> Instance:
    """Return a stopped instance with the tables and static files of this code; make it when nobody has."""
    found = Instance(FOLDER / services.template_name().replace("muster_template_", "prepared-"))
    if not (found.folder / "complete").exists():
        for old in FOLDER.glob("prepared-*"):
            if old.is_dir() and not old.name.endswith(("-postgres", "-programs")):
                demo.reset(Instance(old))
        _prepare(System(found, port=0))
        (found.folder / "complete").touch()
    return found


def _prepare(system: System) -> None:
    """Make the tables of a new system with PostgreSQL alone, and stop it."""
    instance = system.instance
    private(instance.folder)
    system.keys = keys(instance)
    system.supervisor.start(service_programs(instance, own_redis=False))
    try:
        start_services(system.supervisor, with_redis=False)
        template = services.template_address()
        if template is not None:  # its tables are those of the tests' database: a copy is quicker than migrations
            _copy(instance, template, postgres.database(instance, user=postgres.SUPERUSER))
        system.manage("prepare", role=OWNER)
    finally:
        stop_services(instance)


def _copy(instance: Instance, source: Database, target: Database) -> None:
    """Fill the empty database ``target`` with everything in ``source``, as its superuser."""
    programs = postgres_programs(instance)
    written = subprocess.run(
        [programs / "pg_dump", "-Fc", "-h", source.host, "-U", postgres.SUPERUSER, source.name],
        check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    subprocess.run(
        [programs / "pg_restore", "-h", target.host, "-U", postgres.SUPERUSER, "--exit-on-error", "-d", target.name],
        check=True, input=written.stdout,
    )  # fmt: skip


def start(
    name: str = "", *, city: bool = True, story: bool = False, environment: Mapping[str, str] | None = None,
    more: Mapping[str, Sequence[str]] | None = None,
) -> System:  # fmt: skip
    """Start a whole system; ``city``: the demo city is loaded (a second factor is not asked for there).

    ``more``: further processes, each a command of manage.py.
    """
    sweep()
    instance = Instance(FOLDER / f"test-{os.getpid()}{name}")
    variables = {**(demo.ENVIRONMENT if city else {}), "MUSTER_REDIS_PREFIX": "", **(environment or {})}
    more = {**(more or {}), **({"story": ["story"]} if story else {})}
    seed(instance)
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

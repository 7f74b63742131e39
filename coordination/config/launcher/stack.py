"""How does the whole system of one instance start in order, stay up, and stop?"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import psycopg2
import psycopg2.extensions

from coordination.config.addresses import Database, parse_database_url
from coordination.config.launcher import leftovers, postgres, redis_server
from coordination.config.launcher.folders import REPOSITORY, FolderProblem, Instance, private
from coordination.config.launcher.keys import ANCHOR_KEY, keys
from coordination.config.launcher.roles import APP, OWNER, SEALER, ensure_roles
from coordination.config.launcher.services import make_way, not_ready, service_programs, start_services, wait_ready
from coordination.config.launcher.supervise import SHIM, NotStarted, Program, Supervisor
from coordination.config.launcher.words import gettext as _
from coordination.config.launcher.words import noted

QUEUES = ("urgent", "normal", "bulk")
WORKERS = tuple(f"worker-{queue}" for queue in QUEUES)
PARTS = ("engine", *WORKERS, "beat", "web")  # in the order they start
READY_SECONDS = 180  # a busy machine is slow, not broken; a process that died is noticed at once
OLDEST = 170_000
"""The first PostgreSQL that can end a transaction by the clock (transaction_timeout)."""
CLOCK_SECONDS = 5
PORT_SECONDS = 5.0  # what an earlier launcher left may still be closing its door


def connect(address: Database) -> psycopg2.extensions.connection:
    """Connect to ``address``, each statement its own transaction."""
    connection = psycopg2.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        dbname=address.name,
        connect_timeout=5,
        **dict(address.options),
    )
    connection.autocommit = True
    return connection


def is_free(port: int, wait_seconds: float) -> bool:
    """Whether we can listen on the loopback's ``port``, now or within ``wait_seconds``."""
    until = time.monotonic() + wait_seconds
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return True
            except OSError:
                if time.monotonic() >= until:
                    return False
        time.sleep(0.1)


def make_roles(administrator: Database, passwords: Mapping[str, str]) -> None:
    """Make the roles on a server that is not ours; ``administrator`` may create roles and owns the database."""
    connection = connect(administrator)
    try:
        if connection.server_version < OLDEST:
            raise FolderProblem(
                _("PostgreSQL at DATABASE_URL is version %(found)d; Muster needs %(wanted)d or newer.")
                % {"found": connection.server_version // 10_000, "wanted": OLDEST // 10_000},
                _("name a newer server, or leave DATABASE_URL out: Muster then brings its own"),
            )
        ensure_roles(connection, passwords)
        with connection.cursor() as cursor:
            cursor.execute(f"GRANT ALL ON SCHEMA public TO {OWNER} WITH GRANT OPTION")
    finally:
        connection.close()


def refuse_unsafe(address: Database, only_say: Callable[[str], None] | None = None) -> None:
    """Raise FolderProblem when the server at ``address`` runs with a setting that loses what was saved.

    ``only_say``: said there instead; a demo city may be lost, and its server may be somebody's test server.
    """
    connection = connect(address)
    try:
        unsafe = postgres.not_on(connection)
    finally:
        connection.close()
    if unsafe and only_say:
        only_say(postgres.unsafe_words(unsafe))
    elif unsafe:
        raise FolderProblem(postgres.unsafe_words(unsafe), postgres.remedy_for(unsafe))


class Stack:
    """All processes of one instance; the handle by which tests and the command line hold them."""

    def __init__(
        self,
        instance: Instance,
        *,
        port: int,
        environment: Mapping[str, str] | None = None,
        more: Mapping[str, Sequence[str]] | None = None,
        accept_clock: bool = False,
        parts: Sequence[str] = PARTS,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Describe the system of ``instance`` on loopback ``port``; nothing is started.

        ``environment`` is added to every process. ``more``: further processes, each a command of manage.py.
        ``accept_clock``: start although the clock stands before the newest event. ``parts``: which of our own
        processes run here, where others run elsewhere.
        """
        self.instance = instance
        self.port = port
        self.say = say
        self.more = dict(more or {})
        self.accept_clock = accept_clock
        self.parts = tuple(name for name in PARTS if name in parts)
        self.extra = dict(environment or {})
        self.database_url = os.environ.get("DATABASE_URL", "")
        self.redis_url = os.environ.get("REDIS_URL", "")
        self.supervisor = Supervisor(instance)
        self.keys: dict[str, str] = {}

    @property
    def base_url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}"

    # --- what each process is told

    def database(self, role: str) -> Database:
        """Return the database's address for ``role``."""
        if not self.database_url:
            return postgres.database(self.instance, user=role)
        return replace(parse_database_url(self.database_url), user=role, password=self.keys[f"password:{role}"])

    def environment(self, process: str, role: str = APP) -> dict[str, str]:
        """Return the variables that one process gets beside those it inherits."""
        return {
            "DJANGO_SETTINGS_MODULE": "coordination.config.settings",
            "MUSTER_PROCESS": process,
            "MUSTER_SECRET_KEY": self.keys["MUSTER_SECRET_KEY"],
            "MUSTER_PLAIN_HTTP": "1",
            "MUSTER_HOSTS": "localhost,127.0.0.1,[::1]",
            "MUSTER_FILES": str(self.instance.files),
            "MUSTER_STATIC_ROOT": str(self.instance.folder / "static"),
            "MUSTER_HASHED_STATIC": "1",
            "MUSTER_INSTANCE": str(self.instance.folder),
            "MUSTER_DATA_FOLDER": "" if self.database_url else str(self.instance.postgres_data),
            "MUSTER_PORT": str(self.port),
            "MUSTER_PUBLIC_URL": self.base_url,
            "DATABASE_URL": self.database(role).url(),
            "REDIS_URL": self.redis_url or redis_server.url(self.instance),
            "PROMETHEUS_MULTIPROC_DIR": str(self.instance.run / "counts"),
            "MUSTER_METRICS_ADDRESS": os.environ.get("MUSTER_METRICS_ADDRESS") or f"unix:{self.instance.run}/metrics",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(REPOSITORY),
            **self._sealing(process),
            **self.extra,
        }

    def _sealing(self, process: str) -> dict[str, str]:
        """Return what only who seals and anchors the log is told, and who verifies it by hand."""
        if process not in {"engine", "command"}:
            return {}
        return {ANCHOR_KEY: self.keys.get(ANCHOR_KEY, ""), "MUSTER_SEALER_PASSWORD": self.keys[f"password:{SEALER}"]}

    def programs(self) -> list[Program]:
        """Return every process, services first."""
        python = sys.executable
        celery = [python, "-m", "celery", "-A", "coordination.config.celery"]
        worker = self.environment("worker")
        found = service_programs(self.instance, own_postgres=not self.database_url, own_redis=not self.redis_url)
        found.append(
            Program("engine", [python, "manage.py", "engine"], stop_seconds=10, environment=self.environment("engine"))
        )
        for queue, name in zip(QUEUES, WORKERS, strict=True):
            command = [
                *celery, "worker", "--queues", queue, "--hostname", f"{queue}@{self.instance.token}",
                "--concurrency", "1", "--loglevel", "WARNING", "--without-gossip", "--without-mingle",
            ]  # fmt: skip
            found.append(Program(name, command, stop_seconds=8, environment=worker))
        schedule = str(self.instance.folder / "beat-schedule.json")
        found.append(
            Program(
                "beat",
                [*celery, "beat", "--loglevel", "WARNING", "--schedule", schedule, "--pidfile="],
                environment=self.environment("beat"),
            )
        )
        found.append(
            Program(
                "web",
                [python, "-m", "coordination.config.serve", "--port", str(self.port)],
                stop_seconds=15,
                environment=self.environment("web"),
            )
        )
        services = {"postgres", "redis"}
        found = [program for program in found if program.name in services or program.name in self.parts]
        for name, command in self.more.items():
            found.append(Program(name, [python, "manage.py", *command], environment=self.environment("worker")))
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """The processes in the order they start."""
        services = (() if self.database_url else ("postgres",)) + (() if self.redis_url else ("redis",))
        return (*services, *self.parts, *self.more)

    # --- start

    def start(self, *, load: Sequence[str] = ()) -> None:
        """Start everything in order and return when pages answer.

        ``load``: a command of manage.py run as the application after the tables are there. Raises NotStarted or
        FolderProblem; what had started is stopped again.
        """
        private(self.instance.folder)
        private(self.instance.files)
        self.keys = keys(self.instance)
        if self.supervisor.alive():
            self.say(_("stopping what an earlier launcher left"))
            self.stop()
        make_way(self.instance)
        self._check_port()
        try:
            self._start(load)
        except BaseException:
            self.stop()
            raise

    def _check_port(self) -> None:
        if not is_free(self.port, PORT_SECONDS):
            raise FolderProblem(
                _("Port %s is taken by another program.") % self.port,
                noted(f"--port {self.port + 1}", _("or stop what uses it")),
            )

    def _start(self, load: Sequence[str]) -> None:
        self.say(_("starting PostgreSQL and Redis"))
        self.supervisor.start(self.programs())
        start_services(self.supervisor, with_postgres=not self.database_url, with_redis=False)
        if self.database_url:
            self._external_roles()
        self.say(_("bringing the tables up to date"))
        self.manage("prepare", role=OWNER)
        if not self.accept_clock:
            self._check_clock()
        (self.instance.folder / "started").touch(mode=0o600)
        start_services(self.supervisor, with_postgres=False, with_redis=not self.redis_url)
        self.say(_("starting engine, workers, beat and web"))
        for name in self.parts:
            self.supervisor.launch(name)
        if load:  # while the others read their code: two cores have room for it
            self.say(_("loading the demo city"))
            self.manage(*load)
        self.wait_ready()
        for name in self.more:
            self.supervisor.launch(name)

    def _check_clock(self) -> None:
        """Refuse a clock that stands before what has happened: deadlines would wait for a time that has been."""
        connection = connect(self.database(OWNER))
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT extract(epoch FROM at - clock_timestamp()) FROM events_event ORDER BY id DESC LIMIT 1"
                )
                row = cursor.fetchone()
        finally:
            connection.close()
        ahead = float(row[0]) if row and row[0] is not None else 0.0
        if ahead > CLOCK_SECONDS:
            raise FolderProblem(
                _("The newest event lies %.0f s in the future of this clock: deadlines would be missed.") % ahead,
                noted("timedatectl set-ntp true", _("puts the clock right; or start with --accept-clock")),
            )

    def _external_roles(self) -> None:
        passwords = {name.removeprefix("password:"): value for name, value in self.keys.items() if ":" in name}
        administrator = parse_database_url(self.database_url)
        demo = self.environment("web").get("MUSTER_DEMO") == "1"
        refuse_unsafe(administrator, self.say if demo else None)
        make_roles(administrator, passwords)

    def manage(self, *arguments: str, role: str = APP, process: str = "command", seconds: float = 600) -> str:
        """Run a command of manage.py for this instance and return what it printed; raise NotStarted if it fails."""
        result = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, str(SHIM), "TERM", "-", "-", sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env={**leftovers.environment(self.instance), **self.environment(process, role)},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if result.returncode != 0:
            raise NotStarted(
                _("manage.py %(command)s failed: %(said)s")
                % {"command": " ".join(arguments), "said": result.stdout[-500:] + result.stderr[-3000:]}
            )
        return result.stdout

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until pages answer and every process stays up."""
        if "web" in self.parts:
            wait_ready(self.supervisor, "web", lambda: self.web_answers(15) or self._not_ours(), seconds=seconds)
        deadline = time.monotonic() + seconds
        for name in self.parts:
            while (state := self.supervisor.state(name)) != "RUNNING":
                if state == "FATAL" or time.monotonic() > deadline:
                    raise not_ready(self.supervisor, name, state, "")
                time.sleep(0.1)

    def web_answers(self, seconds: float = 3) -> str:
        """Return "" when the web process says within ``seconds`` that it is ready for work, else what it says."""
        try:
            answer = httpx.get(f"{self.base_url}/health/ready", timeout=seconds, trust_env=False)
        except httpx.HTTPError as error:
            return str(error) or type(error).__name__
        return "" if answer.status_code == 200 else answer.text[:200]

    def _not_ours(self) -> str:
        """Return "" when it is our web process that listens there: another's answers say nothing about ours."""
        try:
            listening = psutil.Process(self.supervisor.pid("web")).net_connections(kind="tcp")
        except psutil.Error as error:
            return str(error)
        ours = any(one.laddr.port == self.port and one.status == psutil.CONN_LISTEN for one in listening)
        return "" if ours else _("Port %s is taken by another program.") % self.port

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to one process, held by its handle, and return its id; raise NotStarted if it does not run."""
        pid = self.supervisor.pid(name)
        if not pid:
            raise NotStarted(_("%s does not run.") % name)
        os.kill(pid, number)
        return pid

    def log(self, name: str) -> Path:
        """Return where a process writes."""
        return self.instance.logs / f"{name}.log"

    # --- stop

    def stop(self) -> None:
        """Stop group by group and wait for each; PostgreSQL is asked to be quick and never killed."""
        if not self.supervisor.alive():
            self.supervisor.end()
            return
        for group in ((*self.more, "web"), ("beat", *WORKERS), ("engine",), ("redis",), ("postgres",)):
            self.supervisor.stop(*group)
        self.supervisor.shutdown()

"""Do two versions run beside each other while the tables change under them (`F31`)?

The version before is the code as it stands, with its engine and workers. The next one is a copy of it that has a
column more in the busiest table, filled by itself alone; the one after that names the column no more, and then it
goes. Each step is what an operator does: expand while the version before works, start the next beside it, end the one
before, and contract once nobody names the column.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg2
import pytest

from coordination.config.launcher.demo import free_port
from coordination.config.launcher.folders import REPOSITORY
from coordination.config.launcher.roles import OWNER
from tests import stacks
from tests.faults.work import LIMITS, SEEDS, Work
from tests.stacks import System

CODE = (".ci", "coordination", "incidents", "sharing", "accounts", "static", "templates", "locale", "manage.py")
LOCK_SECONDS = 2.0
REPORT_SECONDS = 4.0
COLUMN = "told_by"
EXPAND = f"""
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "LAST")]
    operations = [migrations.AddField("logentry", "{COLUMN}", models.TextField(default="the next one", db_default=""))]
"""
CONTRACT = f"""
from django.db import migrations


class Migration(migrations.Migration):
    contract = "no running code names it"
    dependencies = [("incidents", "9001_expand")]
    operations = [migrations.RemoveField("logentry", "{COLUMN}")]
"""
pytestmark = [pytest.mark.chaos, pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(900)]


class Version:
    """A copy of the code, with migrations of its own, and a web process that runs it."""

    def __init__(self, folder: Path, system: System, *, column: bool, migrations: dict[str, str]) -> None:
        self.folder, self.system, self.port = folder, system, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        for name in CODE:
            source = REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)
        last = max(one.stem for one in (folder / "incidents/migrations").glob("0*.py"))
        for name, text in migrations.items():
            (folder / f"incidents/migrations/{name}.py").write_text(text.replace("LAST", last))
        if column:
            with (folder / "incidents/models.py").open("a") as models:
                models.write(
                    f'\n\nLogEntry.add_to_class("{COLUMN}", models.TextField(default="the next one", db_default=""))\n'
                )

    @property
    def base(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self, process: str, role: str = "muster_app") -> dict[str, str]:
        """What its processes are told: the same system, its own code and files of pages."""
        return {
            **os.environ, **self.system.environment(process, role), "PYTHONPATH": str(self.folder),
            "MUSTER_STATIC_ROOT": str(self.folder / "collected"), "MUSTER_PORT": str(self.port),
            "MUSTER_PUBLIC_URL": self.base,
        }  # fmt: skip

    def prepare(self) -> str:
        """Bring the tables up to this version, as a deployment does."""
        done = subprocess.run(
            [sys.executable, "manage.py", "prepare"], cwd=self.folder, env=self.environment("command", OWNER),
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def start(self) -> None:
        """Start its web process and wait until it is ready."""
        command = [sys.executable, "-m", "coordination.config.serve", "--port", str(self.port)]
        with (self.folder / "web.log").open("wb") as log:
            environment = self.environment("web")
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self.system.until(self.ready, seconds=90, what="the next version")

    def ready(self) -> bool:
        """Whether it may be given requests."""
        return ready(self.base)

    def stop(self) -> None:
        """End it as a deployment does."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None


def ready(base: str) -> bool:
    """Whether the web process there says that it may be given requests."""
    try:
        return httpx.get(f"{base}/health/ready", timeout=15, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


class Waits(threading.Thread):
    """Looks how long anybody waits for a lock."""

    def __init__(self, system: System) -> None:
        super().__init__(daemon=True)
        self.system, self.stop, self.longest, self.said = system, threading.Event(), 0.0, ""
        self.seen = 0

    def run(self) -> None:
        """Look ten times a second."""
        connection = self.system.connect()
        with connection.cursor() as cursor:
            while not self.stop.wait(0.1):
                cursor.execute(
                    "SELECT extract(epoch FROM clock_timestamp() - l.waitstart)::float8, a.application_name,"
                    " left(a.query, 80) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                    " WHERE NOT l.granted AND l.waitstart IS NOT NULL"
                    " AND l.relation = 'incidents_logentry'::regclass ORDER BY 1 DESC LIMIT 1"
                )
                for seconds, who, what in cursor.fetchall():
                    self.seen += 1
                    if seconds > self.longest:
                        self.longest, self.said = seconds, f"{who}: {what}"
        connection.close()


@contextmanager
def long_reports(system: System, waits: Waits) -> Iterator[None]:
    """Meanwhile somebody reads the table in one long transaction after the other, with a breath between them.

    The first one lasts until somebody has waited for it, and then some.
    """
    over, before = threading.Event(), waits.seen

    def read() -> None:
        connection = system.connect()
        connection.autocommit = False
        while not over.is_set():
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM incidents_logentry")
                while waits.seen == before and not over.wait(0.1):
                    pass
                over.wait(REPORT_SECONDS)
            connection.rollback()
            time.sleep(0.5)
        connection.close()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    time.sleep(0.5)
    try:
        yield
    finally:
        over.set()
        thread.join(20)


def failed(*works: Work) -> list[str]:
    """The commands that were answered with a failure of ours."""
    return [
        one.line() for work in works for one in work.history.commands if any(said[:1] == "5" for said in one.answers)
    ]


def why(system: System, *versions: Version) -> str:
    """What the web processes noted of failures of ours, the newest last."""
    logs = [system.log("web"), *(one.folder / "web.log" for one in versions if (one.folder / "web.log").exists())]
    lines = [line for log in logs for line in log.read_text(errors="replace").splitlines() if '"exception"' in line]
    return "\n".join(lines[-3:])


def linted(version: Version) -> str:
    """What the guard says of the migrations of this version."""
    command = [sys.executable, ".ci/migrations.py"]
    environment = version.environment("command", OWNER)
    done = subprocess.run(command, cwd=version.folder, env=environment, capture_output=True, text=True, timeout=120)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("seed", SEEDS)
def test_two_versions_run_while_the_tables_change(
    start_stack: Callable[..., System], seed: int, figure: Callable[[str], None]
) -> None:
    system = start_stack(environment=LIMITS)
    folder = stacks.FOLDER / f"test-{os.getpid()}-versions"
    versions: list[Version] = []
    try:
        after = Version(folder / "next", system, column=True, migrations={"9001_expand": EXPAND})
        versions.append(after)
        last = Version(folder / "last", system, column=False, migrations={"9001_expand": EXPAND})
        bare = Version(
            folder / "bare", system, column=False, migrations={"9001_expand": EXPAND, "9002_contract": CONTRACT}
        )
        versions += [last, bare]
        assert linted(bare) == ""
        waits = Waits(system)
        waits.start()
        before_work = Work(system, seed)
        with before_work.going_on():
            before_work.wait_for_work(60)
            with long_reports(system, waits):
                said = after.prepare()  # expand: the version before works on
            assert "trying again" in said, "no report stood in the way"
            assert ready(system.base_url)
            after.start()
            next_work = Work(system, seed + 1000, base=after.base, watched=False)
            with next_work.going_on():
                before_work.wait_for_work(60, count=15)
                next_work.wait_for_work(60, count=15)
        told = dict(system.query(f"SELECT {COLUMN}, count(*) FROM incidents_logentry GROUP BY 1"))
        assert set(told) == {"", "the next one"}, told
        assert failed(before_work, next_work) == [], why(system, after)
        assert before_work.judge() == [], why(system, after, last)

        # the version before has ended everywhere; the last one, which names no column, takes over, and it goes
        last.prepare()
        last.start()
        last_work = Work(system, seed + 2000, base=last.base, watched=False)
        with last_work.going_on():
            last_work.wait_for_work(60)
            after.stop()
            with long_reports(system, waits):
                bare.prepare()
            assert last.ready()
            last_work.wait_for_work(60, count=15)
        waits.stop.set()
        waits.join(10)
        figure(f"{told}, the longest wait for the table {waits.longest:.2f} s ({waits.said})")
        assert failed(last_work) == [], why(system, after, last)
        assert last_work.judge() == [], why(system, after, last)
        assert next_work.judge() == [], why(system, after, last)
        with pytest.raises(psycopg2.errors.UndefinedColumn):
            system.query(f"SELECT {COLUMN} FROM incidents_logentry")
        assert 0 < waits.longest <= LOCK_SECONDS
    finally:
        for version in versions:
            version.stop()
        shutil.rmtree(folder, ignore_errors=True)

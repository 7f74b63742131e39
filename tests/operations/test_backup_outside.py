"""Is a PostgreSQL that is not ours, reached over the network with passwords, backed up and restored just the same?"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from coordination.config.addresses import Database
from coordination.config.backup import seal
from coordination.config.backup.drill import drill
from coordination.config.backup.source import Store
from coordination.config.launcher import demo, postgres
from coordination.config.launcher.folders import REPOSITORY, Instance, private, unprivileged
from coordination.config.launcher.roles import APP, OWNER, ROLES
from coordination.config.launcher.stack import Stack, connect

pytestmark = pytest.mark.long
PASSWORDS = {f"{role.upper()}_PASSWORD": f"{role} for this test" for role in ROLES}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Database]:
    """A server on the loopback that asks for passwords, as its administrator reaches it; gone in the end."""
    instance = Instance(tmp_path / "outside")
    private(instance.folder)
    command, port = postgres.prepare(instance), demo.free_port()
    hba = instance.postgres_data / "pg_hba.conf"
    hba.write_text(
        hba.read_text() + "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n"
    )
    runner = unprivileged()
    process = subprocess.Popen(
        [*command, "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}"], cwd="/",
        user=runner.pw_uid if runner else None, group=runner.pw_gid if runner else None,
        extra_groups=[] if runner else None, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    private_way = Database("postgres", "postgres", "", str(instance.postgres_run), port)
    until(lambda: can(private_way), 30, "the server")
    with closing(connect(private_way)) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER ROLE postgres PASSWORD 'of the administrator'")
        cursor.execute("CREATE DATABASE city")
    yield Database("city", "postgres", "of the administrator", "127.0.0.1", port)
    process.send_signal(signal.SIGQUIT)  # at once, with its children
    process.wait(20)
    demo.reset(instance)


def can(address: Database) -> bool:
    try:
        connect(address).close()
    except Exception:  # not yet
        return False
    return True


def until(question: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.2)


def test_an_outside_server_is_backed_up_and_restored(server: Database, tmp_path: Path) -> None:
    key_file, store = tmp_path / "backup.key", Store(tmp_path / "other-disk")
    seal.make_key(key_file)
    files = tmp_path / "files"
    files.mkdir()
    (files / "a.txt").write_text("attachment")
    app = replace(server, user=APP, password=PASSWORDS["MUSTER_APP_PASSWORD"])
    environment = {
        **os.environ, **PASSWORDS, "DATABASE_URL": server.url(), "MUSTER_PROCESS": "command",
        "MUSTER_STATIC_ROOT": str(tmp_path / "static"), "MUSTER_FILES": str(files), "MUSTER_INSTANCE": "",
        "MUSTER_SECRET_KEY": "a key of more than fifty letters that the environment gives, and no file",
        "MUSTER_BACKUP_EVERY": "2",
        "MUSTER_BACKUP_FOLDER": str(store.folder), "MUSTER_BACKUP_KEY_FILE": str(key_file),
        "MUSTER_BACKUP_SPOOL": str(tmp_path / "spool"),
    }  # fmt: skip
    prepared = subprocess.run(
        [sys.executable, "-m", "coordination.config.launcher", "prepare"], cwd=REPOSITORY, env=environment,
        capture_output=True, text=True,
    )  # fmt: skip
    assert prepared.returncode == 0, prepared.stderr
    environment["DATABASE_URL"] = app.url()
    for name in ("load_codes", "load_policies", "load_rules"):
        loaded = manage(environment, name)
        assert loaded.returncode == 0, loaded.stderr
    wrong = manage(environment | {"MUSTER_BACKUP_PASSWORD": "another"}, "backup", "base")
    assert wrong.returncode == 1 and "does not let muster_backup in" in wrong.stderr
    follower = subprocess.Popen([sys.executable, "manage.py", "backup", "follow"], cwd=REPOSITORY, env=environment)
    try:
        until(store.base_names, 90, "the base")
        owner = replace(server, user=OWNER, password=PASSWORDS["MUSTER_OWNER_PASSWORD"])
        with closing(connect(owner)) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE after_the_base (n int)")
            cursor.execute("INSERT INTO after_the_base SELECT generate_series(1, 1000)")
        time.sleep(8)
    finally:
        follower.send_signal(signal.SIGTERM)
        assert follower.wait(30) == 0
    listed = manage(environment, "backup", "list")
    assert listed.returncode == 0 and "base 20" in listed.stdout and "is missing" not in listed.stdout, listed.stdout

    found: list[int] = []

    def look(stack: Stack) -> None:
        address = replace(stack.database(OWNER), user="postgres")
        with closing(connect(address)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM after_the_base")
            found.append(cursor.fetchone()[0])

    report = drill(Instance(tmp_path / "new" / "instance"), store, seal.read_key(key_file), look=look)
    print(report.shown())
    assert report.good, report.problems
    assert (found, report.files) == ([1000], 1)
    assert json.loads(report.shown())["instruction"] > 0
    shutil.rmtree(tmp_path / "new", ignore_errors=True)


def manage(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=REPOSITORY, env=environment, capture_output=True, text=True
    )

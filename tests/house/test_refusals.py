"""Does each refusal say what is wrong and what mends it, in the language of the terminal?"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from coordination.config.addresses import Database, parse_database_url
from coordination.config.launcher import __main__ as command
from coordination.config.launcher import postgres, stack, status
from coordination.config.launcher.folders import (
    REPOSITORY,
    FolderProblem,
    Instance,
    development,
    ourselves,
    private,
    unprivileged,
)
from coordination.config.launcher.services import Held, only_one, wait_ready
from coordination.config.launcher.stack import Stack, connect
from coordination.config.launcher.supervise import NotStarted, Program, Supervisor
from coordination.config.launcher.words import language


def launcher(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coordination.config.launcher", "--folder", str(folder), *arguments], cwd=REPOSITORY,
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_a_refusal_is_said_in_both_languages_and_kept_for_status(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    folder.write_text("in the way")
    for variables, said, mends in (
        ({"LANGUAGE": "en"}, "is not a folder", "What mends it:"),
        ({"LANGUAGE": "", "LC_ALL": "zh_CN.UTF-8"}, "不是文件夹", "解决办法："),
    ):
        refused = launcher(folder, "up", "--user", "nobody", **variables)
        assert refused.returncode == 1
        assert said in refused.stderr
        assert f"{mends}\n    mv {folder} {folder}.old" in refused.stderr
        assert "Traceback" not in refused.stderr
    subprocess.run(refused.stderr.splitlines()[-1], shell=True, check=True)
    (folder / "secrets.json").parent.mkdir()
    (folder / "secrets.json").write_text("{")
    assert launcher(folder, "up", "--user", "nobody").returncode == 1
    shown = launcher(folder, "status")
    assert shown.returncode == status.NOTHING_RUNS
    assert "secrets.json cannot be read" in shown.stdout
    assert "install -m 600 BACKUP/secrets.json" in shown.stdout
    assert "disk:" in shown.stdout


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, "en"), ({"LANG": "C.UTF-8"}, "en"), ({"LANG": "zh_CN.UTF-8"}, "zh_Hans"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en"}, "en"), ({"LC_ALL": "zh_SG", "LANG": "C"}, "zh_Hans"),
    ],
)  # fmt: skip
def test_the_language_is_that_of_the_terminal(variables: dict[str, str], wanted: str) -> None:
    assert language(variables) == wanted


def test_the_holder_is_named_and_one_that_stops_is_waited_for(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "instance")
    with only_one(instance) as leaving:
        with pytest.raises(Held, match=f"process {os.getpid()} since") as held, only_one(instance, wait_for_stop=60):
            pass
        assert "down" in held.value.remedy
        leaving()
        with pytest.raises(Held), only_one(instance, wait_for_stop=0.3):
            pass
    with only_one(instance):
        pass


def test_a_lock_that_is_no_file_is_said(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "instance")
    lock = private(instance.folder) / "launcher.lock"
    lock.mkdir()
    with pytest.raises(FolderProblem) as refused, only_one(instance):
        pass
    subprocess.run(refused.value.remedy, shell=True, check=True)
    with only_one(instance):
        pass


def test_root_must_name_who_runs_postgresql_beyond_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.delenv("MUSTER_POSTGRES_USER", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(FolderProblem) as refused:
        command.run_as("", city=False)
    assert "--user" in refused.value.remedy
    command.run_as("", city=True)
    monkeypatch.setenv("MUSTER_POSTGRES_USER", "root")
    with pytest.raises(FolderProblem, match="root by another name"):
        unprivileged()


def test_a_user_without_a_name_is_told_the_line_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_number: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(FolderProblem) as refused:
        ourselves()
    assert f"muster:x:{os.getuid()}:{os.getgid()}:" in refused.value.remedy
    assert "/etc/passwd" in refused.value.remedy


def test_what_nobody_foresaw_is_said_without_a_traceback_and_kept(tmp_path: Path) -> None:
    instance = Instance(private(tmp_path / "instance"))
    private(instance.logs)
    for error, word in ((PermissionError(13, "Permission denied", "/etc/x"), "/etc/x"), (psycopg2.Error("odd"), "odd")):
        refusal = status.refusal_of(error, instance)
        assert word in refusal.wrong
        assert refusal.remedy
        assert word in (instance.logs / "launcher.log").read_text()
        status.note_refusal(instance, refusal)
        assert status.last_refusal(instance)["wrong"] == refusal.wrong
    instance.last_refusal.write_text("{")
    assert status.last_refusal(instance) == {}
    assert json.loads(json.dumps(status.last_refusal(instance))) == {}


def test_a_server_that_replays_has_all_the_time_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far longer than a start may take otherwise; one that is merely silent has not."""
    monkeypatch.setenv("MUSTER_RUN_BASE", str(tmp_path)[:60])
    instance = Instance(tmp_path / "i")
    private(instance.folder)
    private(instance.run)
    supervisor = Supervisor(instance)
    supervisor.start([Program("postgres", ["/bin/sleep", "60"])])
    try:
        supervisor.launch("postgres")
        replies = iter(["the database system is starting up"] * 15 + ["not yet accepting connections: recovery"] * 5)
        wait_ready(supervisor, "postgres", lambda: next(replies, ""), seconds=0.5)
        with pytest.raises(NotStarted, match="silent"):
            wait_ready(supervisor, "postgres", lambda: "silent", seconds=0.3)
    finally:
        supervisor.stop("postgres")
        supervisor.shutdown()


def test_unsafe_settings_have_their_commands() -> None:
    said = postgres.remedy_for(["fsync", "data_checksums"])
    assert "ALTER SYSTEM SET fsync = on" in said
    assert "pg_checksums --enable" in said


class Elsewhere(Stack):
    """A stack whose database is another one."""

    place: Database

    def database(self, role: str) -> Database:
        """Return that one."""
        return self.place


@pytest.fixture
def log() -> Iterator[Callable[[str], Elsewhere]]:
    """Return what gives a stack whose newest event happened at an SQL time."""
    administrator = postgres.database(development(), user=postgres.SUPERUSER, name="postgres")
    url = os.environ.get("DATABASE_URL")
    administrator = parse_database_url(url) if url else administrator
    place = replace(administrator, name=f"log_{os.getpid()}")
    connection = connect(administrator)
    cursor = connection.cursor()
    cursor.execute(f"DROP DATABASE IF EXISTS {place.name} WITH (FORCE)")
    cursor.execute(f"CREATE DATABASE {place.name}")
    inside = connect(place)
    inside.cursor().execute("CREATE TABLE events_event (id serial, at timestamptz)")

    def of(at: str) -> Elsewhere:
        inside.cursor().execute(f"INSERT INTO events_event (at) VALUES ({at})")
        made = Elsewhere(Instance(Path("/nowhere")), port=0)
        made.place = place
        return made

    yield of
    inside.close()
    cursor.execute(f"DROP DATABASE {place.name} WITH (FORCE)")
    connection.close()


def test_a_clock_before_the_newest_event_is_refused(log: Callable[[str], Elsewhere]) -> None:
    log("now() - interval '1 hour'")._check_clock()
    log("now() + interval '3 seconds'")._check_clock()
    with pytest.raises(FolderProblem, match="in the future of this clock") as refused:
        log("now() + interval '20 seconds'")._check_clock()
    assert "--accept-clock" in refused.value.remedy


class OldServer:
    """A connection to a PostgreSQL of years ago."""

    server_version = 150_018

    def close(self) -> None:
        """Nothing to close."""


def test_a_server_too_old_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "connect", lambda _address: OldServer())
    with pytest.raises(FolderProblem) as refused:
        stack.make_roles(Database(name="muster"), {})
    assert "version 15" in refused.value.wrong
    assert "17 or newer" in refused.value.wrong
    assert "DATABASE_URL" in refused.value.remedy


def test_an_unsafe_server_is_refused_but_for_a_demo_city(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "connect", lambda _address: OldServer())
    monkeypatch.setattr(stack.postgres, "not_on", lambda _connection: ["data_checksums"])
    with pytest.raises(FolderProblem, match="data_checksums"):
        stack.refuse_unsafe(Database(name="muster"))
    said: list[str] = []
    stack.refuse_unsafe(Database(name="muster"), said.append)
    assert "data_checksums" in said[0]


def test_what_was_moved_aside_earlier_is_not_in_the_way(tmp_path: Path) -> None:
    """A file, then a folder, then a link at the place of the lock: each remedy works, and nothing is lost."""
    folder = tmp_path / "instance"
    folder.mkdir(mode=0o700)
    lock = folder / "launcher.lock"
    for put, kept in (
        (lock.mkdir, "launcher.lock.old"),
        (lambda: lock.symlink_to("/nowhere/at/all"), "launcher.lock.old-2"),
        (lock.mkdir, "launcher.lock.old-3"),
    ):
        lock.unlink(missing_ok=True)
        put()
        refused = launcher(folder, "up", "--user", "nobody", LANGUAGE="en")
        assert refused.returncode == 1 and "launcher.lock cannot be opened" in refused.stderr
        subprocess.run(refused.stderr.splitlines()[-1], shell=True, check=True)
        assert os.path.lexists(folder / kept) and not os.path.lexists(lock)

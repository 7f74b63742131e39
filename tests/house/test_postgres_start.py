"""Does PostgreSQL start whatever the last run left, and never hurt a stranger?"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from coordination.config.launcher import keys, postgres
from coordination.config.launcher.demo import reset
from coordination.config.launcher.folders import (
    SOCKET_PATH_LIMIT,
    FolderProblem,
    Instance,
    check_socket_path,
    name_of,
    private,
    unprivileged,
)
from coordination.config.launcher.services import service_programs, start_services, stop_services
from coordination.config.launcher.supervise import Supervisor
from tests import stacks


@pytest.fixture
def instance() -> Iterator[Instance]:
    made = Instance(stacks.FOLDER / f"test-{os.getpid()}-pg")
    yield made
    stop_services(made)
    reset(made)


def start(instance: Instance) -> Supervisor:
    supervisor = Supervisor(instance)
    supervisor.start(service_programs(instance, own_redis=False))
    start_services(supervisor, with_redis=False)
    return supervisor


def test_a_fresh_folder_comes_up_with_its_roles_and_leaves_no_process(instance: Instance) -> None:
    supervisor = start(instance)
    connection = postgres.superuser(instance, "muster")
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'muster%' ORDER BY 1")
        assert [row[0] for row in cursor.fetchall()] == [
            "muster_app",
            "muster_backup",
            "muster_log_owner",
            "muster_owner",
            "muster_sealer",
        ]
        cursor.execute("SELECT datcollate, datlocprovider FROM pg_database WHERE datname = 'muster'")
        assert cursor.fetchone() == ("C.UTF-8", "b")
        cursor.execute("SHOW listen_addresses")
        assert cursor.fetchone() == ("",)
    connection.close()
    processes = psutil.Process(supervisor.pid("postgres")).children(recursive=True)
    stop_services(instance)
    assert postgres.working_in(instance.postgres_data) == []
    assert [process for process in processes if process.is_running()] == []


def test_a_stale_pid_file_of_a_stranger_is_removed_and_the_stranger_lives(instance: Instance) -> None:
    start(instance)
    stop_services(instance)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (instance.postgres_data / "postmaster.pid").write_text(f"{stranger.pid}\n{instance.postgres_data}\n")
        start(instance)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("content", ["", "no number\n", "999999999\n"])
def test_a_pid_file_that_says_nothing_is_removed(instance: Instance, content: str) -> None:
    service_programs(instance, own_redis=False)
    pid_file = instance.postgres_data / "postmaster.pid"
    pid_file.write_text(content)
    postgres.clear_stale_pid(instance.postgres_data, Path("postgres"))
    assert not pid_file.exists()


@pytest.mark.parametrize("pid_file", ["left", "gone"])
def test_a_server_of_ours_still_at_work_is_stopped_first(instance: Instance, pid_file: str) -> None:
    """Also where its pid file is gone: PostgreSQL itself would start a second one beside it."""
    supervisor = start(instance)
    server = psutil.Process(supervisor.pid("postgres"))
    program = Path(server.exe())
    stranger = subprocess.Popen(["/bin/sleep", "60"], cwd=instance.postgres_data)
    os.kill(supervisor.process.pid, signal.SIGSTOP)  # it must not start the server again meanwhile
    try:
        if pid_file == "gone":
            (instance.postgres_data / "postmaster.pid").unlink()
        postgres.clear_stale_pid(instance.postgres_data, program)
        assert stranger.poll() is None
    finally:
        os.kill(supervisor.process.pid, signal.SIGCONT)
        stranger.kill()
        stranger.wait()
    assert stacks.ended(server)


def test_checksums_switched_off_are_refused_and_the_command_puts_them_on(instance: Instance) -> None:
    start(instance)
    stop_services(instance)
    enable = postgres.remedy_for(["data_checksums"], instance)
    subprocess.run(enable.replace("--enable", "--disable"), shell=True, check=True, cwd="/tmp", capture_output=True)
    with pytest.raises(FolderProblem, match="data_checksums") as refused:
        start(instance)
    stop_services(instance)
    subprocess.run(refused.value.remedy, shell=True, check=True, cwd="/tmp", capture_output=True)
    start(instance)


def test_it_comes_back_after_a_kill_at_once(instance: Instance) -> None:
    supervisor = start(instance)
    connection = postgres.superuser(instance, "muster")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (n int)")
        cursor.execute("INSERT INTO kept VALUES (1)")
    server = psutil.Process(supervisor.pid("postgres"))
    family = [server, *server.children(recursive=True)]
    for process in family:
        process.kill()
    connection.close()
    start_services(supervisor, with_redis=False)
    again = postgres.superuser(instance, "muster")
    with again.cursor() as cursor:
        cursor.execute("SELECT n FROM kept")
        assert cursor.fetchall() == [(1,)]
    again.close()


def test_another_version_and_a_foreign_folder_are_refused(instance: Instance) -> None:
    service_programs(instance, own_redis=False)
    (instance.postgres_data / "PG_VERSION").write_text("16\n")
    with pytest.raises(FolderProblem, match="16"):
        service_programs(instance, own_redis=False)
    shutil.rmtree(instance.postgres_data)
    private(instance.postgres_data)
    (instance.postgres_data / "letters.txt").write_text("mine")
    with pytest.raises(FolderProblem, match=r"letters\.txt"):
        service_programs(instance, own_redis=False)


def test_data_of_another_user_is_never_moved_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What mends it is to start as that user: to move the data away would begin an empty system."""
    data = tmp_path / "data"
    data.mkdir()
    me = data.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    with pytest.raises(FolderProblem) as refused:
        private(data, owner=me + 2)
    assert refused.value.remedy == f"--user {name_of(me)}"
    with pytest.raises(FolderProblem, match="another user") as refused:
        private(data)
    assert "mv " not in refused.value.remedy
    monkeypatch.setenv("MUSTER_RUN_BASE", str(tmp_path))
    with pytest.raises(FolderProblem, match="another user") as refused:
        private(data)
    assert refused.value.remedy.startswith("mv ")


def test_links_and_long_socket_paths_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(FolderProblem, match="link"):
        private(tmp_path / "link")
    check_socket_path(Path("/" + "x" * (SOCKET_PATH_LIMIT - 1)))
    with pytest.raises(FolderProblem, match="MUSTER_RUN_BASE"):
        check_socket_path(Path("/" + "x" * SOCKET_PATH_LIMIT))


def test_a_long_repository_path_still_has_short_sockets() -> None:
    deep = Instance(Path("/" + "/".join(["a-very-long-folder-name"] * 20)))
    check_socket_path(deep.postgres_run / ".s.PGSQL.5432.lock")
    check_socket_path(deep.supervisor_socket)


def test_data_without_keys_is_refused_and_with_the_backup_taken_again(instance: Instance, tmp_path: Path) -> None:
    private(instance.folder)
    first = keys.keys(instance)
    service_programs(instance, own_redis=False)
    assert keys.keys(instance) == first
    shutil.copy(instance.secrets, tmp_path)
    for left in (None, "", '{"MUSTER_', "{}", "[]"):
        instance.secrets.unlink()
        if left is not None:
            instance.secrets.write_text(left)
        with pytest.raises(FolderProblem) as refused:
            keys.keys(instance)
        subprocess.run(refused.value.remedy.replace("BACKUP", str(tmp_path)), shell=True, check=True)
        assert keys.keys(instance) == first
        assert instance.secrets.stat().st_mode & 0o777 == 0o600


def test_root_without_the_other_user_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_POSTGRES_USER", "no-such-user")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    with pytest.raises(FolderProblem, match="useradd"):
        unprivileged()

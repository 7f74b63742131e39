"""How is a private PostgreSQL made, started safely, and given its roles?"""

import getpass
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import psycopg2
import psycopg2.extensions

from coordination.config.addresses import Database
from coordination.config.launcher.binaries import postgres_programs
from coordination.config.launcher.folders import (
    FolderProblem,
    Instance,
    check_socket_path,
    private,
    unprivileged,
)
from coordination.config.launcher.roles import OWNER, ROLES, ensure_database, ensure_roles

SUPERUSER = "postgres"
MAJOR = "18"
FAST_STOP_SECONDS = 60
MUST_BE_ON = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")

SETTINGS = {
    "listen_addresses": "",  # no TCP at all
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_slot_wal_keep_size": "2GB",  # a dead receiver must not fill the disk
    "max_wal_size": "1GB",
    "transaction_timeout": "0",  # set per connection; migrations have none
    "idle_in_transaction_session_timeout": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_min_duration_statement": "2000",
    "cluster_name": "muster",
}


def database(instance: Instance, *, user: str = OWNER, name: str = "muster") -> Database:
    """Return the address of a database on the instance's private socket."""
    return Database(name=name, user=user, host=str(instance.postgres_run))


def superuser(instance: Instance, name: str = "postgres") -> psycopg2.extensions.connection:
    """Connect as the cluster's superuser: only the launcher does, to make roles and databases."""
    connection = psycopg2.connect(host=str(instance.postgres_run), user=SUPERUSER, dbname=name, connect_timeout=5)
    connection.autocommit = True
    return connection


def prepare(instance: Instance) -> list[str]:
    """Make what is missing of the cluster, clear what a crash left, and return the command that serves it."""
    runner = unprivileged()
    owner = runner.pw_uid if runner else None
    programs = postgres_programs(instance)
    data = private(instance.postgres_data, owner=owner)
    private(instance.postgres_run, owner=owner)
    check_socket_path(instance.postgres_run / ".s.PGSQL.5432.lock")
    if not (data / "PG_VERSION").exists():
        _initialise(data, programs)
    found = (data / "PG_VERSION").read_text().strip()
    if found != MAJOR:
        raise FolderProblem(
            f"{data} was written by PostgreSQL {found}, this is {MAJOR}: upgrade it by pg_upgrade, or start anew "
            "with another folder (the old one is left as it is)"
        )
    _write_access(data)
    clear_stale_pid(data, programs / "postgres")
    command = [str(programs / "postgres"), "-D", str(data), "-k", str(instance.postgres_run)]
    for key, value in SETTINGS.items():
        command += ["-c", f"{key}={value}"]
    return command


def _initialise(data: Path, programs: Path) -> None:
    left = [entry.name for entry in data.iterdir()]
    if left:
        raise FolderProblem(f"{data} is not empty and holds no PostgreSQL: {', '.join(sorted(left)[:3])}; remove it")
    runner = unprivileged()
    # builtin C.UTF-8: the same order of texts on every machine, whatever its C library
    command = [
        str(programs / "initdb"), "-D", str(data), "-U", SUPERUSER, "--encoding=UTF8", "--locale-provider=builtin",
        "--locale=C.UTF-8", "--auth-local=peer", "--auth-host=reject", "--data-checksums", "--no-instructions",
    ]  # fmt: skip
    result = subprocess.run(  # noqa: S603 - our own program
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        user=runner.pw_uid if runner else None,
        group=runner.pw_gid if runner else None,
        extra_groups=[] if runner else None,
    )
    if result.returncode != 0:
        raise FolderProblem(f"PostgreSQL's initdb failed in {data}: {result.stderr.strip()[-600:]}")


def _write_access(data: Path) -> None:
    """Only this system user and the one PostgreSQL runs as come in, by the socket's own proof of who calls."""
    people = {getpass.getuser()}
    runner = unprivileged()
    if runner:
        people |= {runner.pw_name, "root"}
    (data / "pg_hba.conf").write_text("local all all peer map=muster\nlocal replication all peer map=muster\n")
    lines = [f'muster "{person}" {role}\n' for person in sorted(people) for role in (SUPERUSER, *ROLES)]
    (data / "pg_ident.conf").write_text("".join(lines))


def clear_stale_pid(data: Path, program: Path) -> None:
    """Make way for a start: stop a server of ours that still works in ``data``, remove a pid file that lies.

    A pid file proves nothing after a crash: its number may belong to a stranger by now, who is left alone.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    first = (pid_file.read_text(errors="replace").splitlines() or [""])[0].strip()
    pid = int(first) if first.isascii() and first.isdigit() else 0
    server = _works_in(pid, data, program) if pid else None
    if server is not None:
        server.send_signal(signal.SIGINT)
        deadline = time.monotonic() + FAST_STOP_SECONDS
        while _works_in(pid, data, program) is not None:  # a zombie works no more
            if time.monotonic() > deadline:
                raise FolderProblem(f"another PostgreSQL (process {pid}) works in {data} and does not stop")
            time.sleep(0.1)
    strangers = working_in(data)
    if strangers:
        raise FolderProblem(f"processes {strangers} still work in {data}; wait until they end")
    pid_file.unlink(missing_ok=True)


def _works_in(pid: int, data: Path, program: Path) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        ours = process.status() != psutil.STATUS_ZOMBIE and Path(process.exe()).name == program.name
        return process if ours and Path(process.cwd()) == data.resolve() else None
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return None


def working_in(data: Path) -> list[int]:
    """Return the processes whose working folder is ``data``: a server's children outlive it for a moment."""
    wanted = data.resolve()
    found: list[int] = []
    deadline = time.monotonic() + 10
    while True:
        found = []
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()) == wanted:
                    found.append(process.pid)
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, FileNotFoundError):
                continue
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def answers(instance: Instance) -> str:
    """Return "" when the server takes connections, else what it says ("starting up" while it replays)."""
    try:
        superuser(instance).close()
    except psycopg2.OperationalError as error:
        return str(error).strip() or "no answer"
    return ""


def set_up(instance: Instance, name: str = "muster") -> None:
    """Refuse unsafe settings; make the roles and the database if they are not there."""
    connection = superuser(instance)
    try:
        with connection.cursor() as cursor:
            for setting in MUST_BE_ON:
                cursor.execute("SELECT current_setting(%s)", [setting])
                if cursor.fetchone() != ("on",):
                    raise FolderProblem(f"PostgreSQL runs with {setting} off: a power cut would lose what was saved")
        ensure_roles(connection)
        ensure_database(connection, name)
    finally:
        connection.close()

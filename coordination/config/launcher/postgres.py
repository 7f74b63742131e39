"""How is a private PostgreSQL made, started safely, and given its roles?"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
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
    emptied,
    move_aside,
    ourselves,
    private,
    quoted,
    unprivileged,
)
from coordination.config.launcher.roles import OWNER, ROLES, ensure_database, ensure_roles
from coordination.config.launcher.words import gettext as _
from coordination.config.launcher.words import noted

SUPERUSER = "postgres"
MAJOR = "18"
FAST_STOP_SECONDS = 60
MUST_BE_ON = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")

# builtin C.UTF-8: the same order of texts on every machine, whatever its C library
INITDB = (
    "-U", SUPERUSER, "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--auth-local=peer",
    "--auth-host=reject", "--data-checksums", "--no-instructions",
)  # fmt: skip

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
    ourselves()
    runner = unprivileged()
    owner = runner.pw_uid if runner else None
    programs = postgres_programs(instance)
    data = private(instance.postgres_data, owner=owner)
    private(instance.postgres_run, owner=owner)
    check_socket_path(instance.postgres_run / ".s.PGSQL.5432.lock")
    if not (data / "PG_VERSION").exists():
        _initialise(data, programs)
    _check_version(data, programs)
    _write_access(data)
    clear_stale_pid(data, programs / "postgres")
    emptied(instance.postgres_run)  # nobody works in the data: what lies there is a socket's remains, or in its place
    for name in ("postgresql.conf", "postgresql.auto.conf"):  # all we ask stands in the command
        (data / name).touch()
    command = [str(programs / "postgres"), "-D", str(data), "-k", str(instance.postgres_run)]
    for key, value in SETTINGS.items():
        command += ["-c", f"{key}={value}"]
    return command


def _check_version(data: Path, programs: Path) -> None:
    found = (data / "PG_VERSION").read_text(errors="replace").strip()
    if found == MAJOR:
        return
    if not found:
        raise FolderProblem(
            _("%s does not say which PostgreSQL wrote it: its PG_VERSION is empty.") % data,
            noted(f"echo {MAJOR} > {quoted(data / 'PG_VERSION')}", _("if it was this one; else restore the backup")),
        )
    old = data.with_name(f"{data.name}-{found}")
    runner = unprivileged()
    owned = f"-o {runner.pw_name} " if runner else ""
    programs_then = _("BIN_OF_THE_OLD_VERSION")
    raise FolderProblem(
        _("%(data)s was written by PostgreSQL %(found)s; this is %(wanted)s, and does not read it.")
        % {"data": data, "found": found, "wanted": MAJOR},
        "\n".join((
            f"mv {quoted(data)} {quoted(old)}",
            f"install -d -m 700 {owned}{quoted(data)}",
            f"{as_owner()}{quoted(programs / 'initdb')} -D {quoted(data)} {' '.join(INITDB)}",
            f"cd /tmp && {as_owner()}{quoted(programs / 'pg_upgrade')} -b {programs_then} -B {quoted(programs)} "
            f"-d {quoted(old)} -D {quoted(data)} -U {SUPERUSER}",
        )),
    )


def _initialise(data: Path, programs: Path) -> None:
    """Make a cluster beside ``data`` and put it there whole: one that was cut short is never taken for one."""
    left = [entry.name for entry in data.iterdir()]
    if left:
        raise FolderProblem(
            _("%(data)s holds no PostgreSQL, but something else: %(names)s.")
            % {"data": data, "names": ", ".join(sorted(left)[:3])},
            move_aside(data),
        )
    runner = unprivileged()
    new = data.with_name(data.name + "-new")
    if new.exists():
        shutil.rmtree(new)
    private(new, owner=runner.pw_uid if runner else None)
    result = subprocess.run(  # noqa: S603 - our own program
        [str(programs / "initdb"), "-D", str(new), *INITDB],
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
        raise FolderProblem(
            _("PostgreSQL's data could not be made in %(data)s: %(said)s")
            % {"data": data, "said": result.stderr.strip()[-600:]},
            f"df -h {quoted(data.parent)}; ls -ld {quoted(data.parent)}",
        )
    new.replace(data)


def _write_access(data: Path) -> None:
    """Only this system user and the one PostgreSQL runs as come in, by the socket's own proof of who calls."""
    people = {ourselves().pw_name}
    runner = unprivileged()
    if runner:
        people |= {runner.pw_name, "root"}
    (data / "pg_hba.conf").write_text("local all all peer map=muster\nlocal replication all peer map=muster\n")
    lines = [f'muster "{person}" {role}\n' for person in sorted(people) for role in (SUPERUSER, *ROLES)]
    (data / "pg_ident.conf").write_text("".join(lines))


def clear_stale_pid(data: Path, program: Path) -> None:
    """Make way for a start: stop a server of ours that still works in ``data``, remove a pid file that lies.

    A pid file proves nothing after a crash: its number may belong to a stranger by now, who is left alone; and where it
    is gone, a server may work all the same, and a second one would destroy the data.
    """
    asked: set[int] = set()
    deadline = time.monotonic() + FAST_STOP_SECONDS
    while found := _servers_in(data, program):
        for process in found:
            if process.pid not in asked:
                asked.add(process.pid)
                _ask_to_stop(process)
        if time.monotonic() > deadline:
            raise FolderProblem(
                _("Another PostgreSQL works in %s and does not stop.") % data,
                f"kill -QUIT {' '.join(str(process.pid) for process in found)}",
            )
        time.sleep(0.1)
    pid_file = data / "postmaster.pid"
    if pid_file.is_dir() and not pid_file.is_symlink():
        shutil.rmtree(pid_file)
    else:
        pid_file.unlink(missing_ok=True)


def _ask_to_stop(process: psutil.Process) -> None:
    """Ask a server for a fast stop; what a killed one left serving a connection, to end."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.resume()
        process.send_signal(signal.SIGINT if "-D" in process.cmdline() else signal.SIGTERM)


def _servers_in(data: Path, program: Path) -> list[psutil.Process]:
    """Return the processes of PostgreSQL, by their program, whose working folder is ``data``."""
    wanted = data.resolve()
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, FileNotFoundError):
            if (
                process.status() != psutil.STATUS_ZOMBIE
                and Path(process.cwd()) == wanted
                and Path(process.exe()).name == program.name
            ):
                found.append(process)
    return found


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
        unsafe = not_on(connection)
        if unsafe:
            raise FolderProblem(unsafe_words(unsafe), remedy_for(unsafe, instance))
        ensure_roles(connection)
        ensure_database(connection, name)
    finally:
        connection.close()


def not_on(connection: psycopg2.extensions.connection) -> list[str]:
    """Return which of ``MUST_BE_ON`` the running server has off: its files may say anything."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM unnest(%s) AS name "
            "WHERE current_setting(name) NOT IN ('on', 'remote_apply') ORDER BY 1",  # the latter waits for more still
            [list(MUST_BE_ON)],
        )
        return [row[0] for row in cursor.fetchall()]


def as_owner() -> str:
    """Return what goes before a command that the user PostgreSQL runs as must give; "" when that is ourselves."""
    runner = unprivileged()
    return f"runuser -u {runner.pw_name} -- " if runner else ""


def unsafe_words(unsafe: Sequence[str]) -> str:
    """Say what is wrong with settings that lose what was saved."""
    return _("PostgreSQL runs with %s off: a power cut or a bad disk would lose what was saved.") % ", ".join(unsafe)


def remedy_for(unsafe: Sequence[str], instance: Instance | None = None) -> str:
    """Return the commands that put these settings on; ``instance``: the server is ours, and stopped after a refusal."""
    lines = [f'psql -c "ALTER SYSTEM SET {name} = on" -c "SELECT pg_reload_conf()"' for name in unsafe
             if name != "data_checksums"]  # fmt: skip
    if "data_checksums" in unsafe:
        data = quoted(instance.postgres_data) if instance else _("ITS_DATA_FOLDER")
        program = as_owner() + quoted(postgres_programs(instance) / "pg_checksums") if instance else "pg_checksums"
        lines.append(noted(f"{program} --enable -D {data}", _("while it is stopped")))
    return "\n".join(lines)

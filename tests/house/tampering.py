"""What can lie where something of ours was, after a crash, a full disk or a careless hand?

Each takes the yard (`tests.house.wrecks.Yard`) and says what it did. Processes of ours may still be ending.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from coordination.config.launcher import leftovers, postgres
from coordination.config.launcher.binaries import postgres_programs
from coordination.config.launcher.folders import unprivileged

if TYPE_CHECKING:
    from tests.house.wrecks import Yard

ALL: dict[str, Callable[[Yard], str]] = {}


def tampering(function: Callable[[Yard], str]) -> Callable[[Yard], str]:
    """Put one of them on the list."""
    ALL[function.__name__.replace("_", " ")] = function
    return function


def name_of(process: psutil.Process) -> str:
    """Return a process's name, "" when it is gone."""
    try:
        return str(process.name())
    except psutil.Error:
        return ""


def is_supervisor(process: psutil.Process) -> bool:
    """Whether it holds the others."""
    try:
        return str(leftovers.KEEPER) in process.cmdline()
    except psutil.Error:
        return False


def servers(data: Path) -> list[psutil.Process]:
    """Return the PostgreSQL servers that work in ``data``, without their own children."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() == "postgres" and Path(process.cwd()) == data and process.ppid() != process.pid:
                parent = process.parent()
                if parent is None or parent.name() != "postgres":
                    found.append(process)
    return found


def remove(path: Path) -> None:
    """Remove whatever lies there."""
    with contextlib.suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def put(yard: Yard, path: Path) -> str:
    """Put something else in the place of ``path``."""
    remove(path)
    if not path.parent.is_dir():
        return "nothing: no folder"
    kind = yard.draw.choice(("nothing", "file", "folder", "link to nowhere"))
    if kind == "file":
        path.write_bytes(b"x")
    elif kind == "folder":
        path.mkdir()
        (path / "inside").touch()
    elif kind == "link to nowhere":
        path.symlink_to("/no/such/place")
    return kind


def cut(yard: Yard, path: Path) -> str:
    """Leave half a file, an empty one, or one of zeros, as a full disk or a power cut does."""
    if not path.is_file():
        return "no such file"
    size = path.stat().st_size
    kind = yard.draw.choice(("half", "empty", "zeros"))
    with path.open("r+b") as file:
        if kind == "zeros":
            file.write(bytes(size))
        else:
            file.truncate(size // 2 if kind == "half" else 0)
    return kind


@tampering
def pid_file(yard: Yard) -> str:
    """PostgreSQL's: empty, of nobody, of a stranger, nonsense, a folder."""
    path = yard.instance.postgres_data / "postmaster.pid"
    kind = yard.draw.choice(("empty", "stale", "reused", "nonsense", "folder", "gone"))
    remove(path)
    if kind == "folder":
        path.mkdir()
    elif kind != "gone":
        runner = unprivileged()
        pid = yard.stranger(user=runner.pw_uid if runner else None).pid if kind == "reused" else 4_000_000
        lines = f"{pid}\n{yard.instance.postgres_data}\n1\n5432\n{yard.instance.postgres_run}\n\n"
        path.write_bytes({"empty": b"", "nonsense": os.urandom(200)}.get(kind, lines.encode()))
    return kind


@tampering
def stranger_in_the_data(yard: Yard) -> str:
    """Somebody's process has the data folder as its working folder: no server of ours, so it is left alone."""
    made = yard.stranger(cwd=yard.instance.postgres_data)
    (yard.instance.postgres_data / "postmaster.pid").touch()
    return f"process {made.pid}"


@tampering
def socket_of_postgres(yard: Yard) -> str:
    return put(yard, yard.instance.postgres_run / ".s.PGSQL.5432")


@tampering
def lock_of_the_socket(yard: Yard) -> str:
    """PostgreSQL looks whether its number lives: a stranger of the same user has it."""
    runner = unprivileged()
    path = yard.instance.postgres_run / ".s.PGSQL.5432.lock"
    if not path.parent.is_dir():
        return "nothing: no folder"
    remove(path)
    pid = yard.stranger(user=runner.pw_uid if runner else None).pid
    path.write_text(f"{pid}\n{yard.instance.postgres_data}\n1\n5432\n{yard.instance.postgres_run}\n")
    return f"process {pid}"


@tampering
def socket_of_redis(yard: Yard) -> str:
    return put(yard, yard.instance.redis_socket)


@tampering
def socket_of_the_supervisor(yard: Yard) -> str:
    return put(yard, yard.instance.supervisor_socket)


@tampering
def pid_file_of_the_supervisor(yard: Yard) -> str:
    if not yard.instance.run.is_dir():
        return "nothing: no folder"
    (yard.instance.run / "supervisor.pid").write_text(f"{yard.stranger().pid}\n")
    return "a stranger's"


@tampering
def configuration_of_the_supervisor(yard: Yard) -> str:
    return cut(yard, yard.instance.run / "supervisor.conf")


@tampering
def runtime_folders(yard: Yard) -> str:
    """Gone, as after a restart of the machine or a tidy of /tmp; or something else is there."""
    chosen = yard.draw.sample((yard.instance.run, yard.instance.postgres_run), yard.draw.choice((1, 2)))
    kinds = []
    for folder in chosen:
        remove(folder)
        kinds.append(yard.draw.choice(("gone", "gone", "file", "link")))
        if kinds[-1] == "file":
            folder.touch()
        elif kinds[-1] == "link":
            folder.symlink_to("/var/tmp")
    return ", ".join(kinds)


@tampering
def lock_of_the_launcher(yard: Yard) -> str:
    path = yard.instance.folder / "launcher.lock"
    kind = yard.draw.choice(("nonsense", "a stranger's", "gone", "folder", "link"))
    if kind in {"gone", "folder", "link"}:
        remove(path)
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("/no/such/place")
    elif kind != "gone":
        path.write_bytes(os.urandom(64) if kind == "nonsense" else f'{{"pid": {yard.stranger().pid}}}'.encode())
    return kind


@tampering
def keys_lost(yard: Yard) -> str:
    kind = yard.draw.choice(("gone", "half", "empty"))
    path = yard.instance.secrets
    if kind == "gone":
        remove(path)
    else:
        path.write_text('{"MUSTER_SECRET_KEY": "ab' if kind == "half" else "")
    return kind


@tampering
def rights_loosened(yard: Yard) -> str:
    chosen = yard.draw.choice((yard.instance.folder, yard.instance.postgres_data, yard.instance.secrets))
    chosen.chmod(0o777)
    return chosen.name


@tampering
def logs(yard: Yard) -> str:
    return put(yard, yard.instance.logs)


@tampering
def files_of_redis(yard: Yard) -> str:
    """What a full disk leaves of the append-only file, its list, or the folder."""
    folder = yard.instance.redis_data
    found = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    if not found or yard.draw.random() < 0.2:
        remove(folder)
        return "folder gone"
    path = yard.draw.choice(found)
    return f"{path.name} {cut(yard, path)}"


@tampering
def plan_of_beat(yard: Yard) -> str:
    found = sorted(yard.instance.folder.glob("beat-schedule*"))
    return cut(yard, yard.draw.choice(found)) if found else "no such file"


@tampering
def static_files(yard: Yard) -> str:
    """A collection that was cut short has no mark."""
    folder = yard.instance.folder / "static"
    if yard.draw.random() < 0.5:
        remove(folder)
        return "gone"
    remove(folder / ".collected")
    for path in sorted(folder.rglob("*"))[:50]:
        if path.is_file():
            path.unlink()
    return "half"


@tampering
def data_begun_beside(yard: Yard) -> str:
    """A start that was killed while it made a new cluster."""
    folder = yard.instance.postgres_data.with_name(yard.instance.postgres_data.name + "-new")
    folder.mkdir(exist_ok=True)
    (folder / "PG_VERSION").write_text("18\n")
    return "half a cluster"


@tampering
def settings_of_postgres(yard: Yard) -> str:
    names = ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf")
    path = yard.instance.postgres_data / yard.draw.choice(names)
    if path.name.endswith("auto.conf") or path.name == "postgresql.conf":
        kind = yard.draw.choice(("empty", "gone"))
    else:
        kind = yard.draw.choice(("empty", "gone", "nonsense"))
    remove(path)
    if kind != "gone":
        path.write_text("nonsense here\n" if kind == "nonsense" else "")
        runner = unprivileged()
        if runner:
            os.chown(path, runner.pw_uid, runner.pw_gid)
    return f"{path.name} {kind}"


@tampering
def version_of_the_data(yard: Yard) -> str:
    postgres.working_in(yard.instance.postgres_data)
    (yard.instance.postgres_data / "PG_VERSION").write_text("")
    return "empty"


@tampering
def checksums_off(yard: Yard) -> str:
    """Done by hand to a server that was stopped in good order; after a crash the tool refuses."""
    data = yard.instance.postgres_data
    postgres.working_in(data)
    runner = unprivileged()
    said = subprocess.run(
        [postgres_programs(yard.instance) / "pg_checksums", "--disable", "-D", data], cwd="/", capture_output=True,
        user=runner.pw_uid if runner else None, group=runner.pw_gid if runner else None,
    )  # fmt: skip
    return "done" if said.returncode == 0 else "not possible now"


@tampering
def port_taken(yard: Yard) -> str:
    """By a program that stays."""
    code = f"import socket,time; s=socket.create_server(('127.0.0.1',{yard.port})); time.sleep(3600)"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", yard.port))
        except OSError:
            return "in use"
    yard.strangers.append(subprocess.Popen(["/usr/bin/env", "python3", "-c", code]))
    return str(yard.port)


@tampering
def last_refusal(yard: Yard) -> str:
    yard.instance.last_refusal.write_text('{"at": 3')
    return "half"


@tampering
def ballast(yard: Yard) -> str:
    path = yard.instance.ballast
    if yard.draw.random() < 0.5:
        remove(path)
        return "gone"
    path.write_bytes(b"x")
    return "half"

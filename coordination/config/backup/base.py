"""How is the whole server copied while it works?"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2.errors

from coordination.config.backup import seal
from coordination.config.backup.seal import BackupProblem
from coordination.config.backup.source import Source, Store
from coordination.config.launcher.roles import BACKUP
from coordination.events.sealing import fields, proof
from coordination.events.sealing.verify import verify

COUNTED = (
    "events_event", "events_streamentry", "incidents_incident", "incidents_report", "instructions_instruction",
    "instructions_assignment", "accounts_person", "notify_delivery", "incidents_attachment",
)  # fmt: skip


def take(source: Source, store: Store, key: bytes, keys: dict[str, Any]) -> str:
    """Copy the server into the store and return the new base's name.

    The log is verified first and the heads of its chains are kept with the base, so that a restore can prove that
    nothing before them was changed. ``keys``: what must be put back with the data to read it.
    """
    name = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder = store.bases / name
    with _whole_or_gone(folder):
        read = _copy(source, folder, name, key, keys)
    if read.problems:
        raise BackupProblem("the copy is made, but the log does not hold together: " + "; ".join(read.problems[:5]))
    return name


@contextlib.contextmanager
def _whole_or_gone(folder: Path) -> Iterator[None]:
    """Take away what is there of a base that could not be finished: it helps nobody and fills the disk."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _copy(source: Source, folder: Path, name: str, key: bytes, keys: dict[str, Any]) -> proof.Report:
    connection = source.connect()
    try:
        read = verify(connection)
        with connection.cursor() as cursor:
            counts = {table: _count(cursor, table) for table in COUNTED}
            cursor.execute("SELECT current_setting('server_version_num')::int / 10000, system_identifier "
                           "FROM pg_control_system()")  # fmt: skip
            version, system = cursor.fetchone()
            segment = _hold(cursor)  # the log from here on stays until this connection ends
        began = time.time()
        size = seal.write(folder / "data", f"base/{name}/data", _stream(source), key)
    finally:
        connection.close()
    seal.write_json(folder / "keys", f"base/{name}/keys", keys, key)
    manifest = {
        "name": name, "began": began, "ended": time.time(), "bytes": size, "version": version, "system": str(system),
        "counts": counts, "problems": read.problems, "database": source.database.name, "segment": segment,
        "chain": fields.VERSION, "anchors": {name: (seq, made.hex()) for name, (seq, made) in read.heads.items()},
    }  # fmt: skip
    seal.write_json(folder / "manifest", f"base/{name}/manifest", manifest, key)  # last: now it is whole
    return read


def _count(cursor: Any, table: str) -> int:
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
    if not cursor.fetchone()[0]:
        return 0
    cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own constant
    return int(cursor.fetchone()[0])


def _hold(cursor: Any) -> str:
    """Keep the log from now on; return the segment it stands at."""
    try:
        cursor.execute("SELECT pg_create_physical_replication_slot('muster_base_' || pg_backend_pid(), true, true)")
        cursor.execute(
            "SELECT pg_walfile_name(restart_lsn) FROM pg_replication_slots "
            "WHERE slot_name = 'muster_base_' || pg_backend_pid()"
        )
        return str(cursor.fetchone()[0])
    except psycopg2.errors.InsufficientPrivilege as error:
        raise BackupProblem(
            f"{BACKUP} may not copy the server: run as its administrator: ALTER ROLE {BACKUP} REPLICATION"
        ) from error


def _stream(source: Source) -> Iterator[bytes]:
    command = source.command("pg_basebackup", "-D", "-", "-Ft", "-X", "fetch", "--checkpoint=fast", "--no-sync",
                             "--manifest-checksums=SHA256")  # fmt: skip
    with subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
        command, env=dict(source.environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as copying:
        if copying.stdout is None or copying.stderr is None:
            raise BackupProblem("pg_basebackup has no output")
        while piece := copying.stdout.read(1024 * 1024):
            yield piece
        said = copying.stderr.read().decode(errors="replace").strip()
        if copying.wait() != 0:
            raise BackupProblem(f"pg_basebackup: {said[-400:]}")


def secrets_of(instance: str, secret_key: str) -> dict[str, Any]:
    """What must go with the data: the instance's keys, or the secret key where the environment gave it."""
    found: dict[str, Any] = {"MUSTER_SECRET_KEY": secret_key}
    path = Path(instance) / "secrets.json" if instance else None
    if path is not None and path.exists():
        found["secrets.json"] = path.read_text()
    return found

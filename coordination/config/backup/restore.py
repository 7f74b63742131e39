"""How does a system come back on a blank machine, up to the last second that was kept?"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg2 import sql

from coordination.config.backup import files as attachments
from coordination.config.backup import seal
from coordination.config.backup.pruning import moment
from coordination.config.backup.seal import BackupProblem
from coordination.config.backup.source import Store
from coordination.config.backup.wal import HISTORY, SEGMENT
from coordination.config.launcher import postgres
from coordination.config.launcher.folders import Instance, private, unprivileged
from coordination.config.launcher.keys import keys

WAL = "muster_wal"
REPLAY_SECONDS = 3_600.0
CONF = "postgresql.auto.conf"
Say = Callable[[str], None]


class Pieces(io.RawIOBase):
    """A stream of pieces, read as a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces, self.left = iter(pieces), b""

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` with what comes next."""
        while not self.left:
            try:
                self.left = next(self.pieces)
            except StopIteration:
                return 0
        size = min(len(buffer), len(self.left))
        buffer[:size], self.left = self.left[:size], self.left[size:]
        return size


@dataclass(frozen=True, slots=True)
class Restored:
    """From which base, what it said of itself, and how many segments and files came with it."""

    base: str
    manifest: dict[str, Any]
    segments: int
    files: int


def restore(
    instance: Instance, store: Store, key: bytes, *, until: datetime | None = None, say: Say = print
) -> Restored:
    """Put keys, files and data of the store into the blank folder of ``instance``; it can be started afterwards.

    ``until``: only what was committed up to then; else up to the last second. Raises BackupProblem or FolderProblem.
    """
    demand_blank(instance)
    name = _choose(store, key, until)
    manifest = dict(seal.read_json(store.bases / name / "manifest", f"base/{name}/manifest", key))
    if str(manifest["version"]) != postgres.MAJOR:
        raise BackupProblem(f"base {name} is of PostgreSQL {manifest['version']}, this is {postgres.MAJOR}")
    private(instance.folder)
    _put_keys(instance, store, name, key)  # first: data without keys are refused
    runner = unprivileged()
    data = private(instance.postgres_data, owner=runner.pw_uid if runner else None)
    say(f"base {name}: {manifest['bytes']:,} bytes")
    unpack(store, name, key, data, runner)
    _check(data)
    say("the log since then")
    segments = lay_out(store, key, data, until, runner)
    say("attachments")
    count = put_files(store, key, private(instance.files))
    say("replaying")
    replay(instance, str(manifest["database"]), say)
    (instance.folder / "started").touch(mode=0o600)
    return Restored(name, manifest, segments, count)


def demand_blank(instance: Instance) -> None:
    """Raise BackupProblem unless nothing lies where the instance is to be put."""
    for folder in (instance.folder, instance.postgres_data):
        left = [one.name for one in folder.iterdir() if one.name != "launcher.lock"] if folder.is_dir() else []
        if left:
            raise BackupProblem(
                f"{folder} is not empty ({', '.join(sorted(left)[:3])}): restore into a blank folder (--folder), or "
                "move this one away"
            )


def _choose(store: Store, key: bytes, until: datetime | None) -> str:
    """The newest base that was whole by then: PostgreSQL refuses to stop before the copy it starts from was taken."""
    for name in reversed(store.base_names()):
        if until is None or (moment(name) < until and _ended(store, name, key) < until.timestamp()):
            return name
    raise BackupProblem(f"{store.folder} holds no whole base" + (f" from before {until}" if until else ""))


def _ended(store: Store, name: str, key: bytes) -> float:
    return float(seal.read_json(store.bases / name / "manifest", f"base/{name}/manifest", key)["ended"])


def unpack(store: Store, name: str, key: bytes, data: Path, runner: Any) -> None:
    """Unpack a base into the empty folder ``data``, owned by whom PostgreSQL runs as."""
    stream = io.BufferedReader(Pieces(seal.read(store.bases / name / "data", f"base/{name}/data", key)), 1024 * 1024)
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        archive.extractall(data, filter="data", numeric_owner=True)
    while stream.read(1024 * 1024):  # to the end, so that a cut or changed tail is found
        pass
    for parent, folders, names in os.walk(data):
        for one in [*folders, *names]:
            path = Path(parent) / one
            path.chmod(0o700 if path.is_dir() else 0o600)
            _own(path, runner)


def _own(path: Path, runner: Any) -> None:
    if runner is not None:
        os.chown(path, runner.pw_uid, runner.pw_gid)


def _check(data: Path) -> None:
    """Compare with PostgreSQL's own manifest of the base: every file there, whole and unchanged.

    (`pg_verifybackup` would do the same, but is not in every build of PostgreSQL's programs.)
    """
    listed = json.loads((data / "backup_manifest").read_text())["Files"]
    for one in listed:
        name = one["Path"] if "Path" in one else os.fsdecode(bytes.fromhex(one["Encoded-Path"]))
        path = data / name
        if not path.is_file() or path.stat().st_size != one["Size"]:
            raise BackupProblem(f"the base is not whole: {name} is missing or of another size")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != one["Checksum"]:
                raise BackupProblem(f"the base is not whole: {name} was changed")


def lay_out(store: Store, key: bytes, data: Path, until: datetime | None, runner: Any) -> int:
    """Put the kept log beside the data and tell PostgreSQL to replay it; return the number of segments."""
    folder = data / WAL
    folder.mkdir(mode=0o700)
    _own(folder, runner)
    first = _first_segment(data)
    count = 0
    for name, kept in _kept_log(store):
        if SEGMENT.fullmatch(name) and name[8:] < first[8:]:
            continue
        target = folder / name
        with target.open("wb") as file:
            for piece in seal.read(store.wal / kept, f"wal/{kept}", key):
                file.write(piece)
        target.chmod(0o600)
        _own(target, runner)
        count += 1
    lines = [f"restore_command = 'cp \"{WAL}/%f\" \"%p\"'", "recovery_target_timeline = 'latest'"]
    if until is not None:
        lines += [f"recovery_target_time = '{until.isoformat()}'", "recovery_target_action = 'promote'"]
    with (data / CONF).open("a") as conf:
        conf.write("".join(f"{line} # restore\n" for line in lines))
    for name in ("recovery.signal", "postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
        (data / name).touch(mode=0o600)
        _own(data / name, runner)
    (data / "standby.signal").unlink(missing_ok=True)
    return count


def _first_segment(data: Path) -> str:
    label = (data / "backup_label").read_text()
    found = re.search(r"START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)", label)
    if found is None:
        raise BackupProblem("the base does not say where its log begins")
    return found[1]


def _kept_log(store: Store) -> Iterator[tuple[str, str]]:
    """(name, file in the store) of each segment and history; the unfinished one where there is no whole one."""
    here = {one.name for one in store.wal.iterdir()} if store.wal.is_dir() else set()
    for name in sorted(here):
        bare = name.removesuffix(".partial")
        if not (SEGMENT.fullmatch(bare) or HISTORY.fullmatch(bare)) or (name != bare and bare in here):
            continue
        yield bare, name


def _put_keys(instance: Instance, store: Store, name: str, key: bytes) -> None:
    found = seal.read_json(store.bases / name / "keys", f"base/{name}/keys", key)
    if "secrets.json" not in found:  # of a server that was not ours: its passwords are in the data, the key is this
        made = keys(instance)
        found["secrets.json"] = json.dumps({**made, "MUSTER_SECRET_KEY": found["MUSTER_SECRET_KEY"]}, indent=1)
        instance.secrets.unlink()
    descriptor = os.open(instance.secrets, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(found["secrets.json"])
        file.flush()
        os.fsync(file.fileno())


def put_files(store: Store, key: bytes, folder: Path) -> int:
    """Put the attachments back; return how many."""
    count = 0
    for name, kept in attachments.load(store, key).items():
        target = (folder / name).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise BackupProblem(f"the index names a file outside of its folder: {name}")
        source = store.files / attachments.hidden(name)
        if "gone" in kept and not source.exists():
            continue
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with target.open("wb") as file:
            for piece in seal.read(source, f"files/{name}", key):
                file.write(piece)
        target.chmod(0o600)
        count += 1
    return count


def replay(instance: Instance, database: str, say: Say) -> None:
    """Start PostgreSQL alone, wait until it has replayed the log and takes writes, and stop it.

    ``database``: how ours is called there; here it gets the name that every instance's has.
    """
    # while it replays, nobody may read; else it would ask for as many connections as the lost server had
    command = [*postgres.prepare(instance), "-c", "hot_standby=off", "-c", "archive_mode=off"]
    runner = unprivileged()
    private(instance.logs)
    log = instance.logs / "restore.log"
    with log.open("ab") as out:
        server = subprocess.Popen(  # noqa: S603 - our own program
            command, cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            user=runner.pw_uid if runner else None, group=runner.pw_gid if runner else None,
            extra_groups=[] if runner else None, env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + REPLAY_SECONDS
        while said := postgres.answers(instance):
            if server.poll() is not None or time.monotonic() > deadline:
                raise BackupProblem(f"PostgreSQL did not come back ({said[:200]}):\n{log.read_text()[-1500:]}")
            time.sleep(0.2)
        say("replayed")
        _rename(instance, database)
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
            server.wait(300)
    _tidy(instance.postgres_data)


def _rename(instance: Instance, database: str) -> None:
    ours = postgres.database(instance).name
    if database == ours:
        return
    with contextlib.closing(postgres.superuser(instance)) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(database), sql.Identifier(ours)))


def _tidy(data: Path) -> None:
    """Take away what only the restore needed."""
    lines = (data / CONF).read_text().splitlines(keepends=True)
    (data / CONF).write_text("".join(line for line in lines if not line.rstrip().endswith("# restore")))
    for path in (data / WAL).iterdir():
        path.unlink()
    (data / WAL).rmdir()
    for name in ("backup_label.old", "tablespace_map.old"):
        with contextlib.suppress(FileNotFoundError):
            (data / name).unlink()

"""Does each part of the backup keep what it promises: nothing readable, cut short, or thrown away early?"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from coordination.config import patience
from coordination.config.backup import base, seal
from coordination.config.backup.files import Files, hidden
from coordination.config.backup.pruning import Keep, kept, prune
from coordination.config.backup.restore import Pieces, put_files, restore
from coordination.config.backup.seal import BackupProblem
from coordination.config.backup.source import Store
from coordination.config.backup.wal import Receiver, after, holes
from coordination.config.launcher.folders import Instance
from coordination.events import clock
from coordination.events.sealing.verify import verify
from tests.events.deeds import PERSON, department, note

KEY = bytes(range(32))


def pieces(size: int, seed: int = 1) -> list[bytes]:
    made = random.Random(seed)
    return [made.randbytes(min(70_000, size - at)) for at in range(0, size, 70_000)]


@pytest.mark.parametrize("size", [0, 1, 262_143, 262_144, 1_500_000])
def test_what_is_sealed_comes_back(tmp_path: Path, size: int) -> None:
    written = pieces(size)
    assert seal.write(tmp_path / "a", "a", written, KEY) == (tmp_path / "a").stat().st_size
    assert b"".join(seal.read(tmp_path / "a", "a", KEY)) == b"".join(written)
    assert Pieces(seal.read(tmp_path / "a", "a", KEY)).readall() == b"".join(written)
    assert not list(tmp_path.glob(".*")), "nothing half-written stays"


def test_nothing_of_it_can_be_read(tmp_path: Path) -> None:
    seal.write(tmp_path / "a", "a", [b"the name of a source" * 1000], KEY)
    assert b"source" not in (tmp_path / "a").read_bytes()
    seal.write(tmp_path / "b", "a", [b"the name of a source" * 1000], KEY)
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def changes(whole: bytes) -> Iterator[bytes]:
    yield b""
    yield whole[:10]
    yield whole[:-1]
    yield whole[: len(seal.MARK) + 16]
    yield whole + b"more"
    for at in (0, len(seal.MARK) + 3, len(seal.MARK) + 17, len(whole) // 2, len(whole) - 1):
        yield whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    first = len(seal.MARK) + 16
    size = 4 + int.from_bytes(whole[first : first + 4], "big")
    yield whole[:first] + whole[first + size :]  # the first piece left out
    yield whole[: first + size]  # all but the first left out
    yield whole[: first + size] + whole[first:]  # the first one twice


def test_every_change_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a"
    seal.write(path, "a", pieces(800_000), KEY)
    whole = path.read_bytes()
    for changed in changes(whole):
        path.write_bytes(changed)
        with pytest.raises(BackupProblem):
            list(seal.read(path, "a", KEY))
    path.write_bytes(whole)
    for name, key in (("b", KEY), ("a", bytes(32))):
        with pytest.raises(BackupProblem, match="the key is another one"):
            list(seal.read(path, name, key))


def test_a_stream_that_breaks_leaves_the_old_file(tmp_path: Path) -> None:
    seal.write(tmp_path / "a", "a", [b"old"], KEY)

    def broken() -> Iterator[bytes]:
        yield b"new"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        seal.write(tmp_path / "a", "a", broken(), KEY)
    assert b"".join(seal.read(tmp_path / "a", "a", KEY)) == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "safe" / "key"
    call_command("backup", "key", str(path))
    assert path.stat().st_mode & 0o777 == 0o600 and len(seal.read_key(path)) == 32
    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", "key", str(path))
    with pytest.raises(BackupProblem, match="cannot be read"):
        seal.read_key(tmp_path / "none")
    path.write_text("c2hvcnQ=")
    with pytest.raises(BackupProblem, match="holds no key of 32 bytes"):
        seal.read_key(path)


def test_attachments_are_stored_once_and_come_back(tmp_path: Path) -> None:
    store, folder = Store(tmp_path / "store"), tmp_path / "files"
    (folder / "2026").mkdir(parents=True)
    (folder / "2026" / "a.png").write_bytes(b"picture")
    (folder / "b.txt").write_bytes(b"text")
    files = Files(folder, store, KEY)
    assert (files.ship(), files.ship()) == (2, 0)
    assert Files(folder, store, KEY).ship() == 0  # another process knows it too
    (folder / "b.txt").unlink()
    files.ship()
    assert put_files(store, KEY, tmp_path / "back") == 2, "what is gone is kept for a while"
    assert (tmp_path / "back" / "2026" / "a.png").read_bytes() == b"picture"
    assert files.forget(datetime.now(UTC).timestamp() + 1) == 1
    assert not (store.files / hidden("b.txt")).exists()
    assert put_files(store, KEY, tmp_path / "again") == 1


def test_an_attachment_that_was_being_written_is_stored_again_when_it_is_whole(tmp_path: Path) -> None:
    store, folder = Store(tmp_path / "store"), tmp_path / "files"
    folder.mkdir()
    files = Files(folder, store, KEY)
    with (folder / "a.png").open("wb", buffering=0) as upload:
        upload.write(b"half ")
        files.ship()
        upload.write(b"and half")
    assert (files.ship(), files.ship()) == (1, 0)
    put_files(store, KEY, tmp_path / "back")
    assert (tmp_path / "back" / "a.png").read_bytes() == b"half and half"


def test_an_index_that_leads_outside_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    seal.write_json(store.index, "files.index", {"../../evil": {"size": 1}}, KEY)
    with pytest.raises(BackupProblem, match="outside"):
        put_files(store, KEY, tmp_path / "back")


def test_a_moment_is_restored_from_a_base_that_was_whole_by_then(tmp_path: Path) -> None:
    store, begun = Store(tmp_path / "store"), [datetime(2026, 11, day, 2, tzinfo=UTC) for day in (19, 20)]
    names = [at.strftime("%Y%m%dT%H%M%SZ") for at in begun]
    for at, name in zip(begun, names, strict=True):
        manifest = {"ended": (at + timedelta(minutes=10)).timestamp(), "version": "?"}
        seal.write_json(store.bases / name / "manifest", f"base/{name}/manifest", manifest, KEY)
    for minutes, chosen in ((5, names[0]), (15, names[1]), (-1, names[0])):
        with pytest.raises(BackupProblem, match=f"base {chosen} is of PostgreSQL"):
            restore(Instance(tmp_path / "new"), store, KEY, until=begun[1] + timedelta(minutes=minutes))
    with pytest.raises(BackupProblem, match="holds no whole base from before"):
        restore(Instance(tmp_path / "new"), store, KEY, until=begun[0] + timedelta(minutes=5))


def test_bases_are_kept_35_days_and_12_months() -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    nights = [(now - timedelta(days=n)).strftime("%Y%m%dT020000Z") for n in range(800)]
    stay = kept(nights, Keep(35, 12), now)
    daily = [name for name in nights if (now - datetime.strptime(name[:8], "%Y%m%d").replace(tzinfo=UTC)).days <= 34]
    assert set(daily) <= stay and len(daily) == 35
    assert sorted({name[:6] for name in stay})[0] == "202512" and len({name[:6] for name in stay}) == 12
    assert all(name.endswith("01T020000Z") for name in stay if name[:6] < "202610")
    assert kept(["20200101T000000Z"], Keep(35, 12), now) == {"20200101T000000Z"}, "the newest always stays"


def test_a_base_that_was_cut_short_does_not_stay_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, now = Store(tmp_path / "store"), datetime(2026, 11, 20, 3, tzinfo=UTC)
    for name in ("20261118T020000Z", "20261120T020000Z"):
        seal.write(store.bases / name / "data", "data", [b"much"], KEY)
    (store.bases / "mine").mkdir()
    assert prune(store, KEY, Keep(35, 12), None, now) == ["unfinished base 20261118T020000Z"]
    assert sorted(os.listdir(store.bases)) == ["20261120T020000Z", "mine"], "one may be under way"

    def full(_source: Any, folder: Path, *_: Any) -> Any:
        seal.write(folder / "data", "data", [b"much"], KEY)
        raise OSError("No space left on device")

    monkeypatch.setattr(base, "_copy", full, raising=False)
    with pytest.raises(OSError, match="No space"):
        base.take(Any, store, KEY, {})
    assert len(os.listdir(store.bases)) == 2


class Slotless:
    """A server whose slot was dropped, as the runbook says, since it had thrown the log away."""

    def __enter__(self) -> Slotless:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def connect(self) -> Slotless:
        return self

    def cursor(self) -> Slotless:
        return self

    def execute(self, statement: str, _values: Any) -> None:
        assert "pg_replication_slots" in statement

    def fetchone(self) -> None:
        return None

    def close(self) -> None:
        pass

    def run(self, *_: str) -> str:
        return ""

    def command(self, *_: str) -> list[str]:
        return ["true"]

    environment: dict[str, str] = {}


def test_a_new_slot_begins_where_the_server_stands_not_where_the_spool_ends(tmp_path: Path) -> None:
    source: Any = Slotless()
    store, spool, half = Store(tmp_path / "store"), tmp_path / "spool", "0000000100000000000000A7.partial"
    spool.mkdir(mode=0o700)
    (spool / half).write_bytes(b"half a segment")
    receiver = Receiver(source, store, KEY, spool)
    receiver.start()
    receiver.stop()
    assert not (spool / half).exists(), "pg_receivewal asks for its rest first, whatever the slot says"
    assert b"".join(seal.read(store.wal / half, f"wal/{half}", KEY)) == b"half a segment"


@pytest.mark.parametrize("asked", [("backup", "base"), ("drill",)])
def test_reading_the_whole_log_takes_as_long_as_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, asked: tuple[str, ...]
) -> None:
    """The launcher's backup runs as a worker, whose 18 s for one statement a log of some millions is beyond."""

    def read(*_: Any, **__: Any) -> Any:
        raise BackupProblem(f"waits {patience._seconds}")

    settings.MUSTER_BACKUP_FOLDER, settings.MUSTER_BACKUP_KEY_FILE = tmp_path / "store", tmp_path / "key"
    seal.make_key(tmp_path / "key")
    monkeypatch.setattr(base, "take", read)
    monkeypatch.setattr("coordination.config.management.commands.drill.drill", read)
    monkeypatch.setattr("coordination.config.management.commands.backup.source", lambda: None)
    before = patience._seconds
    patience.install(18.0)
    try:
        with pytest.raises(CommandError, match="waits None"):
            call_command(*asked, **({} if asked[0] == "backup" else {"store": tmp_path, "key_file": tmp_path / "key"}))
    finally:
        patience.install(before)


def test_a_hole_in_the_log_is_found() -> None:
    assert after("0000000100000000000000FF") == "000000010000000100000000"
    assert holes(["000000010000000000000001", "000000010000000000000002", "00000002.history"]) == []
    assert holes(["000000010000000000000001", "000000010000000000000003"]) == ["000000010000000000000002"]


@pytest.fixture
def log(transactional_db: None) -> Any:
    """A log of a dozen events in three streams, and the connection that reads it."""
    row = department()
    for n in range(12):
        note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=("a", "bc"[n % 2]))
    connection.ensure_connection()
    return connection.connection


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_untouched_log_holds_together(log: Any) -> None:
    before = verify(log)
    assert (before.problems, before.entries, before.heads["a"][0]) == ([], 24, 12)
    assert verify(log, before.heads).problems == []
    assert log.autocommit


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            "UPDATE events_event SET type = 'another' WHERE id = (SELECT min(id) FROM events_event)",
            "a 12: something up to here is not what was anchored",
        ),
        ("DELETE FROM events_streamentry WHERE stream = 'a' AND seq = 5", "a 6: 4 is followed by 6"),
        ("DELETE FROM events_streamentry WHERE stream = 'a' AND seq = 12", "its head says 12, its last entry is 11"),
        (
            "DELETE FROM events_streamentry WHERE stream = 'a' AND seq = 12;"
            "UPDATE events_streamhead SET last_seq = 11 WHERE stream = 'a'",
            "the chain ends at 11, and 12 was anchored",
        ),
        ("UPDATE events_streamentry SET home = false WHERE stream = 'a' AND seq = 3", "no home entry"),
        (
            "UPDATE events_streamentry SET seq = -1 WHERE stream = 'a' AND seq = 2;"
            "UPDATE events_streamentry SET seq = 2 WHERE stream = 'a' AND seq = 3;"
            "UPDATE events_streamentry SET seq = 3 WHERE stream = 'a' AND seq = -1",
            "a 12: something up to here is not what was anchored",
        ),
    ],
)
def test_every_change_of_the_log_is_found(log: Any, change: str, says: str) -> None:
    before = verify(log)
    execute(change)
    assert any(says in problem for problem in verify(log, before.heads).problems)

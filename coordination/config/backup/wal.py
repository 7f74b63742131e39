"""How does the write-ahead log leave this machine within seconds?

PostgreSQL's own `pg_receivewal` streams it into a spool; every few seconds what is new there is sealed and stored:
whole segments once, the one that is being filled again and again. A replication slot makes the server keep what the
receiver has not had yet, so that nothing is missing after a pause.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from pathlib import Path

from coordination.config.backup import seal
from coordination.config.backup.seal import BackupProblem
from coordination.config.backup.source import Source, Store
from coordination.config.launcher.folders import private

SLOT = "muster_backup"
SEGMENT = re.compile(r"[0-9A-F]{24}")
HISTORY = re.compile(r"[0-9A-F]{8}\.history")
CAUGHT_UP_SECONDS = 5.0


class Receiver:
    """The program that receives the log, and what of it has been stored."""

    def __init__(self, source: Source, store: Store, key: bytes, spool: Path) -> None:
        """Receive from ``source`` into ``spool`` and store from there; nothing is started."""
        self.source, self.store, self.key, self.spool = source, store, key, spool
        self.process: subprocess.Popen[bytes] | None = None
        self.seen: dict[str, tuple[int, int]] = {}

    def start(self) -> None:
        """Make the slot and start receiving; nothing to do when it runs."""
        if self.process is not None and self.process.poll() is None:
            return
        private(self.spool)
        if not self._slot():
            self._begin_anew()
        self.source.run("pg_receivewal", "--slot", SLOT, "--create-slot", "--if-not-exists")
        command = self.source.command(
            "pg_receivewal", "-D", str(self.spool), "--slot", SLOT, "--synchronous", "--no-loop",
            "--status-interval", "1",
        )  # fmt: skip
        log = (self.spool / "receiver.log").open("wb")
        with log:
            self.process = subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
                command, env=dict(self.source.environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _slot(self) -> bool:
        connection = self.source.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", [SLOT])
                return cursor.fetchone() is not None
        finally:
            connection.close()

    def _begin_anew(self) -> None:
        """Let a new slot say where to begin: the receiver would ask for the rest of what lies half in the spool.

        Without a slot the server has kept none of it, and would say so for ever.
        """
        self.ship()
        for path in self.spool.glob("*.partial"):
            path.unlink()

    def stop(self) -> None:
        """Stop receiving; the slot stays, and with it what the server keeps for us."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)

    def caught_up(self) -> str:
        """Wait until all that is committed by now has arrived in the spool and return that place in the log.

        Raises BackupProblem, with the receiver's last words, when it has not arrived in time.
        """
        connection = self.source.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_wal_flush_lsn()::text")
                (place,) = cursor.fetchone()
                deadline = time.monotonic() + CAUGHT_UP_SECONDS
                while True:
                    cursor.execute(
                        "SELECT active AND restart_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s",
                        [place, SLOT],
                    )
                    row = cursor.fetchone()
                    if row is not None and row[0]:
                        return str(place)
                    if time.monotonic() > deadline or (self.process is not None and self.process.poll() is not None):
                        raise BackupProblem(f"the log is not received: {self.last_words()}")
                    time.sleep(0.1)
        finally:
            connection.close()

    def last_words(self) -> str:
        """The end of the receiver's log."""
        try:
            return (self.spool / "receiver.log").read_text(errors="replace").strip()[-300:] or "(it says nothing)"
        except OSError:
            return "(no log)"

    def ship(self) -> int:
        """Store what is new in the spool; return the bytes written."""
        written = 0
        for path in sorted(self.spool.iterdir()):
            whole = SEGMENT.fullmatch(path.name) is not None or HISTORY.fullmatch(path.name) is not None
            partial = path.suffix == ".partial" and SEGMENT.fullmatch(path.stem) is not None
            if not whole and not partial:
                continue
            try:
                written += self._store(path, whole=whole)
            except FileNotFoundError:  # a partial one that became whole between two looks
                continue
        return written

    def _store(self, path: Path, *, whole: bool) -> int:
        state = path.stat()
        mark = (state.st_mtime_ns, state.st_size)
        if not whole and self.seen.get(path.name) == mark:
            return 0
        target = self.store.wal / path.name
        size = seal.write(target, f"wal/{path.name}", seal.of_file(path), self.key)
        self.seen[path.name] = mark
        if whole:
            (self.store.wal / f"{path.name}.partial").unlink(missing_ok=True)
            self.seen.pop(f"{path.name}.partial", None)
            path.unlink()
        return size


def after(segment: str) -> str:
    """The name of the segment that follows (16 MB segments)."""
    timeline, number = segment[:8], int(segment[8:16], 16) * 256 + int(segment[16:24], 16) + 1
    return f"{timeline}{number // 256:08X}{number % 256:08X}"


def holes(names: list[str]) -> list[str]:
    """The segments missing between the first and the last of one timeline each."""
    missing = []
    whole = [name for name in names if SEGMENT.fullmatch(name)]
    for one, following in zip(whole, whole[1:], strict=False):
        if one[:8] == following[:8] and after(one) != following:
            missing.append(after(one))
    return missing

"""How is what must not be lost kept on another disk?"""

from __future__ import annotations

import signal
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from coordination.config import actions, patience
from coordination.config.addresses import Database, parse_database_url
from coordination.config.backup import base, pruning, seal
from coordination.config.backup.files import Files
from coordination.config.backup.follow import Follower, only_one
from coordination.config.backup.nightly import Nightly
from coordination.config.backup.source import Source, Store, password, programs
from coordination.config.backup.wal import holes
from coordination.config.launcher.roles import BACKUP
from coordination.config.monitor import facts
from coordination.config.settings import operations

RETENTION = Path(__file__).resolve().parents[2] / "retention.yaml"


def source() -> Source:
    """The server of this installation, as the backup's role."""
    found = settings.DATABASES["default"]
    options = {name: str(value) for name, value in found["OPTIONS"].items() if name.startswith("ssl")}
    address = Database(
        name=found["NAME"], user=BACKUP, password=password(operations.INSTANCE), host=found["HOST"],
        port=int(found["PORT"]) if found["PORT"] else None, options=options,
    )  # fmt: skip
    if operations.BACKUP_DATABASE_URL:
        address = replace(parse_database_url(operations.BACKUP_DATABASE_URL), user=BACKUP)
        address = address if address.password else replace(address, password=password(operations.INSTANCE))
    return Source(address, programs())


def note(kind: str, position: str, size: int) -> None:
    """Write down that a part went well; a database that does not answer must not stop the backup."""
    try:
        actions.backed_up(kind, position, size)
    except DatabaseError:
        connection.close()


def keeping() -> pruning.Keep:
    """How long bases are kept."""
    return pruning.Keep(**yaml.safe_load(RETENTION.read_text(encoding="utf-8"))["backup"])


class Command(BaseCommand):
    """`follow` (the log; nightly a base, and a drill if set), `base` (one now), `list`, `prune`, `key <file>`."""

    requires_system_checks = ()
    help = __doc__ or ""

    def add_arguments(self, parser: Any) -> None:
        """The action, and for ``key`` the file to make."""
        parser.add_argument("action", choices=("follow", "base", "list", "prune", "key"))
        parser.add_argument("file", nargs="?", type=Path, help="key: the file to make")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it; a problem is one sentence."""
        try:
            if options["action"] == "key":
                if options["file"] is None:
                    raise CommandError("name the file: manage.py backup key /safe/place/backup.key")
                seal.make_key(options["file"])
                self.stdout.write(f"{options['file']}: keep a copy where neither this machine nor the backup is")
                return
            if not settings.MUSTER_BACKUP_FOLDER:
                raise CommandError("MUSTER_BACKUP_FOLDER is not set: a folder on another disk")
            store, key = Store(settings.MUSTER_BACKUP_FOLDER), seal.read_key(settings.MUSTER_BACKUP_KEY_FILE)
            getattr(self, options["action"])(store, key)
        except seal.BackupProblem as error:
            raise CommandError(str(error)) from error

    def follow(self, store: Store, key: bytes) -> None:
        """Follow until SIGTERM or SIGINT."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        with only_one(store):
            follower = Follower(
                source(), store, key, files=settings.MEDIA_ROOT, spool=operations.BACKUP_SPOOL, note=note,
                every=settings.MUSTER_BACKUP_EVERY, hour=settings.MUSTER_BACKUP_HOUR,
                keep_days=keeping().days,
            )  # fmt: skip
            self.stdout.write(f"backup: into {store.folder}")
            self.stdout.flush()
            drills = threading.Thread(target=self._nightly, args=(store, stop), name="drills")
            drills.start()
            try:
                follower.run(stop)
            finally:
                stop.set()
                drills.join()

    def _nightly(self, store: Store, stop: threading.Event) -> None:
        """Try the backup each night, where an hour is set."""
        hour = settings.MUSTER_DRILL_HOUR
        if hour is None:
            return
        try:
            age = facts.backups().get("drill")
        except DatabaseError:
            age = None
        finally:
            connection.close()
        last = None if age is None else datetime.now(UTC) - timedelta(seconds=age)
        Nightly(store, operations.BACKUP_SPOOL / "drill", hour=hour, note=note, last=last).run(stop)

    def base(self, store: Store, key: bytes) -> None:
        """Copy the whole server now, then remove what is old."""
        patience.install(None)  # the log is read whole, and it grows: that takes as long as it takes
        name = base.take(source(), store, key, base.secrets_of(operations.INSTANCE, settings.SECRET_KEY))
        note("base", name, (store.bases / name / "data").stat().st_size)
        self.stdout.write(f"base {name}: {(store.bases / name / 'data').stat().st_size:,} bytes")
        self._prune(store, key, None)

    def prune(self, store: Store, key: bytes) -> None:
        """Remove what need not be kept any longer."""
        with only_one(store):
            self._prune(store, key, Files(settings.MEDIA_ROOT, store, key))

    def _prune(self, store: Store, key: bytes, files: Files | None) -> None:
        for line in pruning.prune(store, key, keeping(), files, datetime.now(UTC)):
            self.stdout.write(f"removed {line}")

    def list(self, store: Store, key: bytes) -> None:
        """Print what there is."""
        for name in store.base_names():
            about = seal.read_json(store.bases / name / "manifest", f"base/{name}/manifest", key)
            self.stdout.write(f"base {name}: {about['bytes']:,} bytes, {about['counts']['events_event']:,} events")
        names = store.segments()
        self.stdout.write(f"log: {len(names)} segments" + (f", {names[0]} to {names[-1]}" if names else ""))
        for missing in holes(names):
            self.stdout.write(f"log: {missing} is missing")

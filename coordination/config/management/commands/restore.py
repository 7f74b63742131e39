"""How does a lost system come back?"""

from __future__ import annotations

import os
from datetime import UTC
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from coordination.config.backup import seal
from coordination.config.backup.restore import restore
from coordination.config.backup.source import Store
from coordination.config.launcher.folders import FolderProblem, Instance
from coordination.config.launcher.services import Held, only_one


class Command(BaseCommand):
    """Put a backup into a blank folder, from which `launcher --folder … up` then starts."""

    requires_system_checks = ()
    help = __doc__ or ""

    def add_arguments(self, parser: Any) -> None:
        """Where to, where from, with which key, up to when."""
        parser.add_argument("--folder", type=Path, required=True, help="the blank folder of the new instance")
        parser.add_argument("--from", dest="store", type=Path, default=settings.MUSTER_BACKUP_FOLDER)
        parser.add_argument("--key-file", type=Path, default=settings.MUSTER_BACKUP_KEY_FILE)
        parser.add_argument("--user", default="", help="as root: who will run PostgreSQL and own its data")
        parser.add_argument("--until", help="only what was committed up to then (2026-11-20T14:00:00Z)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore; a problem is one sentence."""
        store, key, until = opened(options)
        if options["user"]:
            os.environ["MUSTER_POSTGRES_USER"] = options["user"]
        instance = Instance(options["folder"].absolute())
        try:
            with only_one(instance):
                found = restore(instance, store, key, until=until, say=self.stdout.write)
        except (seal.BackupProblem, FolderProblem, Held) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"restored base {found.base}, {found.segments} segments of the log, {found.files} attachments; start it:\n"
            f"  python -m coordination.config.launcher --folder {instance.folder} up"
            + (f" --user {options['user']}" if options["user"] else "")
        )


def opened(options: dict[str, Any]) -> tuple[Store, bytes, Any]:
    """Return the store, its key and the moment that the options name; raises CommandError."""
    until = None
    if options["until"]:
        try:
            until = parse_datetime(options["until"])
        except ValueError:
            until = None
        if until is None:
            raise CommandError("--until must be a time: 2026-11-20T14:00:00Z")
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
    if options["store"] is None:
        raise CommandError("name the backup's folder: --from, or MUSTER_BACKUP_FOLDER")
    try:
        return Store(options["store"]), seal.read_key(options["key_file"]), until
    except seal.BackupProblem as error:
        raise CommandError(str(error)) from error

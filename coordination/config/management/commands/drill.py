"""Can the backup be relied on?"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from coordination.config import patience
from coordination.config.backup.drill import drill
from coordination.config.backup.seal import BackupProblem
from coordination.config.launcher.folders import FolderProblem, Instance
from coordination.config.launcher.supervise import NotStarted
from coordination.config.management.commands.restore import opened


class Command(BaseCommand):
    """Restore into a blank folder, start it, verify the log, issue one instruction, print the report; 1 if not good."""

    requires_system_checks = ()
    help = __doc__ or ""

    def add_arguments(self, parser: Any) -> None:
        """Where from, with which key, up to when, where to."""
        parser.add_argument("--from", dest="store", type=Path, default=settings.MUSTER_BACKUP_FOLDER)
        parser.add_argument("--key-file", type=Path, default=settings.MUSTER_BACKUP_KEY_FILE)
        parser.add_argument("--until", help="only what was committed up to then (2026-11-20T14:00:00Z)")
        parser.add_argument("--folder", type=Path, help="a blank folder (default: a new one, removed afterwards)")
        parser.add_argument("--keep", action="store_true", help="leave the restored folder there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Drill."""
        patience.install(None)  # the restored log is read whole: that takes as long as it takes
        store, key, until = opened(options)
        folder = options["folder"] or Path(tempfile.mkdtemp(prefix="muster-drill-")) / "instance"
        try:
            report = drill(
                Instance(folder.absolute()), store, key, until=until, keep=options["keep"], say=self.stderr.write
            )
        except (BackupProblem, FolderProblem, NotStarted) as error:
            raise CommandError(str(error)) from error
        finally:
            if options["folder"] is None and not options["keep"]:
                shutil.rmtree(folder.parent, ignore_errors=True)
        self.stdout.write(report.shown())
        if not report.good:
            sys.exit(1)

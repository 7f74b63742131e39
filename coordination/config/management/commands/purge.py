"""What need not be kept any longer?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coordination.config import retention
from coordination.events import clock


class Command(BaseCommand):
    """Remove what is older than retention.yaml says, and say how many rows of each class."""

    help = __doc__ or ""

    def add_arguments(self, parser: Any) -> None:
        """``--dry-run``: count only."""
        parser.add_argument("--dry-run", action="store_true", help="say what would go, remove nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Purge."""
        try:
            for name, count in retention.purge(now=clock.now(), dry=options["dry_run"]).items():
                self.stdout.write(f"{name}: {count}")
        except retention.BadRetention as error:
            raise CommandError(str(error)) from error

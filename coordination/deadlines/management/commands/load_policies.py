"""How do times and ladders get in from files?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from coordination.deadlines import policies

FOLDER = Path(__file__).resolve().parents[2] / "policies"


class Command(BaseCommand):
    """Load policies (times and ladders per response level) from YAML; ladders already frozen stay as they are."""

    help = "Load escalation policies from YAML files (default: all that come with Muster)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the files."""
        parser.add_argument("files", nargs="*", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load them all or none."""
        count = 0
        with transaction.atomic():
            for path in options["files"] or sorted(FOLDER.glob("*.yaml")):
                count += self._load(path)
        self.stdout.write(f"{count} policies loaded")

    def _load(self, path: Path) -> int:
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
            return policies.load(document)
        except (OSError, yaml.YAMLError, policies.BadPolicyError) as error:
            raise CommandError(f"{path}: {error}") from error

"""How does an operator load the rules of approval and contradiction?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from coordination.instructions import rules

SHIPPED = Path(rules.__file__).parent / "default.yaml"


class Command(BaseCommand):
    """Load the rules Muster ships, or those of the files named; rules already there are brought up to date."""

    help = "Load rules of approval and contradiction from YAML (default: those that come with Muster)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the files."""
        parser.add_argument("files", nargs="*", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load them all or none."""
        with transaction.atomic():
            for path in options["files"] or [SHIPPED]:
                try:
                    approvals, conflicts = rules.load(yaml.safe_load(path.read_text(encoding="utf-8")))
                except (OSError, yaml.YAMLError, rules.BadRulesError) as error:
                    raise CommandError(f"{path}: {error}") from error
                self.stdout.write(f"{path.name}: {approvals} rules of approval, {conflicts} of contradiction")

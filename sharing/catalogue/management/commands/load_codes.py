"""How does an operator load the code tables?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from sharing.catalogue import actions


class Command(BaseCommand):
    """Load or bring up to date the code tables that Muster ships."""

    help = "Load or bring up to date the shipped code tables; may be repeated."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load every table and say how many codes each has."""
        for table, count in sorted(actions.load_codes().items()):
            self.stdout.write(f"{table}: {count}")

"""How is the demo city loaded from the command line?"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from coordination.events import clock
from coordination.screens.demo.catalogue import load_catalogue
from coordination.screens.demo.load import load_city
from coordination.screens.demo.records import load_records
from coordination.screens.demo.sharing import load_sharing


class Command(BaseCommand):
    """Load code tables, policies, the demo city and its data; a second run keeps all and extends the rosters."""

    requires_system_checks = ()  # `prepare` has run them
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the sign-ins are written."""
        parser.add_argument("--accounts", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load; print what is there."""
        call_command("load_codes")
        call_command("load_policies")
        call_command("load_rules")
        now = clock.now()
        counts = load_city(accounts_file=options["accounts"], now=now)
        counts["datasets"] = load_catalogue(now=now - timedelta(days=30))  # before what is shared of it since
        counts["shared"] = load_sharing(now=now)
        counts["records"] = load_records(now=now)
        self.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items()))

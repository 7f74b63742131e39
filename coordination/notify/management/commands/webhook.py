"""How does an administrator of the platform let another agency's system be told?"""

from __future__ import annotations

import base64
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import queries as accounts
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.refused import Refused
from coordination.notify import actions, queries


class Command(BaseCommand):
    """Add, list or remove the addresses of departments' systems (signed as Standard Webhooks has it)."""

    help = "Webhooks: add <department code> <url> [event type ...] | list | remove <id>. The secret is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        """One of three acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        add = acts.add_parser("add")
        add.add_argument("department", help="code of the department")
        add.add_argument("url")
        add.add_argument("types", nargs="*", help="event types (none: all that concerns the department)")
        acts.add_parser("list")
        remove = acts.add_parser("remove")
        remove.add_argument("id", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, or say why not."""
        try:
            getattr(self, f"_{options['act']}")(options)
        except Refused as refused:
            details = "; ".join(str(error.get("detail", "")) for error in refused.errors)
            raise CommandError(f"{refused.message} {details}".strip()) from refused

    def _add(self, options: dict[str, Any]) -> None:
        department = accounts.department_by_code(options["department"])
        if department is None:
            raise CommandError(f"there is no department {options['department']!r}")
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        endpoint = actions.add_endpoint(
            actor=SYSTEM, now=clock.now(), department_id=department.pk, url=options["url"], secret=secret,
            event_types=options["types"],
        )  # fmt: skip
        self.stdout.write(f"{endpoint.pk} {secret}")

    def _list(self, _options: dict[str, Any]) -> None:
        for row in queries.endpoints():
            parked = f" parked since {row.parked_at}: {row.parked_why}" if row.parked_at else ""
            self.stdout.write(f"{row.id} department {row.department_id} {row.url}{parked}")

    def _remove(self, options: dict[str, Any]) -> None:
        actions.remove_endpoint(actor=SYSTEM, now=clock.now(), endpoint_id=options["id"])
        self.stdout.write("removed")

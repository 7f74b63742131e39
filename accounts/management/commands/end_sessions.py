"""How does an operator end sessions: one person's, or everybody's?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import actions, queries
from coordination.events import clock
from coordination.events.actor import SYSTEM


class Command(BaseCommand):
    """End all sessions of a person (a user name) or of everybody (--all); they sign in again."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("username", nargs="?", default="")
        parser.add_argument("--all", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """End them."""
        person = queries.person_by_username(options["username"]) if options["username"] else None
        if bool(options["username"]) == options["all"] or (options["username"] and person is None):
            raise CommandError("Give the user name of somebody there is, or --all.")
        ids = [person.pk] if person else queries.people_signed_in()
        for person_id in ids:
            actions.end_sessions_of(actor=SYSTEM, now=clock.now(), person_id=person_id, why="ended_by_operator")
        self.stdout.write(f"ended the sessions of {len(ids)} people")

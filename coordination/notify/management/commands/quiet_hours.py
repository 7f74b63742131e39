"""How does an administrator of the platform set when routine messages wait until the morning?"""

from __future__ import annotations

from datetime import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import queries as accounts
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.refused import Refused
from coordination.notify import actions, queries


class Command(BaseCommand):
    """List, set or drop quiet hours of a department or a person."""

    help = "Quiet hours: department <code> 22:00 07:00 | person <user name> 22:00 07:00 | … --drop | list"

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and from when to when."""
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list")
        for whose in ("department", "person"):
            one = acts.add_parser(whose)
            one.add_argument("name")
            one.add_argument("begins", nargs="?", type=time.fromisoformat)
            one.add_argument("ends", nargs="?", type=time.fromisoformat)
            one.add_argument("--drop", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, or say why not."""
        if options["act"] == "list":
            for rule in queries.quiet_rules():
                who = f"person {rule.person.username}" if rule.person else f"department {rule.department.code}"
                self.stdout.write(f"{who} {rule.begins:%H:%M} {rule.ends:%H:%M}")
            return
        owner = self._owner(options["act"], options["name"])
        try:
            if options["drop"]:
                actions.drop_quiet(actor=SYSTEM, now=clock.now(), **owner)
            elif options["ends"] is None:
                raise CommandError("say from when to when, like 22:00 07:00")
            else:
                actions.set_quiet(
                    actor=SYSTEM, now=clock.now(), begins=options["begins"], ends=options["ends"], **owner
                )
        except Refused as refused:
            raise CommandError(str(refused.message)) from refused

    @staticmethod
    def _owner(act: str, name: str) -> dict[str, int]:
        if act == "department":
            department = accounts.department_by_code(name)
            if department is not None:
                return {"department_id": department.pk}
        else:
            person = accounts.person_by_username(name)
            if person is not None:
                return {"person_id": person.pk}
        raise CommandError(f"there is no {act} {name!r}")

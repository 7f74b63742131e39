"""How does the first person come in, when there is no default account?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from accounts import actions, queries
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.refused import Refused


class Command(BaseCommand):
    """Make a person who holds a post and print the link by which they choose a password: once, within the hour."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, and where."""
        parser.add_argument("username")
        parser.add_argument("department", help="code of the department")
        parser.add_argument("--post", default="administrator")
        parser.add_argument("--name-zh", default="")
        parser.add_argument("--name-en", default="")
        parser.add_argument("--emergency", action="store_true", help="one of two accounts whose every use is alarmed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Add or find the person, appoint them, print the path of the link."""
        department = queries.department_by_code(options["department"])
        if department is None:
            raise CommandError(
                f"There is no department {options['department']}. The first is made by: manage.py department "
                f"{options['department']} --name-zh … --name-en …"
            )
        now = clock.now()
        try:
            person = queries.person_by_username(options["username"]) or actions.add_person(
                actor=SYSTEM, now=now, department_id=department.pk, username=options["username"],
                name_zh=options["name_zh"], name_en=options["name_en"] or options["username"],
            )
            actor = queries.actor_of_person(person.pk, department.pk, now)
            if actor is None or options["post"] not in actor.posts:
                actions.appoint(
                    actor=SYSTEM, now=now, department_id=department.pk, person_id=person.pk, post=options["post"]
                )
            if options["emergency"]:
                actions.keep_for_emergencies(actor=SYSTEM, now=now, person_id=person.pk)
            uid, _slash, token = actions.link_for(actor=SYSTEM, now=now, person_id=person.pk).partition("/")
        except Refused as refused:
            raise CommandError(str(refused.message)) from None
        self.stdout.write(reverse("choose-password", args=[uid, token]))

"""Which account does an identity at the city's identity provider open?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import actions, queries
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.refused import Refused


class Command(BaseCommand):
    """Let the identity with this subject sign a person in; with --remove, no longer."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, and under which subject the provider knows them."""
        parser.add_argument("username")
        parser.add_argument("subject", help="the claim `sub` that the provider gives this person")
        parser.add_argument("--issuer", default="", help="default: MUSTER_OIDC_ISSUER")
        parser.add_argument("--remove", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Link or unlink."""
        issuer = options["issuer"] or settings.MUSTER_OIDC_ISSUER
        if not issuer:
            raise CommandError("No identity provider is configured: set MUSTER_OIDC_ISSUER, or give --issuer.")
        person = queries.person_by_username(options["username"])
        if person is None:
            raise CommandError(f"There is nobody with the user name {options['username']}.")
        act = actions.unlink_identity if options["remove"] else actions.link_identity
        try:
            act(actor=SYSTEM, now=clock.now(), person_id=person.pk, issuer=issuer, subject=options["subject"])
        except Refused as refused:
            raise CommandError(str(refused.message)) from None
        self.stdout.write(f"{person.username}: {'unlinked from' if options['remove'] else 'linked to'} {issuer}")

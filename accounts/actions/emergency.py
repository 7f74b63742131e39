"""Which accounts work when the identity provider does not, and who hears that one was used?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.actions.posts import lock_person
from accounts.models import Department, Person
from accounts.queries.people import departments_of
from coordination.events import command, streams
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Forbidden

ACCOUNTS = 2
"""So many, so that one lost key or one absent keeper of an envelope is not the end."""


class EnoughAccounts(Conflict):
    """There are two emergency accounts already."""

    code = "enough_emergency_accounts"


class KnownElsewhere(Conflict):
    """The identity provider signs this person in."""

    code = "known_elsewhere"


@command.action("person.keep_for_emergencies")
def keep_for_emergencies(*, actor: Actor, now: datetime, person_id: int) -> Person:
    """Make an account an emergency account. From the command line alone; at most `ACCOUNTS` that can sign in."""
    if actor.is_person:
        raise Forbidden(_("Emergency accounts are made at the server's command line."), right="org_admin")
    others = Person.objects.select_for_update(no_key=True).filter(emergency=True, is_active=True)
    if len([one for one in others if one.pk != person_id]) >= ACCOUNTS:
        raise EnoughAccounts(_("There are two emergency accounts already. Deactivate one of them first."))
    person = lock_person(person_id)
    if SocialAccount.objects.filter(user=person).exists():
        raise KnownElsewhere(_("The identity provider signs this person in: an emergency account must work without."))
    person.emergency = True
    person.save(update_fields=["emergency"])
    command.record(type="person.kept_for_emergencies", subject=person, streams=[streams.SYSTEM])
    return person


def hearers(person: Person, now: datetime) -> list[dict[str, Any]]:
    """Who is told at once that this emergency account is used: nobody for any other account.

    Administrators and duty officers of the departments where it serves, and of those at the top of the tree.
    """
    if not person.emergency:
        return []
    theirs = [one.pk for one in departments_of(person.pk, now)]
    told = Department.objects.filter(Q(pk__in=theirs) | Q(parent=None), is_active=True).order_by("pk")
    return [
        {"department": pk, "post": post, "text": "emergency.entered", "args": {"account": person.username}}
        for pk in told.values_list("pk", flat=True) for post in ("administrator", "duty_officer")
    ]  # fmt: skip

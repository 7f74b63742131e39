"""Which account here belongs to an identity elsewhere, and who says so?

An explicit list: nobody gets an account, or another's, because the identity provider names a mail address or a name.
An identity is the provider's issuer together with the subject it gave the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.actions.posts import lock_person, require_their_administrator
from accounts.models import Membership, Person, Post
from accounts.queries.people import valid
from coordination.events import command, streams
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Forbidden, Invalid, NotFound


class IdentityTaken(Conflict):
    """This identity belongs to somebody already."""

    code = "identity_taken"


class EmergencyAccount(Conflict):
    """An emergency account is for when the identity provider is away."""

    code = "emergency_account"


def person_of(issuer: str, subject: str) -> Person | None:
    """Whose identity this is, if they may still come in."""
    found = SocialAccount.objects.select_related("user").filter(provider=issuer, uid=subject).first()
    person = found.user if found else None
    return person if isinstance(person, Person) and person.is_active else None


@command.action("identity.link")
def link_identity(*, actor: Actor, now: datetime, person_id: int, issuer: str, subject: str) -> Person:
    """Let an identity elsewhere sign this person in (an administrator of all their departments, never themself).

    Of whoever keeps data or audits the heads hear: who administers could come in by an identity of their own.
    """
    person = _theirs(actor, person_id, now)
    if person.emergency:
        raise EmergencyAccount(_("This is an emergency account: it must work without the identity provider."))
    if not issuer or len(issuer) > 200 or not 0 < len(subject) <= 190 or "\x00" in subject + issuer:
        raise Invalid(_("An identity needs an issuer and a subject."), errors=[{"pointer": "/subject"}])
    try:
        with transaction.atomic():
            SocialAccount.objects.create(user=person, provider=issuer, uid=subject)
    except IntegrityError:
        raise IdentityTaken(_("This identity belongs to somebody already.")) from None
    watching = Post.Kind.DATA_STEWARD, Post.Kind.AUDITOR
    held = Membership.objects.filter(valid(now), person=person, post__kind__in=watching)
    homes = sorted(set(held.values_list("post__department_id", flat=True)))
    _note("identity.linked", person, issuer, [{"department": pk, "post": "head"} for pk in homes])
    return person


@command.action("identity.unlink")
def unlink_identity(*, actor: Actor, now: datetime, person_id: int, issuer: str, subject: str) -> Person:
    """Let an identity elsewhere open nothing here any more."""
    person = _theirs(actor, person_id, now)
    if not SocialAccount.objects.filter(user_id=person.pk, provider=issuer, uid=subject).delete()[0]:
        raise NotFound(_("There is no such identity of this person."))
    _note("identity.unlinked", person, issuer)
    return person


def _theirs(actor: Actor, person_id: int, now: datetime) -> Person:
    person = lock_person(person_id)
    if actor.is_person and actor.id == person.pk:
        raise Forbidden(_("Somebody else must do this."), right="org_admin")
    require_their_administrator(actor, person, now)
    return person


def _note(what: str, person: Person, issuer: str, tell: Sequence[dict[str, Any]] = ()) -> None:
    named = {"number": person.username, "headline_zh": person.name_zh, "headline_en": person.name_en}
    command.record(
        type=what, subject=person, streams=[streams.user(person.pk)], tell=list(tell),
        payload={"issuer": issuer} | (named if tell else {}),
    )

"""How does a person get a second factor, or lose it?"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.utils.translation import gettext_lazy as _

from accounts import codes
from accounts.actions.may import require_administrator
from accounts.actions.posts import lock_person
from accounts.actions.signing import WrongCredentials, end_sessions_of
from accounts.models import Membership, Person
from accounts.queries.people import valid
from coordination.events import command, streams
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Forbidden


class FactorThere(Conflict):
    """The person has a second factor already."""

    code = "factor_there"


class Enrolment(NamedTuple):
    """What a person's authenticator app needs: the secret as text, and its QR code as SVG."""

    secret: str
    svg: str


def new_enrolment(person: Person, secret: str = "") -> Enrolment:
    """Offer a secret (a new one unless given); nothing is stored before a code proves that it has arrived."""
    secret = secret or generate_totp_secret()
    adapter = get_adapter()
    svg: str = adapter.build_totp_svg(adapter.build_totp_url(person, secret))
    return Enrolment(secret, svg[svg.index("<svg") :])


@command.action("factor.enrol")
def enrol(*, actor: Actor, now: datetime, person_id: int, secret: str, code: str) -> list[str]:
    """Store the secret once a code made from it is shown; returns the recovery codes, shown this once."""
    person = lock_person(person_id)
    if actor.id != person.pk or not actor.is_person:
        raise Forbidden(_("Everybody sets up their own second factor."))
    if Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.TOTP).exists():
        raise FactorThere(_("You have a second factor already."))
    wanted = code.replace(" ", "")
    step = codes.step_of(secret, wanted) if secret and wanted.isascii() and wanted.isdigit() else None
    if step is None:
        raise WrongCredentials(_("The code is wrong. Check the clock of your device and enter the next code."))
    kept = TOTP.activate(person, secret).instance
    kept.data[codes.LAST] = step  # what proved it is spent
    kept.save(update_fields=["data"])
    Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.RECOVERY_CODES).delete()
    spare: list[str] = RecoveryCodes.activate(person).get_unused_codes()
    command.record(type="factor.enrolled", subject=person, streams=[streams.user(person.pk)])
    return spare


@command.action("factor.reset")
def reset_factor(*, actor: Actor, now: datetime, person_id: int) -> Person:
    """Take a lost second factor away (an administrator of all the person's departments, never themself).

    All sessions end; the next sign-in leads to a new enrolment.
    """
    person = lock_person(person_id)
    if actor.is_person and actor.id == person.pk:
        raise Forbidden(_("Somebody else must reset your second factor."), right="org_admin")
    theirs = set(Membership.objects.filter(valid(now), person=person).values_list("post__department_id", flat=True))
    for department_id in sorted(theirs) or [0]:
        require_administrator(actor, department_id)
    Authenticator.objects.filter(user_id=person.pk).delete()
    end_sessions_of(actor=actor, now=now, person_id=person.pk, why="factor_reset")
    command.record(type="factor.reset", subject=person, streams=[streams.user(person.pk)])
    return person

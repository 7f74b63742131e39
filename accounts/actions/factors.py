"""How does a person get a second factor, another one, new recovery codes, or lose one?"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.utils.translation import gettext_lazy as _

from accounts import codes, keys
from accounts.actions.may import require_administering
from accounts.actions.posts import lock_person, require_their_administrator
from accounts.actions.signing import WrongCredentials, end_sessions_of
from accounts.models import Person
from accounts.queries.sessions import FACTORS, factor_required, has_factor
from coordination.events import command, streams
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Forbidden, NotFound

MOST_KEYS = 10


class FactorThere(Conflict):
    """The person has a second factor already."""

    code = "factor_there"


class LastFactor(Conflict):
    """Without this one the person would have no second factor, and everybody needs one here."""

    code = "last_factor"


class NoSuchFactor(NotFound):
    """There is no such second factor of this person."""


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
    person = _own(actor, person_id)
    if Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.TOTP).exists():
        raise FactorThere(_("You have a second factor already."))
    wanted = code.replace(" ", "")
    step = codes.step_of(secret, wanted) if secret and wanted.isascii() and wanted.isdigit() else None
    if step is None:
        raise WrongCredentials(_("The code is wrong. Check the clock of your device and enter the next code."))
    kept = TOTP.activate(person, secret).instance
    kept.data[codes.LAST] = step  # what proved it is spent
    kept.save(update_fields=["data"])
    spare = _first_codes(person)
    _note("factor.enrolled", person, "totp")
    return spare


@command.action("factor.add_key")
def add_key(*, actor: Actor, now: datetime, person_id: int, name: str, sent: str) -> list[str]:
    """Keep a new security key or passkey that ``sent`` proves; returns recovery codes where it is the first factor."""
    person = _own(actor, person_id)
    theirs = Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.WEBAUTHN)
    credential = keys.made(sent)
    if credential is None:
        raise WrongCredentials(_("The key did not answer as it should. Try again."))
    if keys.known(credential) or theirs.count() >= MOST_KEYS:
        raise FactorThere(_("This key is kept already, or you have too many."))
    WebAuthn.add(person, name.strip()[:40] or f"{theirs.count() + 1}", credential)
    spare = _first_codes(person)
    _note("factor.enrolled", person, "webauthn")
    return spare


@command.action("factor.remove")
def remove_factor(*, actor: Actor, now: datetime, person_id: int, factor_id: int) -> None:
    """Give up one of one's own second factors; the last one only where none is required."""
    person = _own(actor, person_id)
    found = Authenticator.objects.filter(user_id=person.pk, type__in=FACTORS, pk=factor_id).first()
    if found is None:
        raise NoSuchFactor(_("There is no such second factor."))
    last = Authenticator.objects.filter(user_id=person.pk, type__in=FACTORS).count() == 1
    if last and factor_required():
        raise LastFactor(_("This is your last second factor. Set up another one before you remove it."))
    kind = found.type
    found.delete()
    if last:
        Authenticator.objects.filter(user_id=person.pk).delete()
    _note("factor.removed", person, kind)


@command.action("factor.new_codes")
def new_codes(*, actor: Actor, now: datetime, person_id: int) -> list[str]:
    """Make new recovery codes, shown this once; the old ones are good no longer."""
    person = _own(actor, person_id)
    if not has_factor(person.pk):
        raise NoSuchFactor(_("Recovery codes stand in for a second factor. Set one up first."))
    Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.RECOVERY_CODES).delete()
    spare = _first_codes(person)
    _note("factor.new_codes", person, "recovery_codes")
    return spare


def _own(actor: Actor, person_id: int) -> Person:
    person = lock_person(person_id)
    if actor.id != person.pk or not actor.is_person:
        raise Forbidden(_("Everybody sets up their own second factor."))
    return person


def _first_codes(person: Person) -> list[str]:
    """Recovery codes for whoever has none yet."""
    if Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.RECOVERY_CODES).exists():
        return []
    spare: list[str] = RecoveryCodes.activate(person).get_unused_codes()
    return spare


def _note(what: str, person: Person, kind: str) -> None:
    command.record(type=what, subject=person, streams=[streams.user(person.pk)], payload={"factor": kind})


@command.action("factor.reset")
def reset_factor(*, actor: Actor, now: datetime, person_id: int) -> Person:
    """Take a lost second factor away (an administrator of all the person's departments, never themself).

    All sessions end; the next sign-in leads to a new enrolment.
    """
    require_administering(actor)
    person = lock_person(person_id)
    if actor.is_person and actor.id == person.pk:
        raise Forbidden(_("Somebody else must reset your second factor."), right="org_admin")
    require_their_administrator(actor, person, now)
    Authenticator.objects.filter(user_id=person.pk).delete()
    end_sessions_of(actor=actor, now=now, person_id=person.pk, why="factor_reset")
    command.record(type="factor.reset", subject=person, streams=[streams.user(person.pk)])
    return person

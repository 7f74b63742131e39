"""Which step of signing in comes next, when it is done page by page?

Between the steps the session remembers only whose password was right, and for five minutes.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Literal

from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import devices, identity, keys, pace
from accounts.actions import factors, identities, people, signing
from accounts.models import Person
from accounts.queries.people import departments_of
from accounts.queries.sessions import factor_required, factors_of, has_factor, has_key
from coordination.events.actor import Actor
from coordination.events.refused import Refused

logger = logging.getLogger(__name__)
Step = Literal["code", "enrol", "choose", "in"]
PENDING = "pending_sign_in"
SECRET = "pending_factor"  # noqa: S105 - a name
PATIENCE = timedelta(minutes=5)


class StartAgain(Refused):
    """The first step was too long ago, or never done."""

    status = 401
    code = "start_again"


class ProviderAway(Refused):
    """The identity provider cannot be asked; passwords and open sessions go on."""

    status = 503
    code = "provider_away"


class NotProved(Refused):
    """What came back from the identity provider is nobody's way in."""

    status = 401
    code = "not_proved"


class AppThere(Refused):
    """The person has an app of codes already."""

    status = 409
    code = "factor_there"


def begin(request: HttpRequest, *, username: str, password: str, now: datetime) -> Step:
    """First step: the password. Returns what comes next: code, enrol, choose a department, or in."""
    pace.count(devices.place_of(request, username))
    return proceed(request, signing.check_password(request, username, password), now)


def proceed(request: HttpRequest, person: Person, now: datetime, by: str = "password") -> Step:
    """What comes next for a person whose password, or whose identity elsewhere (``by``), was right."""
    if has_factor(person.pk):
        step: Step = "code"
    elif factor_required():
        step = "enrol"
    else:
        return enter(request, person, now, by)
    request.session[PENDING] = {"person": person.pk, "at": now.timestamp(), "by": by}
    request.session.pop(SECRET, None)
    signing.renew(request)
    return step


def pending(request: HttpRequest, now: datetime) -> Person:
    """Whose password was right a moment ago; `StartAgain` (401) where nobody's was."""
    kept = request.session.get(PENDING) or {}
    fresh = now.timestamp() - float(kept.get("at", 0)) < PATIENCE.total_seconds()
    person = Person.objects.filter(pk=kept.get("person") or 0, is_active=True).first() if fresh else None
    if person is None:
        raise StartAgain(_("That took too long. Begin again with your password."))
    return person


def leave_for_provider(request: HttpRequest, *, then: str) -> str:
    """Where the city's identity provider asks who this is; a person inside proves themself anew there."""
    pace.count(devices.place_of_browser(request))
    inside = request.user.is_authenticated
    try:
        return identity.leave_for(request, purpose="again" if inside else "enter", then=then, again=inside)
    except identity.AwayError as error:
        logger.warning("identity provider: %s", error)
        raise ProviderAway(_("Sign-in through the identity provider is not possible now.")) from error


def come_back(request: HttpRequest, now: datetime) -> tuple[Step, str]:
    """Back from the identity provider: what comes next, and where the person wanted to go.

    Raises `ProviderAway` (503), `NotProved` (401) for what proves nobody, or nobody who has an account here.
    """
    try:
        proof = identity.come_back(request)
    except identity.AwayError as error:
        logger.warning("identity provider: %s", error)
        raise ProviderAway(_("Sign-in through the identity provider is not possible now.")) from error
    except identity.DoubtError as error:
        logger.warning("identity not proved: %s", error)
        raise NotProved(_("The identity provider did not prove who you are. Try again.")) from error
    person = identities.person_of(proof.issuer, proof.subject)
    if person is None:
        raise NotProved(_("No account here belongs to this identity. Ask your administrator to link it."))
    if proof.purpose == "again":
        _awake(request, person, proof, now)
        return "in", proof.then
    return proceed(request, person, now, "identity"), proof.then


def _awake(request: HttpRequest, person: Person, proof: identity.Proof, now: datetime) -> None:
    """Wake this person's own session, if they have just proved themself (and were not merely known there)."""
    fresh = proof.proved_at is not None and now.timestamp() - proof.proved_at < PATIENCE.total_seconds()
    if request.user.pk != person.pk or not fresh:
        raise NotProved(_("The identity provider did not prove anew that it is you. Try again."))
    signing.wake(request=request, now=now)
    request.session[PENDING] = {"person": person.pk, "at": now.timestamp()}


def with_code(request: HttpRequest, *, code: str, now: datetime) -> Step:
    """Second step: a code of the second factor, or a recovery code."""
    person = pending(request, now)
    signing.check_code(request, person, code)
    return enter(request, person, now, f"{_by(request)}+code")


def with_key(request: HttpRequest, *, sent: str, now: datetime) -> Step:
    """Second step: the answer of a security key."""
    person = pending(request, now)
    signing.check_key(request, person, sent)
    return enter(request, person, now, f"{_by(request)}+key")


def asked_of_key(request: HttpRequest, now: datetime) -> str:
    """What the person's browser asks of a security key; empty where the person has none."""
    person = pending(request, now)
    return keys.ask(person) if has_key(person.pk) else ""


def confirm(request: HttpRequest, *, actor: Actor, password: str, now: datetime) -> None:
    """Wake a session that lay still by the person's password; for five minutes they may set up a second factor too."""
    signing.confirm_password(request=request, actor=actor, password=password, now=now)
    request.session[PENDING] = {"person": actor.id, "at": now.timestamp()}


def change_password(request: HttpRequest, *, actor: Actor, current: str, password: str, now: datetime) -> None:
    """Change one's own password: asks for the one so far; this session goes on, all others end."""
    signing.confirm_password(request=request, actor=actor, password=current, now=now)
    key = request.session.session_key or ""
    person = people.change_password(actor=actor, now=now, password=password, session_key=key)
    signing.keep_session(request=request, person=person)


def offer(request: HttpRequest, now: datetime) -> factors.Enrolment:
    """What a person without a second factor needs to set one up; the same until it is done."""
    person = _adding(request, now)
    if any(one.type == Authenticator.Type.TOTP for one in factors_of(person.pk)):
        raise AppThere(_("You have an app for codes already."))
    offered = factors.new_enrolment(person, request.session.get(SECRET, ""))
    request.session[SECRET] = offered.secret
    return offered


def _adding(request: HttpRequest, now: datetime) -> Person:
    """Who may add a second factor now: with none, whoever's password was right; with one, only from within."""
    person = pending(request, now)
    if has_factor(person.pk) and request.user.pk != person.pk:
        raise StartAgain(_("You have a second factor already. Begin again with your password."))
    return person


def offer_key(request: HttpRequest, now: datetime) -> str:
    """What the person's browser needs to make a new security key."""
    return keys.offer_new(_adding(request, now))


def with_new_key(request: HttpRequest, *, name: str, sent: str, now: datetime) -> tuple[Step, list[str]]:
    """Keep a new security key; the second step of a person without a factor. Returns recovery codes, if new, too."""
    person = _adding(request, now)
    spare = factors.add_key(actor=Actor("person", person.pk), now=now, person_id=person.pk, name=name, sent=sent)
    return _after(request, person, now), spare


def manage(request: HttpRequest, now: datetime) -> Person:
    """Whoever may change their second factors from within: their password was right a moment ago."""
    person = pending(request, now)
    if request.user.pk != person.pk:
        raise StartAgain(_("That took too long. Begin again with your password."))
    return person


def with_enrolment(request: HttpRequest, *, code: str, now: datetime) -> tuple[Step, list[str]]:
    """Second step of a person without a second factor: prove the new one. Returns the recovery codes too."""
    person = _adding(request, now)
    codes = factors.enrol(
        actor=Actor("person", person.pk),
        now=now,
        person_id=person.pk,
        secret=request.session.get(SECRET, ""),
        code=code,
    )
    return _after(request, person, now), codes


def _after(request: HttpRequest, person: Person, now: datetime) -> Step:
    if request.user.pk == person.pk:  # set up from within: the session goes on
        request.session.pop(SECRET, None)
        return "in"
    return enter(request, person, now, f"{_by(request)}+new factor")


def _by(request: HttpRequest) -> str:
    """How the first step was made."""
    return str((request.session.get(PENDING) or {}).get("by", "password"))


def enter(request: HttpRequest, person: Person, now: datetime, how: str) -> Step:
    """Open the session; with one department for it, else to choose."""
    theirs = departments_of(person.pk, now)
    for name in (PENDING, SECRET):
        request.session.pop(name, None)
    signing.open_session(
        request=request, person=person, department=theirs[0] if len(theirs) == 1 else None, now=now, how=how
    )
    return "in" if len(theirs) == 1 else "choose"

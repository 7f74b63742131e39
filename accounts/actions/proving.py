"""Does the person at this screen prove anew, for one grave act, that it is they?

An open session is not enough for such an act: somebody else may sit at the desk. The proof holds for the one request
that brings it. Called by edges with the request, as signing in is, and before any transaction is opened: a code that
was shown is spent, and a wrong one is counted, whatever becomes of the act.
"""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import keys
from accounts.actions import signing
from accounts.models import Person
from accounts.queries.sessions import factor_required, factors_of, has_factor, has_key
from coordination.events.actor import Actor
from coordination.events.refused import Forbidden, Refused


class ProofNeeded(Refused):
    """This act needs a fresh proof: a code of the second factor, a security key, or the password."""

    status = 401
    code = "proof_needed"


@dataclass(frozen=True, slots=True)
class Proof:
    """That a person has just proved themself; ``how``: ``code``, ``key`` or ``password``."""

    person_id: int
    how: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form must ask for: ``code`` or ``password``; ``key``: what a browser asks a security key, without app."""

    by: str
    key: str = ""


def asked_of(request: HttpRequest, actor: Actor) -> Asked:
    """How this person proves themself anew. Raises `FactorMissing` (403) for who would first need a second factor."""
    person = _person(actor)
    if has_factor(person.pk):
        app = any(one.type == Authenticator.Type.TOTP for one in factors_of(person.pk))
        return Asked("code", "" if app or not has_key(person.pk) else keys.ask(person))
    if factor_required():
        raise signing.FactorMissing(_("Set up a second factor first."))
    return Asked("password")


def prove_anew(
    request: HttpRequest, *, actor: Actor, code: str = "", credential: str = "", password: str = ""
) -> Proof:
    """Prove it by the second factor, or, for who has none and needs none here, by the password.

    Raises `ProofNeeded` (401) where none is sent, `WrongCredentials` (401) and `SignInLocked` (429) as at sign-in.
    """
    person = _person(actor)
    if has_factor(person.pk):
        if credential:
            signing.check_key(request, person, credential)
            return Proof(person.pk, "key")
        if not code:
            raise ProofNeeded(_("Prove that it is you: send a code of your second factor."))
        signing.check_code(request, person, code)
        return Proof(person.pk, "code")
    if factor_required():
        raise signing.FactorMissing(_("Set up a second factor first."))
    if not password:
        raise ProofNeeded(_("Prove that it is you: send your password."))
    if signing.check_password(request, person.username, password).pk != person.pk:
        raise signing.WrongCredentials(_("The password is wrong."))
    return Proof(person.pk, "password")


def _person(actor: Actor) -> Person:
    person = Person.objects.filter(pk=actor.id or 0, is_active=True).first() if actor.is_person else None
    if person is None:
        raise Forbidden(_("Only a person can prove who they are."))
    return person

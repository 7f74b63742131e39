"""Who is calling: a person in a session, another agency's system with a token, or a wall?"""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.middleware import csrf
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import get_access_token_model
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from coordination.events.actor import ANONYMOUS, Actor
from sharing.access import pages
from sharing.access.rest.problems import CsrfFailed, Unauthenticated

SAFE = ("GET", "HEAD", "OPTIONS")
MAX_TOKEN = 255


class Caller:
    """What DRF calls a user: signed in or not; the `Actor` is what everything else asks for."""

    def __init__(self, actor: Actor, person: Any = None) -> None:
        self.actor = actor
        self.person = person
        self.is_authenticated = actor.kind != "anonymous"
        self.pk = actor.id


class HeaderCsrf(csrf.CsrfViewMiddleware):
    """Django's own check of Origin, Referer and token; the token comes in the header, so no body is read for it."""

    def __init__(self) -> None:
        super().__init__(lambda request: None)  # type: ignore[arg-type, return-value]

    def _reject(self, request: Any, reason: str) -> Any:
        return reason

    def _check_token(self, request: Any) -> None:
        secret = self._get_secret(request)  # type: ignore[attr-defined]
        if secret is None:
            raise csrf.RejectRequest(csrf.REASON_NO_CSRF_COOKIE)  # type: ignore[attr-defined]
        token = request.META.get(settings.CSRF_HEADER_NAME, "")
        try:
            csrf._check_token_format(token)  # type: ignore[attr-defined]
        except csrf.InvalidTokenFormat as error:  # type: ignore[attr-defined]
            raise csrf.RejectRequest(str(error)) from error  # type: ignore[attr-defined]
        if not csrf._does_token_match(token, secret):  # type: ignore[attr-defined]
            raise csrf.RejectRequest("token incorrect")  # type: ignore[attr-defined]


class TokenWho(BaseAuthentication):
    """OAuth2 client credentials: ``Authorization: Bearer <token>``."""

    def authenticate(self, request: Request) -> tuple[Caller, Any] | None:
        """Return the client; None where no bearer token is sent. A token that does not hold is a 401, never a guess."""
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer" or not 0 < len(token) <= MAX_TOKEN:
            raise Unauthenticated(_("Send a bearer token."))
        actor = client_of(token)
        if actor is None:
            raise Unauthenticated(_("The token does not hold or has run out. Ask for a new one."), code="invalid_token")
        return Caller(actor), token

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme of a 401."""
        return "Bearer"


class SessionWho(BaseAuthentication):
    """A person's session cookie, with proof against forgery on every change; or a wall's cookie, which only reads."""

    def authenticate(self, request: Request) -> tuple[Caller, Any] | None:
        """Return the person or the wall; None where neither cookie holds."""
        plain = request._request
        actor: Actor = getattr(plain, "actor", ANONYMOUS)
        if actor.kind == "anonymous":
            return None
        if actor.kind == "person" and request.method not in SAFE:
            check = HeaderCsrf()
            check.process_request(plain)
            reason = check.process_view(plain, _unmarked, (), {})  # type: ignore[arg-type]
            if reason:
                raise CsrfFailed(_("Send the token of GET /api/v1/session as X-CSRFToken, from our own origin."))
            pages.require_awake(plain)
            pages.note_act(plain)
        return Caller(Actor(**{name: getattr(actor, name) for name in Actor.__slots__}), plain.user), None


def _unmarked(request: Any) -> None:
    """Stand in for a view that is not exempt from the check."""


def client_of(token: str) -> Actor | None:
    """Return the API client that holds ``token`` now, None for any token that is unknown, over or revoked."""
    checksum = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
    found = (
        get_access_token_model()
        .objects.select_related("application__api_client__department")
        .filter(token_checksum=checksum, expires__gt=timezone.now())
        .first()
    )
    client = getattr(found.application, "api_client", None) if found and found.application else None
    if found is None or client is None or client.revoked_at is not None or not client.department.is_active:
        return None
    return Actor(
        kind="client",
        id=client.pk,
        department_id=client.department_id,
        oauth_scopes=frozenset(found.scope.split()),
    )


def scope_reaches(actor: Actor, resource: str, verb: str) -> bool:
    """Whether a client's token reaches this (``read`` or ``write``); scopes only narrow, so all others pass."""
    if actor.kind != "client":
        return True
    return bool(actor.oauth_scopes & {verb, f"{resource}:{verb}"})

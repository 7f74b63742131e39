"""Whom does the city's own identity provider say that this is, and is it really the provider that says so?

OpenID Connect, authorization code with PKCE, carried by django-allauth's openid_connect provider. Beyond what that
checks: the provider's published issuer must be the configured one, the ID token's signature is verified whatever way
it came, only by an algorithm of our list (never ``none``), and state, nonce, issuer, audience and times must be right.
"""

from __future__ import annotations

import secrets
import time
from datetime import timedelta
from typing import Any, NamedTuple

import jwt
import requests
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import constant_time_compare

PROVIDER = "identity"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384")
SECONDS = (3.0, 5.0)  # to connect, to answer
LARGEST = 256 * 1024
LEEWAY = 30
OLDEST = timedelta(minutes=10)
REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]


class AwayError(RuntimeError):
    """The identity provider does not answer, or not as one does."""


class DoubtError(ValueError):
    """What came back does not prove who somebody is; the message says why, for the log alone."""


class Proof(NamedTuple):
    """Who somebody is at the provider, what they wanted here, and where they wanted to go."""

    issuer: str
    subject: str
    purpose: str
    then: str
    proved_at: float | None


class Session(requests.Session):
    """Calls to the provider alone: short, small, straight."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = settings.MUSTER_OIDC_CA_FILE or True

    def request(self, *args: Any, **more: Any) -> requests.Response:
        """Call, within seconds, without following anybody elsewhere."""
        more.update(timeout=SECONDS, allow_redirects=False, stream=True)
        answer = super().request(*args, **more)
        body = answer.raw.read(LARGEST + 1, decode_content=True)
        if len(body) > LARGEST:
            raise requests.RequestException("the answer is too long")
        answer._content = body
        return answer


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """django-allauth's adapter: nobody signs up, and calls are ours."""

    def is_open_for_signup(self, request: Any, sociallogin: Any) -> bool:
        """Accounts are made by administrators alone."""
        return False

    def get_requests_session(self) -> requests.Session:
        """What calls the provider."""
        return Session()


class Provider(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """The one configured provider."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, PROVIDER)

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Where the provider sends people back to."""
        return request.build_absolute_uri(reverse("identity-callback"))

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider publishes about itself, if it is the one that is configured."""
        found: Any = super().openid_config
        if not isinstance(found, dict) or found.get("issuer") != settings.MUSTER_OIDC_ISSUER:
            raise AwayError("the provider publishes another issuer than the configured one")
        return found

    def keys(self) -> list[jwt.PyJWK]:
        """The provider's keys for signatures."""
        with get_adapter().get_requests_session() as calls:
            answer = calls.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            published = jwt.PyJWKSet.from_dict(answer.json()).keys
        return [key for key in published if key.key_type in ("RSA", "EC") and key.public_key_use in (None, "sig")]


_BROKEN = (requests.RequestException, OAuth2Error, jwt.PyJWKSetError, ValueError, KeyError, TypeError, AttributeError)


def enabled() -> bool:
    """Whether people may come in by an identity provider here."""
    return bool(settings.MUSTER_OIDC_ISSUER)


def leave_for(request: HttpRequest, *, purpose: str, then: str, again: bool = False) -> str:
    """The provider's address to send the browser to; state, nonce and PKCE's verifier wait in the session.

    ``again``: the provider must ask the person to prove themself anew.
    """
    provider = Provider(request)
    try:
        app = provider.get_provider()
        client = provider.get_client(request, app.app)
        pkce = app.get_pkce_params()
        nonce = secrets.token_urlsafe(32)
        kept = {"nonce": nonce, "verifier": pkce.pop("code_verifier"), "purpose": purpose, "then": then}
        kept["callback"] = client.callback_url
        more = {"nonce": nonce, **pkce, **({"prompt": "login", "max_age": "0"} if again else {})}
        address = provider.authorize_url
        if not str(address).startswith(("https://", "http://")):
            raise AwayError("the provider publishes no address to sign in at")
        client.state = statekit.stash_state(
            request, provider_id=PROVIDER, state=kept, state_id=secrets.token_urlsafe(32)
        )
        return str(client.get_redirect_url(address, ["openid"], more))
    except _BROKEN as error:
        raise AwayError(f"{type(error).__name__}: {error}") from error


def come_back(request: HttpRequest) -> Proof:
    """Who came back from the provider. The state is spent whatever comes of it.

    Raises `DoubtError` for what proves nobody, `AwayError` where the provider could not be asked.
    """
    asked = request.GET
    state = statekit.unstash_state(request, provider_id=PROVIDER, state_id=asked.get("state", ""))
    if state is None:
        raise DoubtError("no such state, or it was used")
    if asked.get("iss", settings.MUSTER_OIDC_ISSUER) != settings.MUSTER_OIDC_ISSUER:
        raise DoubtError("another provider answers")
    if asked.get("error") or not asked.get("code"):
        raise DoubtError(f"the provider says {asked.get('error', 'nothing')[:40]}")
    provider = Provider(request)
    app = provider.get_provider().app
    try:
        client = provider.get_client(request, app)
        client.callback_url = state["callback"]
        tokens = client.get_access_token(asked["code"], pkce_code_verifier=state["verifier"])
        published, sent = provider.keys(), str(tokens.get("id_token", ""))
    except _BROKEN as error:
        raise AwayError(f"{type(error).__name__}: {error}") from error
    claims = verified(sent, published, client_id=app.client_id, nonce=state["nonce"])
    proved = claims.get("auth_time")
    return Proof(
        claims["iss"], claims["sub"], state["purpose"], state["then"],
        float(proved) if isinstance(proved, int | float) else None,
    )  # fmt: skip


def verified(sent: str, published: list[jwt.PyJWK], *, client_id: str, nonce: str) -> dict[str, Any]:
    """The claims of an ID token that is signed by the provider, for us, now, for this very asking."""
    try:
        header = jwt.get_unverified_header(sent)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise DoubtError(f"signed by {str(algorithm)[:20]}")
        named = [key for key in published if not header.get("kid") or key.key_id == header["kid"]]
        if len(named) != 1:
            raise DoubtError("signed by an unknown key")
        claims: dict[str, Any] = jwt.decode(
            sent, named[0].key, algorithms=[algorithm], issuer=settings.MUSTER_OIDC_ISSUER, audience=client_id,
            leeway=LEEWAY, options={"require": REQUIRED, "verify_iat": True},
        )  # fmt: skip
    except DoubtError:
        raise
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise DoubtError(f"{type(error).__name__}: {error}") from error
    _ours(claims, client_id, nonce)
    return claims


def _ours(claims: dict[str, Any], client_id: str, nonce: str) -> None:
    """What the library does not look at."""
    if not isinstance(claims["nonce"], str) or not constant_time_compare(claims["nonce"], nonce):
        raise DoubtError("another nonce")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise DoubtError("made for another client")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255 or "\x00" in claims["sub"]:
        raise DoubtError("no subject")
    if time.time() - float(claims["iat"]) > OLDEST.total_seconds():
        raise DoubtError("made too long ago")


def provider_name() -> str:
    """What the provider is called on the sign-in page."""
    return str(settings.MUSTER_OIDC_NAME)

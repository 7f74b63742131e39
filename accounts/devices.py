"""Has this person signed in with this browser before?

A browser in which somebody signed in keeps a signed cookie that names a random place of its own and for whom it is
good. Wrong tries for that person count for that place instead of the address that the browser shares with others, so
nobody who guesses from the next desk locks the people of a control room out. The cookie opens nothing.
"""

from __future__ import annotations

import ipaddress
import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

SALT = "muster.accounts.devices"
AGE = 90 * 86_400
MOST = 12  # people who take turns at one browser
PLACES = int(ipaddress.IPv6Address("100::"))  # RFC 6666, discard-only: nobody comes from there


def cookie_name() -> str:
    """Under which name a browser keeps it."""
    return "__Host-device" if settings.SECURE else "device"


def place_of(request: HttpRequest, username: str) -> str | None:
    """From where a try for this name comes: a place of its own for a browser they know, else the address."""
    kept = _kept(request)
    if kept and _mark(username) in kept["p"]:
        return _place(kept)
    return request.META.get("REMOTE_ADDR") or None


def place_of_browser(request: HttpRequest) -> str | None:
    """From where somebody comes who has named nobody yet: a browser that knows anybody is a place of its own."""
    kept = _kept(request)
    return _place(kept) if kept else request.META.get("REMOTE_ADDR") or None


def _place(kept: dict[str, Any]) -> str:
    return str(ipaddress.IPv6Address(PLACES + int(kept["n"], 16)))


def remember(request: HttpRequest, username: str) -> str:
    """Note that this person has signed in with this browser; `tell` gives it to the browser. Returns its place."""
    kept = _kept(request) or {"n": secrets.token_hex(8), "p": []}
    people = [_mark(username), *(one for one in kept["p"] if one != _mark(username))][:MOST]
    request.known_device = signing.dumps({"n": kept["n"], "p": people}, salt=SALT)  # type: ignore[attr-defined]
    return _place(kept)


def tell(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Give the browser what `remember` noted."""
    made = getattr(request, "known_device", "")
    if made:
        response.set_cookie(
            cookie_name(), made, max_age=AGE, secure=settings.SECURE, httponly=True, samesite="Lax", path="/"
        )
    return response


def _kept(request: HttpRequest) -> dict[str, Any] | None:
    sent = request.COOKIES.get(cookie_name(), "")
    if not sent or len(sent) > 1000:
        return None
    try:
        found = signing.loads(sent, salt=SALT, max_age=AGE)
    except signing.BadSignature:
        return None
    return found if isinstance(found, dict) else None


def _mark(username: str) -> str:
    return salted_hmac(SALT, username, algorithm="sha256").hexdigest()[:16]

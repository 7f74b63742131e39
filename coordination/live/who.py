"""Who sits before this socket, and what may they follow now?

All of it reads the database and runs in threads, never on the event loop.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts.recognised import user_of
from coordination.events import clock
from coordination.events.actor import Actor
from sharing import access
from sharing.access import pages

KEPT = (b"cookie", b"host", b"user-agent", b"accept-language", b"x-forwarded-for", b"x-forwarded-proto")


@dataclass(frozen=True, slots=True)
class Door:
    """What a handshake brought that says who it is: its cookies and where it came from."""

    headers: tuple[tuple[bytes, bytes], ...]
    client: tuple[str, int] | None
    scheme: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who it is, and which of the streams asked about they may follow."""

    actor: Actor
    allowed: frozenset[str]
    now: datetime


def door(scope: Any) -> Door:
    """Keep what is needed to look again later, and no more."""
    headers = tuple((name, value) for name, value in scope["headers"] if name.lower() in KEPT)
    client = scope.get("client")
    return Door(headers, tuple(client) if client else None, "https" if scope.get("scheme") == "wss" else "http")


def judge(asked: Sequence[tuple[Door, Iterable[str]]]) -> list[Verdict]:
    """Look up who stands at each door and what they may follow at this moment.

    Doors with the same cookies are looked up once.
    """
    now = clock.now()
    together: dict[Door, set[str]] = {}
    for one, streams in asked:
        together.setdefault(_identity(one), set()).update(streams)
    found = {one: _judge(one, streams, now) for one, streams in together.items()}
    verdicts = []
    for one, streams in asked:
        actor, allowed = found[_identity(one)]
        verdicts.append(Verdict(actor, frozenset(streams) & allowed, now))
    return verdicts


def _identity(one: Door) -> Door:
    return Door(one.headers, (one.client[0], 0) if one.client else None, one.scheme)


def _judge(one: Door, streams: set[str], now: datetime) -> tuple[Actor, frozenset[str]]:
    lazy = pages.actor_of(_request(one, now))
    actor = Actor(**{name: getattr(lazy, name) for name in Actor.__slots__})
    if actor.kind == "anonymous":
        return actor, frozenset()
    return actor, frozenset(access.readable(actor, streams, now))


def _request(one: Door, now: datetime) -> HttpRequest:
    """The request that a page would have made from there, with its session and person."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/live/ws",
        "query_string": b"",
        "headers": list(one.headers),
        "client": one.client,
        "scheme": one.scheme,
    }
    request = ASGIRequest(scope, io.BytesIO())
    SessionMiddleware(_no_view).process_request(request)
    request.user = SimpleLazyObject(lambda: user_of(request))  # type: ignore[assignment]
    request.now = now  # type: ignore[attr-defined]
    return request


def _no_view(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("no page is asked for")

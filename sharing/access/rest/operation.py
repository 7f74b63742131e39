"""What does one operation take and give, and what does one request ask of it?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from coordination.events import clock
from coordination.events.actor import Actor
from sharing.access import pages
from sharing.access.rest import accepting, keys, paging, reading, versions
from sharing.access.rest.problems import BadInput, not_found
from sharing.access.rest.shapes import BIG, declared
from sharing.access.rest.who import SAFE

_ID = re.compile(r"[1-9][0-9]{0,18}")
MOST_PURPOSE = 200
_COMMON = ("fields",)
_LIST = ("cursor", "limit", "fields")
_all_optional: set[type[Serializer[Any]]] = set()
"""Filters known to ask for nothing where nothing is given: to find that out again costs a tenth of a list."""


@dataclass(frozen=True)
class Operation:
    """What one method of one address takes and gives; the description and the permission table read it too.

    ``answer``: shape of the answer (None = 204). ``listing``: the answer is a page of them. ``body``: shape of the
    input. ``query``: shape of the filters. ``decides``: needs If-Match. ``keyed``: needs Idempotency-Key.
    ``limit``: kind of rate limit. ``public``: without signing in. ``maps``: a list that can be given as GeoJSON.
    """

    name: str
    answer: type[Serializer[Any]] | None = None
    listing: bool = False
    body: type[Serializer[Any]] | None = None
    query: type[Serializer[Any]] | None = None
    status: int = 200
    decides: bool = False
    may_decide: bool = False
    keyed: bool = False
    limit: str = ""
    public: bool = False
    media: str = "application/json"
    maps: bool = False
    summary: str = ""

    @property
    def offers(self) -> tuple[str, ...]:
        """Media types of the answer, the usual one first; none where the answer is a file as it came."""
        if self.answer is None:
            return ()
        return (accepting.JSON, accepting.GEOJSON) if self.maps else (accepting.JSON,)


@dataclass(frozen=True)
class Call:
    """One request, read and checked: all that a single call to a query or action needs."""

    request: Request
    actor: Actor
    now: datetime
    ids: Mapping[str, Any]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    after: Any = None
    size: int = paging.DEFAULT_LIMIT
    command_id: UUID | None = None
    if_version: int | None = None
    media: str = accepting.JSON
    purpose: str = ""

    @property
    def who(self) -> dict[str, Any]:
        """``actor`` and ``now``, as every query and action takes them."""
        return {"actor": self.actor, "now": self.now}

    @property
    def act(self) -> dict[str, Any]:
        """``actor``, ``now`` and ``command_id``, as every action takes them."""
        return {"actor": self.actor, "now": self.now, "command_id": self.command_id}


def read(request: Request, operation: Operation, kwargs: Mapping[str, str]) -> Call:
    """Read and check everything the request says, before any row is looked at."""
    actor: Actor = request.who  # type: ignore[attr-defined]
    media = accepting.chosen(request.headers.get("Accept"), operation.offers) if operation.offers else ""
    purpose = _purpose(request.headers.get("Purpose", ""))
    ids = {name: _id(text) if name.endswith("_id") else text for name, text in kwargs.items()}
    query, after, size = _query(request._request, operation)
    body = _body(request, operation)
    if_version = versions.wanted(request.headers.get("If-Match"), required=operation.decides)
    header = request.headers.get("Idempotency-Key")
    command_id = keys.command_id(header, actor, required=operation.keyed and request.method == "POST")
    if operation.public:
        command_id = None
    # an act happens when it has been asked for whole: its body may have come slowly
    now = pages.now_of(request._request) if request.method in pages.SAFE else clock.now()
    return Call(request, actor, now, ids, query, body, after, size, command_id, if_version, media, purpose)


def _purpose(header: str) -> str:
    """What the caller reads for, kept with reads of what is classified. Raises `BadInput` (400)."""
    try:
        text = header.encode("latin-1").decode("utf-8").strip()
    except UnicodeError:
        text = "\0"
    if len(text) > MOST_PURPOSE or not text.isprintable():
        error = {"pointer": "/Purpose", "code": "purpose", "detail": _("Up to 200 printable characters in UTF-8.")}
        raise BadInput(_("Some headers are not valid."), errors=[error])
    return text


def _id(text: str) -> int:
    if not _ID.fullmatch(text) or int(text) > BIG:
        raise not_found()
    return int(text)


def _query(request: HttpRequest, operation: Operation) -> tuple[dict[str, Any], Any, int]:
    """Return filters, cursor and size. Raises `BadInput` (400) for anything not declared, or declared twice."""
    given = request.GET
    extra = _LIST if operation.listing else _COMMON
    known = declared(operation.query) if operation.query else frozenset()
    errors = [
        {"pointer": f"/{name[:80]}", "code": "unknown_parameter", "detail": _("There is no such parameter here.")}
        for name in given
        if name not in known and name not in extra
    ]
    errors += [
        {"pointer": f"/{name[:80]}", "code": "repeated", "detail": _("Give this parameter once.")}
        for name, values in given.lists()
        if len(values) > 1
    ]
    if errors:
        raise BadInput(_("Some parameters are not valid."), errors=errors[:20])
    filters: dict[str, Any] = {}
    asked = {name: given[name] for name in given if name in known}
    if operation.query is not None and (asked or operation.query not in _all_optional):
        shape = operation.query(data=asked)
        shape.is_valid(raise_exception=True)
        filters = dict(shape.validated_data)
        if not asked and not filters:
            _all_optional.add(operation.query)
    if not operation.listing:
        return filters, None, paging.DEFAULT_LIMIT
    limit = given.get("limit", str(paging.DEFAULT_LIMIT))
    if not re.fullmatch(r"[1-9][0-9]{0,3}", limit) or int(limit) > paging.MAX_LIMIT:
        error = {"pointer": "/limit", "code": "limit", "detail": _("From 1 to 200.")}
        raise BadInput(_("Some parameters are not valid."), errors=[error])
    return filters, paging.unseal(given.get("cursor"), operation.name), int(limit)


def _body(request: Request, operation: Operation) -> Mapping[str, Any]:
    if request.method in SAFE:
        return {}
    reading.require_plain(request.headers.get("Content-Encoding"))
    data = request.data
    if not isinstance(data, Mapping):
        raise BadInput(_("Send a JSON object."))
    if operation.body is None:
        if data:
            raise BadInput(_("Nothing may be sent here."))
        return {}
    shape = operation.body(data=data)
    shape.is_valid(raise_exception=True)
    return dict(shape.validated_data)

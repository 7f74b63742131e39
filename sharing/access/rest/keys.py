"""Has this very request been done before, and what was the answer?

The key of a write is the command id of its action, so the effect is once by itself. Here the first answer is kept
beside it and given again, byte for byte.
"""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from coordination.events import replies
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, KeyReused, Refused

_FORM = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_SPACE = uuid.UUID("6f0c2ed0-52a5-4a1e-9d3c-0a1f4b7a9f11")
WAIT_SECONDS = 1.5
PAUSE_SECONDS = 0.1
KEPT_HEADERS = ("ETag", "Location", "Content-Type", "Link")


class KeyRequired(Refused):
    """A write came without its key, or with one of another form."""

    status = 400
    code = "key_required"


def command_id(header: str | None, actor: Actor, *, required: bool) -> uuid.UUID | None:
    """Return the command id that ``Idempotency-Key`` stands for; a key that is no UUID is mapped to one, per actor."""
    if header is None:
        if required:
            raise KeyRequired(_("Send an Idempotency-Key with every POST, such as a new UUID."))
        return None
    key = header.strip().strip('"')
    if not _FORM.fullmatch(key):
        raise KeyRequired(_("An Idempotency-Key has 8 to 64 letters, digits or . _ : -"))
    try:
        return uuid.UUID(key)
    except ValueError:
        return uuid.uuid5(_SPACE, f"{actor.key}/{key}")


def fingerprint(request: HttpRequest, body: Any) -> str:
    """Return what makes this request the same as another: method, address, query and content."""
    parts = [request.method or "", request.get_full_path(), request.headers.get("If-Match", ""), _content(body)]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


def _content(body: Any) -> str:
    """JSON counts by what it says, not by the order of its members; a file by its bytes, not by its name."""
    if not hasattr(body, "lists"):
        return orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
    found = []
    for name, values in sorted(body.lists()):
        for value in values:
            if hasattr(value, "chunks"):
                value.seek(0)
                digest = hashlib.sha256()
                for chunk in value.chunks():
                    digest.update(chunk)
                value.seek(0)
                value = f"{value.name} {digest.hexdigest()}"
            found.append(f"{name}={value}")
    return "\n".join(found)


def _taken(number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


@contextmanager
def turn(actor: Actor, key: uuid.UUID) -> Iterator[None]:
    """Hold this key while its request runs. Raises `Conflict` (409 running) while another holds it.

    A proxy sends a request again at once when the process that had it is gone, and PostgreSQL may take a moment to
    notice that: so long we wait.
    """
    number = int.from_bytes(hashlib.sha256(f"{actor.key}/{key}".encode()).digest()[:8], "big", signed=True)
    until = time.monotonic() + WAIT_SECONDS
    while not _taken(number):
        if time.monotonic() > until:
            raise Conflict(_("The same request is still running. Ask again soon."), code="running", retry_after=1)
        time.sleep(PAUSE_SECONDS)
    try:
        yield
    finally:
        # a connection that broke has let go of it by itself
        with suppress(DatabaseError, InterfaceError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def earlier(actor: Actor, key: uuid.UUID, print_: str) -> HttpResponse | None:
    """Return the first answer to this key, None where there is none. Raises `KeyReused` for another request."""
    reply = replies.find(actor, key)
    if reply is None or reply.status is None:
        return None
    if reply.request != print_:
        raise KeyReused(_("This Idempotency-Key was used for another request; send a new one."))
    response = HttpResponse(reply.body.encode(), status=reply.status)
    for name, value in reply.headers.items():
        response[name] = value
    response["Idempotency-Replayed"] = "true"
    return response


def keep(actor: Actor, key: uuid.UUID, print_: str, response: HttpResponse) -> None:
    """Keep the first answer beside its command."""
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    replies.keep(actor, key, print_, response.status_code, response.content.decode(), headers)

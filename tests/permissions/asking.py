"""With which object and body is an operation tried, what does it answer, and what did it leave behind?"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from tests.permissions.bodies import NOBODYS, body_of, query_of, stream_of
from tests.permissions.operations import Operation
from tests.permissions.world import World

REQUEST_ID = "the-same-request-id"
# What a request may write whatever it is answered: who was refused, who is signed in, how often somebody tried.
ALWAYS = frozenset({
    "events_refusal", "django_session", "accounts_opensession", "access_requestcount", "axes_accessattempt",
    "axes_accessfailurelog", "axes_accessattemptexpiration",
})  # fmt: skip
# The tables whose rows were written in this transaction, undone or not, with how often.
_WRITTEN = """
SELECT c.relname, pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid)
                  + pg_stat_get_xact_tuples_deleted(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = 'public'
"""


@dataclass
class Answer:
    """What came back, and what the request would have left: refusals noted, tables that differ."""

    status: int
    body: bytes
    headers: dict[str, str]
    refusals: int
    changed: frozenset[str]

    @property
    def said(self) -> int | str:
        """What the table lists: the status; of a poll whether the stream is followed."""
        if self.status == 200 and self.body.startswith(b'{"now":'):
            return "refused" if json.loads(self.body)["resets"] else "follows"
        return self.status


def path_of(operation: Operation, world: World, *, absent: bool) -> str:
    """Return the address with the world's ids, or with ids that nobody has."""
    parts = []
    for piece in operation.route.removesuffix("^").split("/"):
        if not piece.startswith("<"):
            parts.append(piece)
            continue
        name = piece.strip("<>").rpartition(":")[2]
        parts.append(str(_value(operation, name, world, absent=absent)))
    return "/" + "/".join(parts)


def _value(operation: Operation, name: str, world: World, *, absent: bool) -> Any:
    if name in ("name", "tab"):
        return operation.name
    if name in ("uid", "token"):
        return "none"
    if name == "stream":
        return stream_of("incident", world, absent=absent)
    if absent:
        return NOBODYS if name != "table" else "no_such_table"
    if name == "attachment_id" or (name == "pk" and operation.route.startswith("attachments/")):
        return world.ids["picture_id" if "picture" in operation.route else "attachment_id"]
    if name == "pk" and operation.route.startswith(("data/requests/", "data/agreements/")):
        return world.ids["request_id" if operation.route.startswith("data/requests/") else "agreement_id"]
    if name == "pk" and operation.route.startswith("data/sharing/"):
        return world.ids["grant_id"]
    if name == "proposal_id":  # of a rule; the other that waits, a person for a post, is named in a form
        return world.ids["rule_proposal_id"]
    if name == "pk":
        noun = operation.route.partition("/")[0].removesuffix("s")
        return world.ids["department_id" if noun in ("duty", "department") else f"{noun}_id"]
    return world.ids[name]


def ask(operation: Operation, world: World, principal: str, *, absent: bool = False) -> Answer:
    """Send the operation as ``principal`` and undo whatever it did."""
    client = world.clients[principal]
    path = path_of(operation, world, absent=absent)
    headers = {"X-Request-ID": REQUEST_ID, "Accept-Language": "en", **world.headers.get(principal, {})}
    given: dict[str, Any] = {}
    if operation.method != "GET":
        given = _sent(operation, world, absent, headers)
    elif query := query_of(operation, world, absent=absent):
        given = {"data": query}
    return _undone(world, client, operation.method, path, headers, given)


def reading(world: World, principal: str, path: str, query: dict[str, Any]) -> Answer:
    """Return what a page or a list answers to a question."""
    headers = {"X-Request-ID": REQUEST_ID, "Accept-Language": "en", **world.headers.get(principal, {})}
    return _undone(world, world.clients[principal], "GET", path, headers, {"data": query})


def _undone(
    world: World, client: Any, method: str, path: str, headers: dict[str, str], given: dict[str, Any]
) -> Answer:
    cookies = client.cookies.copy()
    try:
        with transaction.atomic():
            response = getattr(client, method.lower())(path, headers=headers, **given)
            streamed = getattr(response, "streaming", False)
            body = b"".join(response.streaming_content) if streamed else response.content
            written = _written_now(world)
            changed = {table: _print(table) for table in written if table not in ALWAYS}
            transaction.set_rollback(True)
    finally:
        client.cookies = cookies
    really = frozenset(table for table, now in changed.items() if now != _before(world, table))
    return Answer(response.status_code, body, dict(response.items()), written.get("events_refusal", 0), really)


def _sent(operation: Operation, world: World, absent: bool, headers: dict[str, str]) -> dict[str, Any]:
    body = body_of(operation, world, absent=absent)
    declared = operation.declared
    if declared is None:
        if operation.name and noun(operation) in ("instruction", "assignment", "ask"):
            headers["HX-Request"] = "true"  # as the page's script sends it: a refusal is a small piece, no whole page
        return {"data": body}
    headers["Idempotency-Key"] = str(uuid.uuid4())
    if declared.may_decide:
        headers["If-Match"] = f'"{world.version_of(noun(operation))}.any"'
    if declared.media == "application/json":
        return {"data": json.dumps(body), "content_type": "application/json"}
    if declared.media == "multipart/form-data":
        return {"data": body}
    return {"data": "&".join(f"{k}={v}" for k, v in body.items()), "content_type": declared.media}


def undone(send: Callable[[], Any]) -> Any:
    """Return the answer of a request whose effects are rolled back."""
    with transaction.atomic():
        answer = send()
        transaction.set_rollback(True)
    return answer


def noun(operation: Operation) -> str:
    """What kind of object an address is about: its first part."""
    first = operation.route.removeprefix("api/v1/").partition("/")[0]
    return {"break-glass": "glass", "rule-proposals": "rule_proposal"}.get(first, first.removesuffix("s"))


def _written_now(world: World) -> dict[str, int]:
    """The tables written to since this was last asked; PostgreSQL counts writes that are undone, too."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN)
        now = dict(cursor.fetchall())
    then = world.kept.get("written", now)
    world.kept["written"] = now
    return {table: count - then.get(table, 0) for table, count in now.items() if count != then.get(table, 0)}


def _print(table: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*), sum(hashtextextended(t::text, 0)) FROM "{table}" t')
        return cursor.fetchone()


def _before(world: World, table: str) -> Any:
    """What the table held before any request: each is undone, so it holds that again now."""
    prints = world.kept.setdefault("prints", {})
    if table not in prints:
        prints[table] = _print(table)
    return prints[table]


def ready(world: World) -> None:
    """Count from here."""
    world.kept.pop("written", None)
    _written_now(world)


# Made anew for every answer, and what says how often the caller may still ask.
_MADE = re.compile(
    rb'(csrfmiddlewaretoken" value="|X-CSRFToken&quot;: &quot;|"X-CSRFToken": "|nonce="|data-now=")[^"&]*'
)
_OF_THE_CALLER = re.compile(r"(?i)(ratelimit|x-ratelimit|retry-after|set-cookie|date$)")


def bare(answer: Answer, path: str) -> tuple[int, bytes, dict[str, str]]:
    """Return an answer without what differs from one request to the next, and without the address asked for."""
    body = _MADE.sub(rb"\1", answer.body).replace(path.encode(), b"PATH").replace(_quoted(path), b"PATH")
    headers = {
        name: value.replace(path, "PATH").replace(_quoted(path).decode(), "PATH")
        for name, value in answer.headers.items()
        if not _OF_THE_CALLER.match(name) and name != "Content-Length"
    }
    length = answer.headers.get("Content-Length")
    if length is not None:
        headers["Content-Length"] = str(int(length) - len(answer.body) + len(body))
    return answer.status, body, headers


def _quoted(path: str) -> bytes:
    return path.replace("/", "%2F").encode()

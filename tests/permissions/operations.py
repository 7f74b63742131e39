"""Which operations are there, with which objects and bodies are they tried, and what do they answer to whom?

The answers stand in ``operations.yaml``; ``test_operations.py`` compares, and can write the table anew for a person to
read the difference.
"""

from __future__ import annotations

import importlib.util
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver
from rest_framework import serializers

from coordination.events import clock
from coordination.instructions.views import page, registry
from coordination.screens import departments, desk, incident_deeds, room, rosters, wall
from tests.permissions.world import POSTS, World

TABLE = Path(__file__).with_name("operations.yaml")
NOBODYS = 987_654_321
STRANGERS = ("anonymous", "expired", "deactivated", "nobody", "superuser")
KINDS = (*POSTS, "client", "reader", "display")
RELATIONS = {"own": "centre", "participating": "fire", "foreign": "water"}
ABSENT = ("fire/duty_officer", "fire/client", "fire/display")
# Every post where the object is one's own; elsewhere the posts whose rights differ. Pages know no tokens.
TRIED = {
    True: {
        "own": KINDS,
        "participating": (
            "duty_officer",
            "commander",
            "head",
            "approver",
            "observer",
            "administrator",
            "client",
            "display",
        ),
        "foreign": ("duty_officer", "commander", "auditor", "administrator", "client", "reader", "display"),
    },
    False: {
        "own": ("duty_officer", "commander", "approver", "observer", "administrator", "auditor", "display"),
        "participating": ("duty_officer", "commander", "observer"),
        "foreign": ("duty_officer", "commander", "administrator"),
    },
}


@dataclass(frozen=True)
class Operation:
    """One method of one address; ``name`` where the address stands for several acts."""

    method: str
    route: str
    name: str = ""
    view: Any = None

    @property
    def key(self) -> str:
        """How the table names it."""
        return f"{self.method} /{self.route}{' ' + self.name if self.name else ''}"


def walk(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Return (route, pattern) of every address."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, route)
        else:
            yield route, pattern


def operations() -> list[Operation]:
    """Return every operation; a page of several acts once for each act."""
    found = []
    for route, pattern in walk(get_resolver().url_patterns):
        view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
        for method in _methods(route, view):
            found += [Operation(method, route, name, view) for name in _names(route)]
    return sorted(found, key=lambda one: (one.route, one.method, one.name))


def _methods(route: str, view: Any) -> list[str]:
    if view is not None:
        return [method.upper() for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)]
    return ["POST"] if route in _ACTS else ["GET"] if route in _SHOWN else ["GET", "POST"]


_ACTS: dict[str, Callable[[], Any]] = {
    "instructions/<int:pk>/<slug:name>/": lambda: registry.INSTRUCTION,
    "assignments/<int:pk>/<slug:name>/": lambda: registry.ASSIGNMENT,
    "asks/<int:pk>/<slug:name>/": lambda: registry.ASK,
    "incidents/<int:pk>/act/<str:name>/": lambda: set(incident_deeds.DEEDS) - incident_deeds.WITHOUT_INCIDENT,
    "departments/<int:pk>/act/<str:name>/": lambda: departments.DEEDS,
    "duty/<int:pk>/act/<str:name>/": lambda: rosters.DEEDS,
}
_SHOWN: dict[str, Callable[[], Any]] = {
    "incidents/<int:pk>/<str:tab>/": lambda: room.TABS,
    "incidents/<int:pk>/parts/<str:name>/": lambda: room.PARTS,
    "instructions/<int:pk>/part/<slug:name>": lambda: page.PARTS,
    "desk/parts/<str:name>/": lambda: desk.PARTS,
    "wall/parts/<str:name>/": lambda: wall.PARTS,
}


def _names(route: str) -> list[str]:
    """What stands for ``name`` or ``tab`` in a page's address; each is an operation of its own."""
    named = _ACTS.get(route) or _SHOWN.get(route)
    return sorted(named()) if named else [""]


def cells(operation: Operation) -> Iterator[tuple[str, str, str]]:
    """Return (relation, kind, principal) of every cell of an operation's row."""
    api = operation.route.startswith("api/")
    for name in STRANGERS:
        yield "strangers", name, name
    for relation, code in RELATIONS.items():
        for kind in TRIED[api][relation]:
            yield relation, kind, f"{code}/{kind}"
    for principal in ABSENT if api else ABSENT[:1]:
        yield "absent", principal.partition("/")[2], principal


def path_of(operation: Operation, world: World, *, absent: bool) -> str:
    """Return the address with the world's ids, or with ids that nobody has."""
    parts = []
    for piece in operation.route.removesuffix("^").split("/"):
        if not piece.startswith("<"):
            parts.append(piece)
            continue
        name = piece.strip("<>").partition(":")[2] or piece.strip("<>")
        parts.append(str(_value(operation, name, world, absent=absent)))
    return "/" + "/".join(parts)


def _value(operation: Operation, name: str, world: World, *, absent: bool) -> Any:
    if name in ("name", "tab"):
        return operation.name or "own"
    if name in ("uid", "token"):
        return "none"
    if name == "stream":
        return f"incident:{NOBODYS}" if absent else world.ids["stream"]
    if absent:
        return NOBODYS
    if name == "pk":
        noun = operation.route.partition("/")[0].removesuffix("s")
        return world.ids["department_id" if noun in ("duty", "department") else f"{noun}_id"]
    return world.ids.get(name, NOBODYS)


def body_of(operation: Operation, world: World) -> Any:
    """Return the smallest body that the operation's shape takes."""
    declared = getattr(getattr(operation.view, operation.method.lower(), None), "operation", None)
    if declared is None or declared.body is None:
        return {}
    return sample(declared.body(), world)


def sample(shape: serializers.Serializer[Any], world: World) -> dict[str, Any]:
    return {name: _one(name, field, world) for name, field in shape.fields.items() if field.required}


def _one(name: str, field: Any, world: World) -> Any:
    ids = {
        "department": world.departments["fire"].pk,
        "owner": world.departments["health"].pk,
        "incident": world.ids["incident_id"],
        "incident_id": world.ids["incident_id"],
        "other": world.ids["other_id"],
        "into": world.ids["other_id"],
        "parent": world.ids["other_id"],
        "person": None,
        "deputy": None,
        "version": 1,
        "value": 2,
        "type": "accident.fire",
        "channel": "hotline",
        "starts": _soon(200),
        "ends": _soon(208),
        "incident_type": "accident.fire",
        "grant_type": "client_credentials",
        "password": "not the password",
        "unit": "person",
    }
    if name in ids and not (name in ("person", "deputy") and not field.allow_null):
        return ids[name]
    if isinstance(field, serializers.FileField):
        return SimpleUploadedFile("note.txt", b"hello\n")
    if isinstance(field, serializers.ChoiceField):
        return next(iter(field.choices))
    if isinstance(field, serializers.BooleanField):
        return True
    if isinstance(field, serializers.DateTimeField):
        return _soon(1) if name != "spoken_at" else _soon(-0.01)
    if isinstance(field, serializers.IntegerField | serializers.FloatField):
        return 1
    return {"code": "new-office", "short_zh": "新局", "short_en": "New"}.get(name, "words")


def _soon(hours: float) -> str:
    return (clock.now() + timedelta(hours=hours)).isoformat()


def ask(operation: Operation, world: World, principal: str, *, absent: bool = False) -> Any:
    """Send the operation as ``principal`` and undo whatever it did; the answer carries ``events`` and ``refusals``."""
    client = world.clients[principal]
    headers = {"X-Request-ID": "the-same-request-id", **world.headers.get(principal, {})}
    api = operation.route.startswith("api/")
    path = path_of(operation, world, absent=absent)
    given: dict[str, Any] = {}
    if operation.method != "GET":
        body = body_of(operation, world)
        declared = getattr(getattr(operation.view, operation.method.lower(), None), "operation", None)
        if declared is not None:
            headers |= {"Idempotency-Key": str(uuid.uuid4())}
            headers |= {"If-Match": f'"{world.version_of(noun(operation))}.any"'} if declared.may_decide else {}
        if declared is not None and declared.media == "application/json":
            given = {"data": json.dumps(body), "content_type": "application/json"}
        elif declared is not None and declared.media == "multipart/form-data":
            given = {"data": body}
        elif declared is not None:
            given = {"data": "&".join(f"{k}={v}" for k, v in body.items()), "content_type": declared.media}
        else:
            given = {"data": body}
    elif api:
        declared = getattr(getattr(operation.view, "get", None), "operation", None)
        if declared is not None and declared.query is not None:
            given = {"data": sample(declared.query(), world)}
    cookies = client.cookies.copy()
    try:
        with transaction.atomic():
            before = _counted()
            answer = getattr(client, operation.method.lower())(path, headers=headers, **given)
            answer.content_bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
            answer.events, answer.refusals = (now - then for now, then in zip(_counted(), before, strict=True))
            transaction.set_rollback(True)
    finally:
        client.cookies = cookies
    return answer


def noun(operation: Operation) -> str:
    """What kind of object an address is about: its first part."""
    return operation.route.removeprefix("api/v1/").partition("/")[0].removesuffix("s")


def undone(send: Callable[[], Any]) -> Any:
    """Return the answer of a request whose effects are rolled back."""
    with transaction.atomic():
        answer = send()
        transaction.set_rollback(True)
    return answer


def _counted() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM events_event), (SELECT count(*) FROM events_refusal)")
        events, refusals = cursor.fetchone()
    return events, refusals


def row_of(operation: Operation, world: World) -> dict[str, Any]:
    """Try every cell and return the row as the table has it."""
    found: dict[str, dict[str, int]] = {}
    for relation, kind, principal in cells(operation):
        answer = ask(operation, world, principal, absent=relation == "absent")
        found.setdefault(relation, {})[kind] = answer.status_code
    row: dict[str, Any] = {"method": operation.method, "route": operation.route}
    if operation.name:
        row["name"] = operation.name
    for relation, statuses in found.items():
        row[relation] = _short(statuses)
    return row


def _short(statuses: dict[str, int]) -> Any:
    """Return one status where all are the same, else the most common as ``else``."""
    values = list(statuses.values())
    common = max(sorted(set(values)), key=values.count)
    if len(set(values)) == 1:
        return common
    return {kind: status for kind, status in statuses.items() if status != common} | {"else": common}


def expected(row: dict[str, Any], relation: str, kind: str) -> int:
    """Return what the table says for one cell."""
    said = row[relation]
    return int(said if isinstance(said, int) else said.get(kind, said["else"]))


def sockets() -> list[str]:
    """Return the addresses of sockets."""
    spec = importlib.util.find_spec("coordination.config.sockets")
    assert spec is not None
    module = importlib.import_module("coordination.config.sockets")
    return [str(pattern.pattern) for pattern in module.routes()]

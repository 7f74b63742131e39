"""Which operations are there, to whom is each tried, and what does the table say?

The answers stand in ``operations.yaml``, one row an operation; ``python -m pytest tests/permissions -k table`` compares
the rows with the addresses, and can write them anew for a person to read the difference.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from coordination.instructions.views import page, registry
from coordination.screens import departments, desk, incident_deeds, incidents, room, rosters, wall
from sharing.catalogue import views as catalogue
from tests import drawing
from tests.permissions.world import POSTS

TABLE = Path(__file__).with_name("operations.yaml")
STRANGERS = ("anonymous", "expired", "deactivated", "unfactored", "nobody", "superuser")
KINDS = (*POSTS, "client", "reader", "display")
# Where each relation's principals come from. The absent is asked for by those to whom the rest is foreign, so that
# the two answers can be laid side by side.
RELATIONS = {
    "own": "centre", "participating": "fire", "shared": "port", "archived": "centre", "foreign": "water",
    "revoked": "rail", "below": "firej", "absent": "water",
}  # fmt: skip
HIDDEN = ("foreign", "revoked", "below")
"""To all of these an object is as if it were not there; the table says it once, as ``foreign``."""
WRITTEN = tuple(one for one in RELATIONS if one not in HIDDEN[1:])
DRAWN = 1
"""So many kinds of actor, and of stranger, are drawn for an operation where not all are tried."""
SOCKETS = ("incident", "brief", "department", "user", "system", "dataset")
"""What a socket or a poll can follow: each kind of stream is an operation of its own."""


@dataclass(frozen=True)
class Operation:
    """One method of one address; ``name`` where the address stands for several acts."""

    method: str
    route: str
    name: str = ""
    view: Any = None

    @property
    def key(self) -> str:
        """How tests name it."""
        return f"{self.method} /{self.route}{' ' + self.name if self.name else ''}"

    @property
    def api(self) -> bool:
        """Whether it belongs to the API."""
        return self.route.startswith("api/")

    @property
    def declared(self) -> Any:
        """What the API declares of it, or None."""
        return getattr(getattr(self.view, self.method.lower(), None), "operation", None)


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
    if route in ACTS or route in ("audit/check/", "audit/export/"):
        return ["POST"]
    read = route in SHOWN or route in ("audit/", "audit/exports/<int:pk>/", "data/access-log/")
    return ["GET"] if read else ["GET", "POST"]


ACTS: dict[str, Callable[[], Any]] = {
    "instructions/<int:pk>/<slug:name>/": lambda: registry.INSTRUCTION,
    "assignments/<int:pk>/<slug:name>/": lambda: registry.ASSIGNMENT,
    "asks/<int:pk>/<slug:name>/": lambda: registry.ASK,
    "incidents/<int:pk>/act/<str:name>/": lambda: incident_deeds.DEEDS,
    "reports/<int:pk>/act/<str:name>/": lambda: incidents.REPORT,
    "departments/<int:pk>/act/<str:name>/": lambda: departments.DEEDS,
    "duty/<int:pk>/act/<str:name>/": lambda: rosters.DEEDS,
    "data/<int:pk>/act/<str:name>/": lambda: catalogue.ACTS,
    "data/requests/<int:pk>/act/<str:name>/": lambda: catalogue.REQUEST_ACTS,
    "data/agreements/<int:pk>/act/<str:name>/": lambda: catalogue.AGREEMENT_ACTS,
    "data/break-glass/<int:glass_id>/act/<str:name>/": lambda: catalogue.GLASS_ACTS,
    "story/<str:name>/": lambda: ("begin", "pause", "go-on", "speed", "play"),
}
SHOWN: dict[str, Callable[[], Any]] = {
    "incidents/<int:pk>/<str:tab>/": lambda: room.TABS,
    "incidents/<int:pk>/parts/<str:name>/": lambda: room.PARTS,
    "instructions/<int:pk>/part/<str:name>": lambda: page.PARTS,
    "desk/parts/<str:name>/": lambda: desk.PARTS,
    "wall/parts/<str:name>/": lambda: wall.PARTS,
    "live/since": lambda: SOCKETS,
    "data/<int:pk>/part/<str:name>/": lambda: catalogue.PARTS,
}


def _names(route: str) -> list[str]:
    """What stands for ``name`` or ``tab`` in a page's address; each is an operation of its own."""
    named = ACTS.get(route) or SHOWN.get(route)
    return sorted(named()) if named else [""]


def sockets() -> list[Operation]:
    """Return every socket's address, once for each kind of stream."""
    module = importlib.import_module("coordination.config.sockets")
    return [Operation("WS", str(pattern.pattern), name) for pattern in module.routes() for name in SOCKETS]


def cells() -> Iterator[tuple[str, str, str]]:
    """Return (relation, kind, principal) of every cell of an operation's row."""
    for name in STRANGERS:
        yield "strangers", name, name
    for relation, code in RELATIONS.items():
        for kind in KINDS:
            yield relation, kind, f"{code}/{kind}"


def drawn(operation: Operation) -> Iterator[tuple[str, str, str]]:
    """Return the cells tried in this run: all with ``MUSTER_CELLS=all``, else some kinds of actor by the seed.

    A kind is drawn with all its relations, so that hidden and absent stand side by side; duty officers always.
    """
    if drawing.whole():
        yield from cells()
        return
    chance = random.Random(f"{drawing.seed()} {operation.key}")
    kinds = {"duty_officer", *chance.sample(KINDS, DRAWN)}
    strangers = set(chance.sample(STRANGERS, DRAWN))
    for relation, kind, principal in cells():
        if kind in (strangers if relation == "strangers" else kinds):
            yield relation, kind, principal


Key = tuple[str, str, str]


def table() -> dict[Key, dict[str, Any]]:
    """Return the rows by method, route and name."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rows = yaml.load(TABLE.read_text(encoding="utf-8"), loader) if TABLE.exists() else []
    return {(row["method"], row["route"], row.get("name", "")): row for row in rows}


def key_of(operation: Operation) -> Key:
    """Return how the table finds an operation."""
    return operation.method, operation.route, operation.name


def row_of(operation: Operation, answers: dict[tuple[str, str], int | str]) -> dict[str, Any]:
    """Return a row as the table has it, from what each cell answered."""
    row: dict[str, Any] = {"method": operation.method, "route": operation.route}
    if operation.name:
        row["name"] = operation.name
    found: dict[str, dict[str, int | str]] = {}
    for (relation, kind), answer in answers.items():
        if relation not in HIDDEN[1:]:
            found.setdefault(relation, {})[kind] = answer
    return row | {relation: _short(each) for relation, each in found.items()}


def _short(statuses: dict[str, int | str]) -> Any:
    """Return one status where all are the same, else the most common as ``else``."""
    values = list(statuses.values())
    common = max(sorted(set(values), key=str), key=values.count)
    if len(set(values)) == 1:
        return common
    return {kind: status for kind, status in statuses.items() if status != common} | {"else": common}


def expected(row: dict[str, Any], relation: str, kind: str) -> int | str:
    """Return what the table says for one cell."""
    said = row["foreign" if relation in HIDDEN else relation]
    found: int | str = said.get(kind, said["else"]) if isinstance(said, dict) else said
    return found


def write(rows: list[dict[str, Any]]) -> None:
    """Write the table."""
    lines = [f"- {yaml.safe_dump(row, default_flow_style=True, sort_keys=False, width=10_000)}" for row in rows]
    TABLE.write_text("".join(lines), encoding="utf-8")

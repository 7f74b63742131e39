"""Which lines of the log and of the access log match what an auditor asks, newest first?

Below ``sharing.access``: the caller says within which departments is searched. Never the payload: what happened to
which object, not what it said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson
from django.db import connection

Source = Literal["event", "read"]
Cursor = tuple[str, str, int]
"""(moment, source, id) of the last line shown."""

MOST_GRANTS = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What is searched for; empty = whatever. ``actor``: (kind, id). ``act``: event type or operation.

    ``objects``: names of the type as events and as reads say it, and ``object_id``. ``grants``: one of these.
    ``strangers_to``: reads of people of other departments than this alone.
    """

    source: Source | None = None
    actor: tuple[str, int] | None = None
    department: int | None = None
    post: str = ""
    act: str = ""
    objects: tuple[str, ...] = ()
    object_id: int | None = None
    grants: tuple[int, ...] | None = None
    request_id: str = ""
    begin: datetime | None = None
    end: datetime | None = None
    strangers_to: int | None = None

    @property
    def narrow(self) -> bool:
        """Whether an index of its own finds the few lines there are, whatever the number of departments."""
        return bool(self.actor or self.objects or self.grants is not None or self.request_id)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: who did or read what, when. ``ids``: the first 200 objects; ``count``: how many there were."""

    source: Source
    id: int
    at: datetime
    act: str
    actor: str
    department_id: int | None
    post: str
    object_type: str
    ids: list[int]
    count: int
    grants: list[int]
    purpose: str
    request_id: str


_COLUMNS: dict[Source, str] = {
    "event": (
        "'event', n.id, n.at, n.type, n.actor_kind || coalesce(':' || n.actor_id, ''), n.actor_department,"
        " n.actor_post, n.object_type, jsonb_build_array(n.object_id), 1, '[]'::jsonb, '', n.request_id"
    ),
    "read": (
        "'read', n.id, n.at, n.operation, n.actor_key, n.actor_department, n.actor_post, n.object_type, n.ids,"
        " n.count, n.grants, n.purpose, n.request_id"
    ),
}
_TABLES: dict[Source, str] = {"event": "events_event", "read": "events_readentry"}
_TYPES: dict[Source, str] = {"event": "type", "read": "operation"}


def search(
    asked: Asked, within: Sequence[int] | None, after: Cursor | None = None, size: int = 50
) -> tuple[list[Line], Cursor | None]:
    """A page of lines, newest first, and where the next begins; one query.

    ``within``: acts of these departments only; None: everything, the platform's own acts too.
    """
    parts, values = [], []
    sources: tuple[Source, ...] = (asked.source,) if asked.source else ("event", "read")
    for source in sources:
        if source == "event" and (asked.grants is not None or asked.strangers_to is not None):
            continue
        statement, given = _part(source, asked, within, after, size + 1)
        parts.append(f"({statement})")
        values += given
    if not parts or (within is not None and not within):
        return [], None
    whole = f"SELECT * FROM ({' UNION ALL '.join(parts)}) lines ORDER BY 3 DESC, 1 DESC, 2 DESC LIMIT %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(whole, [*values, size + 1])
        lines = [_line(row) for row in cursor.fetchall()]
    more, lines = len(lines) > size, lines[:size]
    last = lines[-1] if more else None
    return lines, (last.at.isoformat(), last.source, last.id) if last else None


def _part(
    source: Source, asked: Asked, within: Sequence[int] | None, after: Cursor | None, size: int
) -> tuple[str, list[Any]]:
    """The lines of one table, driven by the index that ends in the order of the page."""
    conditions, values = _conditions(source, asked)
    following, place = _after(source, after)
    conditions += following
    values += place
    table, columns = _TABLES[source], _COLUMNS[source]
    order = "ORDER BY n.at DESC, n.id DESC LIMIT %s"
    if asked.department is not None:
        within = [asked.department] if within is None or asked.department in within else []
    if within is None or asked.narrow or len(within) == 1:
        if within is not None:
            conditions.append("n.actor_department = %s" if len(within) == 1 else "n.actor_department = ANY(%s)")
            values.append(within[0] if len(within) == 1 else list(within))
        where = " AND ".join(conditions) or "true"
        return f"SELECT {columns} FROM {table} n WHERE {where} {order}", [*values, size]  # noqa: S608 - our own words
    where = " AND ".join(["n.actor_department = d.id", *conditions])
    each = f"SELECT * FROM {table} n WHERE {where} {order}"  # noqa: S608 - our own words
    statement = f"SELECT {columns} FROM unnest(%s::bigint[]) AS d(id) CROSS JOIN LATERAL ({each}) n {order}"  # noqa: S608
    return statement, [list(within), *values, size, size]


def _conditions(source: Source, asked: Asked) -> tuple[list[str], list[Any]]:
    read = source == "read"
    wanted: list[tuple[str, Any]] = []
    if asked.actor is not None:
        kind, pk = asked.actor
        if read:
            wanted.append(("n.actor_key = %s", f"{kind}:{pk}"))
        else:
            wanted += [("n.actor_id = %s", pk), ("n.actor_kind = %s", kind)]
    if asked.act:
        wanted.append((f"n.{_TYPES[source]} = %s", asked.act))
    if asked.post:
        wanted.append(("n.actor_post = %s", asked.post))
    if asked.objects:
        wanted.append(("n.object_type = ANY(%s)", list(asked.objects)))
    if asked.object_id is not None:
        wanted.append(("n.ids @> %s::jsonb", f"[{asked.object_id}]") if read else ("n.object_id = %s", asked.object_id))
    if read and asked.grants is not None:
        wanted.append(("n.grants @> ANY(%s::jsonb[])", [orjson.dumps([pk]).decode() for pk in asked.grants]))
    if read and asked.strangers_to is not None:
        wanted.append(("n.actor_department IS DISTINCT FROM %s", asked.strangers_to))
    if asked.request_id:
        wanted.append(("n.request_id = %s AND n.request_id <> ''", asked.request_id))
    if asked.begin is not None:
        wanted.append(("n.at >= %s", asked.begin))
    if asked.end is not None:
        wanted.append(("n.at < %s", asked.end))
    return [text for text, _value in wanted], [value for _text, value in wanted]


def _after(source: Source, after: Cursor | None) -> tuple[list[str], list[Any]]:
    """What stands behind the cursor in the order of both tables together: moment, source, id, each downwards."""
    if after is None:
        return [], []
    at, last, pk = after
    if source == last:
        return ["(n.at, n.id) < (%s::timestamptz, %s)"], [at, pk]
    return [f"n.at {'<=' if source < last else '<'} %s::timestamptz"], [at]


def _line(row: Sequence[Any]) -> Line:
    source, pk, at, act, actor, place, post, object_type, ids, count, grants, purpose, request_id = row
    return Line(
        source, pk, at, act, actor, place, post, object_type, _list(ids), count, _list(grants), purpose, request_id
    )


def _list(value: Any) -> list[int]:
    found: list[int] = orjson.loads(value) if isinstance(value, str | bytes) else value
    return found

"""What does one page of a list hold, and where does the next begin?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import FunctionType
from typing import Any, TypeVar, cast

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from coordination.events import clock
from coordination.events.actor import Actor
from coordination.events.at_once import at_once
from coordination.events.kept import kept
from coordination.events.refused import Invalid
from sharing.access.guarded import Guarded, Opened
from sharing.access.models import VisIncident
from sharing.access.queries.decisions import INCIDENT
from sharing.access.queries.scopes import resolve, scope_sql
from sharing.access.queries.sight import scope

M = TypeVar("M", bound=Guarded | Opened)
Cursor = Sequence[Any]
Wanted = Q | Callable[[QuerySet[M]], QuerySet[M]] | None
MAX_SIZE = 200
# How many of the newest visible incidents are looked through for those that pass a filter.
# Not more: for a thousand PostgreSQL may rather sort all that a centre sees than walk the newest end of its index.
CANDIDATES = 250

# Each scope's newest rows come off its own index; an EXISTS over all incidents takes seconds for whoever sees few.
_NEWEST = """
SELECT incident_id FROM (
  SELECT DISTINCT x.opened_at, x.incident_id
  FROM ({scopes}) AS s(id) CROSS JOIN LATERAL (
    SELECT DISTINCT v.opened_at, v.incident_id FROM access_visincident v
    WHERE v.scope_id = s.id AND v.valid_to > %s
      AND (%s::timestamptz IS NULL OR (v.opened_at, v.incident_id) < (%s, %s))
    ORDER BY 1 DESC, 2 DESC LIMIT %s) x) t
ORDER BY t.opened_at DESC, t.incident_id DESC LIMIT %s
"""


class BadCursor(Invalid):
    """The cursor is not one this list gave out."""

    code = "bad_cursor"


def page(
    actor: Actor,
    model: type[M],
    *,
    queryset_filter: Wanted[M] = None,
    after: Cursor | None = None,
    size: int = 50,
    select: Sequence[str] = (),
    values: Sequence[str] = (),
    at: datetime | None = None,
) -> tuple[list[Any], list[Any] | None]:
    """Rows the actor sees, newest first (the table's ``guard_order``), and the cursor of the next page or None.

    ``after``: a cursor returned earlier, a list of JSON values; anything else is `BadCursor` (422). ``size``
    1 to 200. ``select``: what is joined to the objects. ``values``: names of columns (those of the order among
    them), for mappings instead of objects: a long list of objects costs more to make than to find.
    """
    size = max(1, min(int(size), MAX_SIZE))
    moment = at or clock.now()
    position = _position(model, after) if after else None
    shape = _Shape(tuple(select), tuple(values))
    rows = None
    if model._meta.label_lower == INCIDENT and actor.kind in ("person", "client"):
        rows = _newest_incidents(actor, model, queryset_filter, position, size, shape, moment)
    if rows is None:
        rows = _found(actor, model, queryset_filter, position, size, shape, moment)
    more = len(rows) > size
    rows = rows[:size]
    return rows, (_cursor(model, rows[-1]) if more else None)


@dataclass(frozen=True)
class _Shape:
    """What is read of each row: objects with what is joined to them, or the columns named."""

    select: tuple[str, ...]
    values: tuple[str, ...]


def _newest_incidents(
    actor: Actor,
    model: type[M],
    wanted: Wanted[M],
    position: list[Any] | None,
    size: int,
    shape: _Shape,
    at: datetime,
) -> list[Any] | None:
    """The rows, taken from the newest that the actor sees; None when a filter leaves too few of those.

    Whoever sees few gets them all this way, and a filter that many pass is soon full; a rare one among many
    visible rows is better found by its own index.
    """
    look = size + 1 if wanted is None else max(size + 1, CANDIDATES)
    ids = _newest_ids(actor, position, look, at)
    if wanted is None or isinstance(wanted, FunctionType) and "<" not in wanted.__qualname__:
        (found,) = at_once(kept(_those, model, wanted, shape, ids, str(size + 1)))
    else:
        found = list(_those(model, wanted, shape, ids, str(size + 1)))
    return found if len(found) > size or len(ids) < look or wanted is None else None


def _those(model: type[M], wanted: Wanted[M], shape: _Shape, ids: list[int], most: str) -> QuerySet[M, Any]:
    rows = cast("QuerySet[M]", model._default_manager.filter(pk__in=ids))
    return _ordered(_narrow(rows, wanted), model, shape)[: int(most)]


def _newest_ids(actor: Actor, position: list[Any] | None, look: int, at: datetime) -> list[int]:
    sql, values = newest_statement(actor, position, look, at)
    if not values:  # no scope can be theirs
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]


def newest_statement(
    actor: Actor, position: Sequence[Any] | None, look: int, at: datetime
) -> tuple[str, list[Any]]:
    """SQL and values of one statement: ids of the newest ``look`` incidents the actor sees, after ``position``.

    No values where no scope can be theirs.
    """
    scopes, values = scope_sql(actor)
    if not values:
        return "", []
    after_at, after_id = position or (None, None)
    return _NEWEST.replace("{scopes}", scopes), [*values, at, after_at, after_at, after_id, look, look]


def _found(
    actor: Actor,
    model: type[M],
    wanted: Wanted[M],
    position: list[Any] | None,
    size: int,
    shape: _Shape,
    at: datetime,
) -> list[Any]:
    rows = _narrow(scope(actor, model, at=at, wide=True), wanted)
    if position is not None:
        rows = rows.filter(_beyond(model, position))
    return list(_ordered(rows, model, shape)[: size + 1])


def _narrow(rows: QuerySet[M], wanted: Wanted[M]) -> QuerySet[M]:
    if wanted is None:
        return rows
    return rows.filter(wanted) if isinstance(wanted, Q) else wanted(rows)


def _ordered(rows: QuerySet[M], model: type[M], shape: _Shape) -> QuerySet[M, Any]:
    rows = rows.order_by(*model.guard_order)
    if shape.values:
        return rows.values(*shape.values)
    return rows.select_related(*shape.select) if shape.select else rows


def _names(model: type[Any]) -> list[str]:
    return [name.removeprefix("-") for name in model.guard_order]


def _beyond(model: type[Any], position: list[Any]) -> Q:
    """Rows after a position in a descending order: (a, b) < (x, y)."""
    beyond, equal = Q(pk__in=[]), Q()
    for name, value in zip(_names(model), position, strict=True):
        beyond |= equal & Q(**{f"{name}__lt": value})
        equal &= Q(**{name: value})
    return beyond


def _cursor(model: type[Any], row: Any) -> list[Any]:
    values = [row[name] if isinstance(row, dict) else getattr(row, name) for name in _names(model)]
    return [value.isoformat() if isinstance(value, datetime) else value for value in values]


def _position(model: type[Any], after: Cursor) -> list[Any]:
    names = _names(model)
    if isinstance(after, str) or len(after) != len(names):
        raise BadCursor(_("This cursor does not belong to this list; start again without it."))
    return [_value(model, name, value) for name, value in zip(names, after, strict=True)]


def _value(model: type[Any], name: str, value: Any) -> Any:
    field = model._meta.get_field("id" if name == "pk" else name)
    try:
        if field.get_internal_type() == "DateTimeField":
            moment = parse_datetime(value) if isinstance(value, str) else None
            if moment is not None and moment.tzinfo is not None:
                return moment
        elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
            return value
    except (TypeError, ValueError):
        pass
    raise BadCursor(_("This cursor does not belong to this list; start again without it."))


def visible_incident_ids(actor: Actor, *, at: datetime, limit: int = 500) -> list[int]:
    """Ids of the newest incidents the actor sees, at most ``limit``."""
    scopes = resolve(actor, at).ids
    rows = VisIncident.objects.filter(scope_id__in=scopes, valid_to__gt=at)
    newest = rows.order_by("-opened_at", "-incident_id").values_list("incident_id", "opened_at").distinct()
    return [pk for pk, _opened in newest[:limit]]

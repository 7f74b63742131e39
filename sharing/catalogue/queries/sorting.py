"""In which order do records come, and where does the next page begin?

By default in the order of their ids. By a field: records without it last, equal ones by id; so that a cursor, which is
the last value and id, leads on over ties and gaps alike. Only what may be asked by may be sorted by: an order tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Invalid
from sharing.catalogue.queries.reading import SORTABLE

Cursor = list[Any]


class BadSort(Invalid):
    """There is no such field to sort by, or none that may be asked by."""

    code = "bad_sort"


class BadPlace(Invalid):
    """The cursor is none of this list."""

    code = "bad_cursor"


def ordered(rows: QuerySet[Any, Any], sort: str, types: Mapping[str, str]) -> QuerySet[Any, Any]:
    """The rows by ``sort``: a field's name, with - before it for the greatest first; empty for the usual order."""
    if not sort:
        return rows.order_by("pk")
    name = _field(sort, types)
    at = F("at")
    way = at.desc(nulls_last=True) if sort.startswith("-") else at.asc(nulls_last=True)
    sorted_: QuerySet[Any, Any] = rows.annotate(at=KeyTransform(name, "data")).order_by(way, "pk")
    return sorted_


def beyond(sort: str, after: Any) -> Q:
    """What comes after a cursor. Raises `BadPlace` for one of another list or order."""
    if after is None:
        return Q()
    if not isinstance(after, list) or len(after) != (3 if sort else 1) or (sort and after[0] != sort):
        raise _bad_place()
    pk = after[-1]
    if not isinstance(pk, int) or isinstance(pk, bool) or not 0 <= pk < 2**63:
        raise _bad_place()
    if not sort:
        return Q(pk__gt=pk)
    column, value = f"data__{sort.lstrip('-')}", after[1]
    if value is None:
        return Q(**{f"{column}__isnull": True}, pk__gt=pk)
    if not isinstance(value, str | int | float):
        raise _bad_place()
    way = "lt" if sort.startswith("-") else "gt"
    further = Q(**{f"{column}__{way}": value}) | Q(**{f"{column}__isnull": True})
    return further | Q(**{f"{column}__exact": value}, pk__gt=pk)


def cursor(sort: str, last: Mapping[str, Any]) -> Cursor:
    """The cursor after a row, which has ``id`` and ``data`` as they are shown."""
    return [sort, last["data"].get(sort.lstrip("-")), last["id"]] if sort else [last["id"]]


def _field(sort: str, types: Mapping[str, str]) -> str:
    name = sort.removeprefix("-")
    if types.get(name) not in SORTABLE:
        detail = _("There is no such field to sort by.")
        raise BadSort(detail, errors=[{"pointer": "/sort", "code": "unknown_field", "detail": detail}])
    return name


def _bad_place() -> BadPlace:
    return BadPlace(_("This cursor does not belong to this list; start again without it."))

"""Which records of a dataset does a grant open?

A row filter is a tree: ``{"and": [...]}``, ``{"or": [...]}`` or one comparison ``{"field", "op", "value"}`` with ``op``
eq, in, lt, lte, gt, gte or within (a box ``[west, south, east, north]`` in degrees). There is no "not": what a record
does not say can so never open it. An empty tree opens every record.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Func, Q, TextField
from django.db.models.fields.json import KeyTransform
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Invalid
from coordination.events.writing import is_storable

Tree = Mapping[str, Any]
DEEPEST, MOST_PARTS, MOST_VALUES, LONGEST_TEXT = 5, 20, 200, 200
ORDERED = ("number", "integer", "date", "datetime")
"""Types whose order their JSON keeps: numbers, and ISO 8601 in one form (records keep moments in UTC to the second)."""
_COMPARE = {"lt": "__lt", "lte": "__lte", "gt": "__gt", "gte": "__gte"}
_ORDER = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class BadFilter(Invalid):
    """A row filter that cannot be: ``errors`` name the place in the tree by its pointer."""

    code = "bad_filter"


def checked(tree: object, types: Mapping[str, str]) -> dict[str, Any]:
    """A row filter as it is kept; ``types``: the schema's filterable fields and their types. Raises `BadFilter`."""
    given: Any = tree
    if given in (None, {}):
        return {}
    errors: list[dict[str, str]] = []
    _look(given, types, "/filter", 1, errors)
    if errors:
        raise BadFilter(_("This filter cannot be applied."), errors=errors)
    return dict(given)


def _look(node: object, types: Mapping[str, str], where: str, depth: int, errors: list[dict[str, str]]) -> None:
    def wrong(code: str, below: str = "") -> None:
        errors.append({"pointer": where + below, "code": code})

    if not isinstance(node, Mapping):
        return wrong("not_a_condition")
    if depth > DEEPEST:
        return wrong("too_deep")
    for joint in ("and", "or"):
        if set(node) == {joint}:
            parts = node[joint]
            if not isinstance(parts, list) or not 1 <= len(parts) <= MOST_PARTS:
                return wrong("bad_list", f"/{joint}")
            for number, part in enumerate(parts):
                _look(part, types, f"{where}/{joint}/{number}", depth + 1, errors)
            return None
    if set(node) != {"field", "op", "value"}:
        return wrong("not_a_condition")
    kind = types.get(node["field"]) if isinstance(node["field"], str) else None
    if kind is None:
        return wrong("unknown_field", "/field")
    reason = _fault(node["op"], node["value"], kind)
    return wrong(reason, "/op" if reason == "unknown_op" else "/value") if reason else None


def _fault(op: object, value: object, kind: str) -> str:
    if op == "within":
        return _fault_of_box(value) if kind == "geopoint" else "unknown_op"
    if kind == "geopoint" or not isinstance(op, str):
        return "unknown_op"
    if op == "in":
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_VALUES:
            return "bad_value"
        return "" if all(_fits(one, kind) for one in value) else "bad_value"
    if op == "eq" or (op in _COMPARE and kind in ORDERED):
        return "" if _fits(value, kind) else "bad_value"
    return "unknown_op"


def _fault_of_box(value: object) -> str:
    if not isinstance(value, list) or len(value) != 4 or not all(_fits(one, "number") for one in value):
        return "bad_box"
    west, south, east, north = value
    return "" if -180 <= west < east <= 180 and -90 <= south < north <= 90 else "bad_box"


def _fits(value: object, kind: str) -> bool:
    """Whether a value could stand in a field of the type."""
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("number", "integer"):
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e15:
            return False
        return math.isfinite(value) and (kind == "number" or value == int(value))
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not is_storable(value):
        return False
    if kind == "date":
        return bool(_DATE.fullmatch(value))
    return bool(_MOMENT.fullmatch(value)) if kind == "datetime" else True


def condition(tree: Tree, data: str = "data") -> Q:
    """The tree as a condition on the JSON column ``data``; every record for an empty one."""
    if not tree:
        return Q()
    for joint in ("and", "or"):
        if joint in tree:
            found = [condition(part, data) for part in tree[joint]]
            whole = found[0]
            for one in found[1:]:
                whole = whole & one if joint == "and" else whole | one
            return whole
    column, op, value = f"{data}__{tree['field']}", tree["op"], tree["value"]
    if op == "within":
        west, south, east, north = value
        box = {"0__gte": west, "0__lte": east, "1__gte": south, "1__lte": north}
        return _typed(data, tree["field"], "array") & Q(**{f"{column}__{part}": edge for part, edge in box.items()})
    if op in ("eq", "in"):
        return _among(data, tree["field"], value if op == "in" else [value])
    # to PostgreSQL null is less than any text, and any number more: only like is compared with like
    return _typed(data, tree["field"], "string" if isinstance(value, str) else "number") & Q(
        **{column + _COMPARE[op]: value}
    )


def _among(data: str, name: str, values: Sequence[Any]) -> Q:
    """Whether a field is one of the values, asked as containment of the whole record.

    That the index over records can answer, and PostgreSQL can guess how many there are: twenty among a million are
    found without reading the others, and three hundred thousand are not gathered for a page of fifty.
    """
    return reduce(or_, (Q(**{f"{data}__contains": {name: value}}) for value in values))


def _typed(data: str, name: str, kind: str) -> Q:
    """Whether a field of the JSON column holds a value of the kind."""
    asked = Func(KeyTransform(name, data), function="jsonb_typeof", output_field=TextField())
    return Q(Exact(asked, kind))


def opens(tree: Tree, record: Mapping[str, Any]) -> bool:
    """Whether the tree lets a record through: the same as `condition`, for one that is at hand."""
    if not tree:
        return True
    if "and" in tree:
        return all(opens(part, record) for part in tree["and"])
    if "or" in tree:
        return any(opens(part, record) for part in tree["or"])
    found: Any = record.get(tree["field"])
    op, value = tree["op"], tree["value"]
    if op == "within":
        west, south, east, north = value
        placed = isinstance(found, list) and len(found) >= 2 and _alike(found[0], west) and _alike(found[1], south)
        return placed and bool(west <= found[0] <= east and south <= found[1] <= north)
    if op == "in":
        return any(_same(found, one) for one in value)
    if op == "eq":
        return _same(found, value)
    return _alike(found, value) and bool(_ORDER[op](found, value))


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _alike(found: Any, value: Any) -> bool:
    if isinstance(value, str):
        return isinstance(found, str)
    return isinstance(found, int | float) and not isinstance(found, bool)

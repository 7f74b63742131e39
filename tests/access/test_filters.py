"""Does a row filter open the same records in the database as in hand, and is a filter that cannot be refused?"""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sharing.access.filters import BadFilter, checked, condition, opens
from sharing.catalogue.models import Code
from tests import drawing

TYPES = {
    "name": "string", "beds": "integer", "level": "number", "open": "boolean", "at": "geopoint", "on": "date",
    "since": "datetime",
}  # fmt: skip
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["", "a", "B", "王", "a%", '"', "\\"]),
    "beds": st.integers(-3, 3),
    "level": st.sampled_from([-1.5, 0.0, 0, 1, 2.25, 1e9]),
    "open": st.booleans(),
    "at": st.tuples(st.integers(-3, 3), st.integers(-3, 3)).map(list),
    "on": st.sampled_from(["2026-01-31", "2026-02-01", "2025-12-31"]),
    "since": st.sampled_from(["2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z"]),
}
ODD = [None, "x", 0, True, {}, [], [0, 0]]


@st.composite
def comparisons(draw: Any) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(TYPES)))
    if name == "at":
        west, south = draw(st.integers(-3, 2)), draw(st.integers(-3, 2))
        box = [west, south, west + draw(st.integers(1, 3)), south + draw(st.integers(1, 3))]
        return {"field": name, "op": "within", "value": box}
    ordered = TYPES[name] in ("integer", "number", "date", "datetime")
    op = draw(st.sampled_from(["eq", "in", *(["lt", "lte", "gt", "gte"] if ordered else [])]))
    value = draw(st.lists(VALUES[name], min_size=1, max_size=3) if op == "in" else VALUES[name])
    return {"field": name, "op": op, "value": value}


def _joined(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(parts, min_size=1, max_size=3)
    return several.map(lambda some: {"and": some}) | several.map(lambda some: {"or": some})


TREES = st.just({}) | st.recursive(comparisons(), _joined, max_leaves=6).filter(lambda tree: _depth(tree) <= 5)
RECORDS = st.lists(
    # what does not fit its type should never be there; it must not open anything either
    st.fixed_dictionaries({}, optional={name: value | st.sampled_from(ODD) for name, value in VALUES.items()}),
    min_size=1,
    max_size=8,
)


def _depth(tree: Any) -> int:
    return 1 + max((_depth(part) for joint in ("and", "or") for part in tree.get(joint, ())), default=0)


def looked_up(tree: Any, records: list[dict[str, Any]]) -> list[bool]:
    """What the database says of each record."""
    Code.objects.all().delete()
    Code.objects.bulk_create(Code(table="t", code=str(n), data=one) for n, one in enumerate(records))
    found = set(Code.objects.filter(condition(tree)).values_list("code", flat=True))
    return [str(n) in found for n in range(len(records))]


@pytest.mark.django_db
@settings(
    max_examples=drawing.examples(120, 1000), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow],
)  # fmt: skip
@given(tree=TREES, records=RECORDS)
def test_the_database_and_a_record_in_hand_agree(tree: Any, records: list[dict[str, Any]]) -> None:
    assert checked(tree, TYPES) == tree
    assert looked_up(tree, records) == [opens(tree, one) for one in records]


def test_an_empty_filter_opens_everything_and_no_part_of_a_tree_opens_what_a_record_does_not_say() -> None:
    assert condition({}) == Q()
    assert opens({}, {})
    for op in ("eq", "lt", "gte"):
        assert not opens({"field": "beds", "op": op, "value": 0}, {"beds": None})


def bad(tree: Any) -> dict[str, str]:
    with pytest.raises(BadFilter) as refused:
        checked(tree, TYPES)
    return {one["pointer"]: one["code"] for one in refused.value.errors}


def deep(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"field": "beds", "op": "eq", "value": 1}
    for _ in range(levels):
        tree = {"and": [tree]}
    return tree


@pytest.mark.parametrize(
    ("tree", "errors"),
    [
        ([], {"/filter": "not_a_condition"}),
        ("1=1", {"/filter": "not_a_condition"}),
        ({"not": deep(0)}, {"/filter": "not_a_condition"}),
        ({"and": []}, {"/filter/and": "bad_list"}),
        ({"and": [deep(0)] * 21}, {"/filter/and": "bad_list"}),
        ({"and": [deep(0)], "or": [deep(0)]}, {"/filter": "not_a_condition"}),
        (deep(5), {"/filter/and/0/and/0/and/0/and/0/and/0": "too_deep"}),
        ({"field": "id", "op": "eq", "value": 1}, {"/filter/field": "unknown_field"}),
        ({"field": "beds__gt", "op": "eq", "value": 1}, {"/filter/field": "unknown_field"}),
        ({"field": ["beds"], "op": "eq", "value": 1}, {"/filter/field": "unknown_field"}),
        ({"field": "name", "op": "lt", "value": "a"}, {"/filter/op": "unknown_op"}),
        ({"field": "beds", "op": "regex", "value": 1}, {"/filter/op": "unknown_op"}),
        ({"field": "beds", "op": ["eq"], "value": 1}, {"/filter/op": "unknown_op"}),
        ({"field": "at", "op": "eq", "value": [1, 2]}, {"/filter/op": "unknown_op"}),
        ({"field": "at", "op": "within", "value": [3, 0, 1, 1]}, {"/filter/value": "bad_box"}),
        ({"field": "at", "op": "within", "value": [0, 0, 181, 1]}, {"/filter/value": "bad_box"}),
        ({"field": "beds", "op": "eq", "value": "1"}, {"/filter/value": "bad_value"}),
        ({"field": "beds", "op": "eq", "value": True}, {"/filter/value": "bad_value"}),
        ({"field": "beds", "op": "eq", "value": 1.5}, {"/filter/value": "bad_value"}),
        ({"field": "level", "op": "eq", "value": float("nan")}, {"/filter/value": "bad_value"}),
        ({"field": "beds", "op": "in", "value": []}, {"/filter/value": "bad_value"}),
        ({"field": "beds", "op": "in", "value": 3}, {"/filter/value": "bad_value"}),
        ({"field": "name", "op": "eq", "value": "a\x00"}, {"/filter/value": "bad_value"}),
        ({"field": "on", "op": "gt", "value": "31.1.2026"}, {"/filter/value": "bad_value"}),
        ({"field": "since", "op": "gt", "value": "2026-01-31T08:00:00+08:00"}, {"/filter/value": "bad_value"}),
        ({"or": [deep(0), {"field": "x", "op": "eq", "value": 1}]}, {"/filter/or/1/field": "unknown_field"}),
    ],
)
def test_a_filter_that_cannot_be_names_the_place(tree: Any, errors: dict[str, str]) -> None:
    assert bad(tree) == errors

"""Does a mask hide what it says it hides, and is a policy that cannot be refused with the place named?"""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.access import fields
from sharing.access.fields import BadFields, checked, least, masked

TYPES = {"name": "string", "beds": "integer", "level": "number", "at": "geopoint", "since": "datetime", "born": "date"}
KEY, OTHER = b"one agreement", b"another"


def bad(policy: Any) -> dict[str, str]:
    with pytest.raises(BadFields) as refused:
        checked(policy, TYPES)
    return {one["pointer"]: one["code"] for one in refused.value.errors}


def test_a_policy_that_fits_is_kept_as_it_is() -> None:
    policy = {
        "name": {"mask": "partial", "end": 4}, "beds": {"mask": "bucket", "edges": [0, 10]}, "level": "full",
        "at": {"mask": "generalise"}, "since": {"mask": "generalise"}, "born": {"mask": "null"},
    }  # fmt: skip
    assert checked(policy, TYPES) == policy


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"mask": "bucket"}, "mask_needs_number"),
        ({"mask": "generalise"}, "mask_needs_place_or_time"),
        ({"mask": "partial"}, "bad_length"),
        ({"mask": "partial", "start": -1, "end": 3}, "bad_length"),
        ({"mask": "partial", "start": True}, "bad_length"),
        ({"mask": "partial", "end": 9}, "bad_length"),
        ({"mask": "constant", "value": 7}, "bad_constant"),
        ({"mask": "constant", "value": "x" * 41}, "bad_constant"),
        ({"mask": "null", "end": 4}, "unknown_mask"),
        ({"mask": "full"}, "unknown_mask"),
        ({"mask": "rot13"}, "unknown_mask"),
        ({"mask": ["null"]}, "unknown_mask"),
        ({}, "unknown_mask"),
        ("absent", "unknown_mask"),
        (None, "unknown_mask"),
    ],
)
def test_a_rule_for_text_that_cannot_be_names_its_field(rule: Any, code: str) -> None:
    assert bad({"name": rule}) == {"/fields/name": code}


@pytest.mark.parametrize("edges", [None, [], [3, 1], [1, 1], ["1"], [True], [math.nan], list(range(51))])
def test_edges_are_numbers_in_their_order(edges: Any) -> None:
    assert bad({"beds": {"mask": "bucket", "edges": edges}}) == {"/fields/beds": "bad_edges"}


@pytest.mark.parametrize("policy", [None, {}, [], "full", 7])
def test_an_empty_policy_shares_nothing_and_is_refused(policy: Any) -> None:
    assert bad(policy) == {"/fields": "empty"}


def test_every_wrong_field_is_named_at_once() -> None:
    assert bad({"nobody": "full", "beds": "half", "level": "full"}) == {
        "/fields/nobody": "unknown_field", "/fields/beds": "unknown_mask",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "rule", "shown"),
    [
        (3, {"mask": "bucket", "edges": [0, 10, 50]}, "0..10"),
        (10, {"mask": "bucket", "edges": [0, 10, 50]}, "10..50"),
        (-1, {"mask": "bucket", "edges": [0, 10, 50]}, "<0"),
        (50, {"mask": "bucket", "edges": [0, 10, 50]}, ">=50"),
        ("many", {"mask": "bucket", "edges": [0]}, None),
        ([118.789, 32.041], {"mask": "generalise"}, [118.78, 32.04]),
        ([-0.001, -0.001], {"mask": "generalise"}, [-0.01, -0.01]),
        ("2026-03-01T08:15:00Z", {"mask": "generalise"}, "2026-03-01"),
        ("1987-06-05", {"mask": "generalise"}, "1987-06"),
        ("13912345678", {"mask": "partial", "start": 3, "end": 2}, "139***78"),
        ("13912", {"mask": "partial", "start": 3, "end": 2}, "***"),
        ("王小明", {"mask": "partial", "start": 1}, "王***"),
        ("secret", {"mask": "constant"}, "***"),
        ("secret", {"mask": "constant", "value": "withheld"}, "withheld"),
        ("secret", {"mask": "null"}, None),
        ("open", "full", "open"),
        (None, {"mask": "constant"}, None),
    ],
)
def test_what_a_mask_shows(value: Any, rule: Any, shown: Any) -> None:
    assert masked(value, rule, KEY) == shown


def test_a_pseudonym_is_the_same_within_an_agreement_and_nowhere_else() -> None:
    rule = {"mask": "pseudonym"}
    assert masked("Li", rule, KEY) == masked("Li", rule, KEY)
    assert len({masked("Li", rule, KEY), masked("Li", rule, OTHER), masked("Wu", rule, KEY), "Li"}) == 4


@given(st.text(min_size=1, max_size=40), st.integers(0, 8), st.integers(0, 8))
def test_a_partial_mask_never_shows_the_whole_nor_how_long_it_is(text: str, start: int, end: int) -> None:
    shown = masked(text, {"mask": "partial", "start": start, "end": end}, KEY)
    assert len(shown) <= start + end + 3
    assert shown.replace(fields.STARS, "", 1) != text


def test_of_several_rules_the_one_that_hides_least_is_taken() -> None:
    rules: list[fields.Rule] = [{"mask": "null"}, {"mask": "partial", "end": 2}, {"mask": "constant"}]
    assert least(rules) == {"mask": "partial", "end": 2}
    assert least([*rules, "full"]) == "full"

"""Does "less than asked" never show more: of any value, in any record?"""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from coordination.events.refused import Invalid
from sharing.access import fields as masks
from sharing.access import filters
from sharing.catalogue import narrowing

KEY = b"key"
EDGES = st.lists(st.integers(-20, 20), min_size=1, max_size=5, unique=True).map(sorted)
CONSTANT = st.builds(lambda value: {"mask": "constant", "value": value}, st.sampled_from(["***", "-"]))
COMMON = st.one_of(st.just("full"), st.just({"mask": "null"}), st.just({"mask": "pseudonym"}), CONSTANT)
NUMBERS = st.one_of(COMMON, st.builds(lambda edges: {"mask": "bucket", "edges": edges}, EDGES))
KEPT = st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(any)
WORDS = st.one_of(COMMON, KEPT.map(lambda kept: {"mask": "partial", "start": kept[0], "end": kept[1]}))
MOMENTS = st.one_of(COMMON, st.just({"mask": "generalise"}))


def tells(rule: Any, values: list[Any]) -> list[list[bool]]:
    """Which of these values a rule lets one tell apart."""
    shown = [masks.masked(value, rule, KEY) for value in values]
    return [[one == other for other in shown] for one in shown]


def no_finer(given: Any, asked: Any, values: list[Any]) -> bool:
    """Whether values that the asked rule shows alike are shown alike by the given one."""
    mine, theirs = tells(given, values), tells(asked, values)
    return all(mine[a][b] for a in range(len(values)) for b in range(len(values)) if theirs[a][b])


@given(NUMBERS, NUMBERS, st.lists(st.integers(-25, 25), min_size=2, max_size=8))
def test_numbers(one: Any, other: Any, values: list[int]) -> None:
    assume(narrowing.tells_no_more(one, other))
    assert no_finer(one, other, values)


@given(WORDS, WORDS, st.lists(st.text("ab", max_size=7), min_size=2, max_size=8))
def test_words(one: Any, other: Any, values: list[str]) -> None:
    assume(narrowing.tells_no_more(one, other))
    assert no_finer(one, other, values)


def test_fewer_characters_can_tell_more_of_a_short_text_and_are_refused() -> None:
    asked, given_rule = {"mask": "partial", "start": 3, "end": 2}, {"mask": "partial", "start": 2, "end": 2}
    assert not no_finer(given_rule, asked, ["abcde", "vwxyz"])
    assert not narrowing.tells_no_more(given_rule, asked)


@given(MOMENTS, MOMENTS, st.lists(st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}"), min_size=2, max_size=6))
def test_moments(one: Any, other: Any, values: list[str]) -> None:
    assume(narrowing.tells_no_more(one, other))
    assert no_finer(one, other, values)


@given(st.dictionaries(st.sampled_from("abcd"), NUMBERS), st.dictionaries(st.sampled_from("abcd"), NUMBERS))
def test_a_policy_passes_only_where_each_field_does(given_fields: dict[str, Any], asked: dict[str, Any]) -> None:
    less = all(
        name in asked and narrowing.tells_no_more(rule, asked[name]) for name, rule in given_fields.items()
    )
    try:
        narrowing.require_no_more(given_fields, asked)
    except Invalid as no:
        assert not less and {error["code"] for error in no.errors} == {"more_than_asked"}
    else:
        assert less and set(given_fields) <= set(asked)


LEAF = st.builds(
    lambda name, op, value: {"field": name, "op": op, "value": value},
    st.sampled_from("ab"), st.sampled_from(["eq", "lt", "gte"]), st.integers(-3, 3),
)
TREES = st.recursive(
    LEAF,
    lambda inner: st.builds(
        lambda joint, parts: {joint: parts}, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.one_of(st.just({}), TREES), st.one_of(st.just({}), TREES),
    st.fixed_dictionaries({"a": st.integers(-4, 4), "b": st.integers(-4, 4)}),
)  # fmt: skip
def test_no_record_passes_both_filters_that_one_stops(asked: Any, more: Any, record: dict[str, int]) -> None:
    both = filters.opens(narrowing.together(asked, more), record)
    assert both == (filters.opens(asked, record) and filters.opens(more, record))

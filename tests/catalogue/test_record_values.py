"""Is a record held to its schema, and kept in one form?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.catalogue.record_values import Reader, text_of

pytestmark = pytest.mark.django_db


def read(value: Any, **field: Any) -> tuple[Any, list[tuple[str, str]]]:
    """The value as it is kept in a field of this kind, and what is said against it."""
    return whole({"v": value}, [{"name": "v", **field}])


def whole(record: Any, fields: list[dict[str, Any]], **more: Any) -> tuple[Any, list[tuple[str, str]]]:
    said: list[tuple[str, str]] = []
    reader = Reader({"fields": fields, **more})
    found = reader.read(record, lambda at, code, _detail: said.append((at, code)), "/records/0")
    return (found.get("v") if len(fields) == 1 else found), said


def nested(deep: int) -> dict[str, Any]:
    found: list[Any] = []
    for _level in range(deep):
        found = [found]
    return {"type": "Point", "coordinates": found}


@pytest.mark.parametrize(
    ("value", "field", "kept"),
    [
        ("North", {}, "North"),
        (3, {"type": "integer"}, 3),
        (3.0, {"type": "integer"}, 3),
        (2.5, {"type": "number"}, 2.5),
        (False, {"type": "boolean"}, False),
        ("2026-03-01", {"type": "date"}, "2026-03-01"),
        ("2026-03-01T16:00:00+08:00", {"type": "datetime"}, "2026-03-01T08:00:00Z"),
        ("2026-03-01T08:00:00.750Z", {"type": "datetime"}, "2026-03-01T08:00:00Z"),
        ("08:30", {"type": "time"}, "08:30"),
        (2026, {"type": "year"}, 2026),
        ("2026-03", {"type": "yearmonth"}, "2026-03"),
        ("P1DT2H", {"type": "duration"}, "P1DT2H"),
        ("118.78, 32.04", {"type": "geopoint"}, [118.78, 32.04]),
        ([118, 32], {"type": "geopoint", "format": "array"}, [118.0, 32.0]),
        ({"lon": 118.5, "lat": -32}, {"type": "geopoint", "format": "object"}, [118.5, -32.0]),
        ({"type": "Point", "coordinates": [1, 2]}, {"type": "geojson"}, {"type": "Point", "coordinates": [1, 2]}),
        ("0190B5A0-0000-7000-8000-000000000001", {"format": "uuid"}, "0190b5a0-0000-7000-8000-000000000001"),
        (None, {}, None),
        ("", {}, None),
        (1.0, {"type": "integer", "constraints": {"enum": [1, 2]}}, 1),
    ],
)
def test_what_fits_is_kept_in_one_form(value: Any, field: dict[str, Any], kept: Any) -> None:
    assert read(value, **field) == (kept, [])


@pytest.mark.parametrize(
    ("value", "field", "code"),
    [
        (3, {}, "not_of_type"),
        ("a\x00", {}, "not_of_type"),
        ("\ud800", {}, "not_of_type"),
        ("x" * 10_001, {}, "not_of_type"),
        (True, {"type": "integer"}, "not_of_type"),
        (2.5, {"type": "integer"}, "not_of_type"),
        (2**60, {"type": "integer"}, "not_of_type"),
        (float("inf"), {"type": "number"}, "not_of_type"),
        ("3", {"type": "number"}, "not_of_type"),
        (1, {"type": "boolean"}, "not_of_type"),
        ("1.3.2026", {"type": "date"}, "not_of_type"),
        ("2026-02-30", {"type": "date"}, "not_of_type"),
        ("0001-01-01T00:00:00+14:00", {"type": "datetime"}, "not_of_type"),
        ("P", {"type": "duration"}, "not_of_type"),
        ("118.78; 32.04", {"type": "geopoint"}, "not_of_type"),
        ("32.04, 118.78", {"type": "geopoint"}, "not_of_type"),  # the latitude first
        ([1, 2, 3], {"type": "geopoint", "format": "array"}, "not_of_type"),
        ([True, 2], {"type": "geopoint", "format": "array"}, "not_of_type"),
        ([float("nan"), 2], {"type": "geopoint", "format": "array"}, "not_of_type"),
        ({"lon": 1}, {"type": "geopoint", "format": "object"}, "not_of_type"),
        ({"type": "Blob"}, {"type": "geojson"}, "not_of_type"),
        ({"type": ["Point"]}, {"type": "geojson"}, "not_of_type"),
        (nested(21), {"type": "geojson"}, "not_of_type"),
        (nested(1_000), {"type": "geojson"}, "not_of_type"),
        ("118.78, 32.04", {"type": "geopoint", "codes": "unit"}, "unknown_code"),
        ([], {"type": "geojson"}, "not_of_type"),
        ("nobody", {"format": "email"}, "not_of_type"),
        ("no address", {"format": "uri"}, "not_of_type"),
        ("123", {"format": "uuid"}, "not_of_type"),
        ("ab", {"constraints": {"minLength": 3}}, "length"),
        ("abcd", {"constraints": {"maxLength": 3}}, "length"),
        ("abc", {"constraints": {"pattern": "[0-9]+"}}, "pattern"),
        (5, {"type": "integer", "constraints": {"maximum": 4}}, "range"),
        ("2025-12-31", {"type": "date", "constraints": {"minimum": "2026-01-01"}}, "range"),
        ("west", {"constraints": {"enum": ["north", "south"]}}, "enum"),
        (True, {"type": "boolean", "constraints": {"enum": [False]}}, "enum"),
        ("nothing", {"codes": "unit"}, "unknown_code"),
        (None, {"constraints": {"required": True}}, "required"),
        ("", {"constraints": {"required": True}}, "required"),
    ],
)
def test_what_does_not_fit_is_named_with_its_rule(value: Any, field: dict[str, Any], code: str) -> None:
    assert read(value, **field)[1] == [("/records/0/v", code)]


def test_every_fault_of_a_record_is_named_at_once() -> None:
    fields = [{"name": "a", "type": "integer"}, {"name": "b", "constraints": {"required": True}}]
    found, said = whole({"a": "x", "c/d": 1}, fields)
    assert found == {}
    assert said == [
        ("/records/0/c~1d", "unknown_field"), ("/records/0/a", "not_of_type"), ("/records/0/b", "required"),
    ]  # fmt: skip


@pytest.mark.parametrize("record", [None, [], "a", 3])
def test_a_record_is_an_object(record: Any) -> None:
    assert whole(record, [{"name": "a"}, {"name": "b"}]) == ({}, [("/records/0", "not_an_object")])


def test_what_counts_as_missing_is_the_schemas_word() -> None:
    assert whole({"v": "n/a"}, [{"name": "v", "type": "integer"}], missingValues=["n/a"]) == (None, [])
    assert whole({"v": ""}, [{"name": "v"}], missingValues=["n/a"]) == ("", [])


@given(st.lists(st.one_of(st.text(), st.integers(), st.booleans(), st.none()), max_size=4), st.data())
def test_no_two_keys_are_the_same_text(values: list[Any], data: Any) -> None:
    other = data.draw(st.lists(st.one_of(st.text(), st.integers(), st.booleans(), st.none()), max_size=4))
    storable = [one for one in (*values, *other) if isinstance(one, str)]
    if len(values) == len(other) and not any("\x1f" in one for one in storable):
        assert (text_of(values) == text_of(other)) == (
            [(type(one), one) for one in values] == [(type(one), one) for one in other]
        )

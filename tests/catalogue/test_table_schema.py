"""Is each Table Schema we cannot hold data to refused, at the very place, and every good one taken?"""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sharing.catalogue import table_schema
from tests.catalogue.ground import SCHEMA

pytestmark = pytest.mark.django_db


def faults(document: Any) -> list[str]:
    found: list[str] = []
    table_schema.check(document, lambda pointer, code, _detail: found.append(f"{pointer} {code}"), "/schema")
    return found


def one(**more: Any) -> dict[str, Any]:
    return {"fields": [{"name": "a", "title_en": "A", **more}]}


GOOD = (
    SCHEMA,
    one(),
    one(type="number", unit="person", constraints={"minimum": 0, "maximum": 1.5}),
    one(type="date", constraints={"minimum": "2020-01-01", "maximum": "2020-01-01"}),
    one(type="datetime", constraints={"minimum": "2020-01-01T00:00:00Z", "maximum": "2021-01-01T00:00:00"}),
    one(type="year", constraints={"enum": [2020, "2021"]}),
    one(type="string", codes="incident_type", format="email", constraints={"pattern": "^[A-Z]{2}(-[0-9]{4})?$"}),
    one(type="geopoint", format="object", mask="generalise", classification=2, filterable=False),
    one() | {"missingValues": ["", "-"], "primaryKey": "a", "uniqueKeys": [["a"]]},
)

BAD = (
    ("text", "/schema not_an_object"),
    ([], "/schema not_an_object"),
    ({}, "/schema/fields required"),
    ({"fields": []}, "/schema/fields required"),
    ({"fields": [{"name": f"f{n}", "title_en": "F"} for n in range(301)]}, "/schema/fields too_many"),
    ({"fields": [7]}, "/schema/fields/0 not_an_object"),
    (one() | {"foreignKeys": []}, "/schema/foreignKeys unknown_property"),
    (one() | {"a/b~c": 1}, "/schema/a~1b~0c unknown_property"),
    (one(name="1a"), "/schema/fields/0/name not_a_name"),
    (one(name="a; DROP TABLE x"), "/schema/fields/0/name not_a_name"),
    (one(name=["a"]), "/schema/fields/0/name not_a_name"),
    ({"fields": [*one()["fields"], {"name": "A", "title_en": "B"}]}, "/schema/fields/1/name repeated"),
    ({"fields": [{"name": "a"}]}, "/schema/fields/0/title_zh required"),
    (one(type="money"), "/schema/fields/0/type unknown_type"),
    (one(type={"x": 1}), "/schema/fields/0/type unknown_type"),
    (one(type="date", format="any"), "/schema/fields/0/format unknown_format"),
    (one(title_zh="中" * 121), "/schema/fields/0/title_zh not_text"),
    (one(title_en="a\x00"), "/schema/fields/0/title_en not_text"),
    (one(unit="parsec"), "/schema/fields/0/unit unknown_code"),
    (one(codes="no_such_table"), "/schema/fields/0/codes unknown_table"),
    (one(classification=True), "/schema/fields/0/classification out_of_range"),
    (one(classification=[1]), "/schema/fields/0/classification out_of_range"),
    (one(mask="blur"), "/schema/fields/0/mask unknown_mask"),
    (one(filterable="yes"), "/schema/fields/0/filterable not_boolean"),
    (one(constraints=[]), "/schema/fields/0/constraints not_an_object"),
    (one(constraints={"jsonSchema": {}}), "/schema/fields/0/constraints/jsonSchema unknown_property"),
    (one(type="boolean", constraints={"minimum": 1}), "/schema/fields/0/constraints/minimum unknown_property"),
    (one(type="integer", constraints={"minimum": 1.5}), "/schema/fields/0/constraints/minimum not_of_type"),
    (one(type="number", constraints={"maximum": float("inf")}), "/schema/fields/0/constraints/maximum not_of_type"),
    (one(type="date", constraints={"minimum": "2020-02-30"}), "/schema/fields/0/constraints/minimum not_of_type"),
    (one(type="year", constraints={"minimum": 2, "maximum": 1}), "/schema/fields/0/constraints/maximum out_of_range"),
    (one(constraints={"minLength": 3, "maxLength": 2}), "/schema/fields/0/constraints/maxLength out_of_range"),
    (one(constraints={"minLength": -1}), "/schema/fields/0/constraints/minLength not_a_length"),
    (one(constraints={"required": "yes"}), "/schema/fields/0/constraints/required not_boolean"),
    (one(constraints={"enum": []}), "/schema/fields/0/constraints/enum not_a_list"),
    (one(constraints={"enum": ["a", "a"]}), "/schema/fields/0/constraints/enum/1 repeated"),
    (one(type="integer", constraints={"enum": ["1"]}), "/schema/fields/0/constraints/enum/0 not_of_type"),
    (one(constraints={"pattern": "("}), "/schema/fields/0/constraints/pattern not_a_pattern"),
    (one(constraints={"pattern": "(a+)+$"}), "/schema/fields/0/constraints/pattern runs_away"),
    (one(constraints={"pattern": "((a|aa))*$"}), "/schema/fields/0/constraints/pattern runs_away"),
    (one(constraints={"pattern": "(a){9999999999999}"}), "/schema/fields/0/constraints/pattern not_a_pattern"),
    (one(constraints={"pattern": r"(a)\1"}), "/schema/fields/0/constraints/pattern runs_away"),
    (one(constraints={"pattern": "a" * 201}), "/schema/fields/0/constraints/pattern not_text"),
    (one() | {"primaryKey": "b"}, "/schema/primaryKey/0 unknown_field"),
    (one() | {"primaryKey": []}, "/schema/primaryKey not_a_key"),
    (one() | {"primaryKey": ["a", "a"]}, "/schema/primaryKey repeated"),
    (one() | {"primaryKey": [{}]}, "/schema/primaryKey not_a_key"),
    (one() | {"uniqueKeys": [["c"]]}, "/schema/uniqueKeys/0/0 unknown_field"),
    (one() | {"uniqueKeys": "a"}, "/schema/uniqueKeys not_a_list"),
    (one() | {"missingValues": "x"}, "/schema/missingValues not_texts"),
)


@pytest.mark.parametrize("document", GOOD)
def test_a_good_document_is_taken(document: Any) -> None:
    assert faults(document) == []


@pytest.mark.parametrize(("document", "said"), BAD, ids=lambda value: str(value)[:60])
def test_a_bad_one_is_refused_at_its_place(document: Any, said: str) -> None:
    assert faults(document) == [said]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["fields", "name", "type", "constraints", "enum", "pattern", "primaryKey", "minimum", "mask", "codes", "x"]
    ), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=JSON, field=JSON, constraints=JSON)
def test_whatever_comes_is_judged_and_never_raises(document: Any, field: Any, constraints: Any) -> None:
    for one_document in (
        document, {"fields": [field, field]},
        {"fields": [{"name": "a", "title_en": "A", "type": kind, "constraints": constraints} for kind in ("string",)]},
    ):
        faults(one_document)


def test_a_large_hostile_document_is_judged_in_little_time() -> None:
    pattern = "(" * 99 + ")" * 99
    document = {"fields": [
        {"name": f"f{n}", "title_en": "F", "constraints": {"enum": [str(k) for k in range(1000)], "pattern": pattern}}
        for n in range(300)
    ]}
    begun = time.process_time()
    faults(document)
    assert time.process_time() - begun < 10

"""Are the code tables whole, bilingual and safe to load again?"""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.utils import translation

from sharing.catalogue import actions, queries, shipped
from sharing.catalogue.models import Code

TABLES = {
    "incident_type", "decline_reason", "outcome_grade", "timeliness", "hold_reason", "unit", "verb", "log_kind",
    "report_channel", "grade", "response_level", "warning_level", "data_theme", "update_frequency",
}


def test_every_table_is_shipped_in_both_languages() -> None:
    tables = shipped.tables()
    assert set(tables) == TABLES
    for rows in tables.values():
        assert all(row.name_zh and row.name_en for row in rows)
        assert len({row.name_zh for row in rows}) == len({row.name_en for row in rows}) == len(rows)


def test_every_incident_type_has_its_parents_and_one_of_four_classes() -> None:
    codes = {row.code: row for row in shipped.tables()["incident_type"]}
    assert {code.split(".")[0] for code in codes} == {"natural", "accident", "health", "security"}
    assert all(row.parent in codes for row in codes.values() if row.parent)
    assert codes["accident.chemical.explosion"].parent == "accident.chemical"


@pytest.mark.django_db
def test_tables_answer_before_and_after_loading() -> None:
    before = [row.code for row in queries.codes("incident_type")]
    assert queries.code("verb", "evacuate") is not None
    out = io.StringIO()
    call_command("load_codes", stdout=out)
    assert f"incident_type: {len(before)}" in out.getvalue()
    assert [row.code for row in queries.codes("incident_type")] == before
    assert queries.codes("no_such_table") == []
    assert queries.code("verb", "no_such_verb") is None
    assert set(queries.table_names()) == TABLES


@pytest.mark.django_db
def test_loading_again_keeps_rows_and_puts_the_forgotten_out_of_use() -> None:
    actions.load_codes()
    keys = {(table, code): pk for table, code, pk in Code.objects.values_list("table", "code", "pk")}
    Code.objects.filter(table="verb", code="treat").update(name_zh="旧名")
    Code.objects.create(table="verb", code="obsolete", name_zh="废", name_en="Obsolete")
    Code.objects.create(table="own_table", code="kept", name_zh="留", name_en="Kept")
    actions.load_codes()
    treat = queries.code("verb", "treat")
    assert treat is not None and treat.name_zh == "救治"
    assert queries.code("verb", "obsolete") is None
    assert queries.names("verb")["obsolete"].name_en == "Obsolete"
    assert queries.code("own_table", "kept") is not None
    now = {(table, code): pk for table, code, pk in Code.objects.values_list("table", "code", "pk")}
    assert {name: now[name] for name in keys} == keys


def test_names_come_in_the_readers_language_and_fall_back_to_the_parent() -> None:
    types = {row.code: row for row in shipped.tables()["incident_type"]}
    with translation.override("zh-hans"):
        assert queries.path_name(types, "accident.chemical.explosion") == "危化品爆炸"
    with translation.override("en"):
        assert queries.path_name(types, "accident.chemical.newer") == "Hazardous chemicals accident"
        assert queries.path_name(types, "nothing") == "nothing"


@pytest.mark.django_db
@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_many_names_at_once_are_those_given_one_by_one(loaded: bool, language: str) -> None:
    if loaded:
        actions.load_codes()
        Code.objects.filter(table="incident_type", code="accident.fire").update(active=False)
    asked = {"accident.fire", "accident.chemical.explosion", "accident.chemical.newer", "accident", "nothing", ""}
    with translation.override(language):
        types = queries.names("incident_type")
        expected = {path: queries.path_name(types, path) for path in asked}
        assert queries.path_names("incident_type", asked) == expected
        assert queries.path_names("incident_type", set()) == {}
    assert expected["accident.chemical.newer"] != "accident.chemical.newer"


@pytest.mark.django_db
def test_a_name_of_a_list_is_that_of_the_page_also_for_a_code_that_is_gone() -> None:
    """One table, one answer: what is shipped stands in for a table that was never loaded, not for a row of it."""
    actions.load_codes()
    Code.objects.filter(table="incident_type", code__startswith="accident").delete()
    named = queries.path_name(queries.names("incident_type"), "accident.fire")
    assert queries.path_names("incident_type", {"accident.fire"}) == {"accident.fire": named}
    assert named == "accident.fire"

"""Does an actor see of each record just what the grants that open this record show, at each moment?"""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordination.events.actor import SYSTEM, Actor
from sharing import access
from sharing.access import fields as masks
from sharing.access import filters
from sharing.access.actions.opening import Holder, Terms
from sharing.access.models import Grant
from sharing.access.queries.sight import Unseen
from sharing.catalogue.models import Code
from tests import drawing
from tests.access.city import T0, department, person

pytestmark = pytest.mark.django_db
CLASSES = {"name": 1, "beds": 2, "phone": 3, "patient": 4}
ROWS = [
    {"name": "North", "beds": 3, "phone": "13900000001", "patient": "Li"},
    {"name": "South", "beds": 40, "phone": "13900000002", "patient": "Wu"},
    {"name": "West", "beds": None, "phone": "13900000003"},
]
FULL = dict.fromkeys(CLASSES, masks.FULL)
HIDES: list[masks.Rule] = [masks.FULL, {"mask": "partial", "end": 2}, {"mask": "null"}, {"mask": "pseudonym"}]
HOUR = timedelta(hours=1)


def terms(**given: Any) -> Terms:
    return Terms(**{"fields": FULL, "max_class": 4, "source": "agreement", "valid_from": T0, **given})


@pytest.fixture
def city() -> SimpleNamespace:
    """A centre with a bureau and a station below it, another bureau, and records of dataset 7."""
    centre = department("centre", kind="command_centre")
    health = department("health", centre)
    station = department("station", health)
    Code.objects.bulk_create(Code(table="records", code=str(n), data=one) for n, one in enumerate(ROWS))
    return SimpleNamespace(centre=centre, health=health, station=station, water=department("water", centre))


def records() -> Any:
    return Code.objects.filter(table="records").order_by("code")


def to(department_id: int) -> list[Holder]:
    return [Holder("department", str(department_id))]


def seen(actor: Actor, at: datetime = T0, **more: Any) -> list[dict[str, Any]]:
    """The records as they are shown; none for whoever holds nothing."""
    try:
        held = access.held(actor, 7, at, **more)
    except Unseen:
        return []
    return list(held.shown(held.rows(records()).values(), CLASSES))


def test_nobody_sees_a_record_without_a_grant(city: SimpleNamespace) -> None:
    assert seen(person(city.health)) == []
    access.open_dataset(dataset_id=8, holders=to(city.health.pk), terms=terms())
    assert seen(person(city.health)) == []
    with pytest.raises(Unseen):
        access.held(person(city.health), 7, T0)


@pytest.mark.parametrize(
    ("holder", "who"),
    [
        (lambda c: Holder("department", str(c.health.pk)), {"health"}),
        (lambda c: Holder("subtree", str(c.health.pk)), {"health", "station"}),
        (lambda c: Holder("subtree", str(c.centre.pk)), {"centre", "health", "station", "water"}),
        (lambda c: Holder("every_department", ""), {"centre", "health", "station", "water"}),
        (lambda c: Holder("post", f"{c.water.pk}/commander"), {"water"}),
        (lambda c: Holder("post", f"{c.water.pk}/head"), set()),
        (lambda c: Holder("person", "1"), {"centre", "health", "station", "water"}),  # everybody here is person 1
        (lambda c: Holder("person", "2"), set()),
    ],
)
def test_who_holds_it(city: SimpleNamespace, holder: Any, who: set[str]) -> None:
    access.open_dataset(dataset_id=7, holders=[holder(city)], terms=terms())
    assert {name for name, row in vars(city).items() if seen(person(row))} == who


@pytest.mark.parametrize("post", ["auditor", "administrator"])
def test_whoever_may_view_nothing_holds_nothing(city: SimpleNamespace, post: str) -> None:
    access.open_dataset(dataset_id=7, holders=to(city.health.pk), terms=terms())
    assert seen(person(city.health, post)) == []


def test_a_grant_lapses_by_the_clock_and_is_revoked_at_once(city: SimpleNamespace) -> None:
    """No job has run."""
    actor, window = person(city.health), terms(valid_from=T0 + HOUR, valid_to=T0 + 3 * HOUR)
    (grant,) = access.open_dataset(dataset_id=7, holders=to(city.health.pk), terms=window)
    assert [bool(seen(actor, T0 + n * HOUR)) for n in range(5)] == [False, True, True, False, False]
    assert access.close_dataset(actor=SYSTEM, grant_ids=[grant.pk], why="leaked", now=T0 + 2 * HOUR) == 1
    assert [bool(seen(actor, T0 + n * HOUR)) for n in range(5)] == [False, True, False, False, False]
    assert access.close_dataset(actor=SYSTEM, grant_ids=[grant.pk], why="again", now=T0 + 3 * HOUR) == 0
    assert Grant.objects.get().revoked_why == "leaked"


def test_never_one_grants_rows_with_anothers_fields(city: SimpleNamespace) -> None:
    few = {"field": "beds", "op": "lt", "value": 10}
    access.open_dataset(
        dataset_id=7, holders=to(city.health.pk), terms=terms(fields={"name": "full", "phone": "full"}, filter=few)
    )
    access.open_dataset(
        dataset_id=7, holders=to(city.health.pk), terms=terms(fields={"name": "full", "beds": "full"})
    )
    shown = seen(person(city.health))
    assert [set(row["data"]) for row in shown] == [{"name", "beds", "phone"}, {"name", "beds"}, {"name", "beds"}]


def test_no_field_above_the_class_of_its_grant(city: SimpleNamespace) -> None:
    for level, fields in ((1, {"name"}), (2, {"name", "beds"}), (3, {"name", "beds", "phone"})):
        Grant.objects.all().delete()
        access.open_dataset(dataset_id=7, holders=to(city.health.pk), terms=terms(max_class=level))
        assert [set(row["data"]) for row in seen(person(city.health))] == [fields] * 3


def test_the_owner_sees_every_field_of_whatever_schema_comes(city: SimpleNamespace) -> None:
    access.open_dataset(dataset_id=7, holders=to(city.health.pk), terms=terms(fields={"*": "full"}))
    assert [row["data"] for row in seen(person(city.health))] == ROWS


def test_a_declared_purpose_leaves_the_grants_for_others_aside(city: SimpleNamespace) -> None:
    access.open_dataset(
        dataset_id=7, holders=to(city.health.pk), terms=terms(fields={"name": "full"}, purpose="planning")
    )
    access.open_dataset(
        dataset_id=7, holders=to(city.health.pk), terms=terms(fields={"phone": "full"}, purpose="rescue")
    )
    assert {*seen(person(city.health))[0]["data"]} == {"name", "phone"}
    assert {*seen(person(city.health), purpose="rescue")[0]["data"]} == {"phone"}
    assert seen(person(city.health), purpose="curiosity") == []


def test_only_what_every_opening_shows_whole_may_be_asked_by(city: SimpleNamespace) -> None:
    """A masked field would be told by what a filter finds."""
    access.open_dataset(
        dataset_id=7, holders=to(city.health.pk),
        terms=terms(fields={"name": "full", "beds": "full", "phone": {"mask": "partial", "end": 2}}),
    )
    assert access.held(person(city.health), 7, T0).askable(CLASSES) == {"name", "beds"}
    access.open_dataset(dataset_id=7, holders=to(city.health.pk), terms=terms(fields={"name": "full", "phone": "full"}))
    assert access.held(person(city.health), 7, T0).askable(CLASSES) == {"name"}


def test_it_costs_the_same_whatever_the_number_of_grants_and_records(city: SimpleNamespace) -> None:
    actor = person(city.health)

    def asked() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert seen(actor)
        return len(asked)

    access.open_dataset(dataset_id=7, holders=to(city.health.pk), terms=terms())
    seen(actor)
    few = asked()
    for n in range(30):
        access.open_dataset(dataset_id=7, holders=to(city.health.pk), terms=terms(incident_id=n))
    Code.objects.bulk_create(Code(table="records", code=f"x{n}", data=ROWS[0]) for n in range(300))
    assert asked() == few == 2
    assert len(access.held(actor, 7, T0).openings) == 1  # alike, so one


FEW = {"field": "beds", "op": "lt", "value": 10}
WEST = {"field": "name", "op": "in", "value": ["West"]}
OPENINGS = st.lists(
    st.fixed_dictionaries(
        {
            "fields": st.dictionaries(st.sampled_from(sorted(CLASSES)), st.sampled_from(HIDES), min_size=1),
            "max_class": st.integers(1, 4),
            "filter": st.sampled_from([{}, FEW, WEST, {"or": [{"field": "beds", "op": "gte", "value": 40}, WEST]}]),
            "valid_from": st.sampled_from([T0, T0 + HOUR]),
            "valid_to": st.sampled_from([None, T0 + HOUR, T0 + 2 * HOUR]),
            "pseudonym_key": st.sampled_from(["", "a", "b"]),
            "purpose": st.sampled_from(["", "rescue", "planning"]),
        }
    ),
    max_size=5,
)  # fmt: skip


def by_the_model(openings: list[dict[str, Any]], at: datetime, purpose: str) -> list[Any]:
    """What of each record is shown, said as plainly as can be: None where nothing, else how each field."""
    told: list[Any] = []
    for row in ROWS:
        ways = [
            one for one in openings
            if one["valid_from"] <= at and (one["valid_to"] is None or at < one["valid_to"])
            and (not purpose or one["purpose"] in ("", purpose)) and filters.opens(one["filter"], row)
        ]
        best: dict[str, tuple[int, str]] = {}
        for one in ways:
            for name, rule in one["fields"].items():
                if CLASSES[name] <= one["max_class"] and name in row:
                    kind = rule if isinstance(rule, str) else rule["mask"]
                    best[name] = min(best.get(name, (99, "")), (masks.RANKS[kind], kind))
        told.append({name: kind for name, (_rank, kind) in best.items()} if ways else None)
    return told


@settings(
    max_examples=drawing.examples(60, 600), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(openings=OPENINGS, hours=st.integers(0, 3), purpose=st.sampled_from(["", "rescue"]))
def test_what_is_shown_is_what_a_small_model_says(
    city: SimpleNamespace, openings: list[dict[str, Any]], hours: int, purpose: str
) -> None:
    Grant.objects.all().delete()
    at = T0 + hours * HOUR
    for one in openings:
        access.open_dataset(dataset_id=7, holders=to(city.health.pk), terms=terms(**one))
    expected = by_the_model(openings, at, purpose)
    shown = {row["code"]: row for row in seen(person(city.health), at, purpose=purpose)}
    assert {str(n) for n, one in enumerate(expected) if one is not None} == set(shown)
    for number, kinds in enumerate(expected):
        if kinds is None:
            continue
        data, whole = shown[str(number)]["data"], ROWS[number]
        assert data.keys() == kinds.keys()
        for name, kind in kinds.items():
            if kind == "full" or whole[name] is None:
                assert data[name] == whole[name]
            else:
                assert data[name] != whole[name], f"{name} should be {kind}"
                assert name in shown[str(number)]["masked"]

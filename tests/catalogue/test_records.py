"""Do records come in whole or not at all, stay as they were by transfer, and open only as far as a grant does?"""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import Event
from coordination.events.refused import Forbidden, Invalid, NotFound
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.access.filters import BadFilter
from sharing.access.guarded import UnguardedReadError
from sharing.catalogue import actions, queries
from sharing.catalogue.actions.delivering import NothingToHoldItTo, NotYourData
from sharing.catalogue.models import Dataset, Record, Transfer
from sharing.catalogue.queries.records import NoGrant
from tests.catalogue.ground import SCHEMA, T0, Ground

pytestmark = pytest.mark.django_db
NORTH = {"id": "north", "beds": 40, "phone": "13900000001"}
SOUTH = {"id": "south", "beds": 3, "phone": "13900000002"}
HOUR = timedelta(hours=1)


def deliver(
    ground: Ground, row: Dataset, records: Any, by: str = "health", post: str = "data_steward", **more: Any
) -> Transfer:
    return actions.deliver(actor=ground.actor(by, post), now=ground.now, dataset_id=row.pk, records=records, **more)


def page(ground: Ground, row: Dataset, by: str = "health", **more: Any) -> list[dict[str, Any]]:
    given = {"actor": ground.actor(by, "duty_officer"), "now": ground.now} | more
    return queries.records(dataset_id=row.pk, **given)[0]


def data(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row["data"] for row in rows]


def opened(ground: Ground, row: Dataset, to: str = "fire", **more: Any) -> int:
    given = {"fields": {"id": "full", "beds": "full"}, "max_class": 2, "source": "agreement", "valid_from": T0} | more
    holder = Holder("department", str(ground.departments[to].pk))
    return access.open_dataset(dataset_id=row.pk, holders=[holder], terms=Terms(**given))[0].pk


def test_a_delivery_replaces_the_whole_and_earlier_states_stay(ground: Ground) -> None:
    row = ground.published()
    first = deliver(ground, row, [NORTH, SOUTH])
    assert (first.number, first.added, first.changed, first.ended, first.same) == (1, 2, 0, 0, 0)
    second = deliver(ground, row, [NORTH, {**SOUTH, "beds": 2}])
    assert (second.number, second.added, second.changed, second.ended, second.same) == (2, 0, 1, 0, 1)
    third = deliver(ground, row, [NORTH])
    assert (third.added, third.changed, third.ended, third.same) == (0, 0, 1, 1)
    assert data(page(ground, row)) == [NORTH]
    kept = Record.everything.filter(dataset=row, key__contains="south").order_by("since")
    assert [(one.data["beds"], one.since, one.until) for one in kept] == [(3, 1, 2), (2, 2, 3)]
    said = Event.objects.filter(type="dataset.delivered").order_by("pk").values_list("payload", flat=True)
    assert [one["number"] for one in said] == [1, 2, 3]
    assert "13900000001" not in str(list(said))


def test_a_part_replaces_what_it_names(ground: Ground) -> None:
    row = ground.published()
    deliver(ground, row, [NORTH, SOUTH])
    part = deliver(ground, row, [{**SOUTH, "beds": 9}, {"id": "west"}], mode="part")
    assert (part.added, part.changed, part.ended, part.same) == (1, 1, 0, 0)
    assert sorted((one["id"], one.get("beds")) for one in data(page(ground, row))) == [
        ("north", 40), ("south", 9), ("west", None),
    ]  # fmt: skip


def test_the_same_delivery_changes_nothing(ground: Ground) -> None:
    row = ground.published()
    first = deliver(ground, row, [NORTH, SOUTH])
    again = deliver(ground, row, [NORTH, SOUTH])
    assert (again.added, again.changed, again.ended, again.same, again.digest) == (0, 0, 0, 2, first.digest)


@pytest.mark.parametrize(
    ("records", "more", "errors"),
    [
        ([NORTH, {"id": "west", "beds": "many"}], {}, {"/records/1/beds": "not_of_type"}),
        ([{"beds": 1}], {}, {"/records/0/id": "required"}),
        ([NORTH, {**NORTH, "beds": 1}], {}, {"/records/1": "repeated"}),
        ([{"id": "x" * 500}], {}, {"/records/0": "key_too_long"}),
        ([NORTH], {"mode": "half"}, {"/mode": "not_a_choice"}),
        ("north", {}, {"/records": "too_many"}),
        ([{"id": str(n)} for n in range(10_001)], {}, {"/records": "too_many"}),
        ([7], {}, {"/records/0": "not_an_object"}),
    ],
)
def test_one_wrong_record_stops_all(ground: Ground, records: Any, more: Any, errors: dict[str, str]) -> None:
    row = ground.published()
    deliver(ground, row, [SOUTH])
    with pytest.raises(Invalid) as refused:
        deliver(ground, row, records, **more)
    assert {one["pointer"]: one["code"] for one in refused.value.errors} == errors
    assert data(page(ground, row)) == [SOUTH]
    assert Transfer.objects.filter(dataset=row).count() == 1


def test_no_more_faults_are_named_than_anybody_reads(ground: Ground) -> None:
    with pytest.raises(Invalid) as refused:
        deliver(ground, ground.published(), [{"id": str(n), "beds": "x"} for n in range(1000)])
    assert len(refused.value.errors) == 200


def unique(ground: Ground, **schema: Any) -> Dataset:
    row = ground.draft("wards")
    fields = [{"name": "id", "title_en": "Number"}, {"name": "bed", "title_en": "Bed", **schema.pop("bed", {})}]
    document = {"fields": fields, "primaryKey": ["id"], **schema}
    actions.add_schema(actor=ground.actor("health"), now=ground.now, dataset_id=row.pk, schema=document)
    return row


@pytest.mark.parametrize("schema", [{"bed": {"constraints": {"unique": True}}}, {"uniqueKeys": [["bed"]]}])
def test_what_may_be_there_once_is_there_once(ground: Ground, schema: Any) -> None:
    row = unique(ground, **schema)
    with pytest.raises(Invalid) as refused:
        deliver(ground, row, [{"id": "1", "bed": "a"}, {"id": "2", "bed": "a"}])
    assert refused.value.errors[0]["pointer"] == "/records/1/bed"
    deliver(ground, row, [{"id": "1", "bed": "a"}, {"id": "2", "bed": "b"}, {"id": "3"}, {"id": "4"}])
    with pytest.raises(Invalid):
        deliver(ground, row, [{"id": "5", "bed": "b"}], mode="part")
    deliver(ground, row, [{"id": "2", "bed": "c"}, {"id": "5", "bed": "b"}], mode="part")  # it moved
    assert len(data(page(ground, row))) == 5


def test_without_a_key_only_the_whole_can_be_replaced(ground: Ground) -> None:
    row = ground.draft("notes")
    document = {"fields": [{"name": "text", "title_en": "Text"}]}
    actions.add_schema(actor=ground.actor("health"), now=ground.now, dataset_id=row.pk, schema=document)
    deliver(ground, row, [{"text": "a"}, {"text": "a"}])
    assert data(page(ground, row)) == [{"text": "a"}, {"text": "a"}]
    with pytest.raises(Invalid):
        deliver(ground, row, [{"text": "b"}], mode="part")


def test_only_its_department_delivers_and_only_into_what_can_hold_it(ground: Ground) -> None:
    row = ground.published()
    with pytest.raises(NotYourData):
        deliver(ground, row, [NORTH], by="fire")
    assert deliver(ground, row, [NORTH], post="duty_officer").added == 1
    with pytest.raises(NothingToHoldItTo):
        deliver(ground, ground.draft("empty"), [NORTH])
    actions.retire(actor=ground.actor("health"), now=ground.now, dataset_id=row.pk)
    with pytest.raises(NothingToHoldItTo):
        deliver(ground, row, [SOUTH])
    with pytest.raises(NotFound):
        deliver(ground, ground.confidential(), [NORTH], by="fire")
    with pytest.raises(Forbidden):
        actions.deliver(
            actor=Actor("person", 1, ground.departments["health"].pk, frozenset({"observer"})), now=T0,
            dataset_id=row.pk, records=[],
        )


def test_records_are_read_through_access_alone() -> None:
    with pytest.raises(UnguardedReadError):
        Record.objects.all()


def test_an_open_entry_opens_no_record(ground: Ground) -> None:
    row = ground.published()
    deliver(ground, row, [NORTH, SOUTH])
    with pytest.raises(NoGrant) as refused:
        page(ground, row, "fire")
    assert refused.value.status == 403
    with pytest.raises(NotFound):
        page(ground, ground.confidential(), "fire")
    assert data(page(ground, row)) == [NORTH, SOUTH]


def test_a_grant_opens_its_rows_and_fields_while_it_holds(ground: Ground) -> None:
    row = ground.published()
    deliver(ground, row, [NORTH, SOUTH])
    grant = opened(ground, row, filter={"field": "beds", "op": "gte", "value": 10}, valid_to=T0 + 2 * HOUR)
    assert data(page(ground, row, "fire")) == [{"id": "north", "beds": 40}]
    opened(ground, row, fields={"phone": {"mask": "partial", "end": 2}}, max_class=3, valid_from=T0 + HOUR)
    later = page(ground, row, "fire", now=T0 + HOUR)
    assert data(later) == [{"id": "north", "beds": 40, "phone": "***01"}, {"phone": "***02"}]
    assert [one["masked"] for one in later] == [["phone"], ["phone"]]
    access.close_dataset(actor=SYSTEM, grant_ids=[grant], why="over", now=T0 + HOUR)
    assert data(page(ground, row, "fire", now=T0 + HOUR)) == [{"phone": "***01"}, {"phone": "***02"}]


def test_nothing_can_be_asked_by_what_is_not_shown_whole(ground: Ground) -> None:
    """The same answer as for a field that does not exist."""
    row = ground.published()
    deliver(ground, row, [NORTH, SOUTH])
    opened(ground, row, fields={"id": "full", "beds": {"mask": "bucket", "edges": [10]}})

    def asked(field: str) -> Any:
        with pytest.raises(BadFilter) as refused:
            page(ground, row, "fire", where={"field": field, "op": "eq", "value": 40})
        return refused.value.errors

    assert asked("beds") == asked("nobody") == asked("phone") == [{"pointer": "/filter/field", "code": "unknown_field"}]
    assert data(page(ground, row, where={"field": "beds", "op": "eq", "value": 40})) == [NORTH]


def test_pages_follow_each_other_at_the_same_cost(ground: Ground) -> None:
    row = ground.published()
    opened(ground, row)

    def walked() -> tuple[int, int]:
        seen, after, most = [], None, 0
        while True:
            with CaptureQueriesContext(connection) as asked:
                rows, after, *_rest = queries.records(
                    actor=ground.actor("fire"), now=ground.now, dataset_id=row.pk, after=after, size=7
                )
            seen += [one["data"]["id"] for one in rows]
            most = max(most, len(asked))
            if after is None:
                assert len(set(seen)) == len(seen)
                return len(seen), most

    deliver(ground, row, [{"id": f"{n:04}", "beds": n} for n in range(10)])
    few = walked()
    deliver(ground, row, [{"id": f"{n:04}", "beds": n} for n in range(300)])
    many = walked()
    assert (few[0], many[0]) == (10, 300)
    assert few[1] == many[1] == 4


@pytest.mark.parametrize("after", ["x", [], [1, 2], [True], [-1], [2**63], {"a": 1}])
def test_a_foreign_cursor_is_refused(ground: Ground, after: Any) -> None:
    row = ground.published()
    with pytest.raises(Invalid):
        page(ground, row, after=after)


def test_a_field_keeps_its_type_once_there_are_records(ground: Ground) -> None:
    row, steward = ground.published(), ground.actor("health")
    other = copy.deepcopy(SCHEMA)
    other["fields"][1]["type"] = "number"
    assert actions.add_schema(actor=steward, now=ground.now, dataset_id=row.pk, schema=other).number == 2
    deliver(ground, row, [NORTH])
    with pytest.raises(Invalid) as refused:
        actions.add_schema(actor=steward, now=ground.now, dataset_id=row.pk, schema=SCHEMA)
    assert refused.value.errors[0]["pointer"] == "/schema/fields/1/type"
    more = copy.deepcopy(other)
    more["fields"].append({"name": "wards", "type": "integer", "title_en": "Wards"})
    assert actions.add_schema(actor=steward, now=ground.now, dataset_id=row.pk, schema=more).number == 3
    assert data(page(ground, row)) == [NORTH]


def test_only_its_own_department_sees_what_was_delivered(ground: Ground) -> None:
    row = ground.published()
    deliver(ground, row, [NORTH, SOUTH])
    (told,), _end = queries.transfers(actor=ground.actor("health"), now=ground.now, dataset_id=row.pk)
    assert (told["number"], told["added"], told["schema_number"], told["mode"]) == (1, 2, 1, "whole")
    opened(ground, row)
    with pytest.raises(NoGrant):
        queries.transfers(actor=ground.actor("fire"), now=ground.now, dataset_id=row.pk)

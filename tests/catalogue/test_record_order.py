"""Do sorted pages follow each other over ties and gaps, and tell earlier states no more than is open?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordination.events.refused import Invalid, NotFound
from sharing.catalogue import queries
from sharing.catalogue.models import Dataset, Record
from sharing.catalogue.queries.sorting import BadPlace, BadSort
from tests.catalogue.ground import Ground
from tests.exchange.store import WHOLE, filled, opened, records, store

pytestmark = pytest.mark.django_db


def walked(ground: Ground, row: Any, by: str = "fire", size: int = 3, **more: Any) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        found = queries.records(
            actor=ground.actor(by, "duty_officer"), now=ground.now, dataset_id=row.pk, after=after, size=size, **more
        )
        seen += found.rows
        after = found.after
        if after is None:
            return seen


VALUES: dict[str, Any] = {
    "tons": st.none() | st.integers(-3, 3) | st.sampled_from([0.5, 1e9, -2.25]),
    "note": st.none() | st.sampled_from(["", "a", "b", "B", "中", "a\u0301", "10", "9", '"', "😀"]),
    "full": st.none() | st.booleans(),
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(sorted(VALUES)), down=st.booleans(), size=st.integers(1, 5))
def test_every_record_comes_once_in_order(ground: Ground, data: Any, name: str, down: bool, size: int) -> None:
    row = store(ground, f"s{Dataset.objects.count()}")
    values = data.draw(st.lists(VALUES[name], max_size=12))
    filled(ground, row, [{"id": f"{n:03}"} | ({name: value} if value is not None else {})
                         for n, value in enumerate(values)])  # fmt: skip
    found = walked(ground, row, by="health", size=size, sort=f"-{name}" if down else name)
    assert sorted(one["data"]["id"] for one in found) == [f"{n:03}" for n in range(len(values))]
    told = [one["data"].get(name) for one in found]
    there = [value for value in told if value is not None]
    assert told == [*there, *[None] * (len(told) - len(there))], "records without it last"
    if name != "note":  # texts are in the order of the database
        assert there == sorted(there, reverse=down)
    for one, two in zip(found, found[1:], strict=False):
        if one["data"].get(name) == two["data"].get(name):
            assert one["id"] < two["id"]


def test_what_is_not_open_whole_is_no_field_to_sort_by(ground: Ground) -> None:
    row = store(ground)
    filled(ground, row, records(3))
    opened(ground, row, fields={"id": "full", "tons": {"mask": "bucket", "edges": [1]}})
    said = set()
    for name in ("tons", "note", "nobody", "-tons", "place", "id,tons", "--id", "data"):
        with pytest.raises(BadSort) as refused:
            walked(ground, row, sort=name)
        said.add(str(refused.value.errors))
    assert len(said) == 1
    assert [one["data"]["id"] for one in walked(ground, row, sort="-id")] == ["s00002", "s00001", "s00000"]


@pytest.mark.parametrize(
    "after", [[1], ["note", "x", 1], ["id", [], 1], ["id", "x", -1], ["id", "x"], "x", {}, ["id", "x", True]]
)
def test_a_cursor_of_another_order_is_refused(ground: Ground, after: Any) -> None:
    row = store(ground)
    filled(ground, row, records(3))
    with pytest.raises(BadPlace):
        queries.records(actor=ground.actor("health"), now=ground.now, dataset_id=row.pk, after=after, sort="id")


def test_records_as_a_transfer_left_them(ground: Ground) -> None:
    row = store(ground)
    filled(ground, row, records(2))
    filled(ground, row, [records(2)[0] | {"tons": 9}])
    filled(ground, row, [{"id": "new"}])
    then = [[one["data"] for one in walked(ground, row, by="health", as_of=n)] for n in (1, 2, 3)]
    assert then == [records(2), [records(2)[0] | {"tons": 9}], [{"id": "new"}]]
    with pytest.raises(Invalid):
        walked(ground, row, by="health", as_of=4)


def test_earlier_states_show_what_the_grant_opens_and_no_hidden_change(ground: Ground) -> None:
    row = store(ground)
    one = records(1)[0]
    filled(ground, row, [one])
    filled(ground, row, [one | {"note": "secret one"}])
    filled(ground, row, [one | {"note": "secret two"}])
    filled(ground, row, [one | {"note": "secret two", "tons": 7}])
    opened(ground, row, fields={"id": "full", "tons": "full"})
    newest = Record.everything.get(dataset=row, until=None)

    def told(by: str, pk: int = newest.pk) -> dict[str, Any]:
        asked = queries.opened(actor=ground.actor(by, "duty_officer"), now=ground.now, dataset_id=row.pk)
        return queries.record(opened=asked, record_id=pk)

    assert [(state["since"], state["until"], state["data"]) for state in told("fire")["states"]] == [
        (4, None, {"id": "s00000", "tons": 7}), (1, 4, {"id": "s00000", "tons": 0}),
    ]  # fmt: skip
    assert len(told("health")["states"]) == 4
    assert told("fire")["current"]
    for pk in (newest.pk + 10_000, 10**17):
        with pytest.raises(NotFound):
            told("fire", pk)


def test_a_record_out_of_the_filter_is_as_if_it_were_not_there(ground: Ground) -> None:
    row = store(ground)
    filled(ground, row, records(4))
    opened(ground, row, filter={"field": "tons", "op": "lt", "value": 0.5})
    pks = list(Record.everything.filter(dataset=row).order_by("pk").values_list("pk", flat=True))
    asked = queries.opened(actor=ground.actor("fire"), now=ground.now, dataset_id=row.pk)
    assert queries.record(opened=asked, record_id=pks[1])["data"]["id"] == "s00001"
    with pytest.raises(NotFound):
        queries.record(opened=asked, record_id=pks[3])


def test_a_small_number_is_not_told_where_something_is_masked(ground: Ground) -> None:
    row = store(ground)
    filled(ground, row, records(8))
    few = {"field": "tons", "op": "lt", "value": 0.5}
    opened(ground, row, to="fire")
    opened(ground, row, to="water", fields={**WHOLE, "note": {"mask": "null"}})
    told = {}
    for code in ("fire", "water"):
        asked = queries.opened(actor=ground.actor(code), now=ground.now, dataset_id=row.pk)
        told[code] = [queries.counted(asked, few), queries.counted(asked)]
    assert told["fire"][0] == {"number": 2, "more": False, "few": False}
    assert told["water"][0] == {"number": 5, "more": False, "few": True}
    assert told["fire"][1] == told["water"][1] == {"number": 8, "more": False, "few": False}


def test_transfers_are_paged_in_the_database(ground: Ground) -> None:
    row = store(ground)
    for count in range(1, 6):
        filled(ground, row, records(count))
    seen: list[int] = []
    after: Any = None
    while True:
        rows, after = queries.transfers(
            actor=ground.actor("health"), now=ground.now, dataset_id=row.pk, after=after, size=2
        )
        seen += [one["number"] for one in rows]
        if after is None:
            break
    assert seen == [5, 4, 3, 2, 1]

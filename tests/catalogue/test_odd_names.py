"""Are odd values and odd names answered plainly, and never with a fault of ours?"""

from __future__ import annotations

from typing import Any

import pytest

from coordination.events.refused import Invalid
from sharing.catalogue import queries
from tests.catalogue.ground import Ground
from tests.catalogue.requesting import asked, conditional
from tests.exchange.store import filled, store

pytestmark = pytest.mark.django_db


def named(name: str, kind: str = "integer") -> dict[str, Any]:
    return {
        "fields": [
            {"name": "id", "type": "string", "title_en": "Number"},
            {"name": name, "type": kind, "title_en": "Value", "filterable": True},
        ],
        "primaryKey": ["id"],
    }


@pytest.mark.parametrize(
    "rule",
    [
        {"id": {"mask": "constant", "value": "\x00"}}, {"id": {"mask": "constant", "value": "\ud800"}},
        {"beds": {"mask": "bucket", "edges": [1, 10**400]}}, {"beds": {"mask": "bucket", "edges": [float("nan")]}},
    ],
)  # fmt: skip
def test_a_mask_that_cannot_be_kept_is_refused(ground: Ground, rule: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        asked(ground, conditional(ground), fields=rule)


@pytest.mark.parametrize("value", ["\ud800", "\x00", "\x1f"])
def test_a_text_that_no_record_can_hold_is_not_asked_for(ground: Ground, value: str) -> None:
    row = store(ground, schema=named("note", "string"))
    for op in ("eq", "in"):
        where = {"field": "note", "op": op, "value": value if op == "eq" else [value]}
        with pytest.raises(Invalid):
            queries.records(actor=ground.actor("health"), now=ground.now, dataset_id=row.pk, where=where)


@pytest.mark.parametrize("name", ["range", "isnull", "contains", "in", "exact"])
def test_fields_may_be_called_like_a_question_to_the_database(ground: Ground, name: str) -> None:
    row = store(ground, schema=named(name))
    filled(ground, row, [{"id": f"{n}", name: n // 2} for n in range(7)])
    who: dict[str, Any] = {"actor": ground.actor("health"), "now": ground.now, "dataset_id": row.pk}
    told, after = [], None
    for _turn in range(4):
        found = queries.records(**who, sort=name, after=after, size=2)
        told += [one["data"][name] for one in found.rows]
        after = found.after
    assert (told, after) == ([0, 0, 1, 1, 2, 2, 3], None)
    assert len(queries.records(**who, where={"field": name, "op": "lt", "value": 1}).rows) == 2


@pytest.mark.parametrize("name", ["beds__lt", "a__b", "beds_", "__", "_"])
def test_a_name_that_would_be_read_as_a_path_is_refused(ground: Ground, name: str) -> None:
    with pytest.raises(Invalid):
        store(ground, schema=named(name))


@pytest.mark.parametrize("name", ["_beds", "a_b_c", "x"])
def test_single_low_lines_are_fine(ground: Ground, name: str) -> None:
    row = store(ground, schema=named(name))
    filled(ground, row, [{"id": "1", name: 1}, {"id": "2", name: 2}])
    where = {"field": name, "op": "gte", "value": 2}
    found = queries.records(actor=ground.actor("health"), now=ground.now, dataset_id=row.pk, where=where)
    assert [one["data"]["id"] for one in found.rows] == ["2"]

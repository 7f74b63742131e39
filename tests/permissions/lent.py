"""A restricted dataset whose every value is found again wherever it turns up, in every state that a grant can be in.

It is the centre's. Each department holds it in another state; a value is written ``zq7`` + field + record, so that
whoever is shown one that is not theirs is found out by the text alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from coordination.events import clock
from coordination.events.actor import SYSTEM
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.access.fields import FULL
from sharing.catalogue import actions as catalogue
from tests.permissions.world import World

CANARY = re.compile(rb"zq7[a-z]*(?:number|kind|open|told|secret|hidden|title)[0-9]")
FIELDS = ("number", "kind", "open", "told", "secret", "hidden")
RECORDS = range(1, 7)
SCHEMA: dict[str, Any] = {
    "fields": [
        {"name": "number", "title_en": "Number", "constraints": {"required": True}},
        {"name": "kind", "title_en": "Kind", "filterable": True},
        {"name": "open", "title_en": "Open", "filterable": True},
        {"name": "told", "title_en": "Told in part", "filterable": True, "classification": 2},
        {"name": "secret", "title_en": "Secret", "filterable": True, "classification": 3},
        {"name": "hidden", "title_en": "Hidden", "filterable": True, "classification": 3},
        {"name": "place", "type": "geopoint", "format": "array", "title_en": "Place", "classification": 2},
    ],
    "primaryKey": ["number"],
}
WHOLE = dict.fromkeys((*FIELDS, "place"), FULL)
PARTLY: dict[str, Any] = {
    "number": FULL, "kind": FULL, "open": FULL, "told": {"mask": "partial", "start": 1},
    "secret": {"mask": "pseudonym"},
}  # fmt: skip
ODD = {"field": "kind", "op": "eq", "value": "odd"}
PUBLIC = ("number", "open")


@dataclass
class Lent:
    """The dataset, and by department which (field, record) its people may be shown."""

    dataset_id: int
    allowed: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    grants: dict[str, int] = field(default_factory=dict)

    def forbidden(self, code: str, said: bytes) -> set[bytes]:
        """The values in a text that people of a department may not be shown."""
        mine = {value(name, number).encode() for name, number in self.allowed.get(code, set())}
        return set(CANARY.findall(said)) - mine


def value(name: str, number: int) -> str:
    """What stands in a field of a record."""
    return f"zq7{name}{number}"


def _record(number: int) -> dict[str, Any]:
    row: dict[str, Any] = {name: value(name, number) for name in FIELDS}
    return row | {"kind": "odd" if number % 2 else "even", "place": [121.111111 + number, 31.222222]}


def lend(world: World) -> Lent:
    """Publish the dataset and give it to each department in its state; no time passes but the clock's own."""
    steward, now = world.actor("centre/data_steward"), clock.now()
    basis = catalogue.add_legal_basis(
        actor=steward, now=now, instrument_zh="安全生产法", in_force_from=now.date() - timedelta(days=400)
    )
    row = catalogue.draft(
        actor=steward, now=now, code="stores", title_en="Stores", frequency="daily", sharing="conditional",
        classification=3, legal_basis_id=basis.pk, conditions_en="For rescue.", contact="Room 5",
    )  # fmt: skip
    catalogue.add_schema(actor=steward, now=now, dataset_id=row.pk, schema=SCHEMA)
    catalogue.publish(actor=steward, now=now, dataset_id=row.pk)
    catalogue.deliver(actor=steward, now=now, dataset_id=row.pk, records=[_record(one) for one in RECORDS])
    lent = Lent(row.pk)
    every = {(name, number) for name in FIELDS for number in RECORDS if name != "kind"}
    day, hour = timedelta(days=1), timedelta(hours=1)
    _give(world, lent, "fire", every, fields=WHOLE)
    odd = {(name, number) for name in PUBLIC for number in RECORDS if number % 2}
    _give(world, lent, "firej", odd, fields=PARTLY, filter=ODD, key="ab" * 32)
    _give(world, lent, "port", set(), fields=WHOLE, begins=now - day, ends=now - hour)
    _give(world, lent, "police", set(), fields=WHOLE, begins=now + day)
    _give(world, lent, "rail", set(), fields=WHOLE)
    access.close_dataset(actor=SYSTEM, grant_ids=[lent.grants["rail"]], why="test", now=clock.now())
    _give(world, lent, "health", set(), fields=WHOLE, ceiling=2)  # every field is at least of its dataset's class
    lent.allowed["centre"] = every
    return lent


STATES: Mapping[str, str] = {
    "centre": "own", "fire": "shared", "firej": "masked", "port": "lapsed", "rail": "revoked",
    "police": "not yet valid", "health": "above ceiling", "water": "foreign",
}  # fmt: skip


def _give(
    world: World, lent: Lent, code: str, allowed: set[tuple[str, int]], *, fields: dict[str, Any],
    filter: dict[str, Any] | None = None, begins: Any = None, ends: Any = None, ceiling: int = 3, key: str = "",
) -> None:
    (grant,) = access.open_dataset(
        dataset_id=lent.dataset_id, holders=[Holder("department", str(world.departments[code].pk))],
        terms=Terms(
            fields=fields, max_class=ceiling, source="agreement", valid_from=begins or clock.now(), valid_to=ends,
            filter=filter or {}, pseudonym_key=key,
        ),
    )  # fmt: skip
    lent.grants[code] = grant.pk
    lent.allowed[code] = allowed

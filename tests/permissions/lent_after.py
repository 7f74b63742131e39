"""What is lent in the states that come about beside the grant: what it stands on changes, and the grant does not?

Each state has a dataset of the centre's of its own; a value is written ``zq7`` + the state's tag + field + record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from accounts.actions.proving import Proof
from coordination.events import clock
from incidents import actions as incidents
from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.access.fence import fenced
from sharing.catalogue import actions as catalogue
from sharing.catalogue.actions import breaking
from sharing.catalogue.models import Dataset, Record
from tests.permissions.lent import CANARY
from tests.permissions.world import World

FIELDS = ("number", "secret")
RECORDS = range(1, 4)
DAY = timedelta(days=1)
RESTRICTED = {"sharing": "conditional", "conditions_en": "For rescue."}
CLOSED = {"sharing": "none", "emergency_release": True}
PURPOSE = "rescue"


@dataclass
class After:
    """A dataset in such a state. ``open_to``: principals (or codes of whole departments) that are shown all of it."""

    state: str
    tag: str
    dataset_id: int
    open_to: set[str] = field(default_factory=lambda: {"centre"})
    ids: dict[str, Any] = field(default_factory=dict)

    def __or__(self, ids: dict[str, Any]) -> After:
        """The same, with these ids of what hangs on it."""
        return replace(self, ids=self.ids | ids)

    def forbidden(self, code: str, kind: str, said: bytes) -> set[bytes]:
        """The values in a text that a principal may not be shown; the other states' are never theirs to see here."""
        found = set(CANARY.findall(said))
        return set() if {code, f"{code}/{kind}"} & self.open_to else found

    def about(self, world: World) -> World:
        """The city, in which every address leads to this dataset and what hangs on it."""
        return replace(world, ids=world.ids | self.ids)


def value(tag: str, name: str, number: int) -> str:
    """What stands in a field of a record."""
    return f"zq7{tag}{name}{number}"


def published(world: World, tag: str, *, level: int = 1, **more: Any) -> Dataset:
    """An entry of the centre's with records, on these terms; `level`: class of the secret field."""
    steward, now = world.actor("centre/data_steward"), clock.now()
    if more.get("sharing", "unconditional") != "unconditional":
        more["legal_basis_id"] = world.ids["legal_basis_id"]
    given = {"frequency": "daily", "contact": "Room 5", "title_en": f"Entry {tag}"} | more
    row = catalogue.draft(actor=steward, now=now, code=f"after-{tag}", **given)
    fields: list[dict[str, Any]] = [
        {"name": name, "title_en": name, "filterable": True, "classification": level if name == "secret" else 1}
        for name in FIELDS
    ]
    fields.append({"name": "place", "title_en": "Place", "type": "geopoint", "format": "array"})
    schema = {"fields": fields, "primaryKey": ["number"]}
    catalogue.add_schema(actor=steward, now=now, dataset_id=row.pk, schema=schema)
    catalogue.publish(actor=steward, now=now, dataset_id=row.pk)
    rows = [{name: value(tag, name, n) for name in FIELDS} | {"place": [121 + n / 10, 31.1]} for n in RECORDS]
    catalogue.deliver(actor=steward, now=now, dataset_id=row.pk, records=rows)
    return row


def _after(world: World, state: str, tag: str, row: Dataset, **more: Any) -> After:
    record = Record.everything.filter(dataset=row).order_by("pk").first()
    assert record is not None
    found = After(state, tag, row.pk, **more)
    found.ids |= {"dataset_id": row.pk, "data_id": row.pk, "record": record.pk}
    return found


def _given(world: World, row: Dataset, code: str = "fire", **more: Any) -> int:
    """A grant of all of it, that nobody takes back."""
    terms = {"fields": dict.fromkeys((*FIELDS, "place"), "full"), "max_class": 3, "source": "agreement",
             "valid_from": clock.now()} | more  # fmt: skip
    holder = Holder("department", str(world.departments[code].pk))
    return access.open_dataset(dataset_id=row.pk, holders=[holder], terms=Terms(**terms))[0].pk


def retired(world: World) -> After:
    """Out of use: who was given it may still read it, and nobody else."""
    row = published(world, "ret", **RESTRICTED)
    grant = _given(world, row)
    catalogue.retire(actor=world.actor("centre/data_steward"), now=clock.now(), dataset_id=row.pk)
    return _after(world, "retired", "ret", row, open_to={"centre", "fire"}) | {"grant_id": grant}


def hidden(world: World) -> After:
    """Raised to class 4 after it was given: the entry is hidden, and with it its title and all that was given."""
    row = published(world, "hid", title_en="zq7hidtitle1", **RESTRICTED)
    asked = _asked(world, row, "fire")
    catalogue.grant_request(actor=world.actor("centre/data_steward"), now=clock.now(), request_id=asked.pk)
    grant = _given(world, row)
    catalogue.change(
        actor=world.actor("centre/data_steward"), now=clock.now(), dataset_id=row.pk, classification=4, sharing="none"
    )
    return _after(world, "hidden parent", "hid", row) | {
        "grant_id": grant, "request_id": asked.pk, "share-request_id": asked.pk, "agreement_id": asked.agreement.pk,
    }  # fmt: skip


def _exercise(world: World) -> int:
    """An exercise of which fire is informed; of what really burns it is not, so no rule opens it anything there."""
    commander, centre = world.actor("centre/commander"), world.departments["centre"].pk
    made = incidents.open_incident(
        actor=commander, now=clock.now(), type="accident.fire", headline_en="Drill", headline_zh="演练", exercise=True,
        lead_department_id=centre, commander_department_id=centre,
    )  # fmt: skip
    incidents.invite(
        actor=commander, now=clock.now(), incident_id=made.pk, department_id=world.departments["fire"].pk,
        role="informed",
    )  # fmt: skip
    return made.pk


def _ruled(world: World, row: Dataset) -> int:
    shown = dict.fromkeys((*FIELDS, "place"), "full")
    steward, head = world.actor("centre/data_steward"), world.actor("centre/head")
    rule = catalogue.make_rule(actor=steward, now=clock.now(), dataset_id=row.pk, role="informed", shown=shown)
    if rule.needs_second:
        catalogue.confirm_rule(actor=head, now=clock.now(), dataset_id=row.pk, rule_id=rule.pk)
    return rule.pk


def exercise(world: World) -> After:
    """A rule of restricted data: an exercise opens nothing by it."""
    row = published(world, "exe", level=3, classification=3, **RESTRICTED)
    _exercise(world)
    rule = _ruled(world, row)
    return _after(world, "exercise", "exe", row) | {"rule_id": rule}


def exercise_of_persons(world: World) -> After:
    """Nor by one of data of persons, whatever its class."""
    row = published(world, "per", personal=True, **RESTRICTED)
    _exercise(world)
    return _after(world, "exercise", "per", row) | {"rule_id": _ruled(world, row)}


def exercise_of_all(world: World) -> After:
    """By a rule of what is internal an exercise opens it, as a fire does: or the two before would prove nothing."""
    row = published(world, "dri", **RESTRICTED)
    _exercise(world)
    return _after(world, "exercise", "dri", row, open_to={"centre", "fire"}) | {"rule_id": _ruled(world, row)}


def broken(world: World) -> After:
    """A named person broke the glass: to the others of the same department nothing opens."""
    row = published(world, "bro", level=3, classification=3, **CLOSED)
    who = world.actor("fire/commander")
    with fenced(who):
        glass = breaking.start(
            actor=who, now=clock.now(), proof=Proof(who.id or 0, "code"), dataset_id=row.pk,
            reason="A leaking tank beside the ward.",
        )  # fmt: skip
    found = _after(world, "broken glass", "bro", row, open_to={"centre", "fire/commander"})
    return found | {"glass_id": glass.pk, "grant_id": glass.grant_ids[0]}


def _asked(world: World, row: Dataset, code: str) -> Any:
    return catalogue.ask(
        actor=world.actor(f"{code}/data_steward"), now=clock.now(), dataset_id=row.pk, fields=[*FIELDS, "place"],
        purpose=PURPOSE, valid_to=clock.now() + 30 * DAY,
    )  # fmt: skip


def ended(world: World) -> After:
    """An agreement that was ended before its time: what it gave is gone, what was agreed may still be read."""
    row = published(world, "end", **RESTRICTED)
    asked = _asked(world, row, "fire")
    steward = world.actor("centre/data_steward")
    catalogue.grant_request(actor=steward, now=clock.now(), request_id=asked.pk)
    asked.refresh_from_db()
    catalogue.end_agreement(actor=steward, now=clock.now(), agreement_id=asked.agreement.pk, why="over")
    return _after(world, "agreement ended", "end", row) | {
        "request_id": asked.pk, "share-request_id": asked.pk, "agreement_id": asked.agreement.pk,
        "grant_id": asked.grant_ids[0],
    }  # fmt: skip


STATES: Mapping[str, Callable[[World], After]] = {
    "retired": retired, "hidden parent": hidden, "exercise": exercise, "exercise of persons": exercise_of_persons,
    "exercise of what is internal": exercise_of_all, "broken glass": broken, "agreement ended": ended,
}  # fmt: skip

"""How do records come into a dataset: all of a delivery, or nothing of it?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict, Invalid
from sharing import access
from sharing.catalogue.actions import acting, waiting
from sharing.catalogue.models import Dataset, Record, SchemaVersion, Transfer
from sharing.catalogue.queries import entries
from sharing.catalogue.record_values import Reader, text_of

MOST_RECORDS = 10_000
MOST_ERRORS = 200
LONGEST_KEY = 400
Rows = list[dict[str, Any]]


class NotYourData(access.NotYourRight):
    """Only the department that keeps a dataset delivers into it."""


class NothingToHoldItTo(Conflict):
    """The dataset has no schema yet, or is retired."""

    code = "no_schema"


@action("dataset.deliver")
def deliver(
    *,
    actor: Actor,
    now: datetime,
    dataset_id: int,
    records: Sequence[Mapping[str, Any]],
    mode: str = Transfer.Mode.WHOLE,
) -> Transfer:
    """Take in records of the actor's own department's dataset, at most 10,000 at once, checked against its schema.

    ``whole``: what is not among them is no longer current. ``part``: only those with the keys that they name are
    replaced, which needs a primary key. Refuses (422) with every fault by its pointer (200 at most) and keeps nothing.
    Earlier states of a record stay, by transfer.
    """
    access.require(actor, "deliver")
    dataset = entries.seen_one(actor, dataset_id, lock=True)
    if actor.kind != "system" and dataset.department_id != actor.department_id:
        raise NotYourData(_("Only the department that keeps this dataset delivers into it."), right="deliver")
    schema = acting.current_schema(dataset)
    if schema is None or dataset.state == Dataset.State.RETIRED:
        raise NothingToHoldItTo(_("Nothing is delivered into a dataset without a schema, or one that is retired."))
    reader = Reader(schema.document)
    rows = _read(reader, records, mode)
    _check_unique(dataset, reader, rows, mode)
    return _keep(actor, dataset, schema, now, mode, rows)


def _read(reader: Reader, records: Sequence[Mapping[str, Any]], mode: str) -> dict[str, dict[str, Any]]:
    """The records by key, as they are to be kept."""
    errors: Rows = []

    def fault(pointer: str, code: str, detail: Any) -> None:
        if len(errors) < MOST_ERRORS:
            errors.append({"pointer": pointer, "code": code, "detail": detail})

    if mode not in Transfer.Mode.values:
        fault("/mode", "not_a_choice", _("This is none of the possible values."))
    if mode == Transfer.Mode.PART and not reader.key:
        fault("/mode", "needs_key", _("Without a primary key in the schema, only the whole can be delivered."))
    if not isinstance(records, list) or len(records) > MOST_RECORDS:
        fault("/records", "too_many", _("A list of at most %(most)d records.") % {"most": MOST_RECORDS})
        records = []
    found: dict[str, dict[str, Any]] = {}
    for number, record in enumerate(records):
        at = f"/records/{number}"
        data = reader.read(record, fault, at)
        key = reader.key_of(data) or f"#{number}"
        if len(key) > LONGEST_KEY:
            fault(at, "key_too_long", _("The key of a record has at most %(most)d characters.") % {"most": LONGEST_KEY})
        if key in found:
            fault(at, "repeated", _("Two records have this key."))
        found[key] = data
    _done(errors)
    return found


def _done(errors: Rows) -> None:
    if errors:
        raise Invalid(_("The records cannot be taken; nothing of them was kept."), errors=errors)


def _check_unique(dataset: Dataset, reader: Reader, rows: Mapping[str, Mapping[str, Any]], mode: str) -> None:
    """Refuse what the schema wants only once, among these records and (of a part) those that stay beside them."""
    errors: Rows = []
    for names in reader.unique:
        taken = set() if mode == Transfer.Mode.WHOLE else _taken(dataset, rows, names)
        for number, data in enumerate(rows.values()):
            values = [data.get(name) for name in names]
            if None in values:
                continue
            if text_of(values) in taken:
                detail = _("Another record has the same %(names)s.") % {"names": ", ".join(names)}
                errors.append({"pointer": f"/records/{number}/{names[0]}", "code": "not_unique", "detail": detail})
            taken.add(text_of(values))
    _done(errors[:MOST_ERRORS])


def _taken(dataset: Dataset, rows: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> set[str]:
    """The values of these fields that records beside these have, as far as these could clash with them."""
    first = [data[names[0]] for data in rows.values() if data.get(names[0]) is not None]
    there = Record.everything.filter(dataset=dataset, until=None).exclude(key__in=list(rows))
    found = there.filter(**{f"data__{names[0]}__in": first}).values_list("data", flat=True)
    return {text_of([data.get(name) for name in names]) for data in found}


def _keep(
    actor: Actor, dataset: Dataset, schema: SchemaVersion, now: datetime, mode: str, rows: Mapping[str, dict[str, Any]]
) -> Transfer:
    last = Transfer.objects.filter(dataset=dataset).order_by("-number").values_list("number", flat=True).first() or 0
    number = last + 1
    there = Record.everything.filter(dataset=dataset, until=None)
    current = {key: (pk, data) for pk, key, data in there.filter(key__in=list(rows)).values_list("pk", "key", "data")}
    new = [key for key in rows if key not in current]
    changed = [key for key, data in rows.items() if key in current and current[key][1] != data]
    ended = there.exclude(key__in=list(rows)).update(until=number) if mode == Transfer.Mode.WHOLE else 0
    there.filter(pk__in=[current[key][0] for key in changed]).update(until=number)
    Record.everything.bulk_create(
        (Record(dataset=dataset, key=key, data=rows[key], since=number) for key in (*new, *changed)), batch_size=2_000
    )
    digest = hashlib.sha256(json.dumps(list(rows.values()), sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    counts = {"added": len(new), "changed": len(changed), "ended": ended}
    transfer = Transfer.objects.create(
        dataset=dataset, number=number, schema=schema, mode=mode, at=now, actor_key=actor.key, digest=digest,
        same=len(rows) - len(new) - len(changed), **counts,
    )
    if number == 1:
        waiting.delivered(dataset.pk, now)
    acting.note(dataset, "dataset.delivered", number=number, **counts)
    return transfer

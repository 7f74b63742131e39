"""How does every act on an entry of the catalogue lock, check, save and record?"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.command import record
from coordination.events.refused import MoveNotAllowed, VersionConflict
from coordination.events.words import words_of
from sharing.catalogue import deciders, narrowing, states, stewards
from sharing.catalogue.models import Dataset, SchemaVersion
from sharing.catalogue.queries import entries


class StaleVersion(VersionConflict):
    """The caller decided on an older version. ``version``: the current one."""


def lock(actor: Actor, dataset_id: int, act: str, *, now: datetime, if_version: int | None) -> Dataset:
    """The entry, locked: 404 unseen, 403 for who is no steward, 412 another version, 409 not in this state."""
    dataset = entries.seen_one(actor, dataset_id, lock=True)
    stewards.require_steward(actor, dataset, now)
    if if_version is not None and dataset.version != if_version:
        raise StaleVersion(
            _("Somebody changed this meanwhile. Look at it again and decide anew."), version=dataset.version
        )
    if dataset.state not in states.move(act).sources:
        raise MoveNotAllowed(
            _("The entry's state does not allow this."), state=dataset.state,
            allowed=states.moves_from(dataset.state, restricted=dataset.restricted),
        )
    return dataset


def index(dataset: Dataset, schema: SchemaVersion | None) -> None:
    """Set by which words an entry is found: code, titles, descriptions, its department and its fields."""
    fields: list[dict[str, Any]] = schema.document["fields"] if schema else []
    names = [
        str(field.get(name, "")) for field in fields for name in ("name", "title", "title_zh", "title_en")
    ]
    department = dataset.department
    dataset.words = words_of(
        dataset.code, dataset.title_zh, dataset.title_en, department.name_zh, department.name_en,
        department.short_zh, dataset.description_zh, dataset.description_en, *names,
    )


def current_schema(dataset: Dataset) -> SchemaVersion | None:
    """The schema in force, or None where none was added yet."""
    return SchemaVersion.objects.filter(dataset=dataset, current=True).first()


def levels(dataset: Dataset, schema: SchemaVersion | None) -> dict[str, int]:
    """Class of the entry (under an empty name) and of each field, never below the entry's."""
    classes = narrowing.classes_of(schema.document) if schema else {}
    return {"": dataset.classification} | {name: max(one, dataset.classification) for name, one in classes.items()}


def lowers(dataset: Dataset, before: dict[str, int], schema: SchemaVersion | None, now: datetime) -> bool:
    """Whether something falls below class 3 that others were promised is above; sets since when it is guarded."""
    after, least = levels(dataset, schema), deciders.FOUR_EYES_FROM
    fallen = any(one >= least > after.get(name, one) for name, one in before.items())
    if fallen and dataset.state == Dataset.State.PUBLISHED:
        dataset.lowered_at = now
        return True
    return False


def save(dataset: Dataset, *fields: str) -> None:
    """Write these fields as the next version."""
    dataset.version += 1
    dataset.save(update_fields=[*fields, "version"])


def note(dataset: Dataset, type: str, **payload: Any) -> None:
    """Record what happened to an entry, in the streams of its department and of those who hold its records."""
    heard = [streams.department(dataset.department_id), streams.dataset(dataset.pk)]
    record(type=type, subject=dataset, streams=heard, payload=payload)


def note_lowered(dataset: Dataset) -> None:
    """Record that a class fell below 3, and tell the head of the department: four eyes hold for a month more."""
    told = {"number": dataset.code, "headline_zh": dataset.title_zh, "headline_en": dataset.title_en}
    record(
        type="dataset.lowered", subject=dataset, streams=[streams.department(dataset.department_id)], payload=told,
        tell=[{"department": dataset.department_id, "post": "head"}],
    )


def access_changed(dataset: Dataset) -> None:
    """Record that who may have the records has changed, in the dataset's own stream: open screens ask again.

    Not which grant: whoever holds one does not learn of the others.
    """
    record(type="access.changed", subject=dataset, streams=[streams.dataset(dataset.pk)])


def today(now: datetime) -> Any:
    """The local day of a moment: instruments are in force by days."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()

"""A dataset with places, texts and numbers, and who holds what of it."""

from __future__ import annotations

from typing import Any

from sharing import access
from sharing.access.actions.opening import Holder, Terms
from sharing.catalogue import actions
from sharing.catalogue.models import Dataset
from sharing.exchange import downloads
from tests.catalogue.ground import T0, Ground

SCHEMA: dict[str, Any] = {
    "fields": [
        {"name": "id", "type": "string", "title_zh": "编号", "title_en": "Number", "filterable": True},
        {"name": "tons", "type": "number", "title_zh": "吨", "title_en": "Tons", "filterable": True},
        {"name": "place", "type": "geopoint", "format": "array", "title_zh": "位置", "title_en": "Place",
         "filterable": True},
        {"name": "full", "type": "boolean", "title_zh": "满", "title_en": "Full", "filterable": True},
        {"name": "note", "type": "string", "title_zh": "备注", "title_en": "Note", "filterable": True},
    ],
    "primaryKey": ["id"],
}  # fmt: skip
WHOLE: dict[str, Any] = {one["name"]: "full" for one in SCHEMA["fields"]}


def store(ground: Ground, code: str = "stores", schema: Any = None, **more: Any) -> Dataset:
    """A published dataset of the health office."""
    row = ground.draft(code, **more)
    steward = ground.actor("health")
    actions.add_schema(actor=steward, now=ground.now, dataset_id=row.pk, schema=schema or SCHEMA)
    return actions.publish(actor=steward, now=ground.now, dataset_id=row.pk)


def filled(ground: Ground, row: Dataset, records: list[dict[str, Any]]) -> None:
    """Deliver these."""
    actions.deliver(actor=ground.actor("health"), now=ground.now, dataset_id=row.pk, records=records)


def records(count: int) -> list[dict[str, Any]]:
    """Plain records."""
    return [
        {"id": f"s{n:05}", "tons": n / 4, "place": [121 + n / 10_000, 31.5], "full": n % 2 == 0, "note": f"note {n}"}
        for n in range(count)
    ]


def opened(ground: Ground, row: Dataset, to: str = "fire", **more: Any) -> int:
    """A grant of all of it, or of what ``more`` says."""
    given = {"fields": WHOLE, "max_class": 3, "source": "agreement", "valid_from": T0} | more
    holder = Holder("department", str(ground.departments[to].pk))
    return access.open_dataset(dataset_id=row.pk, holders=[holder], terms=Terms(**given))[0].pk


def begun(ground: Ground, row: Dataset, form: str = "csv", by: str = "fire", **more: Any) -> downloads.Download:
    """A download by the duty officer of an office."""
    return downloads.begin(
        actor=ground.actor(by, "duty_officer"), now=ground.now, dataset_id=row.pk, format=form, **more
    )


def taken(download: downloads.Download) -> bytes:
    """All of it, served to its end."""
    try:
        return b"".join(download)
    finally:
        download.close()

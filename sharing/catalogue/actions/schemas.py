"""How does a dataset get its next schema?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from sharing.catalogue import table_schema
from sharing.catalogue.actions import acting
from sharing.catalogue.actions.describing import check_field_classes
from sharing.catalogue.entered import Entered
from sharing.catalogue.models import Dataset, SchemaVersion, Transfer


@action("dataset.add_schema")
def add_schema(
    *, actor: Actor, now: datetime, dataset_id: int, schema: Any, if_version: int | None = None
) -> SchemaVersion:
    """Add a Table Schema as the dataset's next version and make it the current one; the earlier ones stay."""
    dataset = acting.lock(actor, dataset_id, "add_schema", now=now, if_version=if_version)
    entered = Entered()
    table_schema.check(schema, lambda pointer, code, detail: entered.fault(pointer[1:], code, detail), "/schema")
    entered.done()
    check_field_classes(entered, dataset.classification, schema, "schema")
    _check_types(entered, dataset, schema)
    entered.done()
    return added(dataset, schema, now)


def _check_types(entered: Entered, dataset: Dataset, document: dict[str, Any]) -> None:
    """Once records were delivered, a field keeps its type: old and new records could not be compared."""
    if not Transfer.objects.filter(dataset=dataset).exists():
        return
    documents = SchemaVersion.objects.filter(dataset=dataset).values_list("document", flat=True)
    kinds = {field["name"]: field.get("type", "string") for one in documents for field in one["fields"]}
    for number, field in enumerate(document["fields"]):
        kind = kinds.get(field["name"], field.get("type", "string"))
        if field.get("type", "string") != kind:
            detail = _("There are records in which this is of the type %(type)s: add a field of another name.")
            entered.fault(f"schema/fields/{number}/type", "type_changed", detail % {"type": kind})


def added(dataset: Dataset, document: dict[str, Any], now: datetime) -> SchemaVersion:
    """Keep and record a checked document; the dataset is locked, so that numbers follow each other."""
    levels = acting.levels(dataset, acting.current_schema(dataset))
    earlier = SchemaVersion.objects.filter(dataset=dataset)
    last = earlier.order_by("-number").values_list("number", flat=True).first() or 0
    earlier.filter(current=True).update(current=False)
    row = SchemaVersion.objects.create(dataset=dataset, number=last + 1, document=document, added_at=now)
    acting.index(dataset, row)
    lowered = acting.lowers(dataset, levels, row, now)
    acting.save(dataset, "words", "lowered_at")
    acting.note(dataset, "dataset.schema_added", number=row.number)
    if lowered:
        acting.note_lowered(dataset)
    return row

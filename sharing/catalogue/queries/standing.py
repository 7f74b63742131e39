"""Are the records of a dataset open to the actor, by which grants and until when, and what is offered to all?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from coordination.events.actor import Actor
from sharing.catalogue import deciders, narrowing
from sharing.catalogue.models import Dataset, SchemaVersion, StandingOffer
from sharing.catalogue.queries.asked import seen_requests
from sharing.catalogue.queries.entries import Row, seen_one
from sharing.catalogue.queries.reading import NoGrant, open_to
from sharing.catalogue.states import WAITING


def openness(*, actor: Actor, now: datetime, dataset_id: int) -> Row:
    """What a reader needs to know before asking: open by which grants until when, waiting requests, whether to ask.

    ``fields``: those of the schema with how each is offered.
    """
    dataset = seen_one(actor, dataset_id)
    schema = SchemaVersion.objects.filter(dataset=dataset, current=True).first()
    document: dict[str, Any] = schema.document if schema else {"fields": []}
    try:
        grants = open_to(actor, dataset, schema, now).grant_ids
    except NoGrant:
        grants = ()
    mine = seen_requests(actor, now).filter(dataset=dataset, department_id=actor.department_id or 0)
    found = [row for row in mine.order_by("-pk")[:50] if set(row.grant_ids) & set(grants) or row.state in WAITING]
    by = [
        {"request_id": row.pk, "number": row.number, "until": row.valid_to, "purpose": row.purpose}
        for row in found if row.grant_ids
    ]
    own = dataset.department_id == actor.department_id
    askable = dataset.state == Dataset.State.PUBLISHED and schema is not None and not own
    shared = dataset.sharing != Dataset.Sharing.NONE
    return {
        "dataset": {"id": dataset.pk, "title": dataset.title, "personal": dataset.personal,
                    "sharing": dataset.sharing, "classification": dataset.classification},
        "own": own,
        "open": bool(grants),
        "grants": by,
        "grant_ids": list(grants),
        "waiting": [{"request_id": row.pk, "number": row.number} for row in found if not row.grant_ids],
        "may_ask": askable and shared and deciders.may_ask(actor, now),
        "break_glass_only": askable and not shared,
        "fields": [
            {"name": one["name"], "title_zh": one.get("title_zh", ""), "title_en": one.get("title_en", ""),
             "rule": narrowing.offered(one), "classification": max(int(one.get("classification", 1)), 1),
             "filterable": bool(one.get("filterable"))}
            for one in document["fields"]
        ],
        "types": narrowing.types_of(document),
    }  # fmt: skip


def offer(*, actor: Actor, now: datetime, dataset_id: int) -> Row | None:
    """The standing offer of a dataset, open to all who may know of the entry; None where there is none."""
    dataset = seen_one(actor, dataset_id)
    found = StandingOffer.objects.filter(dataset=dataset, ended_at=None).first()
    return offer_row(found) if found is not None else None


def offer_row(row: StandingOffer) -> Row:
    """A standing offer."""
    return {
        "dataset_id": row.dataset_id, "fields": row.fields, "rows": row.rows, "longest_days": row.longest_days,
        "only_in_open_incident": row.only_in_open_incident, "since": row.since,
    }

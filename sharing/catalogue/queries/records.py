"""Which records of a dataset does the actor see, and what of each?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.refused import Invalid
from sharing import access
from sharing.access import filters
from sharing.catalogue.models import Record, SchemaVersion, Transfer
from sharing.catalogue.queries.entries import Row, seen_one

COLUMNS = ("id", "since", "data")


class NoGrant(access.NotYourRight):
    """What the entry says is open; its records are not opened to this actor now. They can be asked for."""


class BadPlace(Invalid):
    """The cursor is none of this list."""

    code = "bad_cursor"


def records(
    *,
    actor: Actor,
    now: datetime,
    dataset_id: int,
    where: Mapping[str, Any] | None = None,
    purpose: str = "",
    after: Any = None,
    size: int = 50,
) -> tuple[list[Row], list[int] | None]:
    """The rows of `opened`, and the cursor of the next page."""
    found = opened(
        actor=actor, now=now, dataset_id=dataset_id, where=where, purpose=purpose, after=after, size=size
    )
    return found.rows, found.after


@dataclass(frozen=True, slots=True)
class Found:
    """Records on one page, the next one's cursor, and the grants that open them; ``glass``: those of break-glass."""

    rows: list[Row]
    after: list[int] | None
    grants: tuple[int, ...]
    glass: tuple[int, ...]


def opened(
    *,
    actor: Actor,
    now: datetime,
    dataset_id: int,
    where: Mapping[str, Any] | None = None,
    purpose: str = "",
    after: Any = None,
    size: int = 50,
) -> Found:
    """Current records that a grant opens to the actor, each as far as it does.

    ``{id, since, data, masked, classification}``; ``where``: a tree as `sharing.access.filters` has it, over
    filterable fields that every grant shows whole: by any other field nothing can be asked, as if there were none.
    404 for an entry that is hidden, `NoGrant` (403) where its records are not opened.
    """
    dataset = seen_one(actor, dataset_id)
    held = _held(actor, dataset.pk, now, purpose)
    schema = SchemaVersion.objects.filter(dataset=dataset, current=True).first()
    fields = schema.document["fields"] if schema else []
    classes = {one["name"]: max(int(one.get("classification", 1)), 1) for one in fields}
    askable = held.askable(classes)
    types = {
        one["name"]: one.get("type", "string") for one in fields if one.get("filterable") and one["name"] in askable
    }
    tree = filters.checked(where, types)
    rows = Record.everything.filter(filters.condition(tree), dataset=dataset, until=None).order_by("pk")
    if after is not None:
        rows = rows.filter(pk__gt=_place(after))
    openings = [f"opened{number}" for number in range(len(held.openings))]
    found = [
        row | {"classification": dataset.classification}
        for row in held.shown(held.rows(rows).values(*COLUMNS, *openings)[: size + 1], classes)
    ]
    more = len(found) > size
    place = [found[size - 1]["id"]] if more else None
    return Found(found[:size], place, held.grant_ids, held.glass_ids)


def transfers(*, actor: Actor, now: datetime, dataset_id: int) -> list[Row]:
    """What was delivered into a dataset, newest first; its own department alone (403 for others)."""
    dataset = seen_one(actor, dataset_id)
    if actor.kind != "system" and (dataset.department_id != actor.department_id):
        raise NoGrant(_("Only the department that keeps this dataset sees its transfers."), right="view")
    rows = Transfer.objects.filter(dataset=dataset).select_related("schema").order_by("-number")
    return [transfer_row(row) for row in rows]


def transfer_row(row: Transfer) -> Row:
    """A transfer; needs ``schema`` selected."""
    return {
        "number": row.number, "mode": row.mode, "at": row.at, "schema_number": row.schema.number, "digest": row.digest,
        "added": row.added, "changed": row.changed, "ended": row.ended, "same": row.same,
    }


def _held(actor: Actor, dataset_id: int, now: datetime, purpose: str) -> Any:
    try:
        return access.held(actor, dataset_id, now, purpose=purpose)
    except access.Unseen:
        raise NoGrant(_("These records are not open to you. Ask for access, and say what for."), right="view") from None


def _place(after: Any) -> int:
    if isinstance(after, list) and len(after) == 1 and isinstance(after[0], int) and not isinstance(after[0], bool):
        place: int = after[0]
        if 0 <= place < 2**63:
            return place
    raise BadPlace(_("This cursor does not belong to this list; start again without it."))

"""Which records of a dataset does the actor see, and what of each?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.refused import NotFound
from sharing.access.rights import right
from sharing.catalogue.models import Transfer
from sharing.catalogue.queries import sorting
from sharing.catalogue.queries.entries import Row, seen_one
from sharing.catalogue.queries.reading import NoGrant as NoGrant
from sharing.catalogue.queries.reading import Opened, histories, opened

MOST_COUNTED = 1_000
LEAST_TOLD = 5
"""Where a field is masked, a smaller number of records is not told."""
MOST_STATES = 50


class RecordPage(NamedTuple):
    """Records, where the next ones begin (None at the end), and what opened them; ``glass``: grants of break-glass.

    ``restricted``: that there are none is kept as well, since it is an answer.
    """

    rows: list[Row]
    after: list[Any] | None
    grants: tuple[int, ...]
    glass: tuple[int, ...]
    restricted: bool = False


def records(
    *,
    actor: Actor,
    now: datetime,
    dataset_id: int,
    where: Mapping[str, Any] | None = None,
    sort: str = "",
    as_of: int | None = None,
    purpose: str = "",
    after: Any = None,
    size: int = 50,
) -> RecordPage:
    """Current records that a grant opens to the actor, each as far as it does.

    ``{id, since, data, masked, classification, of_persons, of_others}``; ``where``: a tree as `sharing.access.filters`
    has it, over filterable fields that every grant shows whole: by any other field nothing can be asked, as if there
    were none; so too ``sort``. ``as_of``: as a transfer left them.
    404 for an entry that is hidden, `NoGrant` (403) where its records are not opened.
    """
    found = opened(actor=actor, now=now, dataset_id=dataset_id, purpose=purpose, as_of=as_of)
    return records_of(found, where=where, sort=sort, after=after, size=size)


def records_of(
    opened: Opened, *, where: Mapping[str, Any] | None = None, sort: str = "", after: Any = None, size: int = 50
) -> RecordPage:
    """A page of what is open; see `records`."""
    rows = sorting.ordered(opened.rows(where), sort, opened.types).filter(sorting.beyond(sort, after))
    found = list(opened.shown(opened.values(rows)[: size + 1]))
    more = len(found) > size
    following = sorting.cursor(sort, found[size - 1]) if more else None
    return RecordPage(found[:size], following, opened.held.grant_ids, opened.held.glass_ids, opened.restricted)


def counted(opened: Opened, where: Mapping[str, Any] | None = None) -> Row:
    """How many records pass: ``{number, more, few}``; ``more``: at least so many; ``few``: fewer than are told."""
    found = opened.rows(where).order_by()[: MOST_COUNTED + 1].count()
    few = 0 < found < LEAST_TOLD and opened.masks_any
    return {"number": LEAST_TOLD if few else min(found, MOST_COUNTED), "more": found > MOST_COUNTED, "few": few}


def record(*, opened: Opened, record_id: int) -> Row:
    """One record with its states by transfer, newest first: ``{id, since, until, data, masked …, states}``.

    A state that differs from its neighbour in nothing that is open is no state of its own. 404 where it is not open.
    """
    rows = opened.values(histories(opened, record_id), "until", "key")[:MOST_STATES]
    states: list[Row] = []
    here: Row | None = None
    for row in opened.shown(rows):
        if row["id"] == record_id:
            here = row
        if states and states[-1]["data"] == row["data"] and states[-1]["since"] == row["until"]:
            states[-1] |= {"since": row["since"]}
        else:
            states.append(dict(row))
    if here is None:
        raise NotFound(_("There is no such record."))
    keyed = not here["key"].startswith("#")  # without a primary key nothing says that two states are one record's
    return here | {"states": states if keyed else [], "current": here["until"] is None}


def transfers(
    *, actor: Actor, now: datetime, dataset_id: int, after: Any = None, size: int = 50
) -> tuple[list[Row], list[int] | None]:
    """What was delivered into a dataset, newest first, and the cursor of the next page.

    Its own department alone, and there whoever may view data (403 for others).
    """
    dataset = seen_one(actor, dataset_id)
    own = dataset.department_id == actor.department_id and right("view").open_to(actor)
    if actor.kind != "system" and not own:
        raise NoGrant(_("Only the department that keeps this dataset sees its transfers."), right="view")
    rows = Transfer.objects.filter(dataset=dataset).select_related("schema").order_by("-number")
    if after is not None:
        sorting.beyond("", after)  # of the same form
        rows = rows.filter(number__lt=after[0])
    found = list(rows[: size + 1])
    return [transfer_row(row) for row in found[:size]], ([found[size - 1].number] if len(found) > size else None)


def transfer_row(row: Transfer) -> Row:
    """A transfer; needs ``schema`` selected."""
    return {
        "number": row.number, "mode": row.mode, "at": row.at, "schema_number": row.schema.number, "digest": row.digest,
        "added": row.added, "changed": row.changed, "ended": row.ended, "same": row.same,
    }


def batch(
    opened: Opened, *, where: Mapping[str, Any] | None = None, after: int = 0, size: int = 500
) -> Sequence[Row]:
    """The next records by id, for a file; ``after``: the last id before them."""
    rows = opened.rows(where).filter(pk__gt=after).order_by("pk")
    return list(opened.shown(opened.values(rows)[:size]))

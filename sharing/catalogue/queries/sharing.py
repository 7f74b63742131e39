"""What was given of a department's data, what was it given itself, and who has read by it?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events import queries as log
from coordination.events.actor import Actor
from coordination.events.queries import Receipt
from sharing import access
from sharing.access.models import Grant
from sharing.access.queries import holdings
from sharing.catalogue import stewards
from sharing.catalogue.models import Dataset, SchemaVersion
from sharing.catalogue.queries import grant_words as words
from sharing.catalogue.queries.entries import Row, department_row, seen
from sharing.catalogue.queries.reading import NoGrant
from sharing.catalogue.queries.sorting import BadPlace

SIDES = ("given", "received")
MOST_EXPORTED = 5_000


def grants(
    *,
    actor: Actor,
    now: datetime,
    side: str = "given",
    state: str = "",
    source: str = "",
    dataset_id: int | None = None,
    after: Any = None,
    size: int = 50,
) -> tuple[list[Row], list[int] | None]:
    """Grants on my department's datasets (``given``) or held by it (``received``), newest first, with what was read.

    ``given`` needs the right ``see_given`` (403). A department's own grant on what it keeps is in neither.
    """
    rows = _side(actor, side)
    if state:
        rows = rows.filter(holdings.in_state(state, now))
    if source:
        rows = rows.filter(source=source)
    if dataset_id is not None:
        rows = rows.filter(object_id=dataset_id)
    if after is not None:
        rows = rows.filter(pk__lt=_place(after))
    found = list(rows.order_by("-pk")[: size + 1])
    shown = found[:size]
    return _rows(actor, shown, now, read=side == "given"), ([shown[-1].pk] if len(found) > size else None)


def grant(*, actor: Actor, now: datetime, grant_id: int) -> Row:
    """One grant, of those given or received; 404 for any other."""
    found, mine = seen_grant(actor, grant_id)
    return _rows(actor, [found], now, read=mine)[0]


def receipts(*, actor: Actor, now: datetime, grant_id: int) -> list[Row]:
    """Who has read by a grant, the latest first: for the department whose data it is, not for the one that reads."""
    found, mine = seen_grant(actor, grant_id)
    if not mine:
        raise NoGrant(_("Who reads by it is shown to the department whose data it is."), right="see_given")
    rows = log.receipts([found.pk])
    named = words.Holders(("department", str(row.department_id)) for row in rows)
    return [
        {
            "department": named.said(("department", str(row.department_id)))["department"],
            "post": row.post, "post_name": words.post_name(row.post), "purpose": row.purpose,
            "first": row.first, "last": row.last, "times": row.times, "count": row.count,
        }
        for row in rows
    ]


def holders(*, actor: Actor, now: datetime, dataset_id: int) -> dict[str, int] | None:
    """How many grants on a dataset of my department are in force, and how many holders have them; None for others."""
    if not _may_see_given(actor):
        return None
    rows = _given(actor).filter(holdings.in_state("in_force", now), object_id=dataset_id)
    scopes = list(rows.values_list("scope_id", flat=True))
    return {"grants": len(scopes), "holders": len(set(scopes))}


def open_by(*, actor: Actor, now: datetime, dataset_id: int) -> list[Row]:
    """By which grants a dataset is open to me now; my own department's is not among them."""
    rows = _received(actor).filter(holdings.in_state("in_force", now), object_id=dataset_id)
    return _rows(actor, list(rows.order_by("-pk")[:50]), now, read=False)


def _side(actor: Actor, side: str) -> Any:
    if side == "received":
        return _received(actor)
    access.require(actor, "see_given")
    return _given(actor)


def _received(actor: Actor) -> Any:
    """What was given to the actor's department, of entries that it may know of: a hidden one's title is in no grant."""
    return holdings.received(actor).filter(object_id__in=seen(actor).order_by().values("pk"))


def _may_see_given(actor: Actor) -> bool:
    return access.may(actor, "see_given")


def _given(actor: Actor) -> Any:
    kept = Dataset.objects.all()
    return holdings.given(kept if actor.kind == "system" else kept.filter(department_id=actor.department_id))


def seen_grant(actor: Actor, grant_id: int) -> tuple[Grant, bool]:
    """The grant, and whether it is one of those given."""
    given = _given(actor).filter(pk=grant_id).first() if _may_see_given(actor) else None
    found = given or _received(actor).filter(pk=grant_id).first()
    if found is None:
        raise access.Unseen
    return found, given is not None


def _place(after: Any) -> int:
    if isinstance(after, list) and len(after) == 1 and isinstance(after[0], int) and not isinstance(after[0], bool):
        place: int = after[0]
        if 0 <= place < 2**63:
            return place
    raise BadPlace(_("This cursor does not belong to this list; start again without it."))


def _rows(actor: Actor, found: Sequence[Grant], now: datetime, *, read: bool) -> list[Row]:
    """The grants in words; a fixed number of queries."""
    if not found:
        return []
    ids = {row.object_id for row in found}
    datasets = Dataset.objects.select_related("department").in_bulk(ids)
    current = SchemaVersion.objects.filter(dataset_id__in=ids, current=True)
    titles = {row.dataset_id: words.titles(row.document) for row in current}
    revokers = {row.pk: _person(row.revoked_by) for row in found}
    named = words.Holders(
        ((row.scope.kind, row.scope.key) for row in found), (pk for pk in revokers.values() if pk is not None)
    )
    read_by = _totals(log.receipts([row.pk for row in found])) if read else {}
    mine = stewards.stewarded(actor, ids, now) | _headed(actor, datasets.values(), now)
    return [
        _row(row, datasets[row.object_id], titles.get(row.object_id, {}), named, now)
        | read_by.get(row.pk, {"times": 0 if read else None, "count": 0 if read else None, "last_read": None})
        | {"revoked_by": named.person(by) if (by := revokers[row.pk]) is not None else row.revoked_by and "–"}
        | {"allowed_actions": _allowed(row, now, row.object_id in mine)}
        for row in found
        if row.object_id in datasets
    ]


def _row(row: Grant, dataset: Dataset, titles: dict[str, str], named: words.Holders, now: datetime) -> Row:
    state = holdings.state_of(row, now)
    rules = row.fields.fields if row.fields is not None else {}
    return {
        "id": row.pk,
        "dataset": {
            "id": dataset.pk, "code": dataset.code, "title": dataset.title, "classification": dataset.classification,
            "department": department_row(dataset.department),
        },
        "holder": named.said((row.scope.kind, row.scope.key)),
        "fields": words.fields_said(rules, titles),
        "filter": row.filter, "filter_words": words.filter_said(row.filter, titles),
        "max_class": row.policy.max_class, "purpose": row.purpose,
        "source": row.source, "source_name": str(words.SOURCE_NAMES.get(row.source, row.source)),
        "incident_id": row.incident_id, "valid_from": row.valid_from, "valid_to": row.valid_to,
        "state": state, "state_name": str(words.STATE_NAMES[state]),
        "revoked_at": holdings.revoked_at(row, now), "revoked_why": row.revoked_why,
    }


def _headed(actor: Actor, datasets: Iterable[Dataset], now: datetime) -> set[int]:
    """Those that the actor's department keeps, where the actor is its head and nobody its steward."""
    kept = {row.pk for row in datasets if row.department_id == actor.department_id}
    alone = kept and "head" in actor.posts and stewards.without_steward(int(actor.department_id or 0), now)
    return kept if alone else set()


def _allowed(row: Grant, now: datetime, mine: bool) -> list[Row]:
    """What may be done with it now; what break-glass opened ends on its own page."""
    ends = mine and row.source != Grant.Source.BREAK_GLASS and holdings.state_of(row, now) in ("in_force", "not_yet")
    return [{"action": "revoke"}] if ends else []


def _totals(rows: Sequence[Receipt]) -> dict[int, Row]:
    found: dict[int, Row] = {}
    for row in rows:
        sum_ = found.setdefault(row.grant_id, {"times": 0, "count": 0, "last_read": row.last})
        sum_["times"] += row.times
        sum_["count"] += row.count
        sum_["last_read"] = max(sum_["last_read"], row.last)
    return found


def _person(key: str) -> int | None:
    kind, _, number = key.partition(":")
    return int(number) if kind == "person" and number.isdigit() else None

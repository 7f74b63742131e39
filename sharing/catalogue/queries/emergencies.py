"""What glass was broken, by whom, for what, and what is still to be judged?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coordination.events.actor import Actor
from coordination.events.refused import NotFound, VersionConflict
from coordination.events.text import localized
from sharing import access
from sharing.access.fence import fenced
from sharing.catalogue.models import BreakGlass, Dataset, RuleProposal
from sharing.catalogue.queries.entries import Row, department_row
from sharing.catalogue.queries.sorting import BadPlace

GLASS_STATES = ("running", "review", "past")
_WITH = ("person", "department", "owner", "ended_by", "reviewed_by")
NONE_HERE = gettext_lazy("There is no such break-glass.")


class NoGlass(NotFound):
    """There is no such breaking, or none that the actor may know of."""


class StaleGlass(VersionConflict):
    """The caller decided on an older version. ``version``: the current one."""


def running(at: datetime) -> QuerySet[BreakGlass]:
    """Those open at a moment."""
    return BreakGlass.objects.filter(ends__gt=at, ended_at=None)


def _known(actor: Actor) -> QuerySet[BreakGlass]:
    """Those of the actor's department, as the one that broke it or whose data it was; once late, those below too."""
    rows = BreakGlass.objects.all()
    if actor.kind == "system":
        return rows
    if not access.may(actor, "glass"):
        return rows.none()
    late = Q(above_id=actor.department_id, escalated_at__isnull=False)
    return rows.filter(Q(department_id=actor.department_id) | Q(owner_id=actor.department_id) | late)


def lock(actor: Actor, glass_id: int, if_version: int | None) -> BreakGlass:
    """The row, locked; 404 where hidden or absent, 412 for another version. Inside of `fenced`."""
    rows = _known(actor).select_related(*_WITH).select_for_update(no_key=True, of=("self",))
    glass = rows.filter(pk=glass_id).first()
    if glass is None:
        raise NoGlass(NONE_HERE)
    if if_version is not None and glass.version != if_version:
        raise StaleGlass(gettext_lazy("Somebody changed this meanwhile. Look at it again and decide anew."),
                         version=glass.version)
    return glass


def judges(actor: Actor, glass: BreakGlass) -> bool:
    """Whether it is for the actor's department to judge, and for this post of it."""
    if actor.department_id == glass.owner_id:
        return True
    late = glass.escalated_at is not None and actor.department_id == glass.above_id
    return late and "head" in actor.posts


def glasses(
    *, actor: Actor, now: datetime, state: str = "", after: Any = None, size: int = 50
) -> tuple[list[Row], list[int] | None]:
    """Breakings that concern the actor's department, newest first; ``state``: running, (to) review, past."""
    access.require(actor, "glass")
    over = Q(ends__lte=now) | Q(ended_at__isnull=False)
    wanted = {
        "": Q(), "running": Q(ends__gt=now, ended_at=None), "review": over & Q(outcome=""), "past": ~Q(outcome=""),
    }  # fmt: skip
    rows = _known(actor).filter(wanted[state]).select_related(*_WITH).order_by("-pk")
    if after is not None:
        rows = rows.filter(pk__lt=_place(after))
    with fenced(actor):
        found = list(rows[: size + 1])
    shown = _rows(actor, found[:size], now)
    return shown, ([found[size - 1].pk] if len(found) > size else None)


def glass(*, actor: Actor, now: datetime, glass_id: int) -> Row:
    """One breaking; 404 where it does not concern the actor's department."""
    with fenced(actor):
        found = _known(actor).select_related(*_WITH).filter(pk=glass_id).first()
    if found is None:
        raise NoGlass(NONE_HERE)
    return _rows(actor, [found], now)[0]


def open_now(*, actor: Actor, now: datetime, glass_ids: Iterable[int]) -> list[Row]:
    """What the person has open by these breakings, for the banner of every page; no breaking, no question."""
    wanted = sorted(set(glass_ids))
    if not wanted:
        return []
    with fenced(actor):
        found = list(running(now).filter(pk__in=wanted, person_id=actor.id or 0).select_related(*_WITH).order_by("pk"))
    return _rows(actor, found, now)


def _rows(actor: Actor, found: Sequence[BreakGlass], now: datetime) -> list[Row]:
    datasets = Dataset.objects.in_bulk([row.object_id for row in found if row.object_type == "catalogue.dataset"])
    ids = [row.object_id for row in found if row.object_type != "catalogue.dataset"]
    incidents = access.incidents_named(ids) if ids else {}
    return [_row(actor, row, now, datasets, incidents) for row in found]


def _row(actor: Actor, row: BreakGlass, now: datetime, datasets: dict[int, Any], incidents: dict[int, Any]) -> Row:
    own, open_ = actor.id == row.person_id and actor.is_person, row.running(now)
    dataset = row.object_type == "catalogue.dataset"
    known = actor.department_id in (row.owner_id, row.above_id) or (own and open_) or actor.kind == "system"
    entry = datasets.get(row.object_id)
    known = known or (dataset and max(row.classification, entry.classification if entry else 4) < 4)
    title = ""
    if known and dataset and row.object_id in datasets:
        title = datasets[row.object_id].title
    elif known and row.object_id in incidents:
        one = incidents[row.object_id]
        title = f"{one.number} {localized(one.headline_zh, one.headline_en)}".strip()
    state = "running" if open_ else "past" if row.outcome else "escalated" if row.escalated_at else "review"
    return {
        "id": row.pk, "version": row.version, "number": f"BG-{row.pk}", "kind": "dataset" if dataset else "incident",
        "object_id": row.object_id if known else None,
        "title": title or (row.object_name if own or known else str(_("Confidential"))),
        "person": {"id": row.person_id, "name": str(row.person)}, "post": row.post,
        "department": department_row(row.department), "owner": department_row(row.owner), "reason": row.reason,
        "proof": row.proof, "started_at": row.started_at, "ends": row.ends, "over_at": row.over_at(),
        "renewed_at": row.renewed_at, "ended_at": row.ended_at, "ended_why": row.ended_why,
        "ended_by": {"id": row.ended_by_id, "name": str(row.ended_by)} if row.ended_by else None,
        "state": state, "review_due": row.review_due, "escalated_at": row.escalated_at,
        "outcome": row.outcome, "outcome_name": row.get_outcome_display() if row.outcome else "",
        "review": row.review, "reviewed_at": row.reviewed_at,
        "reviewed_by": {"id": row.reviewed_by_id, "name": str(row.reviewed_by)} if row.reviewed_by else None,
        "mine": own, "allowed_actions": [{"action": name} for name in _allowed(actor, row, open_)],
    }


def _allowed(actor: Actor, row: BreakGlass, open_: bool) -> list[str]:
    found = []
    own, judge = actor.is_person and actor.id == row.person_id, access.may(actor, "review_glass")
    if open_ and own and row.renewed_at is None and access.may(actor, "break_glass"):
        found.append("renew")
    if open_ and (own or (judge and actor.department_id == row.owner_id)):
        found.append("end")
    if not open_ and not row.outcome and not own and judge and judges(actor, row):
        found.append("review")
    return found


def proposals(*, actor: Actor, now: datetime, dataset_id: int | None = None) -> list[Row]:
    """Rules proposed to the actor's department and not settled yet, the newest first; at most 50."""
    if not access.may(actor, "glass"):
        return []
    rows = RuleProposal.objects.filter(owner_id=actor.department_id, state=RuleProposal.State.OPEN)
    if dataset_id is not None:
        rows = rows.filter(dataset_id=dataset_id)
    may = access.may(actor, "review_glass")
    found = rows.select_related("department", "owner", "dataset").order_by("-pk")[:50]
    return [proposal_row(row, may) for row in found]


def proposal_row(row: RuleProposal, may: bool = False) -> Row:
    """A proposal, with its numbers."""
    return {
        "id": row.pk, "version": row.version, "department": department_row(row.department),
        "dataset": {"id": row.dataset_id, "title": row.dataset.title} if row.dataset else None,
        "incident_type": row.kind_of.removeprefix("incident_type:") if not row.dataset_id else "",
        "uses": row.uses, "since": row.since, "last": row.last, "state": row.state, "why": row.why,
        "settled_at": row.settled_at,
        "allowed_actions": [{"action": "settle"}] if may and row.state == RuleProposal.State.OPEN else [],
    }


def lock_proposal(actor: Actor, proposal_id: int, if_version: int | None) -> RuleProposal:
    """The proposal, locked; 404 for those of other departments, 412 for another version."""
    rows = RuleProposal.objects.filter(owner_id=actor.department_id, pk=proposal_id)
    row = rows.select_for_update(no_key=True).first() if access.may(actor, "glass") else None
    if row is None:
        raise NoGlass(gettext_lazy("There is no such proposal."))
    if if_version is not None and row.version != if_version:
        raise StaleGlass(gettext_lazy("Somebody changed this meanwhile. Look at it again and decide anew."),
                         version=row.version)
    return row


def may_break(actor: Actor, dataset: Row) -> bool:
    """Whether the page of an entry offers to break the glass: it is another's, and its terms allow it."""
    closed = dataset["sharing"] == Dataset.Sharing.NONE or dataset["classification"] >= 4
    foreign = dataset["department"]["id"] != actor.department_id
    released = dataset["emergency_release"] or not closed
    return foreign and released and dataset["state"] != Dataset.State.DRAFT and access.may(actor, "break_glass")


def _place(after: Any) -> int:
    if isinstance(after, list) and len(after) == 1 and isinstance(after[0], int) and not isinstance(after[0], bool):
        place: int = after[0]
        if 0 <= place < 2**63:
            return place
    raise BadPlace(gettext_lazy("This cursor does not belong to this list; start again without it."))

"""Which requests for data concern this department, and what may be done with each?

The two departments of a request see it: all who may view there. The receiver sees none that is about an entry hidden
from it; drafts are the asking department's own. Once its time has come, the data authority sees it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.events.actor import Actor
from coordination.events.refused import Invalid, NotFound
from sharing.access.rights import right
from sharing.catalogue import deciders, narrowing, states
from sharing.catalogue.models import Agreement, SchemaVersion, ShareRequest
from sharing.catalogue.queries.entries import Row, basis_row, department_row, seen

SIDES = ("answer", "asked")
SHOWN = {"open": states.WAITING, "draft": ("draft",),
         "answered": ("granted", "partly_granted", "refused", "withdrawn")}  # fmt: skip
Page = tuple[list[Row], list[Any] | None]


class NoSuchRequest(NotFound):
    """There is no such request, or none that the actor may know of."""


def seen_requests(actor: Actor, now: datetime) -> QuerySet[ShareRequest]:
    """Requests that the actor may know of."""
    rows = ShareRequest.objects.all()
    if actor.kind == "system":
        return rows
    if not actor.is_person or not right("view").open_to(actor):
        return rows.none()
    mine = Q(department_id=actor.department_id, dataset__in=seen(actor).values("pk")) & (
        Q(given=False) | ~Q(state="draft")
    )
    if "head" in actor.posts:  # who has to sign what a post of the department has of class 4, also when it is renewed
        mine |= Q(department_id=actor.department_id, agreement__policy__max_class=4)
    kept = Q(dataset__department_id=actor.department_id) & ~Q(state="draft")
    found = mine | kept
    if deciders.is_authority(actor, now):
        found |= Q(authority_from__lte=now, state__in=states.WAITING)
    return rows.filter(found)


def seen_one(actor: Actor, request_id: int, now: datetime, *, lock: bool = False) -> ShareRequest:
    """One request with all that is asked of it; 404 where hidden or absent."""
    rows = seen_requests(actor, now).select_related(
        "dataset__department", "dataset__legal_basis", "department", "legal_basis", "continues", "agreement"
    )
    if lock:
        rows = rows.select_for_update(no_key=True, of=("self",))
    found = rows.filter(pk=request_id).first()
    if found is None:
        raise NoSuchRequest(_("There is no such request."))
    return found


def requests(
    *,
    actor: Actor,
    now: datetime,
    side: str = "answer",
    state: str = "open",
    dataset_id: int | None = None,
    after: Sequence[Any] | None = None,
    size: int = 50,
) -> Page:
    """Requests to answer (``answer``) or that were asked for the actor's department (``asked``).

    ``state``: open (what is due first comes first), draft, or answered (the newest first).
    """
    rows = seen_requests(actor, now).filter(state__in=SHOWN[state])
    ours = Q(department_id=actor.department_id)
    rows = rows.filter(ours if side == "asked" else ~ours)
    if dataset_id is not None:
        rows = rows.filter(dataset_id=dataset_id)
    by_due = state == "open"
    rows = rows.order_by("answer_due", "pk") if by_due else rows.order_by("-pk")
    if after is not None:
        rows = rows.filter(_beyond(state, side, after))
    found = list(rows.select_related("dataset__department", "department")[: size + 1])
    following = None
    if len(found) > size:
        found = found[:size]
        last = found[-1]
        following = [state, side, last.answer_due.isoformat() if last.answer_due else "", last.pk]
    return [listed(row, now) for row in found], following


def _beyond(state: str, side: str, after: Sequence[Any]) -> Q:
    if len(after) != 4 or after[0] != state or after[1] != side:
        detail = _("Use next of the earlier answer as it is.")
        raise Invalid(detail, errors=[{"pointer": "/cursor", "code": "cursor", "detail": detail}])
    if state != "open":
        return Q(pk__lt=after[3])
    due = datetime.fromisoformat(after[2])
    return Q(answer_due__gt=due) | Q(answer_due=due, pk__gt=after[3])


def waiting_for_us(*, actor: Actor, now: datetime) -> int:
    """How many requests wait for an answer of the actor's department."""
    rows = seen_requests(actor, now).filter(state__in=states.WAITING)
    return rows.filter(dataset__department_id=actor.department_id or 0).count()


def listed(row: ShareRequest, now: datetime) -> Row:
    """A request as it stands in a list."""
    return {
        "id": row.pk,
        "version": row.version,
        "number": row.number,
        "dataset": {"id": row.dataset_id, "title": row.dataset.title, "classification": row.dataset.classification},
        "classification": row.dataset.classification,
        "keeper": department_row(row.dataset.department),
        "department": department_row(row.department),
        "holder": row.holder,
        "holder_name": row.get_holder_display(),
        "post": row.post,
        "given": row.given,
        "purpose": row.purpose,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "incident_id": row.incident_id,
        "state": row.state,
        "state_name": row.get_state_display(),
        "escalated": deciders.escalated(row, now),
        "submitted_at": row.submitted_at,
        "screen_due": row.screen_due,
        "answer_due": row.answer_due,
        "answered_at": row.answered_at,
    }


def request(*, actor: Actor, now: datetime, request_id: int) -> Row:
    """All of one request, with what the actor may do with it now."""
    row = seen_one(actor, request_id, now)
    schema = SchemaVersion.objects.filter(dataset=row.dataset, current=True).first()
    document: dict[str, Any] = schema.document if schema else {"fields": []}
    people = accounts.people_by_id(
        pk for pk in (row.asked_by, row.screened_by, row.answered_by) if pk is not None
    )
    agreement = Agreement.objects.filter(request=row).first()
    level = max([row.dataset.classification, *(
        narrowing.classes_of(document).get(name, 1) for name in row.fields
    )])  # fmt: skip
    return listed(row, now) | {
        "fields": _in_order(row.fields, document),
        "rows": row.rows,
        "classification": level,
        "asked_by": _name(people, row.asked_by),
        "screened_by": _name(people, row.screened_by),
        "answered_by": _name(people, row.answered_by),
        "screened_at": row.screened_at,
        "authority_from": row.authority_from,
        "answer": row.answer,
        "legal_basis": basis_row(row.legal_basis) if row.legal_basis else None,
        "agreement_id": agreement.pk if agreement else None,
        "continues_id": row.continues_id,
        "grant_ids": row.grant_ids,
        "document": document,
        "allowed_actions": [{"action": name} for name in allowed(actor, row, level, now)],
    }


def _in_order(fields: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """Fields as the schema has them one after another; those it no longer has come last."""
    order = {one["name"]: number for number, one in enumerate(document["fields"])}
    return dict(sorted(fields.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def _name(people: dict[int, Any], person_id: int | None) -> str:
    person = people.get(person_id) if person_id is not None else None
    return str(person.name) if person is not None else ""


def allowed(actor: Actor, row: ShareRequest, level: int, now: datetime) -> list[str]:
    """Moves of a request that the actor may make now."""
    moves = states.request_moves_from(row.state)
    asks = actor.department_id == row.department_id and deciders.may_ask(actor, now) and not row.given
    own = actor.id is not None and actor.id == row.asked_by and not row.given
    decides = not own and deciders.may_decide(actor, row, now)
    found = []
    for name in moves:
        if name in ("submit", "withdraw"):
            permitted = asks
        elif name == "grant" and deciders.four_eyes(row.dataset, level, now):
            permitted = decides and row.state == ShareRequest.State.SCREENED and row.screened_by != actor.id
        else:
            permitted = decides
        if permitted:
            found.append(name)
    return found

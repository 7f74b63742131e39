"""How does a department ask for data: draft, submit, withdraw, renew?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict
from sharing import access
from sharing.access.rights import right
from sharing.catalogue import narrowing
from sharing.catalogue.actions import acting, answering, waiting
from sharing.catalogue.entered import Entered, row_id
from sharing.catalogue.incident_terms import Response, response_of
from sharing.catalogue.models import Dataset, SchemaVersion, ShareRequest
from sharing.catalogue.queries import agreed, entries
from sharing.catalogue.states import WAITING

LONGEST = timedelta(days=366)
LONGEST_PURPOSE = 200


class NotShared(Conflict):
    """The terms of the dataset let nobody ask for it now."""

    code = "not_shared"


@action("request.ask")
def ask(
    *,
    actor: Actor,
    now: datetime,
    dataset_id: int,
    fields: Mapping[str, Any] | Sequence[str],
    purpose: str,
    rows: Mapping[str, Any] | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    holder: str = ShareRequest.Holder.DEPARTMENT,
    post: str = "",
    incident_id: int | None = None,
    draft: bool = False,
) -> ShareRequest:
    """Ask for data of another department for one's own; ``draft``: keep the request without submitting it.

    ``fields``: names (each as the schema offers it) or a field policy; ``rows``: a filter over filterable fields.
    Data whose terms are met by rule is granted in the same transaction; else a steward is told and clocks begin.
    """
    access.require(actor, "request_data")
    dataset = entries.seen_one(actor, dataset_id)
    schema = _askable(actor, dataset)
    entered = Entered()
    values = checked(
        entered, actor, now, purpose=purpose, valid_from=valid_from, valid_to=valid_to, holder=holder, post=post,
        incident_id=incident_id,
    )
    entered.done()
    request = ShareRequest.objects.create(
        dataset=dataset, department_id=int(actor.department_id or 0), asked_by=_person(actor), made_at=now,
        fields=narrowing.checked_fields(fields, schema.document), rows=narrowing.checked_rows(rows, schema.document),
        **values,
    )
    if draft:
        waiting.note(request, "request.drafted", to_keeper=False)
        return request
    return _submitted(actor, request, schema, now)


@action("request.submit")
def submit_request(*, actor: Actor, now: datetime, request_id: int, if_version: int | None = None) -> ShareRequest:
    """Send a draft to the department that keeps the data."""
    request = waiting.lock(
        actor, request_id, "submit", now=now, if_version=if_version, may=lambda found: _require_asker(actor, found)
    )
    schema = _askable(actor, request.dataset)
    narrowing.checked_fields(request.fields, schema.document)
    narrowing.checked_rows(request.rows, schema.document)
    entered = Entered()
    _check_period(entered, now, max(request.valid_from, now), request.valid_to)
    entered.done()
    request.valid_from = max(request.valid_from, now)
    request.asked_by = _person(actor)  # who asks is who sends it: that person does not decide on it
    request.save(update_fields=["asked_by"])
    return _submitted(actor, request, schema, now)


@action("request.withdraw")
def withdraw_request(*, actor: Actor, now: datetime, request_id: int, if_version: int | None = None) -> ShareRequest:
    """Take back a request that is not answered yet; for whoever may ask for the department that asked."""
    request = waiting.lock(
        actor, request_id, "withdraw", now=now, if_version=if_version, may=lambda found: _require_asker(actor, found)
    )
    told = request.state != ShareRequest.State.DRAFT
    request.state = ShareRequest.State.WITHDRAWN
    request.answered_at = now
    waiting.save(request, "state", "answered_at")
    waiting.stop(request, now)
    waiting.note(request, "request.withdrawn", to_keeper=told, tell_keeper=told)
    return request


@action("agreement.renew")
def renew_agreement(
    *, actor: Actor, now: datetime, agreement_id: int, valid_to: datetime, purpose: str = ""
) -> ShareRequest:
    """Ask again for what an agreement gives, from its end on; what it gave stays until then."""
    access.require(actor, "request_data")
    agreement = agreed.seen_one(actor, agreement_id, now, lock=True)
    agreed.require_intact(agreement)
    old = agreement.request
    _require_asker(actor, old)
    if ShareRequest.objects.filter(continues=agreement, state__in=WAITING).exists():
        raise Conflict(_("A renewal of this agreement is waiting for its answer."), code="renewal_waits")
    start = max(now, agreement.valid_to or now) if agreement.ended_at is None else now
    schema = _askable(actor, old.dataset)
    entered = Entered()
    said = entered.text("purpose", purpose or old.purpose, LONGEST_PURPOSE, needed=True)
    _check_period(entered, now, start, entered.moment("valid_to", valid_to))
    entered.done()
    known = narrowing.types_of(schema.document)
    kept = {name: rule for name, rule in agreement.policy["fields"].items() if name in known}
    request = ShareRequest.objects.create(
        dataset=old.dataset, department_id=old.department_id, holder=old.holder, post=old.post, asked_by=_person(actor),
        fields=narrowing.checked_fields(kept, schema.document),
        rows=narrowing.checked_rows(agreement.policy["rows"], schema.document), purpose=said, valid_from=start,
        valid_to=valid_to, incident_id=old.incident_id, made_at=now, continues=agreement,
    )
    return _submitted(actor, request, schema, now)


def checked(
    entered: Entered,
    actor: Actor,
    now: datetime,
    *,
    purpose: str,
    valid_from: datetime | None,
    valid_to: datetime | None,
    holder: str,
    post: str,
    incident_id: int | None,
) -> dict[str, Any]:
    """What a request says beside its fields and rows, as it is kept."""
    start = entered.moment("valid_from", valid_from) or now
    end = entered.moment("valid_to", valid_to)
    start = max(start, now)
    _check_period(entered, now, start, end)
    entered.choice("holder", holder, ShareRequest.Holder.values)
    if holder == ShareRequest.Holder.POST:
        entered.choice("post", post, sorted(right("view").posts))
    elif post:
        entered.fault("post", "not_a_choice", _("A post is named only where one post is to hold the data."))
    if incident_id is not None and _response(actor, incident_id) is None:
        entered.fault("incident_id", "unknown", _("There is no such incident."))
    return {
        "purpose": entered.text("purpose", purpose, LONGEST_PURPOSE, needed=True), "valid_from": start,
        "valid_to": end, "holder": holder, "post": post, "incident_id": incident_id,
    }


def _check_period(entered: Entered, now: datetime, start: datetime, end: datetime | None) -> None:
    if end is not None and end <= max(start, now):
        entered.fault("valid_to", "not_after", _("The end must lie after the beginning, and in the future."))
    elif end is not None and end > start + LONGEST:
        entered.fault("valid_to", "too_long", _("At most one year at once; an agreement can be renewed."))


def _response(actor: Actor, incident_id: Any) -> Response | None:
    found = row_id(incident_id)
    return response_of(actor, found) if found is not None else None


def _askable(actor: Actor, dataset: Dataset) -> SchemaVersion:
    """The schema by which it can be asked for; refuses (409) what nobody is given on request."""
    if dataset.department_id == actor.department_id:
        raise NotShared(_("This is your own department's data."))
    return askable_schema(dataset)


def askable_schema(dataset: Dataset) -> SchemaVersion:
    """The schema of a dataset in use; refuses (409) one that is not, or that nobody is given on request."""
    if dataset.sharing == Dataset.Sharing.NONE:
        raise NotShared(_("This data is not shared on request. In an emergency only break-glass opens it."))
    schema = acting.current_schema(dataset)
    if dataset.state != Dataset.State.PUBLISHED or schema is None:
        raise NotShared(_("Only published data can be had."))
    return schema


def _require_asker(actor: Actor, request: ShareRequest) -> None:
    access.require(actor, "request_data")
    if actor.kind != "system" and actor.department_id != request.department_id:
        raise access.NotYourRight(_("Only the department that asked may do this."), right="request_data")


def _submitted(actor: Actor, request: ShareRequest, schema: SchemaVersion, now: datetime) -> ShareRequest:
    response = _response(actor, request.incident_id) if request.incident_id is not None else None
    if answering.by_rule(actor, request, schema, response, now):
        return request
    if request.valid_to is None:
        said = _("Say until when: only data that is shared unconditionally is given without an end.")
        entered = Entered()
        entered.fault("valid_to", "required", said)
        entered.done()
    waiting.begin(request, response, now)
    return request


def _person(actor: Actor) -> int | None:
    return actor.id if actor.is_person else None



"""How is a request screened, granted (also less than asked) and refused, and how is data given unasked?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict
from sharing.catalogue import deciders, narrowing, stewards
from sharing.catalogue.actions import acting, answering, asking, waiting
from sharing.catalogue.entered import Entered, row_id
from sharing.catalogue.incident_terms import response_of
from sharing.catalogue.models import LegalBasis, SchemaVersion, ShareRequest
from sharing.catalogue.queries import entries

LONGEST_ANSWER = 1000
_SCREENED_ALREADY = _("Who screened a request may not grant it: for this class another person decides.")
_OWN = _("Nobody decides on what they asked for themselves.")


@action("request.screen")
def screen_request(*, actor: Actor, now: datetime, request_id: int, if_version: int | None = None) -> ShareRequest:
    """Say that a request is in order and can be decided. For class 3 and above another person then decides."""
    request = waiting.lock(
        actor, request_id, "screen", now=now, if_version=if_version,
        may=lambda found: deciders.require_decider(actor, found, now),
    )
    if not request.given:
        deciders.require_other(actor, request.asked_by, _OWN)
    request.state = ShareRequest.State.SCREENED
    request.screened_at, request.screened_by = now, _person(actor)
    waiting.save(request, "state", "screened_at", "screened_by")
    waiting.stop(request, now, "screen")
    waiting.note(request, "request.screened")
    return request


@action("request.grant")
def grant_request(
    *,
    actor: Actor,
    now: datetime,
    request_id: int,
    fields: Mapping[str, Any] | None = None,
    rows: Mapping[str, Any] | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    answer: str = "",
    if_version: int | None = None,
) -> ShareRequest:
    """Grant what was asked, or less of it: fewer or masked ``fields``, only ``rows`` of these, a shorter period.

    Refuses (422 more_than_asked) whatever could show more. Class 3 and above: another person must have screened it.
    """
    request = waiting.lock(
        actor, request_id, "grant", now=now, if_version=if_version,
        may=lambda found: deciders.require_decider(actor, found, now),
    )
    schema = asking.askable_schema(request.dataset)
    given = _less(request, schema, now, fields, rows, valid_from, valid_to)
    entered = Entered()
    words = entered.text("answer", answer, LONGEST_ANSWER)
    entered.done()
    _four_eyes(actor, request, schema, given, now)
    response = response_of(actor, request.incident_id) if request.incident_id is not None else None
    if request.screened_by is None:
        request.screened_by = _person(actor)
    answering.grant(request, given, schema, response, now, _person(actor), words)
    return request


def _four_eyes(
    actor: Actor, request: ShareRequest, schema: SchemaVersion, given: answering.Given, now: datetime
) -> None:
    level = answering.class_of(request.dataset, given.fields, schema)
    if not request.given:
        deciders.require_other(actor, request.asked_by, _OWN)
    if level == 4 and request.holder != ShareRequest.Holder.POST:
        raise Conflict(_("What is confidential is given to a named post only."), code="named_posts_only")
    if deciders.four_eyes(request.dataset, level, now):
        if request.state != ShareRequest.State.SCREENED or request.screened_by is None:
            raise deciders.FourEyes(_("For this class one person screens the request and another decides. Screen it."))
        deciders.require_other(actor, request.screened_by, _SCREENED_ALREADY)


def _less(
    request: ShareRequest, schema: SchemaVersion, now: datetime, fields: Mapping[str, Any] | None,
    rows: Mapping[str, Any] | None, valid_from: datetime | None, valid_to: datetime | None,
) -> answering.Given:
    """What is given, checked against the schema and against what was asked."""
    shown = narrowing.checked_fields(request.fields if fields is None else fields, schema.document)
    narrowing.require_no_more(shown, request.fields)
    tree = narrowing.together(request.rows, narrowing.checked_rows(rows, schema.document))
    entered = Entered()
    start = max(entered.moment("valid_from", valid_from) or request.valid_from, request.valid_from, now)
    end = entered.moment("valid_to", valid_to) or request.valid_to
    if end is not None and request.valid_to is not None and end > request.valid_to:
        entered.fault("valid_to", "more_than_asked", _("Nobody is given data for longer than was asked."))
    if end is not None and end <= start:
        entered.fault("valid_to", "not_after", _("The end must lie after the beginning, and in the future."))
    entered.done()
    return answering.Given(shown, narrowing.checked_rows(tree, schema.document), start, end)


@action("request.refuse")
def refuse_request(
    *,
    actor: Actor,
    now: datetime,
    request_id: int,
    answer: str,
    legal_basis_id: int | None,
    if_version: int | None = None,
) -> ShareRequest:
    """Refuse, with the reason and the legal basis: both are needed, and the basis must be in force."""
    request = waiting.lock(
        actor, request_id, "refuse", now=now, if_version=if_version,
        may=lambda found: deciders.require_decider(actor, found, now),
    )
    entered = Entered()
    words = entered.text("answer", answer, LONGEST_ANSWER, needed=True)
    found = row_id(legal_basis_id)
    basis = LegalBasis.objects.filter(pk=found).first() if found is not None else None
    if basis is None or not basis.in_force(acting.today(now)):
        entered.fault("legal_basis_id", "not_in_force", _("Name a legal basis that is in force: no refusal without."))
    entered.done()
    request.state = ShareRequest.State.REFUSED
    request.answered_at, request.answered_by, request.answer, request.legal_basis = now, _person(actor), words, basis
    waiting.save(request, "state", "answered_at", "answered_by", "answer", "legal_basis")
    waiting.stop(request, now)
    waiting.note(request, "request.refused", tell_asker=True)
    return request


@action("request.give")
def give(
    *,
    actor: Actor,
    now: datetime,
    dataset_id: int,
    department_id: int,
    fields: Mapping[str, Any] | Sequence[str],
    purpose: str,
    rows: Mapping[str, Any] | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    holder: str = ShareRequest.Holder.DEPARTMENT,
    post: str = "",
    incident_id: int | None = None,
    answer: str = "",
) -> ShareRequest:
    """Give data unasked, as a request on behalf of the receiver: the same rules and the same four eyes.

    Up to class 2 it is granted at once; from class 3 it counts as screened, and waits for another person's decision.
    """
    dataset = entries.seen_one(actor, dataset_id)
    stewards.require_steward(actor, dataset, now)
    schema = asking.askable_schema(dataset)
    entered = Entered()
    target = entered.department("department_id", department_id)
    if target is not None and target == dataset.department_id:
        entered.fault("department_id", "own", _("This is your own department's data."))
    values = asking.checked(
        entered, actor, now, purpose=purpose, valid_from=valid_from, valid_to=valid_to, holder=holder, post=post,
        incident_id=incident_id,
    )
    if values["valid_to"] is None and dataset.restricted:
        entered.fault("valid_to", "required", _("Say until when."))
    words = entered.text("answer", answer, LONGEST_ANSWER)
    entered.done()
    shown = narrowing.checked_fields(fields, schema.document)
    request = ShareRequest.objects.create(
        dataset=dataset, department_id=int(target or 0), asked_by=_person(actor), given=True, made_at=now,
        fields=shown, rows=narrowing.checked_rows(rows, schema.document), **values,
    )
    response = response_of(actor, request.incident_id) if request.incident_id is not None else None
    given = answering.Given(request.fields, request.rows, request.valid_from, request.valid_to)
    if not deciders.four_eyes(dataset, answering.class_of(dataset, shown, schema), now):
        request.screened_by = _person(actor)
        answering.grant(request, given, schema, response, now, _person(actor), words)
        return request
    waiting.begin(request, response, now)
    return screen_request(actor=actor, now=now, request_id=request.pk)


def _person(actor: Actor) -> int | None:
    return actor.id if actor.is_person else None


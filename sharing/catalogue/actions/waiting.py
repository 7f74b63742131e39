"""How does every act on a request lock, save and record, and which clocks run while it waits?

Silence escalates, it never grants: what the clocks do is to remind and to tell, and to open the decision to others.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.deadlines import actions as deadlines
from coordination.events import streams
from coordination.events.actor import SYSTEM, Actor
from coordination.events.command import record
from coordination.events.refused import MoveNotAllowed
from sharing.catalogue import states, stewards, working
from sharing.catalogue.actions.acting import StaleVersion
from sharing.catalogue.incident_terms import Response, response_of
from sharing.catalogue.models import Agreement, ShareRequest, Transfer
from sharing.catalogue.queries import asked

DELIVER = "deliver"
"""Kind of the clock that runs from a grant to the dataset's first delivery."""


def lock(
    actor: Actor, request_id: int, act: str, *, now: datetime, if_version: int | None,
    may: Callable[[ShareRequest], None],
) -> ShareRequest:
    """The request, locked: 404 unseen, 403 by ``may``, 412 another version, 409 not in this state."""
    request = asked.seen_one(actor, request_id, now, lock=True)
    may(request)
    if if_version is not None and request.version != if_version:
        raise StaleVersion(
            _("Somebody changed this meanwhile. Look at it again and decide anew."), version=request.version
        )
    if request.state not in states.request_move(act).sources:
        raise MoveNotAllowed(
            _("The request's state does not allow this."), state=request.state,
            allowed=states.request_moves_from(request.state),
        )
    return request


def save(request: ShareRequest, *fields: str) -> None:
    """Write these fields as the next version."""
    request.version += 1
    request.save(update_fields=[*fields, "version"])


def begin(request: ShareRequest, response: Response | None, now: datetime) -> None:
    """Submit it: somebody must answer, so clocks run and the steward is told."""
    in_incident = response is not None and response.is_open
    times = working.times(now, response.level if response else None, in_open_incident=in_incident)
    request.state = ShareRequest.State.SUBMITTED
    request.submitted_at = now
    request.screen_due, request.answer_due = times.screen_due, times.answer_due
    request.authority_from = times.authority_from
    save(request, "state", "submitted_at", "screen_due", "answer_due", "authority_from", "valid_from")
    urgency = "urgent" if in_incident else "routine"
    if not in_incident:  # in an incident the notice itself says that it is due
        _arm(request, "screen", times.screen_half, times.screen_due, None, urgency, now)
    _arm(request, "answer", times.answer_half, times.answer_due, times.authority_from, urgency, now)
    note(request, "request.submitted", tell_keeper=True, urgency=urgency)


def _arm(
    request: ShareRequest, kind: str, half: datetime, due: datetime, later: datetime | None, urgency: str, now: datetime
) -> None:
    ladder = [[(half - due).total_seconds(), "remind_steward"], [0.0, "head"]]
    if later is not None:
        ladder.append([(later - due).total_seconds(), "data_authority"])
    deadlines.arm(
        subject=request, kind=kind, due_at=due, ladder=ladder, urgency=urgency, incident_id=None, now=now,
        armed_version=request.version,
    )


def owe(request: ShareRequest, now: datetime) -> None:
    """Let the clock of the first delivery run, where what was granted holds nothing to read yet."""
    if Transfer.objects.filter(dataset_id=request.dataset_id).exists():
        return
    # whoever signs or decides need not see the incident: its clock is the incident's all the same
    response = response_of(SYSTEM, request.incident_id) if request.incident_id is not None else None
    in_incident = response is not None and response.is_open
    clock = working.delivery(now, response.level if response else None, in_open_incident=in_incident)
    _arm(request, DELIVER, clock.half, clock.due, clock.later, "urgent" if in_incident else "routine", now)


def delivered(dataset_id: int, now: datetime) -> None:
    """There is something to read: stop the clocks of all that wait for a first delivery of the dataset."""
    waiting = ShareRequest.objects.filter(dataset_id=dataset_id, state__in=states.ANSWERED_YES)
    deadlines.cancel_many(
        subject_type=ShareRequest._meta.label_lower, subject_ids=waiting.values_list("pk", flat=True), kinds=[DELIVER],
        now=now,
    )


def stop(request: ShareRequest, now: datetime, *kinds: str) -> None:
    """Stop its clocks, or those of these kinds."""
    deadlines.cancel(subject=request, kinds=kinds or None, now=now)


def note(
    request: ShareRequest,
    type: str,
    *,
    to_keeper: bool = True,
    tell_keeper: bool = False,
    tell_asker: bool = False,
    urgency: str = "routine",
    **payload: Any,
) -> None:
    """Record what happened to a request in the streams of both departments (a draft: only of the one that asks)."""
    keeper, asker = request.dataset.department_id, request.department_id
    home = [streams.department(asker)]
    told: list[dict[str, Any]] = []
    if tell_keeper:
        told.append({"department": keeper, "post": stewards.POST})
    if tell_asker and request.asked_by is not None and not request.given:
        told.append({"department": asker, "person": request.asked_by})
    elif tell_asker:
        told.append({"department": asker, "post": "head"})
    record(
        type=type, subject=request, streams=[streams.department(keeper), *home] if to_keeper else home,
        payload=_class(request) | payload, tell=told, urgency=urgency,
    )


def note_grants(request: ShareRequest, type: str, grant_ids: list[int]) -> None:
    """Record that grants on a dataset were given or ended, with ids alone: open screens of both sides ask again."""
    record(
        type=type, subject=request.dataset,
        streams=[streams.department(request.dataset.department_id), streams.department(request.department_id)],
        payload={"grants": grant_ids, "request": request.pk},
    )


def note_agreement(agreement: Agreement, type: str, **payload: str) -> None:
    """Record it in the streams of both departments, and tell both heads."""
    request = agreement.request
    both = [request.dataset.department_id, request.department_id]
    record(
        type=type, subject=agreement, streams=[streams.department(pk) for pk in both],
        payload=_class(request) | payload, tell=[{"department": pk, "post": "head"} for pk in both],
    )


def _class(request: ShareRequest) -> dict[str, int]:
    """Its title must not be told outside where the entry itself is confidential."""
    return {"class": request.dataset.classification} if request.dataset.classification == 4 else {}

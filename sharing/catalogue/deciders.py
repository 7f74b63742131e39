"""Who may see a request for data, and who may decide on it now?

The stewards of the dataset; once it has escalated, the head of their department too; later the data authority, which
is whoever leads the duty `AUTHORITY`. Time alone opens those doors: no job has to have run.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.events.actor import Actor
from coordination.events.refused import Conflict
from sharing import access
from sharing.catalogue import states, stewards
from sharing.catalogue.models import Dataset, ShareRequest

AUTHORITY = "data_authority"
FOUR_EYES_FROM = 3
LOWERED_FOR = timedelta(days=30)
"""For how long two persons go on deciding what is given of data whose class was lowered below 3."""


class FourEyes(Conflict):
    """Another person must do this: who asked, or who did the step before, may not."""

    code = "four_eyes"


def guarded_until(dataset: Dataset, now: datetime) -> datetime | None:
    """Until when a class lowered of late is still guarded by four eyes; None where none was.

    Else one steward would lower it, give, and raise it again. The head hears of each lowering.
    """
    until = dataset.lowered_at + LOWERED_FOR if dataset.lowered_at else None
    return until if until is not None and until > now else None


def four_eyes(dataset: Dataset, level: int, now: datetime) -> bool:
    """Whether what shows this class is opened by two persons and never by a rule alone."""
    return level >= FOUR_EYES_FROM or guarded_until(dataset, now) is not None


def escalated(request: ShareRequest, now: datetime) -> bool:
    """Whether the time to screen or to answer has passed, marked or not."""
    if request.escalated or request.state not in states.WAITING:
        return request.escalated
    screening = request.state == ShareRequest.State.SUBMITTED and request.incident_id is None
    due = [request.answer_due, request.screen_due if screening else None]
    return any(moment is not None and moment <= now for moment in due)


def is_authority(actor: Actor, now: datetime) -> bool:
    """Whether the actor's department is the data authority, and the actor its head or data steward."""
    if not actor.is_person or not actor.posts & {"head", stewards.POST}:
        return False
    return any(row.department_id == actor.department_id for row in accounts.leads_for(AUTHORITY, "", None, ""))


def may_decide(actor: Actor, request: ShareRequest, now: datetime) -> bool:
    """Whether the actor may screen, grant or refuse it at this moment."""
    dataset = request.dataset
    if stewards.may_steward(actor, dataset, now):
        return True
    late = escalated(request, now)
    if late and actor.is_person and actor.department_id == dataset.department_id and "head" in actor.posts:
        return True
    reached = request.authority_from is not None and request.authority_from <= now
    return reached and actor.department_id != request.department_id and is_authority(actor, now)


def require_decider(actor: Actor, request: ShareRequest, now: datetime) -> None:
    """Pass who may decide on it now, refuse everybody else (403)."""
    if not may_decide(actor, request, now):
        raise stewards.NotSteward(
            _("Only the data stewards of the department that keeps this may decide; its head once it is overdue."),
            right="steward",
        )


def require_other(actor: Actor, person_id: int | None, why: object) -> None:
    """Refuse (409) the same person a second time."""
    if actor.is_person and person_id is not None and actor.id == person_id:
        raise FourEyes(why)


def may_ask(actor: Actor, now: datetime) -> bool:
    """Whether the actor may ask for data for its department."""
    return access.may(actor, "request_data", at=now)

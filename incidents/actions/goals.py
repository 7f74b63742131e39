"""What does command want to reach, and when is the incident over?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import MoveNotAllowed, NotFound
from incidents.actions import acting
from incidents.entered import Entered, reason
from incidents.models import Incident, Objective
from sharing import access


@action("objective.set")
def set_objective(
    *, actor: Actor, now: datetime, incident_id: int, text: str, by: datetime | None = None
) -> Objective:
    """Set one more objective, with the time it should be reached by if there is one."""
    incident = acting.lock(actor, incident_id, now=now)
    access.require(actor, "objective", incident, at=now)
    acting.check_act(incident, "set_objective")
    entered = Entered()
    wanted = entered.text("text", text, 300, needed=True)
    until = entered.moment("by", by)
    entered.done()
    objective = Objective.everything.create(incident=incident, text=wanted, by=until, set_by=actor.key, set_at=now)
    acting.note(incident, "objective.set", subject=objective, brief=False)
    return objective


@action("objective.reach")
def reach_objective(
    *, actor: Actor, now: datetime, objective_id: int, incident_id: int | None = None, if_version: int | None = None
) -> Objective:
    """Say that an objective is reached. ``incident_id``: whose it must be, where the caller names it; else 404."""
    if incident_id is not None and access.get(actor, Objective, objective_id, now=now).incident_id != incident_id:
        raise NotFound
    return _end(actor, now, objective_id, "reached_at", "objective.reached", if_version, "")


@action("objective.drop")
def drop_objective(
    *, actor: Actor, now: datetime, objective_id: int, why: str, if_version: int | None = None
) -> Objective:
    """Give an objective up, and say why."""
    return _end(actor, now, objective_id, "dropped_at", "objective.dropped", if_version, why)


def _end(
    actor: Actor, now: datetime, objective_id: int, field: str, type: str, if_version: int | None, why: str
) -> Objective:
    seen = access.get(actor, Objective, objective_id, now=now)
    incident = acting.lock(actor, seen.incident_id, now=now)
    objective = access.lock(actor, Objective, objective_id, now=now)
    access.require(actor, "objective", incident, at=now)
    acting.check_version(objective, if_version)
    acting.check_open(incident)
    text = reason("why", why, needed=field == "dropped_at")
    if objective.reached_at is not None or objective.dropped_at is not None:
        state = "reached" if objective.reached_at is not None else "dropped"
        raise MoveNotAllowed(_("This objective is settled already."), state=state, allowed=[])
    setattr(objective, field, now)
    objective.version += 1
    objective.save(update_fields=[field, "version"])
    acting.note(incident, type, subject=objective, brief=False, payload={"why": text} if text else None)
    return objective


@action("incident.set_end_condition")
def set_end_condition(
    *, actor: Actor, now: datetime, incident_id: int, text: str, if_version: int | None = None
) -> Incident:
    """Say when the incident will be over."""
    incident = acting.lock(actor, incident_id, now=now)
    access.require(actor, "objective", incident, at=now)
    acting.check_version(incident, if_version)
    acting.check_act(incident, "set_end_condition")
    entered = Entered()
    condition = entered.text("text", text, 2_000)
    entered.done()
    incident.end_condition = condition
    acting.save(incident, "end_condition")
    acting.note(incident, "incident.end_condition_set", brief=False)
    return incident

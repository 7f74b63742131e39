"""How is the clock of an exercise or a demo story paused and set faster?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.deadlines import actions as deadlines
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import MoveNotAllowed
from incidents import states
from incidents.actions import acting
from incidents.entered import Entered
from incidents.models import Incident
from sharing import access


@action("incident.pause")
def pause(*, actor: Actor, now: datetime, incident_id: int, if_version: int | None = None) -> Incident:
    """Stop the clock: the incident's deadlines are held until it goes on. A real emergency has no such clock."""
    incident = _story(actor, incident_id, "pause", now, if_version)
    if incident.paused_at is not None:
        raise MoveNotAllowed(_("It is paused already."), state="paused", allowed=["resume"])
    incident.paused_at = now
    acting.save(incident, "paused_at")
    for pk in acting.family_ids(incident.pk):
        deadlines.hold_incident(pk, now)
    acting.note(incident, "incident.paused")
    return incident


@action("incident.resume")
def resume(*, actor: Actor, now: datetime, incident_id: int, if_version: int | None = None) -> Incident:
    """Let the clock go on: each deadline has the time left that it had."""
    incident = _story(actor, incident_id, "resume", now, if_version)
    if incident.paused_at is None:
        raise MoveNotAllowed(_("It is not paused."), state="running", allowed=["pause"])
    incident.paused_at = None
    acting.save(incident, "paused_at")
    for pk in acting.family_ids(incident.pk):
        deadlines.resume_incident(pk, now)
    acting.note(incident, "incident.resumed")
    return incident


@action("incident.set_pace")
def set_pace(
    *, actor: Actor, now: datetime, incident_id: int, pace: float, if_version: int | None = None
) -> Incident:
    """Set how fast waits and offsets made from now on run: 0.1 to 100 times."""
    incident = _story(actor, incident_id, "set_pace", now, if_version)
    entered = Entered()
    if isinstance(pace, bool) or not isinstance(pace, int | float) or not 0.1 <= pace <= 100:
        entered.fault("pace", "out_of_range", _("Between 0.1 and 100."))
    entered.done()
    incident.pace = float(pace)
    acting.save(incident, "pace")
    acting.note(incident, "incident.pace_set", payload={"pace": incident.pace})
    return incident


def _story(actor: Actor, incident_id: int, act: str, now: datetime, if_version: int | None) -> Incident:
    incident = acting.lock(actor, incident_id, now=now)
    access.require(actor, "pace", incident, at=now)
    acting.check_version(incident, if_version)
    acting.check_act(incident, act)
    if not (incident.exercise or incident.policy_set != "standard"):
        raise MoveNotAllowed(
            _("The clock of a real emergency cannot be changed."),
            state=incident.state, allowed=states.moves_from(incident.state),
        )
    return incident

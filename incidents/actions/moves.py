"""How does an incident move from one state to the next, to its end and back?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict, MoveNotAllowed
from incidents import closing, states
from incidents.actions import acting, granting
from incidents.entered import reason
from incidents.models import Incident, ScaleChange
from sharing import access


class StillOpen(Conflict):
    """Assignments of the incident are open. ``open``: their ids, at most 50."""

    code = "assignments_open"


@action("incident.move")
def move(
    *,
    actor: Actor,
    now: datetime,
    incident_id: int,
    to: str,
    why: str = "",
    if_version: int | None = None,
) -> Incident:
    """Move an incident to a state of the table (or by the move's own name); merging has an act of its own."""
    incident = acting.lock(actor, incident_id, now=now)
    row = states.find(incident.state, to) if isinstance(to, str) else None
    access.require(actor, row.right if row else "state", incident, at=now)
    acting.check_version(incident, if_version)
    if row is None or row.name == "merge":
        raise MoveNotAllowed(
            _("The incident's state does not allow this move."),
            state=incident.state, allowed=states.moves_from(incident.state),
        )
    text = reason("why", why, needed="why" in row.needed)
    if row.name == "close":
        _check_nothing_open(incident)
    _moved(incident, row, actor=actor, now=now, why=text)
    return incident


@action("incident.reject")
def reject(
    *, actor: Actor, now: datetime, incident_id: int, why: str, if_version: int | None = None
) -> Incident:
    """Reject what turned out to be no incident."""
    return move(actor=actor, now=now, incident_id=incident_id, to="reject", why=why, if_version=if_version)


@action("incident.reopen")
def reopen(
    *, actor: Actor, now: datetime, incident_id: int, why: str, if_version: int | None = None
) -> Incident:
    """Open a closed or rejected incident again; those who still take part see it as before."""
    return move(actor=actor, now=now, incident_id=incident_id, to="reopen", why=why, if_version=if_version)


def _check_nothing_open(incident: Incident) -> None:
    still_open = closing.still_open(acting.family_ids(incident.pk))
    if still_open:
        raise StillOpen(
            _("Assignments of this incident are still open; close or cancel them first."),
            open=[closing.number_of(item) for item in still_open[:50]],
        )


def _moved(incident: Incident, row: states.Move, *, actor: Actor, now: datetime, why: str) -> None:
    before, was_ended = incident.state, incident.state in states.ENDED
    incident.state = row.target
    ends = row.target in states.ENDED
    incident.closed_at = now if ends else None
    acting.save(incident, "state", "closed_at")
    acting.change(
        incident, scale=ScaleChange.Scale.STATE, before=before, after=row.target, actor=actor, now=now, why=why
    )
    parts = [part.department_id for part in acting.active_participants([incident.pk])]
    if ends:
        granting.lapse(incident, now=now)
    elif was_ended:
        granting.open_again(incident, actor=actor, now=now)
    acting.note(
        incident, f"incident.{PAST[row.name]}", departments=parts, payload={"before": before, "after": row.target},
        tell=acting.duty_officers(parts, but=actor.department_id),
    )


PAST = {
    "verify": "verified",
    "respond": "responding",
    "control": "controlled",
    "recover": "recovering",
    "relapse": "relapsed",
    "close": "closed",
    "reject": "rejected",
    "reopen": "reopened",
}
"""What the event of each move is called."""

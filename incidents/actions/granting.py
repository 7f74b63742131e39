"""How do grants follow participation, over an incident and all that was merged into it?

A merged incident keeps its own rows; whoever sees its survivor sees them too, so every grant on the survivor is made
on it as well, in the same transaction.
"""

from __future__ import annotations

from datetime import datetime

from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.command import record
from incidents.actions.acting import active_participants, family_ids
from incidents.models import Incident, Participation
from sharing import access


def part_of(incident: Incident, participation: Participation) -> str:
    """The role a department's grants follow: that of its participation, but command always sees as lead."""
    if participation.department_id in (incident.commander_department_id, incident.lead_department_id):
        return Participation.Role.LEAD.value
    return participation.role


def open_to(incident: Incident, participation: Participation, *, actor: Actor, now: datetime) -> None:
    """Give a department, those above it and its command centre what its part in the incident lets them see."""
    for incident_id in family_ids(incident.pk):
        access.join(
            actor=actor, incident_id=incident_id, department_id=participation.department_id,
            role=part_of(incident, participation), response_level=incident.response_level,
            opened_at=incident.opened_at, now=now,
        )
    told(incident, participation.department_id)


def take_back(incident: Incident, department_id: int, *, actor: Actor, now: datetime) -> None:
    """Let what a department saw through its participation lapse."""
    for incident_id in family_ids(incident.pk):
        access.leave(actor=actor, incident_id=incident_id, department_id=department_id, now=now)
    told(incident, department_id)


def follow_level(incident: Incident, *, now: datetime) -> None:
    """Derive everybody's grants anew from the response level."""
    parts = {row.department_id: part_of(incident, row) for row in active_participants([incident.pk])}
    for incident_id in family_ids(incident.pk):
        access.relevel(
            incident_id=incident_id, response_level=incident.response_level, participations=parts, now=now
        )
    for department_id in parts:
        told(incident, department_id)


def follow_head(incident: Incident, *, now: datetime) -> None:
    """What the incident is, or where it went, has changed: the data that its kind opens follow."""
    for department_id in access.follow_head(incident_ids=[incident.pk], now=now):
        told(incident, department_id)


def lapse(incident: Incident, *, now: datetime) -> None:
    """Let everybody's grants lapse when the incident ends."""
    for incident_id in family_ids(incident.pk):
        access.close(incident_id=incident_id, now=now)
    for row in active_participants([incident.pk]):
        told(incident, row.department_id)


def open_again(incident: Incident, *, actor: Actor, now: datetime) -> None:
    """Give everybody still taking part their grants back."""
    for row in active_participants([incident.pk]):
        open_to(incident, row, actor=actor, now=now)


def told(incident: Incident, department_id: int) -> None:
    """Record that what a department sees of an incident has changed: open screens ask again."""
    record(
        type="access.changed", subject=incident, streams=[streams.department(department_id)],
        payload={"incident": incident.pk}, incident_id=incident.pk, exercise=incident.exercise,
    )

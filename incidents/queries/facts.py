"""What do the rooms above need to know of an incident, whoever asks?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Q, QuerySet

from coordination.events.actor import Actor
from coordination.events.refused import NotFound
from incidents import states
from incidents.models import Incident, Participation
from sharing import access

_WHY = "facts for rules of the rooms above, never shown to anybody"


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """What rules are decided by. ``participants``: department id → role, those that have not left."""

    id: int
    number: str
    state: str
    response_level: int | None
    policy_set: str
    pace: float
    exercise: bool
    paused_at: datetime | None
    lead_department_id: int
    commander_department_id: int | None
    commander_id: int | None
    region_code: str
    type: str
    grade: int | None
    headline_zh: str
    headline_en: str
    merged_into_id: int | None
    participants: dict[int, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether work may start there."""
        return self.state in states.OPEN


class Commanded(Protocol):
    """Anything that says who commands it: an incident's row or its facts."""

    @property
    def commander_department_id(self) -> int | None:
        """Id of the commanding department."""
        ...

    @property
    def commander_id(self) -> int | None:
        """Id of the person who commands, where one is named."""
        ...


_NAMES = tuple(name for name in IncidentFacts.__slots__ if name != "participants")


def facts(incident_id: int) -> IncidentFacts:
    """The facts of one incident in two queries; 404 where there is none."""
    found = facts_many([incident_id])
    if incident_id not in found:
        raise NotFound
    return found[incident_id]


def facts_many(incident_ids: Iterable[int]) -> dict[int, IncidentFacts]:
    """The facts of several incidents in two queries; absent ones are left out."""
    ids = set(incident_ids)
    parts: dict[int, dict[int, str]] = {pk: {} for pk in ids}
    rows = access.unscoped(Participation, reason=_WHY).filter(incident_id__in=ids, left_at=None)
    for incident_id, department_id, role in rows.values_list("incident_id", "department_id", "role"):
        parts[incident_id][department_id] = role
    return {
        values["id"]: IncidentFacts(**values, participants=parts[values["id"]])
        for values in access.unscoped(Incident, reason=_WHY).filter(pk__in=ids).values(*_NAMES)
    }


def is_commander(actor: Actor, incident: Commanded) -> bool:
    """Whether the actor commands the incident: its commander in person, else a commander of the commanding
    department.
    """
    if actor.kind == "system":
        return True
    if not actor.is_person or actor.department_id != incident.commander_department_id:
        return False
    return actor.id == incident.commander_id or "commander" in actor.posts


def open_incidents_of(department_id: int) -> int:
    """How many open incidents a department leads or commands."""
    rows = access.unscoped(Incident, reason="whether a department may be closed is a question about all it answers for")
    answers = Q(lead_department_id=department_id) | Q(commander_department_id=department_id)
    return rows.filter(answers, state__in=states.OPEN).count()


def command_posts(incident: Commanded) -> list[dict[str, Any]]:
    """Whom to tell as the incident's command, in the form of ``tell``."""
    told: list[dict[str, Any]] = []
    if incident.commander_id is not None:
        told.append({"person": incident.commander_id})
    if incident.commander_department_id is not None:
        posts = ("duty_officer",) if told else ("commander", "duty_officer")
        told += [{"department": incident.commander_department_id, "post": post} for post in posts]
    return told


def family_ids(incident_id: int) -> list[int]:
    """The incident and everything merged into it, itself first; what was merged is flat, so one query."""
    return [incident_id, *merged_ids(incident_id)]


def merged_ids(incident_id: int) -> QuerySet[Incident, int]:
    """Ids of everything merged into an incident."""
    rows = access.unscoped(Incident, reason=_WHY).filter(merged_into_id=incident_id).order_by("pk")
    return rows.values_list("pk", flat=True)

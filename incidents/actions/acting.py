"""How does every act on an incident lock, check, save and record?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.command import record
from coordination.events.models import Event
from coordination.events.refused import Conflict, MoveNotAllowed, VersionConflict
from coordination.events.words import words_of
from incidents import states
from incidents.models import Incident, Participation, ScaleChange
from sharing import access

DEPTH = 5
"""Longest chain of incidents merged into one another, and of parents above one another."""


class IncidentEnded(Conflict):
    """The incident is closed, rejected or merged: nothing new starts there."""

    code = "incident_ended"


class StaleVersion(VersionConflict):
    """The caller decided on an older version. ``version``: the current one."""


def lock(actor: Actor, incident_id: object, *, now: datetime) -> Incident:
    """The incident, locked, when the actor sees it; else 404."""
    return access.lock(actor, Incident, incident_id, now=now)


def check_version(row: Any, if_version: int | None) -> None:
    """Refuse (412) a decision made on another version than the row has."""
    if if_version is not None and row.version != if_version:
        raise StaleVersion(_("Somebody changed this meanwhile. Look at it again and decide anew."), version=row.version)


def check_open(incident: Incident) -> None:
    """Refuse (409 incident_ended) whatever starts on an incident that has ended."""
    if incident.state in states.ENDED:
        raise IncidentEnded(
            _("The incident has ended; nothing new can start there."),
            state=incident.state, allowed=states.moves_from(incident.state),
        )


def check_act(incident: Incident, act: str) -> None:
    """Refuse (409) an act that the incident's state does not allow."""
    row = next(row for row in states.ACTS if row.name == act)
    if incident.state not in row.sources:
        raise MoveNotAllowed(
            _("The incident's state does not allow this."),
            state=incident.state, allowed=states.moves_from(incident.state),
        )


def lock_open(incident_id: int) -> Incident:
    """Lock an incident for a room above that starts something there; 409 when it has ended. Asks no actor.

    A merged incident keeps its instructions, and what they give rise to is asked of its survivor: that is locked and
    returned.
    """
    rows = access.unscoped(Incident, reason="the caller has asked for its own object on this incident")
    wanted = incident_id
    for _step in range(DEPTH):
        wanted = rows.filter(pk=wanted).values_list("merged_into_id", flat=True).get() or wanted
        incident = rows.select_for_update(no_key=True).get(pk=wanted)
        if incident.merged_into_id is None:
            break
    check_open(incident)
    return incident


def save(incident: Incident, *fields: str) -> None:
    """Write these fields as the next version."""
    incident.version += 1
    incident.save(update_fields=[*fields, "version"])


def index(incident: Incident) -> None:
    """Set by which words an incident is found: by anybody who sees its headline, and by those who see all of it."""
    short = (incident.number, incident.headline_zh, incident.headline_en, incident.place)
    incident.words = words_of(*short)
    incident.words_in_full = words_of(*short, incident.description)


def change(
    incident: Incident, *, scale: str, before: Any, after: Any, actor: Actor, now: datetime, why: str
) -> ScaleChange:
    """Keep who changed what, when and why."""
    return ScaleChange.everything.create(
        incident=incident, scale=scale, before="" if before is None else str(before),
        after="" if after is None else str(after), actor_key=actor.key, actor_department=actor.department_id,
        why=why, at=now,
    )


def note(
    incident: Incident,
    type: str,
    *,
    subject: models.Model | None = None,
    payload: dict[str, Any] | None = None,
    departments: Iterable[int | None] = (),
    tell: Sequence[dict[str, Any]] = (),
    brief: bool = True,
    urgency: str = "routine",
) -> Event:
    """Record what happened on an incident; ``brief``: also for those who see only its headline or their part."""
    names = [streams.incident(incident.pk)]
    if brief:
        names.append(streams.brief(incident.pk))
    names.extend(streams.department(pk) for pk in departments if pk is not None)
    return record(
        type=type, subject=subject or incident, streams=names, payload=payload, tell=tell, urgency=urgency,
        incident_id=incident.pk, exercise=incident.exercise,
    )


def duty_officers(department_ids: Iterable[int | None], *, but: int | None = None) -> list[dict[str, Any]]:
    """Whom to tell: the duty officers of these departments, the acting one left out."""
    wanted = dict.fromkeys(pk for pk in department_ids if pk is not None and pk != but)
    return [{"department": pk, "post": "duty_officer"} for pk in wanted]


def active_participants(incident_ids: Iterable[int]) -> list[Participation]:
    """Participations that have not ended, over these incidents, by id."""
    rows = access.unscoped(Participation, reason="grants follow every participation, seen by the actor or not")
    return list(rows.filter(incident_id__in=list(incident_ids), left_at=None).order_by("pk"))


def family_ids(incident_id: int) -> list[int]:
    """The incident and all that was merged into it, itself first."""
    found = [incident_id]
    layer = [incident_id]
    rows = access.unscoped(Incident, reason="what was merged follows its survivor")
    for _step in range(DEPTH):
        layer = list(rows.filter(merged_into_id__in=layer).order_by("pk").values_list("pk", flat=True))
        if not layer:
            break
        found += layer
    return found


def next_number(series: str, now: datetime) -> str:
    """The next number of this year's series, like ``2026-0001``; the series waits until COMMIT, so none is left out."""
    year = now.astimezone(ZoneInfo(settings.TIME_ZONE)).year
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO incidents_counter AS c (series, last) VALUES (%s, 1)"
            " ON CONFLICT (series) DO UPDATE SET last = c.last + 1 RETURNING last",
            [f"{series}{year}"],
        )
        return f"{series}{year}-{cursor.fetchone()[0]:04d}"

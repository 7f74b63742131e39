"""Which incidents have to do with each other?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict, NotFound
from incidents.actions import acting
from incidents.entered import reason, row_id
from incidents.models import Incident, IncidentLink
from sharing import access


class Circle(Conflict):
    """An incident cannot stand below itself, nor a chain be longer than five."""

    code = "circle"


class SameIncident(Conflict):
    """An incident has nothing to be linked to or merged with in itself."""

    code = "same_incident"


class LinkedAlready(Conflict):
    """The two are linked already."""

    code = "linked_already"


class NotLinked(NotFound):
    """There is no such link."""


def lock_two(actor: Actor, incident_id: int, other_id: int, now: datetime) -> tuple[Incident, Incident]:
    """Both incidents, locked in the order of their ids, when the actor sees both."""
    if row_id(incident_id) == row_id(other_id):
        acting.lock(actor, incident_id, now=now)
        raise SameIncident(_("These are one and the same incident."))
    rows = {pk: acting.lock(actor, pk, now=now) for pk in sorted([row_id(incident_id) or 0, row_id(other_id) or 0])}
    return rows[incident_id], rows[other_id]


@action("incident.link")
def link(*, actor: Actor, now: datetime, incident_id: int, other_id: int, why: str = "") -> IncidentLink:
    """Say that two incidents have to do with each other; each side shows the link to those who see the other."""
    incident, other = lock_two(actor, incident_id, other_id, now)
    access.require(actor, "link", incident, at=now)
    acting.check_act(incident, "link")
    text = reason("why", why, needed=False)[:200]
    first, second = sorted([incident, other], key=lambda row: row.pk)
    made, new = IncidentLink.everything.get_or_create(
        incident=first, other=second, defaults={"why": text, "at": now}
    )
    if not new:
        raise LinkedAlready(_("These incidents are linked already."))
    acting.note(incident, "incident.linked", payload={"other": other.pk})
    acting.note(other, "incident.linked", payload={"other": incident.pk})
    return made


@action("incident.unlink")
def unlink(*, actor: Actor, now: datetime, incident_id: int, other_id: int) -> Incident:
    """Take a link back."""
    incident, other = lock_two(actor, incident_id, other_id, now)
    access.require(actor, "link", incident, at=now)
    first, second = sorted([incident.pk, other.pk])
    gone, _rows = IncidentLink.everything.filter(incident_id=first, other_id=second).delete()
    if not gone:
        raise NotLinked(_("These incidents are not linked."))
    acting.note(incident, "incident.unlinked", payload={"other": other.pk})
    acting.note(other, "incident.unlinked", payload={"other": incident.pk})
    return incident


@action("incident.set_parent")
def set_parent(
    *, actor: Actor, now: datetime, incident_id: int, parent_id: int | None, why: str = "",
    if_version: int | None = None,
) -> Incident:
    """Put an incident below the one that caused it (None: below none)."""
    if parent_id is None:
        incident, parent = acting.lock(actor, incident_id, now=now), None
    else:
        incident, parent = lock_two(actor, incident_id, parent_id, now)
    access.require(actor, "link", incident, at=now)
    acting.check_version(incident, if_version)
    acting.check_act(incident, "set_parent")
    text = reason("why", why, needed=False)
    if parent is not None:
        acting.check_open(parent)
        _check_no_circle(incident, parent)
    before, incident.parent = incident.parent_id, parent
    acting.save(incident, "parent")
    acting.note(incident, "incident.parent_set", payload={"before": before, "parent": parent_id, "why": text})
    return incident


def _check_no_circle(incident: Incident, parent: Incident) -> None:
    rows = access.unscoped(Incident, reason="a chain of causes must have an end, seen by the actor or not")
    step: int = parent.pk
    for _height in range(acting.DEPTH):
        if step == incident.pk:
            break
        above = rows.filter(pk=step).values_list("parent_id", flat=True).first()
        if above is None:
            return
        step = above
    raise Circle(_("These incidents would stand in a circle, or in a chain that is too long."))

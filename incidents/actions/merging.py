"""How do two incidents that are one become one?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict, MoveNotAllowed
from incidents import states
from incidents.actions import acting, granting
from incidents.actions.attaching import follow_report
from incidents.actions.links import lock_two
from incidents.actions.sharing import carry_over
from incidents.entered import reason
from incidents.models import Incident, Participation, Report, ScaleChange
from sharing import access


@action("incident.merge")
def merge(
    *,
    actor: Actor,
    now: datetime,
    incident_id: int,
    into_id: int,
    why: str = "",
    if_version: int | None = None,
) -> Incident:
    """Merge an incident into another, the survivor (returned).

    Reports and participations move to the survivor (a lead goes on as support); log, files and instructions stay
    where they were written and are shown under the survivor, so whoever takes part in the survivor sees the merged
    incident too. There is no way back.
    """
    incident, survivor = lock_two(actor, incident_id, into_id, now)
    access.require(actor, "merge", incident, at=now)
    access.require(actor, "merge", survivor, at=now)
    acting.check_version(incident, if_version)
    for row in (incident, survivor):
        if row.state not in states.OPEN:
            raise MoveNotAllowed(
                _("Only incidents that have not ended can be merged."),
                state=row.state, allowed=states.moves_from(row.state), incident=row.pk,
            )
    if incident.exercise != survivor.exercise:
        raise Conflict(_("An exercise and a real emergency are kept apart."), code="exercise_mismatch")
    text = reason("why", why, needed=False)
    before = incident.state
    incident.state, incident.merged_into, incident.closed_at = Incident.State.MERGED, survivor, now
    # its instructions go on under the survivor's command
    incident.commander_department_id = survivor.commander_department_id
    incident.commander_id = survivor.commander_id
    acting.save(incident, "state", "merged_into", "closed_at", "commander_department", "commander")
    _flatten(incident, survivor)
    acting.change(
        incident, scale=ScaleChange.Scale.STATE, before=before, after="merged", actor=actor, now=now, why=text
    )
    _move_reports(incident, survivor)
    moved = _move_participations(incident, survivor, actor=actor, now=now)
    granting.follow_head(incident, now=now)  # the data that it opened run out; the survivor opens its own
    carry_over(incident, survivor, actor=actor, now=now)
    acting.save(survivor)
    payload = {"incident": incident.pk, "into": survivor.pk, "number": incident.number}
    told = acting.duty_officers(moved, but=actor.department_id)
    acting.note(incident, "incident.merged", payload=payload, departments=moved, tell=told, urgency="urgent")
    acting.note(survivor, "incident.absorbed", payload=payload, departments=moved)
    return survivor


def _flatten(incident: Incident, survivor: Incident) -> None:
    """What had been merged into the merged one belongs to the survivor now; causes pass on likewise."""
    rows = access.unscoped(Incident, reason="what hangs on a merged incident follows it")
    rows.filter(merged_into=incident).update(
        merged_into=survivor, commander_department=survivor.commander_department_id, commander=survivor.commander_id
    )
    rows.filter(parent=incident).exclude(pk=survivor.pk).update(parent=survivor)
    rows.filter(pk=survivor.pk, parent=incident).update(parent=None)
    if survivor.parent_id == incident.pk:
        survivor.parent = None


def _move_reports(incident: Incident, survivor: Incident) -> None:
    reports = access.unscoped(Report, reason="reports follow their incident")
    for report in reports.select_for_update(no_key=True).filter(incident=incident).order_by("pk"):
        report.incident = survivor
        report.version += 1
        report.save(update_fields=["incident", "version"])
        follow_report(report)


def _move_participations(
    incident: Incident, survivor: Incident, *, actor: Actor, now: datetime
) -> list[int]:
    """Everybody who took part in either takes part in the survivor, and sees both; returns all their ids."""
    present = {part.department_id: part for part in acting.active_participants([survivor.pk])}
    gone = access.unscoped(Participation, reason="a department that left is taken in again").filter(incident=survivor)
    left = {part.department_id: part for part in gone.exclude(left_at=None)}
    for part in acting.active_participants([incident.pk]):
        role = Participation.Role.SUPPORT if part.role == Participation.Role.LEAD else Participation.Role(part.role)
        known = present.get(part.department_id) or left.get(part.department_id)
        if known is None:
            known = Participation(
                incident=survivor, department_id=part.department_id, role=role, state=part.state, joined_at=now
            )
        elif known.left_at is not None:
            known.left_at, known.joined_at, known.role, known.state = None, now, role, part.state
            known.version += 1
        elif known.role == Participation.Role.INFORMED and role == Participation.Role.SUPPORT:
            known.role = role
            known.version += 1
        known.save()
        present[part.department_id] = known
    for part in present.values():
        granting.open_to(survivor, part, actor=actor, now=now)
    return sorted(present)

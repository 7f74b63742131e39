"""How does command pass from one department or person to another?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict
from incidents.actions import acting, granting
from incidents.entered import Entered, row_id
from incidents.models import Incident, Participation, ScaleChange
from sharing import access

COMMANDING = ("commander", "head", "duty_officer")
"""Posts whose holders may command an incident."""


class CommandsAlready(Conflict):
    """Command lies there already."""

    code = "unchanged"


@action("incident.transfer_command")
def transfer_command(
    *,
    actor: Actor,
    now: datetime,
    incident_id: int,
    department_id: int,
    why: str,
    person_id: int | None = None,
    if_version: int | None = None,
) -> Incident:
    """Give command of an incident to a department and, where named, to one of its people; both sides hear of it.

    The person must hold a commanding post there now. Without a person the commanders of the department command.
    """
    incident = acting.lock(actor, incident_id, now=now)
    access.require(actor, "command", incident, at=now)
    acting.check_version(incident, if_version)
    acting.check_act(incident, "transfer_command")
    entered = Entered()
    text = entered.text("why", why, 300, needed=True)
    _check_who(entered, department_id, person_id, now)
    entered.done()
    before = (incident.commander_department_id, incident.commander_id)
    if before == (department_id, person_id):
        raise CommandsAlready(_("Command lies there already."))
    incident.commander_department_id, incident.commander_id = department_id, person_id
    acting.save(incident, "commander_department", "commander")
    absorbed = access.unscoped(Incident, reason="what was merged is commanded with its survivor")
    absorbed.filter(merged_into=incident).update(commander_department=department_id, commander=person_id)
    acting.change(
        incident, scale=ScaleChange.Scale.COMMANDER, before=_name(*before), after=_name(department_id, person_id),
        actor=actor, now=now, why=text,
    )
    _let_see(incident, {department_id, before[0]}, actor=actor, now=now)
    tell: list[dict[str, object]] = [{"department": department_id, "post": "commander"}]
    tell += [{"person": pk} for pk in (person_id, before[1]) if pk is not None and pk != actor.id]
    tell += acting.duty_officers([department_id, before[0]], but=actor.department_id)
    acting.note(
        incident, "incident.command_transferred", departments=[department_id, before[0]], tell=tell, urgency="urgent",
        payload={"department": department_id, "person": person_id, "before": before[0]},
    )
    return incident


def _check_who(entered: Entered, department_id: int, person_id: int | None, now: datetime) -> None:
    if entered.department("department", department_id) is None or person_id is None:
        return
    held = accounts.actor_of_person(row_id(person_id) or 0, department_id, now)
    if held is None or not held.posts & set(COMMANDING):
        entered.fault("person", "no_post", _("This person holds no commanding post in that department now."))


def _name(department_id: int | None, person_id: int | None) -> str:
    """How the history names who commands: ``department`` or ``department/person``, by ids."""
    if department_id is None:
        return ""
    return f"{department_id}/{person_id}" if person_id is not None else str(department_id)


def _let_see(incident: Incident, department_ids: set[int | None], *, actor: Actor, now: datetime) -> None:
    """The new command takes part and sees all; the former one falls back to what its own part opens."""
    present = {part.department_id: part for part in acting.active_participants([incident.pk])}
    for department_id in sorted(pk for pk in department_ids if pk is not None):
        part = present.get(department_id)
        if part is None:
            part, _made = Participation.everything.update_or_create(
                incident=incident, department_id=department_id,
                defaults={"left_at": None, "joined_at": now, "state": Participation.State.ALERTED},
                create_defaults={"role": Participation.Role.SUPPORT, "joined_at": now},
            )
        granting.open_to(incident, part, actor=actor, now=now)

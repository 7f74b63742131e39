"""Which departments take part, in which role, and how far along is each?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict, Invalid, MoveNotAllowed, NotFound
from incidents import closing, states
from incidents.actions import acting, granting
from incidents.entered import Entered, reason, row_id
from incidents.models import Incident, Participation, ScaleChange
from sharing import access

ROLES = Participation.Role.values


class TakesPartAlready(Conflict):
    """The department takes part in this role already."""

    code = "takes_part_already"


class CannotLeave(Conflict):
    """The lead, the command and whoever has open assignments stay (``open``: their ids)."""

    code = "cannot_leave"


class NoPart(NotFound):
    """The department does not take part."""


@action("participation.invite")
def invite(
    *,
    actor: Actor,
    now: datetime,
    incident_id: int,
    department_id: int,
    role: str = "support",
    why: str = "",
    if_version: int | None = None,
) -> Participation:
    """Call a department in, or give it another role; the new lead's predecessor goes on as support."""
    incident = acting.lock(actor, incident_id, now=now)
    access.require(actor, "participation", incident, at=now)
    acting.check_version(incident, if_version)
    acting.check_act(incident, "invite")
    entered = Entered()
    entered.choice("role", role, ROLES)
    entered.department("department", department_id)
    text = entered.text("why", why, 300)
    entered.done()
    part = _find(incident, department_id)
    if part is not None and part.left_at is None and part.role == role:
        raise TakesPartAlready(_("This department takes part in this role already."))
    if part is not None and part.left_at is None and part.role == Participation.Role.LEAD:
        raise Conflict(_("Name another lead first; this one then goes on as support."), code="lead_needed")
    if role == Participation.Role.LEAD:
        _hand_lead_over(incident, department_id, actor=actor, now=now, why=text)
    return _join(incident, part, department_id, role, actor=actor, now=now, why=text)


def _hand_lead_over(incident: Incident, to: int, *, actor: Actor, now: datetime, why: str) -> None:
    before = incident.lead_department_id
    incident.lead_department_id = to
    acting.save(incident, "lead_department")
    acting.change(
        incident, scale=ScaleChange.Scale.LEAD, before=before, after=to, actor=actor, now=now, why=why
    )
    former = _find(incident, before)
    if former is not None and former.left_at is None:
        former.role = Participation.Role.SUPPORT
        _saved(incident, former, actor=actor, now=now)


@action("participation.ensure")
def ensure_participation(
    *, actor: Actor, now: datetime, incident_id: int, department_id: int, role: str = "support"
) -> Participation:
    """Make sure that a department takes part, for a room above that gives it work; 409 when the incident has ended.

    Locks the incident, so that nothing can be issued while it is being closed; for one that was merged, its survivor.
    Whoever takes part already keeps the role, but one merely informed becomes support.
    """
    incident = acting.lock_open(incident_id)
    part = _find(incident, department_id)
    if part is not None and part.left_at is None and not (role != part.role == Participation.Role.INFORMED):
        return part
    return _join(incident, part, department_id, role, actor=actor, now=now, why="")


def _join(
    incident: Incident, part: Participation | None, department_id: int, role: str, *, actor: Actor,
    now: datetime, why: str,
) -> Participation:
    if part is None:
        part = Participation(incident=incident, department_id=department_id, joined_at=now, version=0)
    elif part.left_at is not None:
        part.joined_at, part.left_at, part.state = now, None, Participation.State.ALERTED
    part.role, part.why = role, why
    _saved(incident, part, actor=actor, now=now)
    return part


def _saved(incident: Incident, part: Participation, *, actor: Actor, now: datetime) -> None:
    """Save a participation, let grants follow it, record it and tell the department."""
    part.version += 1
    part.save()
    granting.open_to(incident, part, actor=actor, now=now)
    acting.note(
        incident, "participation.changed", subject=part, departments=[part.department_id],
        payload={"department": part.department_id, "role": part.role, "state": part.state},
        tell=acting.duty_officers([part.department_id], but=actor.department_id), urgency="urgent",
    )


@action("participation.change")
def change_participation(
    *,
    actor: Actor,
    now: datetime,
    incident_id: int,
    state: str,
    department_id: int | None = None,
    why: str = "",
    if_version: int | None = None,
) -> Participation:
    """Say how far a department's part has come; the department says so itself, command may stand it down or alert it.

    ``department_id``: the actor's own where it is not named. ``if_version`` is the participation's.
    """
    incident = acting.lock(actor, incident_id, now=now)
    part = _visible(actor, incident, department_id, now)
    who = _as_who(actor, incident, part, now)
    acting.check_version(part, if_version)
    acting.check_open(incident)
    row = states.participation_move(part.state, state) if isinstance(state, str) else None
    if row is None or not row.who & who:
        allowed = [r.target for r in states.PARTICIPATION_MOVES if r.source == part.state and r.who & who]
        raise MoveNotAllowed(_("This department's part cannot become that now."), state=part.state, allowed=allowed)
    part.why = reason("why", why, needed=row.reason)
    before, part.state = part.state, row.target
    part.version += 1
    part.save(update_fields=["state", "why", "version"])
    concerned = [incident.lead_department_id, incident.commander_department_id]
    told = acting.duty_officers(
        [part.department_id, *(concerned if state == "unable" else [])], but=actor.department_id
    )
    told = [{**one, "text": f"participation.{state}"} for one in told]
    acting.note(
        incident, "participation.changed", subject=part, departments=[part.department_id], tell=told,
        payload={"department": part.department_id, "role": part.role, "before": before, "state": part.state},
        urgency="urgent" if state in ("unable", "alerted") else "routine",
    )
    return part


def _as_who(actor: Actor, incident: Incident, part: Participation, now: datetime) -> set[str]:
    """As whom the actor may speak for a department: ``own`` and, or, ``command``; 403 where as neither."""
    who = set()
    if actor.department_id == part.department_id and access.may(actor, "take_part", incident, at=now):
        who.add("own")
    if access.may(actor, "participation", incident, at=now):
        who.add("command")
    if not who:
        access.require(actor, "participation", incident, at=now)
    return who


@action("participation.leave")
def leave(
    *,
    actor: Actor,
    now: datetime,
    incident_id: int,
    department_id: int | None = None,
    why: str = "",
    if_version: int | None = None,
) -> Participation:
    """End a department's part; what it saw through it lapses. Lead, command and open work stay."""
    incident = acting.lock(actor, incident_id, now=now)
    part = _visible(actor, incident, department_id, now)
    _as_who(actor, incident, part, now)
    acting.check_version(part, if_version)
    text = reason("why", why, needed=False)
    if part.department_id in (incident.lead_department_id, incident.commander_department_id):
        raise CannotLeave(_("The lead and the command stay as long as they are that."))
    open_items = closing.still_open(acting.family_ids(incident.pk))
    own = [closing.number_of(item) for item in open_items if closing.keeps(item, part.department_id)]
    if own:
        raise CannotLeave(_("This department still has open assignments here."), open=own[:50])
    part.left_at, part.state, part.why = now, Participation.State.STOOD_DOWN, text
    part.version += 1
    part.save(update_fields=["left_at", "state", "why", "version"])
    granting.take_back(incident, part.department_id, actor=actor, now=now)
    acting.note(
        incident, "participation.left", subject=part, departments=[part.department_id],
        payload={"department": part.department_id},
        tell=acting.duty_officers([part.department_id], but=actor.department_id),
    )
    return part


def _find(incident: Incident, department_id: int | None) -> Participation | None:
    rows = access.unscoped(Participation, reason="the incident is locked and the right is asked for")
    return rows.select_for_update(no_key=True).filter(incident=incident, department_id=department_id or 0).first()


def _visible(actor: Actor, incident: Incident, department_id: int | None, now: datetime) -> Participation:
    """The participation meant, locked; a department not taking part is answered as absent."""
    wanted = actor.department_id if department_id is None else row_id(department_id)
    if wanted is None and department_id is None:
        raise Invalid(errors=[{"pointer": "/department", "code": "required", "detail": _("Name the department.")}])
    part = _find(incident, wanted)
    if part is None or part.left_at is not None:
        raise NoPart(_("This department does not take part."))
    if part.department_id != actor.department_id:
        access.get(actor, Participation, part.pk, now=now)
    return part

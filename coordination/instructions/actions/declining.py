"""Whose work is it: declined, overruled, given to another, ruled on?

Work never hangs in limbo: who declines keeps it until a successor has acknowledged.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Department
from accounts.queries import ancestor_ids, leads_for, lowest_common_superior
from coordination.deadlines import actions as deadlines
from coordination.events.actor import SYSTEM, Actor
from coordination.events.command import action
from coordination.events.refused import Invalid
from coordination.instructions import states
from coordination.instructions.actions import arming, content, ending, issuing, moving
from coordination.instructions.models import Assignment, Transition
from coordination.instructions.queries import chain
from incidents.actions import ensure_participation
from incidents.entered import Entered
from incidents.entered import reason as entered_reason
from sharing import access

RULED_FROM = 2
_WHY_RULING = "who ruled decides who hears the appeal"


class SameDepartment(Invalid):
    """The work would go back to who has just declined it."""

    code = "same_department"


@action("assignment.decline")
def decline(
    *, actor: Actor, now: datetime, assignment_id: int, reason: str, code: str = "", suggested: int | None = None,
    if_version: int | None = None,
) -> Assignment:
    """Not ours, or unable: with a reason and, best, whose it is. The second decline of a work calls the arbiter."""
    row = moving.take_assignment(
        actor=actor, now=now, assignment_id=assignment_id, action="decline", if_version=if_version
    )
    entered = Entered()
    why = entered.text("reason", reason, 300, needed=True)
    named = entered.code("code", "decline_reason", code, needed=False)
    owner = content.department(entered, "suggested", suggested) if suggested is not None else None
    if owner is not None and owner.pk == row.department_id:
        entered.fault("suggested", "same_department", _("Name another department."))
    entered.done()
    ending.withdraw_ask_of(row, now=now)
    row.state_before, row.decline_reason, row.suggested = row.state, why, owner
    row.declines += 1
    row.overdue_since = None
    if row.declines >= RULED_FROM:
        _call_arbiter(row)
    ball = row.arbiter_department_id or row.instruction.issuer_id
    deadlines.hold(subject=row, why="declined", now=now)
    moving.carry(
        row, "decline", actor=actor, now=now, after="declined", ball=ball, reason=why,
        data={"code": named, "suggested": owner.pk if owner else None, "declines": row.declines},
        tell=[moving.duty(ball)], urgency="immediate",
    )
    arming.arm(row, row.instruction, "confirm", now=now)
    return row


def _call_arbiter(row: Assignment) -> None:
    """The commander rules; where the commander gave the order, the lowest department above both."""
    incident = row.instruction.incident
    arbiter: int | None = incident.commander_department_id
    if arbiter is None or arbiter in (row.instruction.issuer_id, row.department_id):
        before = row.successor_of.department_id if row.successor_of is not None else row.instruction.issuer_id
        common = lowest_common_superior(row.department_id, before)
        fits = common is not None and common.pk != row.department_id
        arbiter = common.pk if fits and common is not None else (arbiter or row.instruction.issuer_id)
    row.arbiter, row.arbiter_department_id = True, arbiter


def call_arbiter(row: Assignment, *, now: datetime) -> None:
    """Nobody has answered a decline in time: the arbiter rules. The assignment is locked already."""
    _call_arbiter(row)
    arbiter = row.arbiter_department_id or row.instruction.issuer_id
    moving.carry(
        row, "call_arbiter", actor=SYSTEM, now=now, ball=arbiter, cause="deadline", tell=[moving.duty(arbiter)],
        urgency="immediate",
    )


def _take(actor: Actor, now: datetime, assignment_id: int, move: str, if_version: int | None) -> Assignment:
    return moving.take_assignment(
        actor=actor, now=now, assignment_id=assignment_id, action=move, if_version=if_version, with_instruction=True
    )


@action("assignment.overrule")
def overrule(
    *, actor: Actor, now: datetime, assignment_id: int, reason: str, if_version: int | None = None
) -> Assignment:
    """It is yours: the department acknowledges and does it."""
    row = _take(actor, now, assignment_id, "overrule", if_version)
    why = entered_reason("reason", reason, needed=True)
    _send_back(row, "overrule", why, actor=actor, now=now)
    return row


def _send_back(
    row: Assignment, move: str, why: str, *, actor: Actor, now: datetime, data: dict[str, Any] | None = None
) -> None:
    row.arbiter, row.arbiter_department = False, None
    deadlines.cancel(subject=row, now=now)
    if row.due_at <= now:
        row.due_at = now + arming.allowed_time(row.instruction, "complete")
    moving.carry(
        row, move, actor=actor, now=now, after="delivered", ball=row.department_id, reason=why, data=data,
        tell=[moving.duty(row.department_id, row.post)], urgency="immediate",
    )
    arming.arm_for_new([row], now=now)


@action("assignment.reassign")
def reassign(
    *, actor: Actor, now: datetime, assignment_id: int, department: int, post: str = "duty_officer",
    reason: str = "", if_version: int | None = None,
) -> Assignment:
    """Give the work to another department; the decliner keeps it until that one acknowledges. Returns the new part."""
    row = _take(actor, now, assignment_id, "reassign", if_version)
    entered = Entered()
    found = content.department(entered, "department", department)
    where = entered.choice("post", post or "duty_officer", content.POSTS)
    why = entered.text("reason", reason, 300)
    entered.done()
    assert found is not None  # noqa: S101 - done() has refused
    if found.pk == row.department_id:
        raise SameDepartment(_("This department has just declined; overrule it instead."))
    return _hand_on(row, "reassign", found, why, actor=actor, now=now, post=where)


def _hand_on(
    row: Assignment, move: str, owner: Department, why: str, *, actor: Actor, now: datetime,
    post: str = "duty_officer", may_decline: bool = True, data: dict[str, Any] | None = None,
) -> Assignment:
    instruction = row.instruction
    issuing.check_free(instruction, [owner.pk])
    ensure_participation(actor=actor, incident_id=instruction.incident_id, department_id=owner.pk, now=now)
    due = row.due_at if row.due_at > now else now + arming.allowed_time(instruction, "complete")
    moving.carry(row, move, actor=actor, now=now, ball=owner.pk, reason=why, data=data or {"owner": owner.pk})
    deadlines.cancel(subject=row, now=now)
    made = issuing.new_assignment(
        instruction, {"department": owner.pk, "role": row.role, "post": post}, due_at=due, actor=actor, now=now,
        reason=why, successor_of=row, declines=row.declines, may_decline=may_decline,
    )
    arming.arm_for_new([made], now=now)
    return made


@action("assignment.arbitrate")
def arbitrate(
    *, actor: Actor, now: datetime, assignment_id: int, owner: int, reason: str, if_version: int | None = None
) -> Assignment:
    """The arbiter rules whose it is; that department cannot decline any more. Returns the part that counts now."""
    seen = moving.see_assignment(actor, assignment_id, now)
    row = moving.take_assignment(
        actor=actor, now=now, assignment_id=assignment_id, action="arbitrate", if_version=if_version,
        with_instruction=True, also=chain.before(seen),
    )
    entered = Entered()
    found = content.department(entered, "owner", owner)
    why = entered.text("reason", reason, 300, needed=True)
    entered.done()
    assert found is not None  # noqa: S101 - done() has refused
    return _rule(row, found, why, actor=actor, now=now)


def _rule(row: Assignment, owner: Department, why: str, *, actor: Actor, now: datetime) -> Assignment:
    data = {"owner": owner.pk, "arbiter": row.arbiter_department_id}
    if owner.pk == row.department_id:
        row.may_decline = False
        _send_back(row, "arbitrate", why, actor=actor, now=now, data=data)
        return row
    first = _declined_before(row, owner)
    if first is not None:
        return _give_back(first, row, why, data, actor=actor, now=now)
    return _hand_on(row, "arbitrate", owner, why, actor=actor, now=now, may_decline=False, data=data)


def rule_again(
    row: Assignment, owner: Department, why: str, data: dict[str, Any], *, actor: Actor, now: datetime
) -> Assignment:
    """An appeal was heard: the work is another's; the locked part is kept until that one has it."""
    if owner.pk == row.department_id:
        raise SameDepartment(_("Name another department, or refuse the appeal."), errors=[
            {"pointer": "/owner", "code": "same_department", "detail": _("Name another department.")}
        ])
    row.state_before, row.revisit_at, row.overdue_since = row.state, None, None
    row.arbiter_department_id = actor.department_id
    moving.carry(row, "grant", actor=actor, now=now, after="declined", ball=owner.pk, reason=why, data=data)
    return _rule(row, owner, why, actor=actor, now=now)


def hears_appeal(row: Assignment) -> tuple[int, str]:
    """Which department hears an appeal against the ruling that named this one, and whose ruling it was ("" = ours).

    The department above the one that ruled; where there is none, that one by another person. A ruling that the
    platform made since none came is heard by the arbiter who was silent.
    """
    rulings = access.unscoped(Transition, reason=_WHY_RULING).filter(
        instruction=row.instruction, move="arbitrate", data__owner=row.department_id
    )
    ruling = rulings.latest("pk")
    if ruling.actor_department is None:
        return ruling.data.get("arbiter") or row.instruction.issuer_id, ""
    line = [pk for pk in reversed(ancestor_ids(ruling.actor_department)) if pk != row.department_id]
    return next(iter(line), ruling.actor_department), ruling.actor_key


def _declined_before(row: Assignment, owner: Department) -> Assignment | None:
    """The owner's open part among those this one was to take over, locked."""
    before = moving.assignments(pk__in=chain.before(row), department=owner).exclude(state__in=states.TERMINAL)
    return next(iter(moving.lock_assignments(before).values()), None)


def _give_back(
    first: Assignment, row: Assignment, why: str, data: dict[str, Any], *, actor: Actor, now: datetime
) -> Assignment:
    """It is an earlier decliner's after all: now that one takes over, and the last keeps it until then."""
    moving.assignments(successor_of=first).exclude(pk=row.pk).exclude(state__in=states.TERMINAL).update(
        successor_of=first.successor_of_id
    )
    row.successor_of_id = first.successor_of_id if row.successor_of_id == first.pk else row.successor_of_id
    moving.carry(
        row, "arbitrate", actor=actor, now=now, ball=first.department_id, reason=why, data=data
    )
    deadlines.cancel(subject=row, now=now)
    first.successor_of, first.may_decline, first.role = row, False, row.role
    _send_back(first, "arbitrate", why, actor=actor, now=now, data=data)
    return first


def assign_by_rule(row: Assignment, *, now: datetime) -> Assignment:
    """No ruling came: the platform names the department responsible by the table, else the incident's lead.

    The instruction and the assignment are locked already.
    """
    incident = row.instruction.incident
    found = leads_for(None, incident.type, incident.grade, incident.region_code)
    taken = set(
        moving.assignments(instruction=row.instruction)
        .exclude(state__in=states.TERMINAL)
        .exclude(pk=row.pk)
        .values_list("department_id", flat=True)
    )
    if row.instruction.parent_id is not None:
        line = chain.above(moving.assignments(pk=row.instruction.parent_id).select_related("instruction").get())
        taken |= {above.department_id for above in line}
    fitting = [entry.department for entry in found if entry.department_id not in taken]
    owner = fitting[0] if fitting else incident.lead_department
    if owner.pk in taken:
        owner = row.department
    why = str(_("No ruling came in time: the department responsible by the table."))
    return _rule(row, owner, why, actor=SYSTEM, now=now)

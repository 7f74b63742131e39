"""How does an order leave: issued, issued first and confirmed later, given to one department more?"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.deadlines import actions as deadlines
from coordination.events.actor import SYSTEM, Actor
from coordination.events.command import action
from coordination.events.refused import Conflict, Invalid
from coordination.instructions import states
from coordination.instructions.actions import amending, arming, content, drafting, ending, moving
from coordination.instructions.models import Assignment, Instruction, InstructionVersion
from coordination.instructions.queries import cases, chain
from incidents.actions import ensure_participation
from incidents.entered import Entered
from incidents.entered import reason as entered_reason


class AlreadyAssigned(Conflict):
    """The department has an open part in this order already."""

    code = "already_assigned"


class DuePassed(Invalid):
    """The time by when it shall be done has passed while the version waited."""

    code = "due_passed"


@action("instruction.issue")
def issue(
    *, actor: Actor, now: datetime, instruction_id: int, if_version: int | None = None
) -> Instruction:
    """Send the approved version: version 1 makes assignments, a later one is owed by those still open."""
    instruction = _take(actor, now, instruction_id, "issue", if_version)
    _send(instruction, "issue", actor=actor, now=now)
    return instruction


def _take(actor: Actor, now: datetime, instruction_id: int, move: str, if_version: int | None) -> Instruction:
    """Lock the instruction with what issuing also writes: the one it replaces, those delegated below it."""
    seen = moving.see_instruction(actor, instruction_id, now)
    above = [] if seen.parent is None else [seen.parent.instruction_id]
    replaced = [] if seen.supersedes_id is None else [seen.supersedes_id]
    locked = moving.lock_instructions({seen.pk, *above, *replaced})
    if replaced or seen.state == Instruction.State.ISSUED:
        locked |= moving.lock_tree({seen.pk, *replaced})
    instruction = locked[seen.pk]
    case = cases.instruction_case(instruction, cases.centres())
    moving.judge(actor, states.move_named("instruction", move), case, instruction, if_version)
    if content.past(instruction, drafting.pending(instruction), now=now):
        way_out = _("The time by when it shall be done has passed. Take it back into draft and name another.")
        raise DuePassed(way_out, errors=[{"pointer": "/due_at", "code": "past", "detail": way_out}])
    return instruction


def _send(
    instruction: Instruction, move: str, *, actor: Actor, now: datetime, reason: str = ""
) -> list[Assignment]:
    version = drafting.pending(instruction)
    drafting.check_reach(instruction, version, now=now)
    version.state, version.issued_at = InstructionVersion.State.ISSUED, now
    version.due_at = content.due_of(version, now=now, pace=instruction.incident.pace)
    version.voice_code = f"{secrets.randbelow(10_000):04d}"
    version.save()
    if version.n > 1:
        deadlines.cancel(subject=instruction, kinds=["approve", "start"], now=now)
        amending.put_in_force(instruction, version, actor=actor, now=now)
        return []
    return _first_issue(instruction, version, move, actor=actor, now=now, reason=reason)


def _first_issue(
    instruction: Instruction, version: InstructionVersion, move: str, *, actor: Actor, now: datetime, reason: str
) -> list[Assignment]:
    instruction.ladder = arming.freeze(instruction.incident)
    instruction.issued_at = max(now, instruction.moved_at)
    instruction.issuer_person_id = actor.id if actor.is_person else None
    instruction.issuer_post = actor.post or instruction.issuer_post
    for target in version.targets:
        ensure_participation(
            actor=actor, incident_id=instruction.incident_id, department_id=target["department"], now=now
        )
    deadlines.cancel(subject=instruction, kinds=["approve", "start"], now=now)  # clocks are locked after the incident
    due = content.due_of(version, now=now, pace=instruction.incident.pace)
    lead = next(target["department"] for target in version.targets if target["role"] == "lead")
    moving.carry(instruction, move, actor=actor, now=now, after="issued", ball=lead, reason=reason)
    made = [
        new_assignment(instruction, target, due_at=due, actor=actor, now=now)
        for target in sorted(version.targets, key=lambda target: (target["role"] != "lead", target["department"]))
    ]
    arming.arm_for_new(made, now=now)
    if instruction.supersedes_id is not None:
        ending.supersede(instruction_id=instruction.supersedes_id, now=now)
    if instruction.parent_id is not None:
        hand_down(instruction, lead, now=now)
    return made


def new_assignment(
    instruction: Instruction, target: dict[str, Any], *, due_at: datetime, actor: Actor,
    now: datetime, reason: str = "", **more: Any,
) -> Assignment:
    """Write one assignment with its first transition; its people are told by its event. Clocks come after."""
    at = max(now, instruction.moved_at)
    row: Assignment = Assignment.everything.create(
        instruction=instruction, department_id=target["department"], role=target["role"],
        post=target.get("post") or "duty_officer", due_at=due_at, ball="platform", created_at=at, moved_at=at,
        effective_at=at, **more,
    )
    moving.note_move(
        row, "issue", actor=actor, before="", reason=reason, tell=[moving.duty(row.department_id, row.post)]
    )
    return row


def hand_down(instruction: Instruction, lead_id: int, *, now: datetime) -> None:
    """The delegated part is out: the ball is the child's while the delegator stays accountable."""
    parents = moving.lock_assignments(moving.assignments(pk=instruction.parent_id))
    parent = parents[instruction.parent_id]  # type: ignore[index]
    if parent.state in states.WORKING:
        moving.carry(
            parent, "hand_down", actor=SYSTEM, now=now, ball=lead_id, data={"child": instruction.pk}
        )


@action("instruction.issue_first")
def issue_first(
    *, actor: Actor, now: datetime, instruction_id: int, reason: str, if_version: int | None = None
) -> Instruction:
    """In an emergency: send at once, with a reason; an approver confirms within the policy's time."""
    instruction = _take(actor, now, instruction_id, "issue_first", if_version)
    why = entered_reason("reason", reason, needed=True)
    version = drafting.pending(instruction)
    content.headline_from(version)
    content.complete(instruction, version, now=now)
    instruction.issued_first, instruction.issued_first_reason = True, why
    # also where an earlier version was confirmed: nobody has stood behind this one, and its sender may not
    instruction.confirmed_at, instruction.confirm_refused = None, ""
    instruction.issuer_person_id = actor.id if actor.is_person else None
    _send(instruction, "issue_first", actor=actor, now=now, reason=why)
    arming.arm(instruction, instruction, "confirm", now=now)
    return instruction


@action("instruction.confirm")
def confirm(
    *, actor: Actor, now: datetime, instruction_id: int, yes: bool, reason: str = "", if_version: int | None = None
) -> Instruction:
    """Stand behind an order that was issued first, or refuse it with a reason: then command amends or cancels."""
    instruction = moving.take_instruction(
        actor=actor, now=now, instruction_id=instruction_id, action="confirm", if_version=if_version
    )
    entered = Entered()
    agrees = content.flag(entered, "yes", yes)
    why = entered.text("reason", reason, 300, needed=not agrees)
    entered.done()
    if agrees:
        instruction.confirmed_at = now
    else:
        instruction.confirm_refused = why
    command = sorted(cases.command_ids(instruction.incident, cases.centres()))
    moving.carry(
        instruction, "confirm", actor=actor, now=now, reason=why, data={"yes": agrees},
        tell=[] if agrees else [moving.duty(pk, "commander") for pk in command],
        urgency="" if agrees else "immediate",
    )
    if agrees:
        amending.settle_confirm(instruction, now=now)
    else:
        arming.arm(instruction, instruction, "confirm", now=now)
    return instruction


@action("instruction.assign")
def assign(
    *, actor: Actor, now: datetime, instruction_id: int, department: int, post: str = "duty_officer",
    reason: str = "", if_version: int | None = None,
) -> Assignment:
    """Give the order to one supporting department more."""
    instruction = moving.take_instruction(
        actor=actor, now=now, instruction_id=instruction_id, action="assign", if_version=if_version
    )
    entered = Entered()
    found = content.department(entered, "department", department)
    where = entered.choice("post", post or "duty_officer", content.POSTS)
    why = entered.text("reason", reason, 300)
    entered.done()
    assert found is not None  # noqa: S101 - done() has refused
    check_free(instruction, [found.pk])
    ensure_participation(actor=actor, incident_id=instruction.incident_id, department_id=found.pk, now=now)
    current = cases.version_of(instruction, instruction.current)
    moving.carry(instruction, "assign", actor=actor, now=now, reason=why, data={"department": found.pk})
    row = new_assignment(
        instruction, {"department": found.pk, "role": "support", "post": where},
        due_at=content.due_of(current, now=now, pace=instruction.incident.pace),
        actor=actor, now=now, reason=why,
    )
    arming.arm_for_new([row], now=now)
    return row


def check_free(instruction: Instruction, department_ids: Sequence[int]) -> None:
    """Refuse when one of these departments has an open part already."""
    rows = moving.assignments(instruction=instruction, department_id__in=department_ids)
    taken = list(rows.exclude(state__in=states.TERMINAL).values_list("department_id", flat=True))
    if taken:
        raise AlreadyAssigned(_("This department has a part in the instruction already."), departments=taken)
    if instruction.parent_id is not None:
        chain.check(moving.assignments(pk=instruction.parent_id).get(), department_ids)

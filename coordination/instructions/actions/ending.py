"""How does an order or one department's part end: closed, cancelled, replaced?"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.deadlines import actions as deadlines
from coordination.events.actor import SYSTEM, Actor
from coordination.events.command import action
from coordination.events.refused import Invalid
from coordination.instructions import states
from coordination.instructions.actions import arming, content, moving
from coordination.instructions.models import Ask, Assignment, Instruction, InstructionVersion
from coordination.instructions.queries import cases, chain
from coordination.instructions.states import TERMINAL, UNTOUCHED
from incidents.entered import Entered
from incidents.entered import reason as entered_reason
from sharing import access


class LeadNeedsSuccessor(Invalid):
    """The leading part cannot just vanish: somebody must lead."""

    code = "successor_needed"


class SuccessorLeads(Invalid):
    """The leading part has been handed on already: whoever is to take it over leads."""

    code = "successor_leads"


@action("instruction.cancel")
def cancel(
    *, actor: Actor, now: datetime, instruction_id: int, reason: str, if_version: int | None = None
) -> Instruction:
    """Cancel the whole order: a last version. Untouched parts end at once, others when they acknowledge it."""
    seen = moving.see_instruction(actor, instruction_id, now)
    above = [] if seen.parent is None else [seen.parent.instruction_id]
    moving.lock_instructions({seen.pk, *above})
    locked = moving.lock_tree([seen.pk])
    instruction = locked[seen.pk]
    case = cases.instruction_case(instruction, cases.centres())
    moving.judge(actor, states.move_named("instruction", "cancel"), case, instruction, if_version)
    why = entered_reason("reason", reason, needed=True)
    _end_instruction(instruction, "cancel", "cancelled", actor=actor, now=now, why=why)
    cascade(locked, instruction.pk, why, now=now)
    _give_back(instruction, now=now)
    return instruction


def supersede(*, instruction_id: int, now: datetime) -> None:
    """A successor is in force: the old order ends as if cancelled. It and all below it are locked already."""
    locked = moving.lock_tree([instruction_id])
    old = locked[instruction_id]
    if old.state != Instruction.State.ISSUED:
        return
    _end_instruction(old, "supersede", "superseded", actor=SYSTEM, now=now, why="")
    cascade(locked, instruction_id, "", now=now)
    _give_back(old, now=now)


def cascade(locked: dict[int, Instruction], root_id: int, why: str, *, now: datetime) -> None:
    """What was delegated below ends at once with it (root to leaf)."""
    for pk, row in sorted(locked.items()):
        if pk != root_id and row.state not in chain.ENDED:
            _end_instruction(row, "cancel", "cancelled", actor=SYSTEM, now=now, why=why)


def _end_instruction(
    instruction: Instruction, move: str, after: str, *, actor: Actor, now: datetime, why: str
) -> None:
    """End one locked instruction: its own clocks stop, its parts end or owe the last acknowledgement."""
    was_out = instruction.state == Instruction.State.ISSUED
    instruction.cancel_reason = why
    _withdraw_pending(instruction)
    if was_out:
        _last_version(instruction, why, now=now)
    instruction.ended_at = max(now, instruction.moved_at)
    instruction.keep_owed = False
    moving.carry(instruction, move, actor=actor, now=now, after=after, ball="", reason=why)
    deadlines.cancel(subject=instruction, now=now)
    rows = moving.lock_assignments(moving.assignments(instruction=instruction).exclude(state__in=TERMINAL))
    for row in rows.values():
        row.instruction = instruction
        end_assignment(row, "supersede" if after == "superseded" else "cancel", actor=actor, now=now, why=why)


def _withdraw_pending(instruction: Instruction) -> None:
    version = cases.open_version(instruction)
    if version is not None:
        version.state = InstructionVersion.State.WITHDRAWN
        version.save()


def _last_version(instruction: Instruction, why: str, *, now: datetime) -> None:
    old = cases.version_of(instruction, instruction.current)
    instruction.current = max(row.n for row in instruction.versions.all()) + 1
    last: InstructionVersion = InstructionVersion.everything.create(
        instruction=instruction, n=instruction.current, state=InstructionVersion.State.ISSUED, is_cancel=True,
        change_note=why, type=old.type, headline_zh=old.headline_zh, headline_en=old.headline_en, what=old.what,
        urgency=old.urgency, due_at=old.due_at, targets=old.targets, created_at=now, issued_at=now,
        voice_code=f"{secrets.randbelow(10_000):04d}",
    )
    known: Any = instruction
    known._prefetched_objects_cache = {"versions": [*instruction.versions.all(), last]}


def end_assignment(row: Assignment, move: str, *, actor: Actor, now: datetime, why: str) -> None:
    """End one locked part: at once when untouched (or declined with nobody working), else when it is acknowledged."""
    deadlines.cancel(subject=row, now=now)
    withdraw_ask_of(row, now=now)
    ended = "superseded" if move == "supersede" else "cancelled"
    tell = [moving.duty(row.department_id, row.post)]
    if _ends_at_once(row):
        moving.carry(row, move, actor=actor, now=now, after=ended, reason=why, tell=tell)
        return
    row.cancel_owed = True
    moving.carry(row, move, actor=actor, now=now, ball=row.department_id, reason=why, tell=tell)
    arming.arm(row, row.instruction, "acknowledge", now=now)


def _ends_at_once(row: Assignment) -> bool:
    """Nobody works on it: no reader need acknowledge that it has ended."""
    return row.state in UNTOUCHED or (row.state == "declined" and row.acknowledged_version is None)


def withdraw_ask_of(row: Assignment, *, now: datetime) -> None:
    """An open ask falls with its assignment's end."""
    asks = access.unscoped(Ask, reason="an ask falls with its assignment").filter(assignment=row, state="open")
    for ask in asks:
        ask.state, ask.decided_by, ask.decided_at = Ask.State.WITHDRAWN, SYSTEM.key, now
        ask.version += 1
        ask.save()
        deadlines.cancel(subject=ask, now=now)


@action("assignment.cancel")
def cancel_assignment(
    *, actor: Actor, now: datetime, assignment_id: int, reason: str, successor: int | None = None,
    if_version: int | None = None,
) -> Assignment:
    """Take one department's part back; a leading part names who leads now, among those who have a part.

    Nobody need be named where the lead is settled: it has been handed on, or the work goes back to who declined it.
    """
    seen = moving.see_assignment(actor, assignment_id, now)
    locked = moving.lock_instructions([seen.instruction_id])
    below = moving.lock_tree(row.pk for row in chain.open_children([assignment_id]))
    siblings = moving.lock_assignments(moving.assignments(instruction_id=seen.instruction_id))
    row = siblings[assignment_id]
    case = cases.assignment_case(row, cases.centres())
    moving.judge(actor, states.move_named("assignment", "cancel"), case, row, if_version)
    why = entered_reason("reason", reason, needed=True)
    heir = _heir_of(row, siblings)
    back_to = None if heir is not None or not _ends_at_once(row) else _waiting(row, siblings)
    if row.role == Assignment.Role.LEAD:
        _settle_lead(row, siblings, successor, actor=actor, now=now, why=why, heir=heir, back_to=back_to)
    end_assignment(row, "cancel", actor=actor, now=now, why=why)
    if heir is not None and row.state in TERMINAL:
        _close_gap(row, heir, siblings, now=now)
    if back_to is not None:
        _back_to_decliner(back_to, row, now=now)
    cascade(below, 0, why, now=now)
    roll_up(locked[seen.instruction_id], now=now)
    return row


def _heir_of(row: Assignment, siblings: dict[int, Assignment]) -> Assignment | None:
    """Who is to take this declined part over."""
    rows = (one for one in siblings.values() if one.successor_of_id == row.pk and one.state not in TERMINAL)
    return next(rows, None)


def _close_gap(row: Assignment, heir: Assignment, siblings: dict[int, Assignment], *, now: datetime) -> None:
    """Who was to take over from the part that has ended takes over from whom that one was to take over from."""
    heir.successor_of_id = row.successor_of_id
    heir.save(update_fields=["successor_of"])
    old = _waiting(heir, siblings)
    if old is not None:
        data = {"owner": heir.department_id}
        moving.carry(old, "reassign", actor=SYSTEM, now=now, ball=heir.department_id, data=data)


def _waiting(row: Assignment, siblings: dict[int, Assignment]) -> Assignment | None:
    """Whose declined part this one was to take over, where that one still waits."""
    old = siblings.get(row.successor_of_id or 0)
    return old if old is not None and old.state == "declined" and not old.cancel_owed else None


def _settle_lead(
    row: Assignment, siblings: dict[int, Assignment], successor: Any, *, actor: Actor, now: datetime, why: str,
    heir: Assignment | None, back_to: Assignment | None,
) -> None:
    """Somebody leads when this leading part ends: who takes it over, who had it before, or who is named."""
    if heir is not None:
        line = {pk: one for pk, one in siblings.items() if row.pk in chain.before(one)}
        if successor is not None and successor not in {one.department_id for one in line.values()}:
            raise SuccessorLeads(
                _("This part has been handed on: whoever is to take it over leads."),
                errors=[{"pointer": "/successor", "code": "successor_leads", "detail": _("Leave this empty.")}],
            )
    elif back_to is None or (successor is not None and successor != back_to.department_id):
        _new_lead(row, siblings.values(), successor, actor=actor, now=now, why=why)


def _back_to_decliner(row: Assignment, gone: Assignment, *, now: datetime) -> None:
    """Who was to take a declined part over is out before taking it: the decline waits for its answer again.

    The lead comes back with the work, unless another leads from now on.
    """
    row.role = gone.role
    ball = row.arbiter_department_id or row.instruction.issuer_id
    moving.carry(
        row, "take_back", actor=SYSTEM, now=now, ball=ball, data={"successor": gone.pk}, tell=[moving.duty(ball)],
        urgency="immediate",
    )
    arming.arm(row, row.instruction, "confirm", now=now)


def _new_lead(
    row: Assignment, siblings: Iterable[Assignment], successor: Any, *, actor: Actor, now: datetime, why: str
) -> None:
    entered = Entered()
    found = content.department(entered, "successor", successor) if successor is not None else None
    entered.done()
    if found is None:
        raise LeadNeedsSuccessor(
            _("The leading part can be taken back only when another department leads: name it."),
            errors=[{"pointer": "/successor", "code": "successor_needed", "detail": _("Name a department.")}],
        )
    heir = next(
        (
            other
            for other in siblings
            if other.department_id == found.pk and other.pk != row.pk and not other.cancel_owed
            and other.state not in TERMINAL and other.state != "declined"
        ),
        None,
    )
    if heir is None:
        raise LeadNeedsSuccessor(
            _("The successor must have an open part in this instruction and not have declined it; assign it first."),
            errors=[{"pointer": "/successor", "code": "successor_needed", "detail": _("Name another department.")}],
        )
    for other in siblings:  # whoever waits for the leading part to be taken over waits for a supporting one now
        if other.role == Assignment.Role.LEAD and other.state not in TERMINAL and other.pk != heir.pk:
            other.role = Assignment.Role.SUPPORT
            other.save(update_fields=["role"])
    row.role = Assignment.Role.SUPPORT
    heir.role = Assignment.Role.LEAD
    moving.carry(
        heir, "lead", actor=actor, now=now, reason=why, tell=[moving.duty(heir.department_id, heir.post)]
    )


def roll_up(instruction: Instruction, *, now: datetime) -> bool:
    """Percent is the lead's; close when the lead is closed and every support has ended. The row is locked."""
    rows = list(moving.assignments(instruction=instruction).values_list("role", "state", "percent"))
    lead = [(state, percent) for role, state, percent in rows if role == Assignment.Role.LEAD]
    closed = [percent for state, percent in lead if state == "closed"]
    live = [percent for state, percent in lead if state not in ("cancelled", "superseded")]
    done = bool(closed) and all(state in TERMINAL for _role, state, _percent in rows)
    percent = max(closed or live, default=instruction.percent)
    if instruction.state != Instruction.State.ISSUED:
        return False
    if not done:
        if percent != instruction.percent:
            instruction.percent = percent
            instruction.save(update_fields=["percent"])
        return False
    instruction.percent = percent
    instruction.ended_at = max(now, instruction.moved_at)
    instruction.keep_owed = False
    _withdraw_pending(instruction)
    moving.carry(
        instruction, "close", actor=SYSTEM, now=now, after="closed", ball="",
        tell=[moving.duty(instruction.issuer_id)],
    )
    deadlines.cancel(subject=instruction, now=now)
    _give_back(instruction, now=now)
    return True


def _give_back(instruction: Instruction, *, now: datetime) -> None:
    """A delegated part has ended: the ball is the delegator's again."""
    if instruction.parent_id is None:
        return
    parent = moving.lock_assignments(moving.assignments(pk=instruction.parent_id))[instruction.parent_id]
    if parent.state in TERMINAL or parent.ball == str(parent.department_id):
        return
    if parent.state in states.WORKING:
        moving.carry(
            parent, "take_back", actor=SYSTEM, now=now, ball=parent.department_id, data={"child": instruction.pk},
            tell=[moving.duty(parent.department_id, parent.post)],
        )

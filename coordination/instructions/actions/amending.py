"""How does an order change while it is being carried out?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from coordination.deadlines import actions as deadlines
from coordination.events.actor import SYSTEM, Actor
from coordination.events.command import action
from coordination.instructions import states
from coordination.instructions.actions import arming, content, drafting, moving
from coordination.instructions.models import Assignment, Instruction, InstructionVersion
from coordination.instructions.queries import cases, chain
from incidents.entered import reason as entered_reason

_COPIED = (
    "type", "headline_zh", "headline_en", "text", "verb", "what", "place", "latitude", "longitude", "quantity",
    "unit", "objects_named", "starts_at", "due_at", "urgency", "evidence", "read_back", "recheck",
    "progress_every", "targets",
)


@action("instruction.amend")
def amend(
    *, actor: Actor, now: datetime, instruction_id: int, change_note: str, if_version: int | None = None,
    **given: Any,
) -> Instruction:
    """Open version n + 1 with a change note and hand it in. Work on the old version goes on meanwhile.

    ``given``: the fields that change; the departments stay (see `assign` and `cancel_assignment`).
    """
    instruction = moving.take_instruction(
        actor=actor, now=now, instruction_id=instruction_id, action="amend", if_version=if_version
    )
    note = entered_reason("change_note", change_note, needed=True)
    old = cases.version_of(instruction, instruction.current)
    person = actor.id if actor.is_person else None
    version = InstructionVersion(
        instruction=instruction, n=max(row.n for row in instruction.versions.all()) + 1, change_note=note,
        drafter_id=person, authors=[person] if person else [], created_at=now,
        **{name: getattr(old, name) for name in _COPIED},
    )
    content.enter(version, given, targets_too=False)
    version.save()
    followed, instruction.keep_owed = instruction.keep_owed, False
    moving.carry(instruction, "amend", actor=actor, now=now, reason=note, data={"n": version.n})
    if followed:
        settle_confirm(instruction, now=now)
    fresh = moving.lock_instructions([instruction.pk])[instruction.pk]
    return drafting.hand_in(fresh, actor=actor, now=now)


def put_in_force(
    instruction: Instruction, version: InstructionVersion, *, actor: Actor, now: datetime
) -> None:
    """Version n + 1 is issued: every open assignment owes its acknowledgement, those who delegated must follow.

    Where the time stays as it was, so does each part's own: what an extension or a return granted holds on, and the
    ladder of who is overdue goes on climbing. The instruction and everything below it are locked already.
    """
    new_time = version.due_at != cases.version_of(instruction, instruction.current).due_at
    instruction.current = version.n
    if instruction.confirm_refused:  # command has mended what was refused
        instruction.confirm_refused, instruction.confirmed_at = "", now
        settle_confirm(instruction, now=now)
    moving.carry(instruction, "issue", actor=actor, now=now, data={"n": version.n}, reason=version.change_note)
    rows = moving.assignments(instruction=instruction).exclude(state__in=states.TERMINAL)
    orders = []
    open_rows = moving.lock_assignments(rows)
    for row in open_rows.values():
        if new_time:
            row.due_at = version.due_at  # type: ignore[assignment]
        if new_time and row.due_at > now:
            row.overdue_since, row.escalated_level = None, 0
        moving.carry(
            row, "owe", actor=SYSTEM, now=now, data={"n": version.n},
            tell=[moving.duty(row.department_id, row.post, "instruction.amend")],
        )
        orders.append(arming.order(row, instruction, "acknowledge", now=now))
        if new_time and row.state in ("issued", "delivered", "acknowledged", "in_progress"):
            orders.append(arming.order(row, instruction, "complete", now=now, due_at=row.due_at))
    deadlines.arm_many(orders, now=now)
    _ask_delegators(open_rows, now=now)


def settle_confirm(instruction: Instruction, *, now: datetime) -> None:
    """Stop the clock to confirm, unless a second matter waits for it: one clock serves all three."""
    unconfirmed = instruction.issued_first and instruction.confirmed_at is None
    if not (unconfirmed or instruction.confirm_refused or instruction.keep_owed):
        deadlines.cancel(subject=instruction, kinds=["confirm"], now=now)


def _ask_delegators(rows: dict[int, Assignment], *, now: datetime) -> None:
    """Whoever handed work down must amend or keep what is below, within the time to confirm."""
    issued = [child.pk for child in chain.open_children(rows) if child.state == Instruction.State.ISSUED]
    for child in moving.lock_instructions(issued).values():
        child.keep_owed = True
        moving.carry(
            child, "keep_owed", actor=SYSTEM, now=now, tell=[moving.duty(child.issuer_id)]
        )
        arming.arm(child, child, "confirm", now=now)


@action("instruction.keep")
def keep(
    *, actor: Actor, now: datetime, instruction_id: int, reason: str = "", if_version: int | None = None
) -> Instruction:
    """The delegator has looked at what changed above: the part handed down stays as it is."""
    instruction = moving.take_instruction(
        actor=actor, now=now, instruction_id=instruction_id, action="keep", if_version=if_version
    )
    why = entered_reason("reason", reason, needed=False)
    instruction.keep_owed = False
    moving.carry(instruction, "keep", actor=actor, now=now, reason=why)
    settle_confirm(instruction, now=now)
    return instruction

"""How is work handed down?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.instructions import states
from coordination.instructions.actions import content, drafting, issuing, moving
from coordination.instructions.models import Instruction
from coordination.instructions.queries import cases

_INHERITED = ("type", "verb", "what", "place", "latitude", "longitude", "urgency", "text")


@action("assignment.delegate")
def delegate(*, actor: Actor, now: datetime, assignment_id: int, **given: Any) -> Instruction:
    """Give the work, or a part of it, to departments below: a child instruction; this department stays accountable.

    ``given``: content of the child; what is not given is taken from the order itself, its due time too. It is handed
    in, and where the approval rule asks for nobody it leaves at once. Returns the child.
    """
    seen = moving.see_assignment(actor, assignment_id, now)
    moving.lock_instructions([seen.instruction_id])
    parent = moving.lock_assignments(moving.assignments(pk=assignment_id))[assignment_id]
    case = cases.assignment_case(parent, cases.centres())
    moving.judge(actor, states.move_named("assignment", "delegate"), case, parent, None)
    content.unknown(given)
    child = drafting.new_instruction(
        actor=actor, now=now, incident=parent.instruction.incident, given=_filled(given, parent, now), parent=parent
    )
    moving.carry(parent, "delegate", actor=actor, now=now, data={"child": child.pk})
    drafting.hand_in(child, actor=actor, now=now)
    if cases.open_version(child) is not None and drafting.pending(child).state == "approved":
        return issuing.issue(actor=actor, now=now, instruction_id=child.pk)
    return child


def _filled(given: dict[str, Any], parent: Any, now: datetime) -> dict[str, Any]:
    order = cases.version_of(parent.instruction, parent.instruction.current)
    filled = {name: getattr(order, name) for name in _INHERITED} | given
    if not ({"headline_zh", "headline_en"} & set(given)) and not ({"what", "text"} & set(given)):
        filled |= {"headline_zh": order.headline_zh, "headline_en": order.headline_en}
    if not ({"due_at", "due_in"} & set(given)):
        filled["due_at"] = parent.due_at
    targets = given.get("targets")
    if isinstance(targets, list | tuple) and len(targets) == 1 and isinstance(targets[0], dict):
        filled["targets"] = [{"role": "lead", **targets[0]}]
    return filled

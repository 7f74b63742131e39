"""How is a draft thrown away, and within ten seconds taken out of the basket again?

Nobody but its writers has seen a draft, so no reason is asked for, and it is the one thing that can be undone. Both
are made by people on pages: a system cancels a draft with a reason and writes a new one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from coordination.deadlines import actions as deadlines
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import MoveNotAllowed
from coordination.instructions.actions import moving
from coordination.instructions.models import Instruction, InstructionVersion
from coordination.instructions.queries import cases
from coordination.instructions.queries.discarding import UNDO, discarded_at

ON_THE_WAY = timedelta(seconds=5)
"""How much later than shown the undo is still taken: the page and the answer were on their way."""


@action("instruction.discard")
def discard(*, actor: Actor, now: datetime, instruction_id: int, if_version: int | None = None) -> Instruction:
    """Cancel a draft that never left and carries out no part of another's order; `restore` undoes it."""
    instruction = moving.take_instruction(
        actor=actor, now=now, instruction_id=instruction_id, action="cancel", if_version=if_version
    )
    if instruction.state != Instruction.State.DRAFT or instruction.parent_id is not None:
        raise MoveNotAllowed(_("Only a draft of one's own can be discarded."), state=instruction.state, allowed=[])
    version = cases.version_of(instruction, 1)
    version.state = InstructionVersion.State.WITHDRAWN
    version.save()
    moving.carry(instruction, "cancel", actor=actor, now=now, after="cancelled", ball="", data={"discarded": True})
    deadlines.cancel(subject=instruction, now=now)
    return instruction


@action("instruction.restore")
def restore(*, actor: Actor, now: datetime, instruction_id: int) -> Instruction:
    """Take a draft back that the same person discarded a moment ago."""
    moving.see_instruction(actor, instruction_id, now)
    instruction = moving.lock_instructions([instruction_id])[instruction_id]
    at = discarded_at(instruction, actor)
    if at is None or now - at > UNDO + ON_THE_WAY or instruction.incident.state in cases.INCIDENT_ENDED:
        raise MoveNotAllowed(
            _("Discarding can be undone for ten seconds. This draft stays discarded; what it said can still be read."),
            state=instruction.state,
            allowed=[],
        )
    version = cases.version_of(instruction, 1)
    version.state = InstructionVersion.State.DRAFT
    version.save()
    instruction.ended_at = None
    moving.carry(instruction, "restore", actor=actor, now=now, after="draft", ball=instruction.issuer_id)
    return instruction

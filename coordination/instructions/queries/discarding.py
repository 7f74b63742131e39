"""Which draft was discarded a moment ago, so that it can be taken back?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from coordination.events.actor import Actor
from coordination.events.refused import NotFound
from coordination.events.text import localized
from coordination.instructions.models import Instruction, Transition
from coordination.instructions.queries.single import as_id
from sharing import access

UNDO = timedelta(seconds=10)
"""How long a page offers to take a discarded draft back."""


def discarded_at(instruction: Instruction, actor: Actor) -> datetime | None:
    """When this actor discarded the draft, if that is the last thing that happened to it."""
    if instruction.state != Instruction.State.CANCELLED or instruction.issued_at is not None:
        return None
    moves = access.unscoped(Transition, reason="the paper trail of a draft that the actor sees")
    last = moves.filter(instruction=instruction, subject_type="instruction").order_by("version").last()
    if last is None or last.actor_key != actor.key or not last.data.get("discarded"):
        return None
    return last.at


def just_discarded(*, actor: Actor, instruction_id: Any, now: datetime) -> dict[str, Any] | None:
    """The draft (id, number, headline) while the actor may still undo its discarding, else None."""
    try:
        row = access.get(actor, Instruction, as_id(instruction_id), now=now)
    except NotFound:
        return None
    at = discarded_at(row, actor)
    if at is None or now - at > UNDO:
        return None
    version = row.versions.get(n=1)
    return {"id": row.pk, "number": row.number, "headline": localized(version.headline_zh, version.headline_en)}

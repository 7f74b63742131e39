"""How is an order handed down: who stands above it in the chain, what hangs below it?"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from coordination.events.refused import Invalid
from coordination.instructions.models import Assignment, Instruction
from sharing import access

DEEPEST = 4
_WHY = "a chain of delegation is walked as a whole"
ENDED = ("closed", "cancelled", "superseded")


class TwiceInChain(Invalid):
    """A department would get its own work back."""

    code = "twice_in_chain"


class TooDeep(Invalid):
    """More than four levels of delegation."""

    code = "too_deep"


def above(assignment: Assignment) -> list[Assignment]:
    """The assignment and those it was delegated from, nearest first."""
    found = [assignment]
    while (parent_id := found[-1].instruction.parent_id) is not None:
        rows = access.unscoped(Assignment, reason=_WHY).select_related("instruction")
        found.append(rows.get(pk=parent_id))
    return found


def check(parent: Assignment, addressed: Iterable[int]) -> None:
    """No department twice in a chain, at most four levels."""
    line = above(parent)
    if len(line) >= DEEPEST:
        raise TooDeep(_("Work is handed down at most four times."))
    taken = {row.department_id for row in line}
    twice = taken & set(addressed)
    if twice:
        raise TwiceInChain(_("A department cannot get its own work back."), departments=sorted(twice))


def before(assignment: Assignment) -> list[int]:
    """Ids of the parts that this one is to take over, nearest first: whoever declined, and who declined before."""
    if assignment.successor_of_id is None:
        return []
    rows = dict(
        access.unscoped(Assignment, reason=_WHY).filter(instruction_id=assignment.instruction_id)
        .values_list("pk", "successor_of_id")
    )
    found: list[int] = []
    following: int | None = assignment.successor_of_id
    while following is not None and following not in found:
        found.append(following)
        following = rows.get(following)
    return found


def open_children(assignment_ids: Iterable[int]) -> list[Instruction]:
    """Instructions delegated from these assignments that have not ended."""
    rows = access.unscoped(Instruction, reason=_WHY).filter(parent_id__in=list(assignment_ids))
    return list(rows.exclude(state__in=ENDED).order_by("pk"))

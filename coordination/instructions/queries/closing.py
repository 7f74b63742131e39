"""What keeps an incident, or a department, from being closed?"""

from __future__ import annotations

from typing import Any

from coordination.instructions.models import Assignment, Instruction
from coordination.instructions.states import TERMINAL
from sharing import access


def open_assignments_of(incident_id: int) -> list[dict[str, Any]]:
    """Open assignments of an incident as {"id", "department_id", "instruction_id", "state"}."""
    rows = access.unscoped(Assignment, reason="whether an incident may be closed is a question about all its work")
    found = rows.filter(instruction__incident_id=incident_id).exclude(state__in=TERMINAL).order_by("pk")
    return [dict(row) for row in found.values("id", "department_id", "instruction_id", "state")]


def open_orders_with(department_id: int) -> int:
    """How many orders are open that this department carries out or has issued (drafts bind nobody)."""
    parts = access.unscoped(Assignment, reason="whether a department may be closed is a question about all its work")
    mine = parts.filter(department_id=department_id).exclude(state__in=TERMINAL).count()
    orders = access.unscoped(Instruction, reason="as above, about all that it has issued")
    return mine + orders.filter(issuer_id=department_id, state=Instruction.State.ISSUED).count()

"""What keeps an incident from being closed?"""

from __future__ import annotations

from typing import Any

from coordination.instructions.models import Assignment
from coordination.instructions.states import TERMINAL
from sharing import access


def open_assignments_of(incident_id: int) -> list[dict[str, Any]]:
    """Open assignments of an incident as {"id", "department_id", "instruction_id", "state"}."""
    rows = access.unscoped(Assignment, reason="whether an incident may be closed is a question about all its work")
    found = rows.filter(instruction__incident_id=incident_id).exclude(state__in=TERMINAL).order_by("pk")
    return [dict(row) for row in found.values("id", "department_id", "instruction_id", "state")]

"""What does a step know, and what does it answer?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.queries import Reachable
from coordination.deadlines.handlers import Parties
from coordination.deadlines.models import Deadline
from coordination.deadlines.roster import Roster


@dataclass(frozen=True, slots=True)
class Context:
    """One deadline whose time has come. ``line``: id of the department whose line the ladder climbs."""

    subject: Any
    deadline: Deadline
    parties: Parties
    line: int | None
    roster: Roster
    now: datetime


@dataclass(frozen=True, slots=True)
class StepResult:
    """Whom to tell, for which department they are told, and what the text may say besides. Nobody: an empty step."""

    people: Sequence[Reachable] = ()
    department_id: int | None = None
    args: Mapping[str, Any] = field(default_factory=dict)


def together(*groups: Sequence[Reachable]) -> list[Reachable]:
    """All people of the groups, each once, in order."""
    found: dict[int, Reachable] = {}
    for group in groups:
        for one in group:
            found.setdefault(one.person_id, one)
    return list(found.values())

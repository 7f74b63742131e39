"""Who must do what, and is it done?"""

from __future__ import annotations

from coordination.instructions.queries.charging import ledger, ledgers, ledgers_steps
from coordination.instructions.queries.closing import open_assignments_of, open_orders_with
from coordination.instructions.queries.discarding import just_discarded
from coordination.instructions.queries.finding import search
from coordination.instructions.queries.lists import assignments, board, board_steps, desk, desk_steps, instructions
from coordination.instructions.queries.preview import burden, burden_of, ladder_of, recipients_preview
from coordination.instructions.queries.single import (
    about,
    ask,
    assignment,
    assignment_transitions,
    conflicts,
    conflicts_of,
    instruction,
    instruction_steps,
    streams_of,
    transitions,
    transitions_steps,
    versions,
    who_acts_on_which,
)

__all__ = [
    "about", "ask", "assignment", "assignment_transitions", "assignments", "board", "board_steps", "burden",
    "burden_of",
    "conflicts", "conflicts_of", "desk", "desk_steps", "instruction", "instruction_steps", "instructions",
    "just_discarded",
    "ladder_of", "ledger", "ledgers", "ledgers_steps",
    "open_assignments_of", "open_orders_with", "recipients_preview", "search", "streams_of", "transitions",
    "transitions_steps", "versions",
    "who_acts_on_which",
]

"""What do the rooms above still owe to, or expect from, a department, so that it cannot be closed?

They hand their question down once, at start; none is asked that was not handed down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.utils.module_loading import import_string

Question = Callable[[int], int]
_ask: list[str | Question] = []


def use(questions: Iterable[str | Question]) -> None:
    """Take the questions (or their dotted names): each gets a department's id and returns how many things wait."""
    _ask[:] = questions


def waiting(department_id: int) -> int:
    """How many open things wait for this department, over all questions."""
    asked = (import_string(one) if isinstance(one, str) else one for one in _ask)
    return sum(question(department_id) for question in asked)

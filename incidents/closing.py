"""What do the rooms above still have open, so that an incident cannot be closed?

They hand their question down once, at start; none is asked that was not handed down.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from django.utils.module_loading import import_string

_ask: list[Callable[[int], Iterable[Any]]] = []


def use(callables: Iterable[Callable[[int], Iterable[Any]]]) -> None:
    """Take the questions: each gets an incident id and returns what is still open there."""
    _ask[:] = callables


def use_named(names: Iterable[str]) -> None:
    """Take the questions by their dotted names, looked up when they are first asked: rooms above load later."""
    use([functools.partial(_ask_named, name) for name in names])


def _ask_named(name: str, incident_id: int) -> Iterable[Any]:
    question: Callable[[int], Iterable[Any]] = import_string(name)
    return question(incident_id)


def still_open(incident_ids: Iterable[int]) -> list[Any]:
    """Everything still open on these incidents, over all questions."""
    return [item for incident_id in incident_ids for question in _ask for item in question(incident_id)]


def keeps(item: Any, department_id: int) -> bool:
    """Whether an open thing belongs to this department (by ``department_id``, as key or attribute)."""
    owner = item.get("department_id") if isinstance(item, dict) else getattr(item, "department_id", None)
    return owner == department_id


def number_of(item: Any) -> Any:
    """What names an open thing in an answer: its id."""
    return item.get("id") if isinstance(item, dict) else getattr(item, "pk", str(item))

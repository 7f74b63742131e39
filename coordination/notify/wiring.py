"""What do the rooms above know about a message that this room must ask for?

``coordination/config/deadline_handlers.py`` lists the answers by subject type and hands them over once at start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

#: is this message still wanted? (subject id, guard) -> bool
Guard = Callable[[int, Mapping[str, Any]], bool]
#: what a message may say of its subjects: ids -> {id: {"number", "headline_zh", "headline_en", ...}}
Facts = Callable[[Iterable[int]], Mapping[int, Mapping[str, Any]]]
#: the first message about a subject has left: (subject id, now)
Sent = Callable[[int, datetime], None]
#: nobody of one ladder step could be reached: (subject type, subject id, guard, now)
Unreached = Callable[[str, int, Mapping[str, Any], datetime], None]
#: a message was set aside, for a fault of its own: (delivery id, what it is, now)
Poison = Callable[[int, Mapping[str, Any], datetime], None]

guards: dict[str, Guard] = {}
facts: dict[str, Facts] = {}
sent: dict[str, Sent] = {}
unreached: list[Unreached] = []
poison: list[Poison] = []


def install(
    *,
    guards_by_type: Mapping[str, Guard],
    facts_by_type: Mapping[str, Facts],
    sent_by_type: Mapping[str, Sent],
    unreached_calls: Iterable[Unreached],
    poison_calls: Iterable[Poison],
) -> None:
    """Take the answers, replacing earlier ones."""
    guards.clear()
    guards.update(guards_by_type)
    facts.clear()
    facts.update(facts_by_type)
    sent.clear()
    sent.update(sent_by_type)
    unreached[:] = unreached_calls
    poison[:] = poison_calls

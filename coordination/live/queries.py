"""Up to where has a screen seen what it may see, and what came after?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from coordination.events import queries as log
from coordination.events.actor import Actor
from coordination.events.at_once import together
from coordination.events.queries import Cursor, Page
from coordination.live import frames
from sharing import access


def cursor(actor: Actor, streams: Iterable[str], now: datetime) -> dict[str, list[int]]:
    """{stream: [epoch, seq]} of those streams the actor may follow, to print in the page.

    Call it before reading the page's data: an event in between is then shown twice rather than never.
    """
    names = sorted(set(streams))
    allowed, heads = together(access.readable_steps(actor, names, now), log.heads_steps(names))
    return {stream: list(heads[stream]) for stream in names if stream in allowed}


def since(actor: Actor, cursors: Mapping[str, Cursor], now: datetime) -> dict[str, Any]:
    """The answer to a poll: entries after each cursor, resets where that is no whole, ``gone`` where it is closed."""
    allowed = access.readable(actor, cursors, now)
    pages = log.all_after({stream: at for stream, at in cursors.items() if stream in allowed})
    return frames.since(now, pages, sorted(set(cursors) - allowed))


def allowed_pages(cursors: Mapping[str, Cursor]) -> dict[str, Page]:
    """The same for streams already allowed."""
    return log.all_after(cursors)

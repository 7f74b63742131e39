"""How does the event loop read the database?

Only through these: each runs in a thread of a small pool whose connections are kept, checked before use and closed
when they are no longer good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import ParamSpec, TypeVar

from channels.db import DatabaseSyncToAsync
from django.db import connection

from coordination.events import clock
from coordination.events import queries as log
from coordination.events.queries import Cursor, Page
from coordination.live import queries, who
from coordination.live.who import Door, Verdict

P = ParamSpec("P")
R = TypeVar("R")

# What goes out to everybody never waits behind one screen's sign-in.
_STREAMS = ThreadPoolExecutor(1, thread_name_prefix="live-streams")
_SOCKETS = ThreadPoolExecutor(3, thread_name_prefix="live-sockets")


async def moved(after: Mapping[str, Cursor]) -> dict[str, Page]:
    """What came after each cursor: the hub's one read for all streams that moved."""
    return await _in(_STREAMS, _kept(queries.allowed_pages), after)


async def heads(streams: Sequence[str]) -> tuple[datetime, dict[str, Cursor]]:
    """The server's time and the head of each stream."""
    return await _in(_STREAMS, _kept(_heads), streams)


async def pages(after: Mapping[str, Cursor]) -> dict[str, Page]:
    """What one socket lacks."""
    return await _in(_SOCKETS, _kept(queries.allowed_pages), after)


async def judge(asked: Sequence[tuple[Door, Iterable[str]]]) -> list[Verdict]:
    """Who is at each door, and what they may follow."""
    return await _in(_SOCKETS, _kept(who.judge), asked)


def _heads(streams: Sequence[str]) -> tuple[datetime, dict[str, Cursor]]:
    now = clock.now()
    found: dict[str, Cursor] = {}
    for start in range(0, len(streams), 1_000):
        found |= log.heads(streams[start : start + 1_000])
    return now, found


def _kept(function: Callable[P, R]) -> Callable[P, R]:
    """Let the thread keep its connection: a new one costs more than the read, and there are four threads."""

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        connection.ensure_connection()
        connection.close_at = None
        return function(*args, **kwargs)

    return run


async def _in(pool: ThreadPoolExecutor, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    call = DatabaseSyncToAsync(function, thread_sensitive=False, executor=pool)
    result: R = await call(*args, **kwargs)
    return result

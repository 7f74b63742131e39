"""In which streams does something wait for its seal?

Streams are never fewer, and each incident has its own: to compare all heads with all seals takes as long as there are
streams. So that is done once a minute, and between it is asked what was written of late. What a transaction wrote long
before it committed is found by the next look at everything.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

EVERYTHING_SECONDS = 60.0
LOOK_SECONDS = 5.0
"""So often is looked although some are known to wait: a stream far behind must not hide the others."""
LATE_SECONDS = 10.0
"""A transaction that takes longer from its entries to its end is found by the look at everything."""
MOST = 50_000
"""Streams found in one look at everything; those that waited longest first."""
Waiting = tuple[str, int, int, Any]
"""A stream, the place of its last seal, that of its last entry, and the hash of that seal (None before the first)."""
_EVERYTHING = """
SELECT h.stream FROM events_streamhead h LEFT JOIN events_sealhead s USING (stream)
WHERE h.last_seq > coalesce(s.seq, 0) ORDER BY s.at NULLS FIRST, h.stream LIMIT %s
"""
# each event has one home entry, and its others were written in the same moment
_OF_LATE = """
SELECT DISTINCT e.stream FROM events_streamentry m JOIN events_streamentry e ON e.event_id = m.event_id
WHERE m.home AND m.at > to_timestamp(%s)
"""
_HEADS = """
SELECT h.stream, coalesce(s.seq, 0), h.last_seq, s.hash
FROM unnest(%s::text[]) WITH ORDINALITY AS w(stream, place)
JOIN events_streamhead h USING (stream) LEFT JOIN events_sealhead s USING (stream)
WHERE h.last_seq > coalesce(s.seq, 0) ORDER BY w.place
"""
_kept = threading.local()


class Queue:
    """The streams that one connection knows to wait; each once, first come first served."""

    def __init__(self, connection: Any) -> None:
        """Know nothing yet. ``connection``: whose knowledge it is; another one begins anew."""
        self.connection = connection
        self._names: deque[str] = deque()
        self._there: set[str] = set()
        self._everything_at = float("-inf")
        self._looked_at = float("-inf")
        self._since = 0.0

    def __len__(self) -> int:
        """How many are known to wait."""
        return len(self._names)

    def put(self, stream: str) -> None:
        """Put one at the end, if it does not stand there."""
        if stream not in self._there:
            self._there.add(stream)
            self._names.append(stream)

    def next(self, cursor: Any, most: int) -> list[Waiting]:
        """Take out the next, at most so many, with where they stand now; looks for more now and then."""
        if not self._names or time.monotonic() - self._looked_at >= LOOK_SECONDS:
            for stream in self._look(cursor):
                self.put(stream)
        names = [self._names.popleft() for _ in range(min(most, len(self._names)))]
        self._there.difference_update(names)
        if not names:
            return []
        cursor.execute(_HEADS, [names])
        found: list[Waiting] = cursor.fetchall()
        return found

    def _look(self, cursor: Any) -> Iterable[str]:
        self._looked_at = time.monotonic()
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        (now,), since = cursor.fetchone(), self._since
        self._since = now - LATE_SECONDS
        if time.monotonic() - self._everything_at < EVERYTHING_SECONDS:
            cursor.execute(_OF_LATE, [since])
            return [name for (name,) in cursor.fetchall()]
        cursor.execute(_EVERYTHING, [MOST])
        names = [name for (name,) in cursor.fetchall()]
        if len(names) < MOST:  # else there may be more
            self._everything_at = time.monotonic()
        return names


def queue(cursor: Any) -> Queue:
    """The queue of this thread's connection: one that failed was closed, and what it knew is gone with it."""
    if getattr(_kept, "queue", None) is None or _kept.queue.connection is not cursor.connection:
        _kept.queue = Queue(cursor.connection)
    found: Queue = _kept.queue
    return found

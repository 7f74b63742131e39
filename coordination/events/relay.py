"""Who still has to hear of what happened?

The relay moves each subscriber's cursor over the home entries of each stream, in order; effects and cursor are one
transaction, so each event has its effect once. Any number of relays may run: a cursor somebody works on is skipped.
No hint is needed: each run looks at all streams written to since the last run that left nothing behind.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection
from django.utils.module_loading import import_string

from coordination.events import clock, database, tracing
from coordination.events.actor import SYSTEM
from coordination.events.command import unit
from coordination.events.models import Event, RelayCursor, StreamEntry

Handler = Callable[[list[Event]], None]

BATCH = 100
BATCHES_A_RUN = 20
"""Of one stream, so that a flood in one does not keep the others waiting."""
TRIES = 5
MARGIN_MS = 60_000
"""An entry is written just before its COMMIT; nothing is committed later than this after it was written."""
MARKER_STEP_MS = 5_000
BACK_MS = 1_000
"""A marker so far ahead of the server's clock was left by a clock that has been set back since."""
EVERYTHING = "*"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Poison:
    """An event that a subscriber could not handle.

    ``skipped``: passed over for good after five tries. Otherwise the database itself refused (locks, time-outs):
    it is tried on, this is only said.
    """

    subscriber: str
    stream: str
    seq: int
    event_id: int
    event_type: str
    error: str
    skipped: bool


_subscribers: list[tuple[str, Handler]] = []
_on_poison: Callable[[Poison, datetime], None] | None = None


def configure(
    subscribers: Sequence[tuple[str, str | Handler]],
    on_poison: str | Callable[[Poison, datetime], None] | None = None,
) -> None:
    """Take the lists of ``config`` (dotted names or callables), once at start.

    ``on_poison(poison, now)`` raises an alarm; it runs inside the transaction that passes the event over.
    """
    global _on_poison
    _subscribers[:] = [(name, import_string(h) if isinstance(h, str) else h) for name, h in subscribers]
    _on_poison = import_string(on_poison) if isinstance(on_poison, str) else on_poison


def run_once(subscribers: Sequence[tuple[str, Handler]] | None = None) -> int:
    """Bring every subscriber (those of `configure`, if none are given) up to date; return the events handled.

    Raises what the database raises when it is gone; a subscriber's own failure never comes out.
    """
    return sum(_catch_up(name, handle) for name, handle in (_subscribers if subscribers is None else subscribers))


def _catch_up(name: str, handle: Handler) -> int:
    looked_at, marker, waiting = _behind(name)
    known = [RelayCursor(subscriber=name, stream=stream) for stream, _ in waiting]
    RelayCursor.objects.bulk_create(known, ignore_conflicts=True)
    handled, left = 0, False
    for stream, due in waiting:
        if not due:
            left = True
            continue
        done, finished = _stream(name, handle, stream)
        handled += done
        left = left or not finished
    if not left and (looked_at - marker > MARKER_STEP_MS or _set_back(looked_at, marker)):
        _note_marker(name, looked_at, back=_set_back(looked_at, marker))
    return handled


def _set_back(looked_at: int, marker: int) -> bool:
    """Whether the server's clock stands before the marker: what is written now would never be looked for."""
    return marker - looked_at > BACK_MS


_BEHIND = """
WITH recent AS (
  SELECT e.stream, max(e.seq) AS seq FROM events_streamentry e
  WHERE e.home AND e.at > to_timestamp(%(since)s / 1000.0) GROUP BY e.stream)
SELECT r.stream, c.retry_at IS NULL OR c.retry_at <= clock_timestamp() FROM recent r
LEFT JOIN events_relaycursor c ON c.subscriber = %(name)s AND c.stream = r.stream
WHERE coalesce(c.seq, 0) < r.seq ORDER BY r.stream
"""


def _behind(name: str) -> tuple[int, int, list[tuple[str, bool]]]:
    """(server clock in ms before looking, the marker in ms, [(stream, due now)])."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint, coalesce(max(seq), 0)"
            " FROM events_relaycursor WHERE subscriber = %s AND stream = '*'",
            [name],
        )
        looked_at, marker = cursor.fetchone()
        # after a clock that was set back the whole log is looked at, once
        since = 0 if _set_back(looked_at, marker) else marker - MARGIN_MS
        cursor.execute(_BEHIND, {"name": name, "since": since})
        return looked_at, marker, cursor.fetchall()


def _note_marker(name: str, looked_at: int, *, back: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events_relaycursor AS c (subscriber, stream, seq, tries, error) VALUES (%s, %s, %s, 0, '')"
            " ON CONFLICT (subscriber, stream) DO UPDATE"
            " SET seq = CASE WHEN %s THEN excluded.seq ELSE greatest(c.seq, excluded.seq) END",
            [name, EVERYTHING, looked_at, back],
        )


def _stream(name: str, handle: Handler, stream: str) -> tuple[int, bool]:
    """Work off one stream; (events handled, nothing left)."""
    handled, single_until = 0, 0
    for _ in range(BATCHES_A_RUN):
        batch: list[StreamEntry] = []
        try:
            with unit(SYSTEM, clock.now()):
                cursor = _claim(name, stream)
                if cursor is None:
                    return handled, False
                single = cursor.tries > 0 or cursor.seq < single_until
                batch += _next_entries(stream, cursor.seq, 1 if single else BATCH)
                if batch:
                    events = [entry.event for entry in batch]
                    with tracing.under(event.request_id for event in events):
                        handle(events)
                    _advance(cursor, batch[-1].seq)
        except Exception as error:
            if not batch:
                raise
            if len(batch) > 1:  # which one is it? One by one from here on
                single_until = batch[-1].seq
                continue
            if not _failed(name, stream, batch[0], error):
                return handled, False
            continue
        handled += len(batch)
        if len(batch) < BATCH and not single:
            return handled, True
    return handled, False


def _claim(name: str, stream: str) -> RelayCursor | None:
    rows = RelayCursor.objects.select_for_update(no_key=True, skip_locked=True).filter(subscriber=name, stream=stream)
    return rows.first()


def _next_entries(stream: str, after: int, limit: int) -> list[StreamEntry]:
    rows = StreamEntry.objects.filter(stream=stream, home=True, seq__gt=after).order_by("seq").select_related("event")
    return list(rows[:limit])


def _advance(cursor: RelayCursor, seq: int) -> None:
    RelayCursor.objects.filter(pk=cursor.pk).update(seq=seq, tries=0, retry_at=None, error="")


def _failed(name: str, stream: str, entry: StreamEntry, error: Exception) -> bool:
    """Count a try in a transaction of its own; return whether the event is passed over, so that the next may come."""
    _log.exception(
        "subscriber %s failed at %s %s (%s)",
        name,
        stream,
        entry.seq,
        entry.event.type,
        exc_info=error,
    )
    try:
        return _count(name, stream, entry, error, alarm=True)
    except Exception as failed:
        if database.is_gone(failed):
            raise
        if isinstance(failed, OperationalError):  # a lock that was not given: event and alarm come again
            _log.warning("the alarm has to wait: %s", failed)
            return False
        # an alarm that fails must not hold the stream up
        _log.critical("no alarm could be raised for it", exc_info=True)
    return _count(name, stream, entry, error, alarm=False)


def _count(name: str, stream: str, entry: StreamEntry, error: Exception, *, alarm: bool) -> bool:
    """`_failed`, with its alarm or without: who dies before the alarm stands has not passed the event over."""
    refused = isinstance(error, OperationalError | InterfaceError)
    with unit(SYSTEM, clock.now()) as opened:
        cursor = _claim(name, stream)
        if cursor is None or cursor.seq >= entry.seq:
            return False
        tries = min(cursor.tries + 1, 100)
        skipped = tries >= TRIES and not refused
        text = f"{type(error).__name__}: {error}"[:300].replace("\x00", "")
        if skipped:
            _advance(cursor, entry.seq)
        else:
            pause = timedelta(seconds=min(2 ** (tries - 1), 30))
            RelayCursor.objects.filter(pk=cursor.pk).update(tries=tries, retry_at=_server_now() + pause, error=text)
        if alarm and (skipped or tries == TRIES):
            _say(Poison(name, stream, entry.seq, entry.event.pk, entry.event.type, text, skipped), opened.now)
    return skipped


def _server_now() -> datetime:
    """The server's clock as it is: pauses between tries are no matter of a moved clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _say(poison: Poison, now: datetime) -> None:
    _log.critical(
        "event %s (%s) is poison to %s: %s",
        poison.event_id,
        poison.event_type,
        poison.subscriber,
        poison.error,
    )
    if _on_poison is not None:
        _on_poison(poison, now)

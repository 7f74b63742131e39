"""What stands in the log, from a reader's cursor on?

Below ``sharing.access``: nothing here asks who reads. Callers hand in only streams and objects already allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from coordination.events.at_once import Steps, answer
from coordination.events.kept import Texts, kept
from coordination.events.models import Event, StreamEntry, StreamHead

Why = Literal["behind", "epoch"]
Cursor = tuple[int, int]
"""(epoch, seq)"""

UNDER_WAY = timedelta(seconds=60)

MOST = 500
"""Entries handed out at once to one reader of one stream; who is further behind starts anew."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a stream, as a pointer: what happened to which object, not what it says now.

    ``classification``: the event's payload may name a ``class`` (1-4); 1 where it does not.
    """

    stream: str
    seq: int
    event_id: int
    type: str
    at: datetime
    object_type: str
    object_id: int
    version: int
    classification: float


@dataclass(frozen=True, slots=True)
class Page:
    """What a reader of one stream gets.

    ``entries`` follow its cursor without a gap; ``epoch`` and ``seq`` are its cursor after them. ``reset`` says
    that they do not and why: ``behind`` (more than the limit, or no longer kept) or ``epoch`` (the numbering began
    anew); then there are no entries, the reader fetches everything and goes on from (epoch, seq), the head.
    ``more``: there were more than the limit and the caller asked for pages, not for all.
    """

    epoch: int
    seq: int
    entries: tuple[Entry, ...] = ()
    reset: Why | None = None
    more: bool = False


_AFTER = """
SELECT e.stream, e.seq, e.event_id, v.type, v.at, v.object_type, v.object_id, v.version,
       CASE WHEN jsonb_typeof(v.payload->'class') = 'number' THEN (v.payload->>'class')::float8 ELSE 1 END
FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS w(stream, after, upto)
CROSS JOIN LATERAL (
  SELECT stream, seq, event_id FROM events_streamentry s
  WHERE s.stream = w.stream AND s.seq > w.after AND s.seq <= w.upto ORDER BY s.seq LIMIT %s) e
JOIN events_event v ON v.id = e.event_id
ORDER BY e.stream, e.seq
"""


def heads(streams: Sequence[str]) -> dict[str, Cursor]:
    """(epoch, last seq) of each stream; (1, 0) for one in which nothing has happened."""
    return answer(heads_steps(streams))


def heads_steps(streams: Sequence[str]) -> Steps[dict[str, Cursor]]:
    """`heads`, to be asked beside other questions; one step."""
    (found,) = yield [kept(_heads, Texts(tuple(streams)))]
    known = {stream: (epoch, seq) for stream, epoch, seq in found}
    return {stream: known.get(stream, (1, 0)) for stream in streams}


def _heads(streams: Texts) -> QuerySet[StreamHead, Any]:
    rows = StreamHead.objects.filter(stream__in=streams.given)
    return rows.values_list("stream", "epoch", "last_seq")


def changed_since(object_type: str, since: datetime) -> Exists:
    """Filter rows of a type to those that something has happened to at or after a moment.

    An event carries the time at which its transaction began, so what was under way then counts too: no transaction
    lives longer than a minute, and whoever asks again from the last answer's time misses nothing.
    """
    return Exists(
        Event.objects.filter(object_type=object_type, object_id=OuterRef("pk"), at__gte=since - UNDER_WAY)
    )


def entries_after(stream: str, epoch: int, seq: int, limit: int = MOST) -> Page:
    """The entries of ``stream`` after (epoch, seq), oldest first, at most ``limit`` with ``more`` set beyond.

    Two statements.
    """
    head_epoch, head = heads([stream])[stream]
    if epoch != head_epoch or seq > head or seq < 0:
        return Page(head_epoch, head, reset="epoch")
    if seq == head:
        return Page(head_epoch, head)
    rows = _rows({stream: (seq, head)}, limit)[stream]
    if not rows or rows[0].seq != seq + 1:
        return Page(head_epoch, head, reset="behind")
    return Page(head_epoch, rows[-1].seq, tuple(rows), more=rows[-1].seq < head)


def all_after(cursors: Mapping[str, Cursor], limit: int = MOST) -> dict[str, Page]:
    """Everything after each cursor, or a reset where that is more than ``limit`` entries of a stream.

    Two statements, whatever the number of streams. The heads are read first and the entries up to them: an entry
    committed in between belongs to the next call, so nothing is passed over.
    """
    at = heads(list(cursors))
    pages: dict[str, Page] = {}
    wanted: dict[str, tuple[int, int]] = {}
    for stream, (epoch, seq) in cursors.items():
        head_epoch, head = at[stream]
        if epoch != head_epoch or seq > head or seq < 0:
            pages[stream] = Page(head_epoch, head, reset="epoch")
        elif head - seq > limit:
            pages[stream] = Page(head_epoch, head, reset="behind")
        elif head == seq:
            pages[stream] = Page(head_epoch, head)
        else:
            wanted[stream] = (seq, head)
    for stream, rows in _rows(wanted, limit).items():
        seq, head = wanted[stream]
        whole = len(rows) == head - seq
        pages[stream] = Page(
            at[stream][0],
            head,
            tuple(rows) if whole else (),
            reset=None if whole else "behind",
        )
    return pages


def _rows(wanted: Mapping[str, tuple[int, int]], limit: int) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {stream: [] for stream in wanted}
    if not wanted:
        return found
    after, upto = (
        [seq for seq, _ in wanted.values()],
        [head for _, head in wanted.values()],
    )
    with connection.cursor() as cursor:
        cursor.execute(_AFTER, [list(wanted), after, upto, limit])
        for row in cursor.fetchall():
            found[row[0]].append(Entry(*row))
    return found


def object_history(object_type: str, object_id: int, limit: int = 200) -> list[dict[str, Any]]:
    """What happened to one object, newest first; one dict an event. The caller has made sure it may be seen."""
    rows: Any = (
        Event.objects.filter(object_type=object_type, object_id=object_id)
        .order_by("-id")
        .values(
            "id", "type", "at", "actor_kind", "actor_id", "actor_department", "actor_post", "version",
            "incident_id", "payload", "urgency", "exercise",
        )[:limit]
    )  # fmt: skip
    return list(rows)


def incident_history(incident_id: int, after: int | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """What happened in one incident, newest first, before event ``after`` if given."""
    rows = Event.objects.filter(incident_id=incident_id)
    if after is not None:
        rows = rows.filter(id__lt=after)
    newest: Any = rows.order_by("-id").values()
    return list(newest[:limit])


def streams_of_events(event_ids: Sequence[int]) -> set[str]:
    """Every stream in which one of these events stands."""
    return set(StreamEntry.objects.filter(event_id__in=event_ids).values_list("stream", flat=True))


def request_id_of(event_id: int | None) -> str:
    """The request in which an event happened; empty where it was none, or there is no such event."""
    if event_id is None:
        return ""
    return Event.objects.filter(pk=event_id).values_list("request_id", flat=True).first() or ""


def lag() -> float:
    """Seconds since the oldest home entry that some subscriber has not handled was written; 0 when none waits.

    Looks as far back as the relay itself does: what has waited for long waits still.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAG)
        seconds: float = cursor.fetchone()[0]
    return seconds


_LAG = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(e.at)), 0)::float8
FROM events_streamentry e
CROSS JOIN (SELECT subscriber, seq FROM events_relaycursor WHERE stream = '*') s
LEFT JOIN events_relaycursor c ON c.subscriber = s.subscriber AND c.stream = e.stream
WHERE e.home AND e.at > (SELECT least(clock_timestamp() - interval '1 hour', to_timestamp(min(seq) / 1000.0 - 60))
                         FROM events_relaycursor WHERE stream = '*') AND coalesce(c.seq, 0) < e.seq
"""


def lags() -> dict[str, float]:
    """By subscriber: seconds since the oldest home entry it has not handled was written; 0 when none waits."""
    with connection.cursor() as cursor:
        cursor.execute(_LAGS)
        return {str(name): float(seconds) for name, seconds in cursor.fetchall()}


_LAGS = """
SELECT s.subscriber, coalesce(extract(epoch FROM clock_timestamp() - w.first), 0)::float8
FROM (SELECT subscriber, seq FROM events_relaycursor WHERE stream = '*') s
CROSS JOIN LATERAL (
  SELECT min(e.at) AS first FROM events_streamentry e
  LEFT JOIN events_relaycursor c ON c.subscriber = s.subscriber AND c.stream = e.stream
  WHERE e.home AND e.at > least(clock_timestamp() - interval '1 hour', to_timestamp(s.seq / 1000.0 - 60))
    AND coalesce(c.seq, 0) < e.seq) w
"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one department read by one grant, in one post and for one purpose: when, how often, how many objects.

    A read that several grants opened counts under each of them.
    """

    grant_id: int
    department_id: int | None
    post: str
    purpose: str
    first: datetime
    last: datetime
    times: int
    count: int


_RECEIPTS = """
SELECT g.id, r.actor_department, r.actor_post, r.purpose, min(r.at), max(r.at), count(*), sum(r.count)::bigint
FROM unnest(%s::bigint[]) AS g(id)
CROSS JOIN LATERAL (SELECT * FROM events_readentry n WHERE n.grants @> jsonb_build_array(g.id)) r
WHERE r.at >= coalesce(%s, '-infinity'::timestamptz)
GROUP BY g.id, r.actor_department, r.actor_post, r.purpose
ORDER BY max(r.at) DESC, g.id, r.actor_department, r.actor_post, r.purpose
"""


def receipts(grant_ids: Collection[int], since: datetime | None = None) -> list[Receipt]:
    """Who has read by these grants since a moment (None: ever), the latest first; one query. Never who as a person.

    The caller has made sure that the grants may be watched.
    """
    if not grant_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_RECEIPTS, [sorted(set(grant_ids)), since])
        return [Receipt(*row) for row in cursor.fetchall()]

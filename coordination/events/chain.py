"""Does the log hold together, and is it the one that stood there when it was last read?

Every stream is numbered without a gap in the order of commits. Reading it forms a chain of digests: each entry's is of
the one before, its own place and its whole event. Whoever keeps (seq, digest) of a stream's head elsewhere finds later
whether anything before it was changed, left out or put in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Anchor = tuple[int, str]
"""(seq, digest) of a stream at some moment."""

ROWS = 2_000
BEGINNING = hashlib.sha256(b"muster log 1").hexdigest()

_READ = """
SELECT e.stream, e.seq, e.home::text, to_jsonb(v)::text
FROM events_streamentry e LEFT JOIN events_event v ON v.id = e.event_id
ORDER BY e.stream, e.seq
"""
_HEADS = "SELECT stream, last_seq FROM events_streamhead WHERE last_seq > 0"
_HOMELESS = """
SELECT count(*) FROM events_event v
WHERE (SELECT count(*) FROM events_streamentry e WHERE e.event_id = v.id AND e.home) <> 1
"""


@dataclass(slots=True)
class Report:
    """``heads``: where each stream's chain ends. ``problems``: sentences; none: the log holds together."""

    entries: int = 0
    heads: dict[str, Anchor] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def verify(connection: Any, anchors: Mapping[str, Anchor] | None = None) -> Report:
    """Read the whole log over ``connection`` (psycopg2) in one snapshot and compare it with ``anchors``.

    Finds a gap, a head that does not fit, an entry without its event, an event without its one home, and, for the
    streams of ``anchors``, any change up to there. Memory does not grow with the log.
    """
    report = Report()
    wanted = dict(anchors or {})
    previous_autocommit = connection.autocommit
    connection.autocommit = False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL TIME ZONE 'UTC'")
            cursor.execute("SET LOCAL statement_timeout = 0")
            for stream, seq, home, event in _rows(connection):
                _entry(report, wanted, stream, seq, home, event)
            cursor.execute(_HEADS)
            _compare_heads(report, dict(cursor.fetchall()))
            cursor.execute(_HOMELESS)
            homeless = cursor.fetchone()[0]
            if homeless:
                report.problems.append(f"{homeless} events have no home entry, or several")
    finally:
        connection.rollback()
        connection.autocommit = previous_autocommit
    report.problems += [f"{stream}: ends before {seq}, which was there" for stream, (seq, _digest) in wanted.items()]
    return report


def _rows(connection: Any) -> Iterator[tuple[str, int, str, str | None]]:
    with connection.cursor(name="muster_chain") as cursor:
        cursor.itersize = ROWS
        cursor.execute(_READ)
        yield from cursor


def _entry(
    report: Report, wanted: dict[str, Anchor], stream: str, seq: int, home: str, event: str | None
) -> None:
    last, digest = report.heads.get(stream, (0, BEGINNING))
    if seq != last + 1:
        report.problems.append(f"{stream}: {last} is followed by {seq}")
    if event is None:
        report.problems.append(f"{stream}: {seq} has no event")
    digest = hashlib.sha256(f"{digest}|{stream}|{seq}|{home}|{event}".encode()).hexdigest()
    report.heads[stream] = (seq, digest)
    report.entries += 1
    if stream in wanted and wanted[stream][0] == seq and wanted.pop(stream)[1] != digest:
        report.problems.append(f"{stream}: something up to {seq} was changed")


def _compare_heads(report: Report, heads: Mapping[str, int]) -> None:
    for stream in sorted(heads.keys() | report.heads.keys()):
        read, said = report.heads.get(stream, (0, ""))[0], heads.get(stream, 0)
        if read != said:
            report.problems.append(f"{stream}: its head says {said}, its last entry is {read}")

"""What does the database hold after a run, all of it at one moment?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.stacks import System

Row = tuple[Any, ...]

QUERIES = {
    "commands": "SELECT key::text FROM events_command",
    "transitions": (
        "SELECT subject_type, subject_id, version, move, before, after, command_id::text, effective_at, at,"
        " instruction_id FROM instructions_transition ORDER BY subject_type, subject_id, version"
    ),
    "instructions": "SELECT id, state, version, ended_at FROM instructions_instruction",
    "assignments": (
        "SELECT id, instruction_id, state, version, ended_at, effective_at FROM instructions_assignment ORDER BY id"
    ),
    "drafts": "SELECT DISTINCT instruction_id, what FROM instructions_instructionversion",
    "feedback": "SELECT assignment_id, text FROM instructions_feedback",
    "evaluations": "SELECT assignment_id, remark FROM instructions_evaluation",
    "log": "SELECT id, text FROM incidents_logentry",
    "deadlines": (
        "SELECT id, subject_type, subject_id, kind, generation, level, state, due_at, fired_at, armed_at,"
        " jsonb_array_length(ladder), held_why FROM deadlines_deadline ORDER BY id"
    ),
    "fired": (
        "SELECT id, at, object_type, object_id, (payload->>'deadline')::bigint, payload->>'kind',"
        " (payload->>'generation')::int, (payload->>'level')::int, payload->'people' FROM events_event"
        " WHERE type = 'deadline.fired' ORDER BY id"
    ),
    "tells": (
        "SELECT id, type, at, object_type, object_id, tell FROM events_event WHERE tell <> '[]'::jsonb ORDER BY id"
    ),
    "deliveries": (
        "SELECT dedupe_key, event_id, person_id, channel, state, available_at, object_type, object_id, text_key,"
        " created_at FROM notify_delivery"
    ),
    "notices": "SELECT id, person_id, event_id, text_key, object_type, object_id, at FROM notify_notice",
    "noticed": "SELECT object_id, count(*) FROM events_event WHERE type = 'notice.new' GROUP BY object_id",
    "streams": (
        "SELECT h.stream, h.last_seq, count(e.seq), min(e.seq), max(e.seq) FROM events_streamhead h"
        " LEFT JOIN events_streamentry e ON e.stream = h.stream GROUP BY h.stream, h.last_seq ORDER BY h.stream"
    ),
    "entries": (
        "SELECT stream, seq, extract(epoch FROM at)::float FROM events_streamentry WHERE stream LIKE 'incident:%'"
        " OR stream LIKE 'department:%'"
    ),
    "homes": (
        "SELECT v.id, v.type, count(e.seq), count(e.seq) FILTER (WHERE e.home) FROM events_event v"
        " LEFT JOIN events_streamentry e ON e.event_id = v.id GROUP BY v.id, v.type"
        " HAVING count(e.seq) FILTER (WHERE e.home) <> 1"
    ),
    "behind": (
        "SELECT s.subscriber, h.stream, h.seq, coalesce(c.seq, 0) FROM"
        " (SELECT DISTINCT subscriber FROM events_relaycursor) s CROSS JOIN"
        " (SELECT stream, max(seq) AS seq FROM events_streamentry"
        "  WHERE home AND at < clock_timestamp() - interval '15 s' GROUP BY stream) h"
        " LEFT JOIN events_relaycursor c ON c.subscriber = s.subscriber AND c.stream = h.stream"
        " WHERE coalesce(c.seq, 0) < h.seq"
    ),
    "alarms": "SELECT kind, key, detail::text, raised_at, settled_at FROM deadlines_alarm ORDER BY id",
}


@dataclass
class Records:
    """The rows of each query, as one transaction saw them at ``now`` (the database's clock)."""

    now: datetime
    rows: dict[str, list[Row]]

    def __getitem__(self, name: str) -> list[Row]:
        return self.rows[name]


def read(system: System) -> Records:
    """Read everything the checker looks at in one read-only transaction."""
    connection = system.connect()
    try:
        connection.autocommit = False
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT now()")
            now = cursor.fetchone()[0]
            rows = {}
            for name, statement in QUERIES.items():
                cursor.execute(statement)
                rows[name] = cursor.fetchall()
        return Records(now, rows)
    finally:
        connection.close()

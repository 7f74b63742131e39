"""The floor of an answer: a bare ASGI program that sends on what one statement has made into JSON.

``python -m tests.benchmarks.api_floor <port>`` with DATABASE_URL; no framework, no sign-in, no permission.
Paths: ``/list``, ``/incident/<id>``, ``/acknowledge/<id>``, ``/desk/<department>``, ``/room/<id>``.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import psycopg2
import uvicorn

from coordination.config.addresses import parse_database_url

LIST = """SELECT json_agg(t)::text FROM (
  SELECT i.id, i.version, i.number, i.type, i.headline_zh, i.headline_en, i.state, i.grade, i.warning_level,
    i.response_level, i.place, i.region_code, i.latitude, i.longitude, i.exercise, i.paused_at, i.occurred_at,
    i.opened_at, i.closed_at, d.id AS lead_id, d.name_zh, d.name_en, d.short_zh, d.short_en, d.kind
  FROM incidents_incident i JOIN accounts_department d ON d.id = i.lead_department_id
  ORDER BY i.opened_at DESC, i.id DESC LIMIT 50) t"""
INCIDENT = """SELECT json_agg(t)::text FROM (
  SELECT i.*, d.name_zh, d.name_en,
    (SELECT json_agg(p) FROM incidents_participation p WHERE p.incident_id = i.id) AS parts,
    (SELECT json_agg(c) FROM incidents_scalechange c WHERE c.incident_id = i.id) AS changes
  FROM incidents_incident i JOIN accounts_department d ON d.id = i.lead_department_id WHERE i.id = %s) t"""
ROOM = """SELECT json_build_object(
  'incident', (SELECT row_to_json(i) FROM incidents_incident i WHERE i.id = %(id)s),
  'parts', (SELECT json_agg(p) FROM incidents_participation p WHERE p.incident_id = %(id)s),
  'changes', (SELECT json_agg(c) FROM incidents_scalechange c WHERE c.incident_id = %(id)s),
  'aims', (SELECT json_agg(o) FROM incidents_objective o WHERE o.incident_id = %(id)s),
  'late', (SELECT json_agg(a) FROM instructions_assignment a JOIN instructions_instruction n ON n.id = a.instruction_id
           WHERE n.incident_id = %(id)s),
  'latest', (SELECT json_agg(e) FROM (SELECT * FROM events_event WHERE incident_id = %(id)s ORDER BY id DESC LIMIT 8) e)
)::text"""
DESK = """SELECT json_agg(t)::text FROM (
  SELECT a.*, n.number, v.headline_zh, v.headline_en, v.due_at AS due, i.headline_en AS incident
  FROM instructions_assignment a JOIN instructions_instruction n ON n.id = a.instruction_id
  JOIN instructions_instructionversion v ON v.instruction_id = n.id AND v.n = n.current
  JOIN incidents_incident i ON i.id = n.incident_id
  WHERE a.department_id = %s AND a.state NOT IN ('closed', 'superseded', 'cancelled') ORDER BY a.due_at LIMIT 200) t"""
ACKNOWLEDGE = """WITH changed AS (
  UPDATE instructions_assignment SET state = 'acknowledged', acknowledged_at = now(), acknowledged_version = 1,
    version = version + 1 WHERE id = %s RETURNING *),
said AS (
  INSERT INTO events_event (type, at, actor_kind, object_type, object_id, version, payload, tell, urgency, exercise,
    actor_post, request_id)
  SELECT 'floor', now(), 'system', 'instructions.assignment', id, version, '{}', '[]', 'routine', false, '', ''
  FROM changed)
SELECT json_agg(changed)::text FROM changed"""


class Bare:
    """One connection, one statement a request."""

    def __init__(self) -> None:
        at = parse_database_url(os.environ["DATABASE_URL"])
        self.connection = psycopg2.connect(
            host=at.host, port=at.port, user=at.user, password=at.password, dbname=at.name
        )
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def answer(self, path: str) -> str:
        """The JSON of a path."""
        what, _slash, pk = path.strip("/").partition("/")
        if what == "list":
            self.cursor.execute(LIST)
        elif what == "incident":
            self.cursor.execute(INCIDENT, [int(pk)])
        elif what == "room":
            self.cursor.execute(ROOM, {"id": int(pk)})
        elif what == "desk":
            self.cursor.execute(DESK, [int(pk)])
        else:
            self.cursor.execute(ACKNOWLEDGE, [int(pk)])
        row: Any = self.cursor.fetchone()
        return str(row[0])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        body = self.answer(scope["path"]).encode()
        length = str(len(body)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(Bare(), host="127.0.0.1", port=int(sys.argv[1]), http="h11", loop="asyncio", lifespan="off",
                log_level="warning", access_log=False)  # fmt: skip

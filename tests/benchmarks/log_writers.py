"""One writer among several on one incident.

``python -m tests.benchmarks.log_writers <what> <incident> <seconds>``: ``raw`` (the floor: one statement), ``grammar``
(an action that changes the incident and records it), ``log`` (a line in the log as people write it). Waits for a line
on standard input, then prints how often it wrote.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.db.models import F  # noqa: E402

from accounts.models import Membership  # noqa: E402
from coordination.events import clock, command, streams  # noqa: E402
from coordination.events.actor import SYSTEM, Actor  # noqa: E402
from incidents import actions  # noqa: E402
from incidents.models import Incident  # noqa: E402

RAW = """
WITH changed AS (UPDATE incidents_incident SET version = version + 1 WHERE id = %s RETURNING id, version)
INSERT INTO events_event (type, at, actor_kind, object_type, object_id, version, payload, tell, urgency, exercise,
  actor_post, request_id)
SELECT 'floor', now(), 'system', 'incidents.incident', id, version, '{}', '[]', 'routine', false, '', '' FROM changed
"""


@command.action("incident.touch")
def touch(*, actor: Actor, now: Any, incident_id: int) -> None:
    """The smallest action: one row changed, one event recorded in two streams."""
    Incident.everything.filter(pk=incident_id).update(version=F("version") + 1)
    row = Incident(pk=incident_id)
    names = (streams.incident(incident_id), streams.brief(incident_id))
    command.record(type="incident.touched", subject=row, streams=names, incident_id=incident_id)


def raw(incident_id: int) -> None:
    """The floor."""
    with connection.cursor() as cursor:
        cursor.execute(RAW, [incident_id])


def grammar(incident_id: int) -> None:
    """The smallest action."""
    touch(actor=SYSTEM, now=clock.now(), incident_id=incident_id)


def log_line(who: Actor) -> Callable[[int], None]:
    """A line in the log by a person."""

    def write(incident_id: int) -> None:
        actions.add_log(actor=who, now=clock.now(), incident_id=incident_id, text="The wind turns east")

    return write


def main(what: str, incident_id: int, seconds: float) -> None:
    """Write until the time is over."""
    held = (
        Membership.objects.filter(post__department__code="centre", post__kind="commander").select_related("post").get()
    )
    who = Actor("person", held.person_id, held.post.department_id, frozenset({"commander"}))
    does = {"raw": raw, "grammar": grammar, "log": log_line(who)}[what]
    does(incident_id)
    print("ready", flush=True)
    sys.stdin.readline()
    times, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        does(incident_id)
        times += 1
    print(times, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))

"""How many deadlines fire in a second with their whole effect, beside the bare set-based floor of the same run?

``python -m tests.benchmarks deadlines [--full]`` makes a database of its own. The floor is one statement per
batch of 500: mark the timer, change the subject, insert the event. The whole effect: ladder step, roster, next step,
event in its streams, outbox rows and notices.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from coordination.deadlines import actions, engine
from coordination.deadlines.models import Deadline
from coordination.events import clock
from incidents.models import Incident
from tests.deadlines import city as cities

LADDER = [[0, "remind_duty"], [3600, "head"]]
_FLOOR = """
WITH due AS (
  SELECT id, subject_id FROM deadlines_deadline WHERE state = 'armed' AND due_at <= %(now)s
  ORDER BY due_at LIMIT 500 FOR UPDATE SKIP LOCKED),
marked AS (UPDATE deadlines_deadline d SET state = 'fired', fired_at = %(now)s FROM due WHERE d.id = due.id),
changed AS (UPDATE incidents_incident i SET version = i.version + 1 FROM due WHERE i.id = due.subject_id),
said AS (
  INSERT INTO events_event (type, at, actor_kind, object_type, object_id, version, payload, tell, urgency, exercise,
    actor_post, request_id)
  SELECT 'deadline.fired', %(now)s, 'system', 'incidents.incident', subject_id, 1, '{}', '[]', 'routine', false, '', ''
  FROM due)
SELECT count(*) FROM due
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: ``value`` of ``unit``, and its ratio to the floor where it has one."""

    name: str
    value: float
    unit: str
    ratio: float | None = None


def measure(*, full: bool = False, rounds: int = 3) -> list[Figure]:
    """Measure floor and whole effect ``rounds`` times each, alternating; medians. Needs an empty database."""
    due, waiting = (10_000, 100_000) if full else (1_000, 5_000)
    city = cities.build(clock.now())
    cities.install()
    incidents = [city.incident() for _ in range(due)]
    _arm(incidents, city.now + timedelta(days=30), "later", waiting // due)
    floors, wholes = [], []
    for _ in range(rounds):
        now = clock.now()
        _arm(incidents, now, "floor")
        floors.append(due / _timed(lambda now=now: _drain_floor(now)))
        Deadline.objects.filter(kind="floor").delete()
        now = clock.now()
        _arm(incidents, now, "whole")
        wholes.append(due / _timed(lambda now=now: _drain(now, due)))
        Deadline.objects.filter(kind="whole").delete()
    floor, whole = statistics.median(floors), statistics.median(wholes)
    return [
        Figure(f"{due} due at one instant, bare floor", floor, "fired/s"),
        Figure(f"{due} due at one instant, whole effect", whole, "fired/s", whole / floor),
        Figure(f"{due} overdue, last one late by", due / whole, "s"),
    ]


def _arm(incidents: list[Incident], due_at: datetime, kind: str, each: int = 1) -> None:
    now = clock.now()
    for number in range(each):
        orders = [
            actions.Order(one, f"{kind}{number or ''}", due_at, LADDER, "routine", one.pk) for one in incidents
        ]
        for start in range(0, len(orders), 1000):
            actions.arm_many(orders[start : start + 1000], now=now)


def _timed(what: object) -> float:
    began = time.perf_counter()
    what()  # type: ignore[operator]
    return time.perf_counter() - began


def _drain_floor(now: datetime) -> None:
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_FLOOR, {"now": now})
            if cursor.fetchone()[0] == 0:
                return


def _drain(now: datetime, due: int) -> None:
    fired = 0
    while fired < due:
        fired += engine.sweep(now)


def table(figures: list[Figure]) -> str:
    """The figures as lines."""
    lines = []
    for one in figures:
        ratio = f"{one.ratio:8.2f} x floor" if one.ratio is not None else ""
        lines.append(f"{one.name:50} {one.value:10.1f} {one.unit:10} {ratio}")
    return "\n".join(lines)

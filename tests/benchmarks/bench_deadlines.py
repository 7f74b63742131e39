"""How many deadlines fire in a second with their whole effect, beside the bare set-based floor of the same run?

The floor is one statement per
batch of 500: mark the timer, change the subject, insert the event. The whole effect: ladder step, roster, next step,
event in its streams, outbox rows and notices.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import connection

from coordination.deadlines import actions, engine
from coordination.deadlines.models import Deadline
from coordination.events import clock
from incidents.models import Incident
from tests.benchmarks.figures import Figure, growth, middle
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


SIZES = {True: ((1_000, 10_000), (10_000, 100_000)), False: ((500, 1_000), (1_000, 5_000))}
"""(due at one instant, waiting for later)."""


def measure(*, full: bool = False, rounds: int = 3) -> list[Figure]:
    """Floor and whole effect take turns, at two sizes of both what is due and what waits."""
    city = cities.build(clock.now())
    cities.install()
    incidents: list[Incident] = []
    found: list[Figure] = []
    named, costs, waits = [], [], 0
    for due, waiting in SIZES[full]:
        incidents += [city.incident() for _ in range(due - len(incidents))]
        _arm(incidents, city.now + timedelta(days=30), f"later{waits}-", (waiting - waits) // due)
        waits = waiting
        floor, whole = _rates(incidents, rounds)
        named.append(f"{due:,} due, {waiting:,} wait")
        costs.append(1 / whole)
        found += [
            Figure("due at one instant, whole effect", named[-1], whole, "fired/s", floor, whole / floor,
                   ("ratio", ">=", 0.15)),
            Figure("the last of them late by", named[-1], due / whole, "s"),
        ]  # fmt: skip
    found.append(growth("seconds a deadline", named, costs, 1.3))
    return [*found, *_steady(incidents, SIZES[full][1][0])]


def _rates(incidents: list[Incident], rounds: int) -> tuple[float, float]:
    floors, wholes = [], []
    due = len(incidents)
    for _ in range(rounds):
        now = clock.now()
        _arm(incidents, now, "floor")
        floors.append(due / _timed(lambda now=now: _drain_floor(now)))
        Deadline.objects.filter(kind="floor").delete()
        now = clock.now()
        _arm(incidents, now, "whole")
        wholes.append(due / _timed(lambda now=now: _drain(now, due)))
        Deadline.objects.filter(kind="whole").delete()
    return middle(floors), middle(wholes)


def _steady(incidents: list[Incident], due: int) -> list[Figure]:
    """So many due within one second, swept as they come due: how late is each?"""
    began = clock.now()
    for part in range(50):  # armed beforehand, due evenly over the second after next
        _arm(incidents[part::50], began + timedelta(seconds=4 + part / 50), f"steady{part}-")
    late: list[float] = []
    fired = 0
    while fired < due and (clock.now() - began).total_seconds() < 120:
        fired += engine.sweep(clock.now())
    rows = Deadline.objects.filter(kind__startswith="steady", fired_at__isnull=False).values_list("due_at", "fired_at")
    late = sorted((fired_at - due_at).total_seconds() for due_at, fired_at in rows)
    Deadline.objects.filter(kind__startswith="steady").delete()
    worst = late[min(len(late) - 1, int(len(late) * 0.99))]
    return [
        Figure("due evenly within one second, p99 late", f"{due:,}", worst, "s", goal=("value", "<=", 1.0)),
        Figure("of those, lost", f"{due:,}", due - len(late), "", goal=("value", "=", 0)),
    ]


def _arm(incidents: list[Incident], due_at: datetime, kind: str, each: int = 1) -> None:
    now = clock.now()
    for number in range(each):
        orders = [actions.Order(one, f"{kind}{number or ''}", due_at, LADDER, "routine", one.pk) for one in incidents]
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

"""How many deadlines fire in a second with their whole effect, beside the bare set-based floor of the same run?

The floor is one statement per
batch of 500: mark the timer, change the subject, insert the event. The whole effect: ladder step, roster, next step,
event in its streams, outbox rows and notices.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import connection

from coordination.deadlines import actions
from coordination.deadlines.models import Deadline
from coordination.events import clock
from incidents.models import Incident
from tests.benchmarks.engines import Engines
from tests.benchmarks.figures import Figure, growth, middle, percentile
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
    engines = {"one engine": Engines(1), "two engines, as compose runs": Engines(2)}
    try:
        for due, waiting in SIZES[full]:
            incidents += [city.incident() for _ in range(due - len(incidents))]
            _arm(incidents, city.now + timedelta(days=30), f"later{waits}-", (waiting - waits) // due)
            waits = waiting
            rates = _rates(incidents, engines, rounds)
            named.append(f"{due:,} due, {waiting:,} wait")
            costs.append(1 / rates["one engine"])
            found += _at_one_instant(named[-1], due, rates)
        found.append(growth("seconds a deadline, one engine", named, costs, 1.3))
        for name, those in engines.items():
            found += _steady(incidents, rounds, name, those)
    finally:
        for those in engines.values():
            those.stop()
    return found


def _at_one_instant(size: str, due: int, rates: dict[str, float]) -> list[Figure]:
    floor = rates.pop("floor")
    return [
        Figure(f"due at one instant, whole effect, {name}", size, rate, "fired/s", floor, rate / floor,
               ("ratio", ">=", 0.15), f"the last {due / rate:.2f} s late")
        for name, rate in rates.items()
    ]  # fmt: skip


def _rates(incidents: list[Incident], engines: dict[str, Engines], rounds: int) -> dict[str, float]:
    """Fired a second by the floor and by so many engines, in turns."""
    seen: dict[str, list[float]] = {}
    due = len(incidents)
    for _ in range(rounds):
        now = clock.now()
        _arm(incidents, now, "floor")
        seen.setdefault("floor", []).append(due / _timed(lambda now=now: _drain_floor(now)))
        Deadline.objects.filter(kind="floor").delete()
        for name, those in engines.items():
            _arm(incidents, clock.now(), "whole")
            seen.setdefault(name, []).append(due / _timed(lambda those=those: _drained(those, due)))
            Deadline.objects.filter(kind="whole").delete()
    return {name: middle(rates) for name, rates in seen.items()}


def _drained(engines: Engines, due: int) -> None:
    fired = engines.drain("whole")
    assert fired == due, f"{fired} of {due} fired"


def _steady(incidents: list[Incident], rounds: int, name: str, engines: Engines) -> list[Figure]:
    """As many due evenly within one second as there are incidents, swept as they come due: how late is each?"""
    worst, lost = [], 0
    for _ in range(rounds):
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # what earlier rounds deleted is no part of a day's work
        began = clock.now()
        for part in range(50):  # armed beforehand
            _arm(incidents[part::50], began + timedelta(seconds=6 + part / 50), f"steady{part}-")
        engines.drain("steady")
        rows = Deadline.objects.filter(kind__startswith="steady").values_list("due_at", "fired_at")
        late = [(fired_at - due_at).total_seconds() for due_at, fired_at in rows if fired_at is not None]
        Deadline.objects.filter(kind__startswith="steady").delete()
        worst.append(percentile(late, 0.99))
        lost += len(incidents) - len(late)
    due = f"{len(incidents):,}"
    return [
        Figure(f"due evenly within one second, p99 late, {name}", due, middle(worst), "s", goal=("value", "<=", 1.0)),
        Figure("of those, lost", due, lost, "", goal=("value", "=", 0)),
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

"""Does the engine go on through broken rows, outages, jumping clocks and lost deadlines?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from coordination.deadlines import actions, alarms, engine, queries, watchdog
from coordination.deadlines.engine import loop
from coordination.deadlines.engine.clock import ClockGuard
from coordination.deadlines.engine.tick import note_gap
from coordination.deadlines.models import Alarm, Deadline, EngineGap, EngineHeartbeat
from coordination.deadlines.on_event import unreached
from coordination.events import clock
from coordination.events.models import Event
from coordination.notify.delivery.claim import is_wanted
from coordination.notify.models import Delivery
from tests.deadlines import city as cities
from tests.deadlines.city import City, IncidentHandler, arm, fired, steps

pytestmark = pytest.mark.django_db


def seconds(amount: float) -> timedelta:
    return timedelta(seconds=amount)


def test_most_urgent_and_oldest_first(city: City, handler: IncidentHandler) -> None:
    late, urgent, routine = city.incident(), city.incident(), city.incident()
    arm(routine, city.now, 1, urgency="routine")
    arm(late, city.now, 20, urgency="immediate")
    arm(urgent, city.now, 10, urgency="urgent")
    assert engine.sweep(city.now + seconds(60), batch=1) == 3
    assert [firing.subject.pk for firing in handler.effects] == [late.pk, urgent.pk, routine.pk]


def test_broken_subject_backs_off_and_is_poison_the_fifth_time_the_others_fire(
    city: City, handler: IncidentHandler
) -> None:
    good, bad, other = city.incident(), city.incident(), city.incident()
    for incident in (good, bad, other):
        arm(incident, city.now, 300)
    handler.broken.add(bad.pk)
    at = city.now + seconds(300)
    assert engine.sweep(at) == 2
    assert steps(good) == steps(other) == ["remind_duty"]
    for wait in (1, 2, 4, 8):
        row = Deadline.objects.get(subject_id=bad.pk)
        assert (row.state, row.due_at) == ("armed", at + seconds(wait))
        at = row.due_at
        engine.sweep(at)
    row = Deadline.objects.get(subject_id=bad.pk)
    assert (row.state, row.attempts) == ("held", 5)
    assert row.held_why.startswith("poison: ValueError")
    assert Alarm.objects.get(kind="poison").key == f"deadline:{row.pk}"
    assert fired(bad) == [] and not Delivery.objects.filter(object_id=bad.pk).exists()
    assert engine.sweep(at + seconds(100)) == 0

    handler.broken.clear()
    assert actions.resume(subject=bad, now=at) == 0, "poison is not resumed by the way"
    assert actions.release(deadline_id=row.pk, now=at) == 1
    assert engine.sweep(at) == 1
    assert steps(bad) == ["remind_duty"]


def test_poison_is_tried_again_when_an_engine_begins_and_its_alarm_settles(
    city: City, handler: IncidentHandler
) -> None:
    bad = city.incident()
    arm(bad, city.now, 0)
    handler.broken.add(bad.pk)
    for wait in (0, 1, 3, 7, 15):
        engine.sweep(city.now + seconds(wait))
    watchdog.check(city.now + seconds(16))
    assert Alarm.objects.get(kind="poison").settled_at is None
    handler.broken.clear()  # its cause is mended
    loop.release_turn()
    assert engine.sweep(clock.now()) == 1
    watchdog.check(clock.now())
    assert Alarm.objects.get(kind="poison").settled_at is not None


def test_what_the_database_refuses_again_and_again_is_overdue(
    city: City, handler: IncidentHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = city.incident()
    arm(slow, city.now, 0)

    class TimedOut(Exception):
        pgcode = "57014"

    def refused(*_: object) -> None:
        raise OperationalError("canceling statement due to statement timeout") from TimedOut()

    fire, sweeping = handler.fire, import_module("coordination.deadlines.engine.sweep")
    monkeypatch.setattr(handler, "fire", refused)
    for after in range(0, 70, 7):
        monkeypatch.setattr(sweeping, "_resting", {}, raising=False)
        engine.sweep(city.now + seconds(after))
    assert queries.oldest_overdue(city.now + seconds(70)) == seconds(70)
    monkeypatch.setattr(handler, "fire", fire)
    assert engine.sweep(city.now + seconds(70)) == 0, "it is left alone for a second"
    monkeypatch.setattr(sweeping, "_resting", {})
    assert engine.sweep(city.now + seconds(70)) == 1


def test_unknown_step_and_unknown_subject_are_poison_not_a_standstill(city: City) -> None:
    good, bad = city.incident(), city.incident()
    arm(bad, city.now, 300, ladder=[[0, "no_such_step"]])
    arm(good, city.now, 300)
    actions.arm(
        subject=city.departments["hall"], kind="start", due_at=city.now, ladder=[], urgency="immediate",
        incident_id=None, now=city.now,
    )  # fmt: skip
    at = city.now + seconds(300)
    assert engine.sweep(at) == 1
    for _ in range(5):
        at += seconds(60)
        engine.sweep(at)
    held = Deadline.objects.filter(held_why__startswith="poison").order_by("held_why")
    assert [row.held_why for row in held] == [
        "poison: UnknownStepError: no_such_step",
        "poison: UnknownSubjectError: accounts.department",
    ]


def test_effect_may_answer_its_own_deadline(city: City, handler: IncidentHandler) -> None:
    incident = city.incident()
    arm(incident, city.now, 300, kind="revisit")

    def effect(subject: object, deadline: Deadline, now: datetime) -> None:
        actions.cancel(subject=incident, kinds=["revisit"], now=now)
        arm(incident, now, 60, kind="complete")

    handler.fire = effect  # type: ignore[method-assign]
    assert engine.sweep(city.now + seconds(300)) == 1
    assert [row.kind for row in queries.live_of(cities.SUBJECT, [incident.pk])[incident.pk]] == ["complete"]


def test_after_an_outage_each_chain_climbs_one_step(city: City) -> None:
    incidents = [city.incident() for _ in range(3)]
    for incident in incidents:
        arm(incident, city.now, 300)
    down, up = city.now + seconds(200), city.now + seconds(4000)
    note_gap(down, up)
    assert engine.sweep(up) == 3
    assert [steps(incident) for incident in incidents] == [["remind_duty"]] * 3
    assert all(fired(incident)[0].payload["outage"] for incident in incidents)
    assert engine.sweep(up + seconds(179)) == 0
    assert engine.sweep(up + seconds(180)) == 3
    assert [event.payload["outage"] for event in fired(incidents[0])] == [True, False]


def test_outage_extends_what_is_to_be_extended_capped_and_by_what_it_lost(city: City) -> None:
    whole, late, fires, capped = (city.incident() for _ in range(4))
    arm(whole, city.now, 300, on_outage="extend")
    arm(late, city.now + seconds(600), 1000, on_outage="extend")
    arm(fires, city.now, 300)
    note_gap(city.now + seconds(100), city.now + seconds(1100))
    due = {row.subject_id: row.due_at for row in Deadline.objects.all()}
    assert due[whole.pk] == city.now + seconds(300 + 1000)
    assert due[late.pk] == city.now + seconds(1600 + 500)
    assert due[fires.pk] == city.now + seconds(300)
    assert engine.sweep(city.now + seconds(1100)) == 1
    arm(capped, city.now, 200_000, on_outage="extend")
    note_gap(city.now, city.now + seconds(100_000))
    assert Deadline.objects.get(subject_id=capped.pk).due_at == city.now + seconds(200_000 + 4 * 3600)


def test_ticks_note_one_gap_whoever_comes_back_first(city: City) -> None:
    assert engine.tick(city.now, "engine", guard=ClockGuard())
    EngineHeartbeat.objects.update(process="another:1")
    assert engine.tick(city.now + seconds(5), "engine", guard=ClockGuard())
    assert not EngineGap.objects.exists()
    EngineHeartbeat.objects.all().delete()
    EngineHeartbeat.objects.create(process="another:1", at=city.now)
    engine.tick(city.now + seconds(60), "engine", guard=ClockGuard())
    engine.tick(city.now + seconds(61), "engine", guard=ClockGuard())
    (gap,) = EngineGap.objects.all()
    assert (gap.began_at, gap.ended_at, gap.cause) == (city.now, city.now + seconds(60), "silence")


@pytest.mark.parametrize(("jump", "cause"), [(3600, "clock"), (-3600, None), (86_400, "clock")])
def test_clock_jump_stops_firing_until_three_steady_ticks(city: City, jump: int, cause: str | None) -> None:
    guard = ClockGuard()
    moments = [city.now + seconds(n) for n in (0, 1)]
    assert [look(guard, at, n) for n, at in enumerate(moments)] == [True, True]
    after = [city.now + seconds(jump + n) for n in (2, 3, 4, 5)]
    assert [look(guard, at, n + 2) for n, at in enumerate(after)] == [False, False, False, True]
    assert list(EngineGap.objects.values_list("cause", flat=True)) == ([cause] if cause else [])
    alarm = Alarm.objects.get(kind="clock_jump")
    assert alarm.detail["seconds"] == pytest.approx(jump, abs=1)
    assert alarm.settled_at is not None
    assert queries.engine_status(after[-1]).watched


def look(guard: ClockGuard, now: datetime, monotonic: float) -> bool:
    """One tick whose monotonic clock is given."""
    given = ClockGuard.look

    class Given(ClockGuard):
        def look(self, now: datetime, answered: float | None = None, asked: float | None = None) -> timedelta:
            return given(guard, now, monotonic)

        @property
        def may_fire(self) -> bool:
            return guard.may_fire

    return engine.tick(now, "engine", guard=Given())


def test_silence_is_noticed_though_the_clock_was_set_back_while_no_engine_ran(city: City) -> None:
    EngineHeartbeat.objects.create(process="before:1", at=city.now + timedelta(hours=1))
    assert engine.tick(city.now, "engine", guard=ClockGuard())
    assert queries.unwatched_since(city.now + seconds(5)) is None
    assert queries.unwatched_since(city.now + seconds(11)) == city.now


def test_jump_seen_by_a_process_that_is_gone_does_not_stay_an_alarm(city: City) -> None:
    engine.tick(city.now, "engine", guard=ClockGuard(last=city.now - timedelta(hours=1)))
    watchdog.check(city.now + seconds(2))
    assert Alarm.objects.filter(kind="clock_jump", settled_at=None).exists(), "it lives and has not been steady"
    EngineHeartbeat.objects.update(process="killed:1")
    Alarm.objects.filter(kind="clock_jump").update(key="killed:1")
    watchdog.check(city.now + seconds(60))
    assert not Alarm.objects.filter(kind="clock_jump", settled_at=None).exists()


def test_small_drift_is_no_jump() -> None:
    guard = ClockGuard()
    start = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    assert [guard.look(start + seconds(n * 1.9), float(n)) for n in range(5)] == [timedelta()] * 5
    assert guard.may_fire


def test_machine_that_stood_still_is_no_jump() -> None:
    guard = ClockGuard()
    start = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    assert guard.look(start, answered=100.0, asked=100.0) == timedelta()
    assert guard.look(start + seconds(1), answered=161.0, asked=101.0) == timedelta(), "the answer came a minute late"
    assert guard.look(start + seconds(62), answered=162.0, asked=162.0) == timedelta()
    assert guard.look(start + seconds(70), answered=163.0, asked=163.0) == seconds(7)


def test_status_says_who_watches_and_what_waits(city: City) -> None:
    assert queries.engine_status(city.now).watched is False
    assert queries.unwatched_since(city.now) == city.now
    engine.tick(city.now, "engine", guard=ClockGuard())
    incident = city.incident()
    arm(incident, city.now, 300)
    arm(incident, city.now, 1000, kind="complete")
    seen = queries.engine_status(city.now + seconds(5))
    assert (seen.watched, seen.armed, seen.overdue, seen.next_due_seconds) == (True, 2, 0, 295.0)
    late = queries.engine_status(city.now + seconds(365))
    assert (late.watched, late.overdue, late.oldest_overdue_seconds) == (False, 1, 65.0)
    assert queries.unwatched_since(city.now + seconds(11)) == city.now
    assert queries.unwatched_since(city.now + seconds(10)) is None


def test_watchdog_warns_pages_and_settles(city: City) -> None:
    arm(city.incident(), city.now, 300)
    for late, level in ((9.9, "ok"), (10, "warn"), (59.9, "warn"), (60, "page")):
        report = watchdog.look(city.now + seconds(300 + late))
        assert {f.name: f.level for f in report.findings}["overdue"] == level
    at = city.now + seconds(400)
    assert not watchdog.check(at).good
    assert set(Alarm.objects.filter(settled_at=None).values_list("kind", flat=True)) == {"overdue", "engine_silent"}
    watchdog.check(at)
    assert Event.objects.filter(type="alarm.raised").count() == 2
    engine.tick(at, "engine", guard=ClockGuard())
    engine.sweep(at)
    assert watchdog.check(at).good
    assert not Alarm.objects.filter(settled_at=None).exists()
    assert Event.objects.filter(type="alarm.settled").count() == 2


def test_watchdog_arms_again_what_has_lost_its_deadline(city: City, handler: IncidentHandler) -> None:
    incident = city.incident()

    def lost(now: datetime, limit: int) -> Sequence[int]:
        return [] if queries.live_of(cities.SUBJECT, [incident.pk]) else [incident.pk]

    def mend(ids: Iterable[int], now: datetime) -> int:
        return len([arm(incident, now, 300) for _ in ids])

    handler.without_deadline, handler.rearm = lost, mend  # type: ignore[method-assign]
    assert watchdog.check(city.now).mended == 1
    assert Alarm.objects.get(kind="no_deadline").detail["ids"] == [incident.pk]
    assert watchdog.check(city.now).mended == 0
    assert Alarm.objects.get(kind="no_deadline").settled_at is not None


def test_watchdog_settles_empty_steps_that_were_answered(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, 300, ladder=[[0, "propose_owner"], [60, "head"]])
    incident.type = "natural.flood"
    incident.save(update_fields=["type"])
    engine.sweep(city.now + seconds(300))
    engine.tick(city.now + seconds(300), "engine", guard=ClockGuard())
    assert steps(incident) == ["head"]
    alarm = Alarm.objects.get(kind="step_empty")
    watchdog.check(city.now + seconds(301))
    alarm.refresh_from_db()
    assert alarm.settled_at is None
    arm(incident, city.now + seconds(301), 300)
    actions.cancel(subject=incident, now=city.now + seconds(302))
    Deadline.objects.filter(generation=1).delete()
    watchdog.check(city.now + seconds(303))
    alarm.refresh_from_db()
    assert alarm.settled_at is not None


def test_alarm_is_open_once_and_may_come_again(city: City) -> None:
    hall = city.departments["hall"].pk
    assert alarms.raise_alarm("backup", "disk", {"free": 3}, hall, now=city.now)
    assert not alarms.raise_alarm("backup", "disk", {"free": 2}, hall, now=city.now)
    assert queries.open_alarms(department_ids=[hall])[0].detail == {"free": 3}
    assert alarms.settle("backup", "disk", now=city.now) == 1
    assert alarms.settle("backup", "disk", now=city.now) == 0
    assert alarms.raise_alarm("backup", "disk", {}, hall, now=city.now)
    assert queries.open_alarms(incident_id=7) == []
    event = Event.objects.filter(type="alarm.raised").latest("id")
    assert event.tell == [{"department": hall, "post": "duty_officer"}]


def test_claiming_uses_the_index_of_armed_rows(city: City) -> None:
    """Of eight thousand rows fired long ago and two thousand armed for later, three are due."""
    for _ in range(3):
        arm(city.incident(), city.now, 300)
    one = Deadline.objects.filter(state="armed").values().first()
    assert one
    then = city.now + timedelta(days=300)
    Deadline.objects.bulk_create(
        Deadline(**{**one, "id": None, "kind": "other", "subject_id": -n, "due_at": then, "state": state})
        for n, state in enumerate(["fired"] * 8_000 + ["armed"] * 2_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE deadlines_deadline")
    with CaptureQueriesContext(connection) as asked:
        engine.sweep(city.now + timedelta(seconds=300))
    claim = next(one["sql"] for one in asked if "deadlines_deadline" in one["sql"] and "SKIP LOCKED" in one["sql"])
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + claim.replace("%", "%%"))
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "deadline_hot" in plan, plan
    assert "Seq Scan on deadlines_deadline" not in plan, plan


def test_step_that_reaches_nobody_counts_as_empty(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, 300)
    at = city.now + seconds(300)
    engine.sweep(at)
    guard = {"kind": "acknowledge", "generation": 1, "level": 0, "department": city.departments["station"].pk}
    unreached(cities.SUBJECT, incident.pk, guard, at + seconds(30))
    assert engine.sweep(at + seconds(30)) == 1
    assert steps(incident) == ["remind_duty", "next_on_duty"]
    assert Alarm.objects.get(kind="unreached").department_id == city.departments["station"].pk
    unreached(cities.SUBJECT, incident.pk, guard, at + seconds(40))
    assert engine.sweep(at + seconds(40)) == 0, "the step after it has run already"


def test_message_of_a_step_is_superseded_once_its_chain_is_answered(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, 300)
    engine.sweep(city.now + seconds(300))
    row = Delivery.objects.filter(channel="email").get()
    assert is_wanted(row)
    actions.cancel(subject=incident, kinds=["acknowledge"], now=city.now)
    assert not is_wanted(row)


def test_slow_subject_is_skipped_and_the_others_fire(city: City, handler: IncidentHandler) -> None:
    free, busy = city.incident(), city.incident()
    for incident in (free, busy):
        arm(incident, city.now, 300)
    lock = handler.lock
    handler.lock = lambda ids: {pk: one for pk, one in lock(ids).items() if pk != busy.pk}  # type: ignore[method-assign]
    assert engine.sweep(city.now + seconds(300), batch=1) == 1
    assert steps(free) == ["remind_duty"] and steps(busy) == []
    handler.lock = lock  # type: ignore[method-assign]
    assert engine.sweep(city.now + seconds(301)) == 1

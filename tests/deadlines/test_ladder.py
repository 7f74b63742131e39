"""Does a ladder climb as it was frozen, each step once, to the people on duty at that moment?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Shift
from coordination.deadlines import actions, engine, policies, queries
from coordination.deadlines.models import Alarm, Deadline, Policy
from coordination.events.models import Event
from coordination.notify.models import Delivery, Notice
from tests.deadlines import city as cities
from tests.deadlines.city import City, IncidentHandler, arm, fired, steps

MICRO = timedelta(microseconds=1)
pytestmark = pytest.mark.django_db


def told(city: City, event: Event) -> list[str]:
    return [city.name(pk) for pk in event.payload["people"]]


def test_whole_ladder_each_step_once_in_order_on_both_sides_of_each_boundary(
    city: City, handler: IncidentHandler
) -> None:
    incident = city.incident()
    armed = arm(incident, city.now)
    at = armed.base_due
    waits = [0, 180, 180, 180, 180, 180, 1800, 1800, 3600, 7200, 14400, 14400]
    expected = [
        ("remind_duty", ["station-duty"]),
        ("next_on_duty", ["station-next"]),
        ("head", ["station-head"]),
        ("department_above", ["bureau-duty", "bureau-head"]),
        ("supervise", ["centre-duty"]),
        ("propose_owner", ["bureau-duty"]),
        *[("board", ["centre-duty"])] * 4,
    ]
    for count, ((step, people), wait) in enumerate(zip(expected, waits, strict=False), 1):
        at += timedelta(seconds=wait)
        assert engine.sweep(at - MICRO) == 0
        assert engine.sweep(at) == 1
        assert engine.sweep(at) == 0
        events = fired(incident)
        assert len(events) == count
        assert (events[-1].payload["step"], told(city, events[-1])) == (step, people)
        assert {"people": events[-1].payload["level"]} == {"people": count - 1}
    assert [firing.step for firing in handler.effects] == [step for step, _ in expected]
    live = queries.live_of(cities.SUBJECT, [incident.pk])[incident.pk]
    assert len(live) == 1 and live[0].due_at == at + timedelta(seconds=14400)
    proposal = next(row for row in Notice.objects.filter(text_key="deadline.propose_owner"))
    assert proposal.args["proposed"] == city.departments["rescue"].pk
    assert Notice.objects.filter(person=city.people["station-head"]).count() == 1


def test_ladder_of_approve_climbs_the_issuer(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, kind="approve", ladder=[[0, "remind_duty"], [60, "department_above"]])
    engine.sweep(city.now + timedelta(seconds=300))
    engine.sweep(city.now + timedelta(seconds=360))
    assert [told(city, event) for event in fired(incident)] == [["bureau-duty"], ["hall-duty", "hall-head"]]
    assert queries.live_of(cities.SUBJECT, [incident.pk]) == {}


def test_empty_steps_are_skipped_at_once_with_an_alarm_to_department_and_command(city: City) -> None:
    incident = city.incident()
    Shift.objects.filter(department=city.departments["station"]).update(person=None)
    arm(incident, city.now)
    assert engine.sweep(city.now + timedelta(seconds=300)) == 1
    (event,) = fired(incident)
    assert event.payload["step"] == "head"
    assert event.payload["skipped"] == ["remind_duty", "next_on_duty"]
    alarms = Alarm.objects.filter(kind="step_empty").order_by("id")
    assert [alarm.detail["step"] for alarm in alarms] == ["next_on_duty", "remind_duty"]
    assert {alarm.department_id for alarm in alarms} == {city.departments["station"].pk}
    raised = Event.objects.filter(type="alarm.raised").first()
    assert raised is not None
    assert [entry["department"] for entry in raised.tell] == [
        city.departments["station"].pk,
        city.departments["centre"].pk,
    ]
    (live,) = queries.live_of(cities.SUBJECT, [incident.pk])[incident.pk]
    assert (live.level, live.step) == (3, "department_above")
    assert live.due_at == city.now + timedelta(seconds=300 + 180)


def test_ladder_with_nobody_anywhere_goes_on_asking(city: City) -> None:
    incident = city.incident()
    Shift.objects.update(person=None)
    Membership.objects.all().delete()
    arm(incident, city.now)
    assert engine.sweep(city.now + timedelta(seconds=300)) == 1
    (event,) = fired(incident)
    assert event.payload["step"] == "" and event.payload["people"] == []
    assert len(event.payload["skipped"]) == 7
    (live,) = queries.live_of(cities.SUBJECT, [incident.pk])[incident.pk]
    assert live.step == "board"


def test_roster_change_between_steps_counts(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now)
    newcomer = city.person("newcomer")
    Shift.objects.filter(person=city.people["station-duty"]).update(person=newcomer)
    engine.sweep(city.now + timedelta(seconds=300))
    Shift.objects.filter(person=newcomer).update(deputy=city.people["hall-next"])
    engine.sweep(city.now + timedelta(seconds=480))
    assert [told(city, event) for event in fired(incident)] == [["newcomer"], ["hall-next"]]


def test_person_absent_the_deputy_hears_first(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now)
    Shift.objects.filter(person=city.people["station-duty"]).update(absent=True, deputy=city.people["bureau-next"])
    engine.sweep(city.now + timedelta(seconds=300))
    assert told(city, fired(incident)[0]) == ["bureau-next"]


def test_frozen_ladder_does_not_change_with_the_policy(city: City) -> None:
    policies.load({"ladders": {"default": [[0, "remind_duty"], ["w", "head"]]}, "sets": {
        "standard": {1: {"wait": 180, "within": {"acknowledge": 300}}}}})
    policy = queries.policy("standard", 1)
    frozen = queries.ladder(policy, "acknowledge", 300)
    incident = city.incident()
    arm(incident, city.now, ladder=frozen)
    policies.load({"ladders": {"default": [[0, "board"]]}, "sets": {
        "standard": {1: {"wait": 5, "within": {"acknowledge": 10}}}}})
    assert Policy.objects.get(set="standard", response_level=1).version == 2
    engine.sweep(city.now + timedelta(seconds=300))
    assert engine.sweep(city.now + timedelta(seconds=480) - MICRO) == 0
    engine.sweep(city.now + timedelta(seconds=480))
    assert steps(incident) == ["remind_duty", "head"]


def test_answered_in_time_nothing_fires(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now)
    assert actions.cancel(subject=incident, kinds=["acknowledge"], now=city.now) == 1
    assert engine.sweep(city.now + timedelta(days=1)) == 0
    assert fired(incident) == []


def test_answered_between_steps_the_rest_is_silent(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now)
    engine.sweep(city.now + timedelta(seconds=300))
    actions.cancel(subject=incident, now=city.now)
    assert engine.sweep(city.now + timedelta(days=1)) == 0
    assert steps(incident) == ["remind_duty"]


def test_stale_deadline_is_dropped_without_a_word(city: City) -> None:
    incident = city.incident(closed_at=city.now)
    arm(incident, city.now)
    incident.state = "closed"
    incident.save(update_fields=["state"])
    assert engine.sweep(city.now + timedelta(seconds=300)) == 0
    assert fired(incident) == []
    assert Deadline.objects.get().state == "cancelled"


def test_reminder_before_due_keeps_its_own_time_and_due_its_own(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, seconds=1000, ladder=[[-500, "remind_duty"], [0, "remind_duty"], [60, "head"]])
    assert engine.sweep(city.now + timedelta(seconds=500) - MICRO) == 0
    assert engine.sweep(city.now + timedelta(seconds=520)) == 1
    assert Notice.objects.get().args["before_due"] is True
    assert engine.sweep(city.now + timedelta(seconds=1000) - MICRO) == 0
    assert engine.sweep(city.now + timedelta(seconds=1000)) == 1
    assert engine.sweep(city.now + timedelta(seconds=1060)) == 1
    assert steps(incident) == ["remind_duty", "remind_duty", "head"]


def test_reminder_before_due_that_time_has_overtaken_is_left_out(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now, seconds=1000, ladder=[[-500, "remind_duty"], [0, "head"]])
    engine.sweep(city.now + timedelta(seconds=2000))
    assert steps(incident) == ["head"]


def test_messages_go_by_screen_and_outside_once_each(city: City) -> None:
    incident = city.incident()
    arm(incident, city.now)
    engine.sweep(city.now + timedelta(seconds=300))
    person = city.people["station-duty"]
    key = f"incidents.incident:{incident.pk}:acknowledge:1:0:p{person.pk}"
    assert sorted(Delivery.objects.values_list("dedupe_key", flat=True)) == [f"{key}:email", f"{key}:in_app"]
    assert Event.objects.filter(type="notice.new").count() == 1


def test_exercise_stays_on_the_platform(city: City) -> None:
    incident = city.incident(exercise=True)
    arm(incident, city.now)
    engine.sweep(city.now + timedelta(seconds=300))
    assert list(Delivery.objects.values_list("channel", flat=True)) == ["in_app"]
    assert Notice.objects.get().exercise is True


def test_a_step_costs_the_same_queries_for_few_and_for_many(
    city: City,
) -> None:
    counts = []
    for size in (2, 40):
        for _ in range(size):
            arm(city.incident(), city.now)
        with CaptureQueriesContext(connection) as seen:
            assert engine.sweep(city.now + timedelta(seconds=300)) == size
        counts.append(len(seen))
    assert counts[0] == counts[1]

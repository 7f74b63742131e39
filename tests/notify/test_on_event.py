"""Does an event reach the people who hold its posts at that moment, and their department's system first?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Department, Membership, Shift
from coordination.deadlines.models import Alarm
from coordination.events import command, relay
from coordination.events.actor import SYSTEM
from coordination.events.models import Event
from coordination.notify import delivery, on_event, wiring
from coordination.notify.delivery.claim import Parcel
from coordination.notify.delivery.letters import letter
from coordination.notify.models import Delivery, Notice, WebhookEndpoint
from coordination.notify.texts import render
from tests.deadlines.city import City

SUBSCRIBERS = [("notify", on_event.handle)]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired")]


@command.action("test.happen")
def happen(*, actor: Any, now: Any, subject: Department, type: str, tell: list[dict[str, Any]], **more: Any) -> None:
    command.record(type=type, subject=subject, streams=["system"], tell=tell, **more)


def post(city: City, code: str, kind: str = "duty_officer", **more: Any) -> dict[str, Any]:
    return {"department": city.departments[code].pk, "post": kind, **more}


def event(city: City, *tell: dict[str, Any], type: str = "assignment.issue", **more: Any) -> None:
    happen(actor=SYSTEM, now=city.now, subject=city.departments["hall"], type=type, tell=list(tell), **more)


def told(city: City) -> list[str]:
    return [city.name(notice.person_id) for notice in Notice.objects.order_by("id")]


def test_posts_mean_the_people_of_this_moment(city: City) -> None:
    event(city, post(city, "station"), post(city, "bureau", "head"), {"person": city.people["hall-next"].pk})
    Shift.objects.filter(person=city.people["station-duty"]).update(person=city.people["rescue-duty"])
    assert relay.run_once(SUBSCRIBERS) > 0
    assert told(city) == ["rescue-duty", "bureau-head", "hall-next"]
    relay.run_once(SUBSCRIBERS)
    assert len(told(city)) == 3


def test_empty_shift_falls_to_the_head_nobody_at_all_is_an_alarm(city: City) -> None:
    Shift.objects.filter(department=city.departments["station"]).update(person=None)
    event(city, post(city, "station"), post(city, "bureau", "approver"))
    relay.run_once(SUBSCRIBERS)
    assert told(city) == ["station-head", "bureau-head"]
    Membership.objects.filter(post__department=city.departments["station"]).delete()
    event(city, post(city, "station"))
    relay.run_once(SUBSCRIBERS)
    alarm = Alarm.objects.get(kind="unreached")
    assert alarm.department_id == city.departments["station"].pk
    relay.run_once(SUBSCRIBERS)
    assert Event.objects.filter(type="alarm.raised").count() == 1, "an alarm that nobody hears raises no other"


def test_same_number_of_queries_for_few_and_for_many(city: City) -> None:
    counts = []
    for size in (1, 30):
        for _ in range(size):
            event(city, post(city, "station"), post(city, "bureau"))
        events = list(Event.objects.filter(type="assignment.issue").order_by("-id")[:size])
        with CaptureQueriesContext(connection) as seen:
            on_event.handle(events)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_facts_come_from_whoever_owns_the_subject(city: City) -> None:
    def facts(ids: Any) -> Mapping[int, Mapping[str, Any]]:
        return {
            pk: {"number": "12-3", "headline_zh": "疏散", "headline_en": "Evacuate", "voice_code": "4711",
                 "voice_department": city.departments["station"].pk}
            for pk in ids
        }  # fmt: skip

    wiring.facts["instructions.assignment"] = facts
    station = post(city, "station", object=["instructions.assignment", 5])
    event(city, station, post(city, "bureau", object=["instructions.assignment", 5]), urgency="immediate")
    relay.run_once(SUBSCRIBERS)
    notices = list(Notice.objects.order_by("id"))
    assert [notice.args for notice in notices] == [
        {"number": "12-3", "headline_zh": "疏散", "headline_en": "Evacuate"}
    ] * 2
    assert {(notice.object_type, notice.object_id) for notice in notices} == {("instructions.assignment", 5)}
    mails = Delivery.objects.filter(channel="email")
    codes = {city.name(row.person_id or 0): row.args.get("voice_code") for row in mails}
    assert codes == {"station-duty": "4711", "bureau-duty": None}


def test_system_of_the_department_first_people_when_it_is_silent(city: City) -> None:
    station = city.departments["station"]
    WebhookEndpoint.objects.create(department_id=station.pk, url="https://example.org/", secret="whsec_MTIz")
    wanted = {"answer": True}
    asked: list[Mapping[str, Any]] = []

    def guard(subject_id: int, said: Mapping[str, Any]) -> bool:
        asked.append(said)
        return wanted["answer"]

    wiring.guards["accounts.department"] = guard
    event(city, post(city, "station"), post(city, "bureau"), urgency="immediate")
    relay.run_once(SUBSCRIBERS)
    waits = {
        (row.channel, row.department_id): row.available_at - row.created_at for row in Delivery.objects.all()
    }
    bureau = city.departments["bureau"].pk
    assert waits == {
        ("in_app", station.pk): timedelta(),
        ("webhook", station.pk): timedelta(),
        ("email", station.pk): timedelta(seconds=60),
        ("in_app", bureau): timedelta(),
        ("email", bureau): timedelta(),
    }
    wanted["answer"] = False  # the system has received it meanwhile
    at = Delivery.objects.get(channel="email", department_id=station.pk).available_at
    Delivery.objects.filter(channel="webhook").delete()
    delivery.run_once(at - timedelta(milliseconds=1))
    assert asked == []
    delivery.run_once(at)
    assert asked[0]["client_silent"] is True
    assert Delivery.objects.get(channel="email", department_id=station.pk).state == "superseded"
    assert Delivery.objects.get(channel="email", department_id=bureau).state == "sent"


def test_parked_system_and_other_events_keep_nobody_waiting(city: City) -> None:
    one = WebhookEndpoint.objects.create(
        department_id=city.departments["station"].pk, url="https://example.org/", secret="whsec_MTIz",
        event_types=["assignment.issue"],
    )  # fmt: skip
    event(city, post(city, "station"), type="assignment.urge")
    relay.run_once(SUBSCRIBERS)
    assert not Delivery.objects.filter(channel="webhook").exists()
    WebhookEndpoint.objects.filter(pk=one.pk).update(parked_at=city.now)
    event(city, post(city, "station"))
    relay.run_once(SUBSCRIBERS)
    late = [row for row in Delivery.objects.all() if row.available_at > row.created_at]
    assert late == []


def test_exercise_does_not_leave(city: City) -> None:
    WebhookEndpoint.objects.create(
        department_id=city.departments["station"].pk, url="https://example.org/", secret="whsec_MTIz"
    )
    event(city, post(city, "station"), urgency="immediate", exercise=True)
    relay.run_once(SUBSCRIBERS)
    assert list(Delivery.objects.values_list("channel", flat=True)) == ["in_app"]


def test_alarm_is_told_in_words(city: City) -> None:
    event(city, post(city, "station"), type="alarm.raised", payload={"kind": "step_empty", "number": "7"})
    relay.run_once(SUBSCRIBERS)
    assert Notice.objects.get().args == {"alarm": "step_empty", "number": "7"}


def test_a_message_about_something_classified_says_nothing_of_it(city: City) -> None:
    wiring.facts["accounts.department"] = lambda ids: {pk: {"number": "7", "headline_en": "Poison store"} for pk in ids}
    endpoint = WebhookEndpoint.objects.create(
        department_id=city.departments["station"].pk, url="https://system.test/hook", secret="whsec_c2VjcmV0c2VjcmV0"
    )
    for payload in ({"class": 3, "number": "7"}, {"class": 2}):
        event(city, post(city, "station"), payload=payload, urgency="urgent")
    relay.run_once(SUBSCRIBERS)
    first, second = (
        Delivery.objects.filter(event_id=one.pk) for one in Event.objects.filter(type="assignment.issue").order_by("pk")
    )
    assert set(first.values_list("text_key", flat=True)) == {"withheld"}
    assert [row.args for row in first] == [{}] * first.count()
    assert {row.args.get("headline_en") for row in second} == {"Poison store"}
    letters = {
        row.channel: letter(Parcel(row.channel, (row,)), city.now)
        for row in first.select_related("person", "endpoint") if row.channel != "in_app"
    }
    assert letters["webhook"].payload == {
        "type": "withheld", "object": None, "incident": None, "department": endpoint.department_id,
        "urgency": "urgent", "created_at": first.get(channel="webhook").created_at,
    }
    for said in letters.values():
        assert "Poison" not in " ".join([said.subject, *said.lines, str(said.payload)])
    assert render("withheld", {}, "en") == "There is something new for you that may be read on screen only."

"""Is a report taken in, judged and joined by those it concerns, and seen by nobody else?"""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.db import connection

from accounts.actions import create_display
from coordination.events.actor import SYSTEM, Actor
from coordination.events.refused import Conflict, Forbidden, Invalid, MoveNotAllowed, NotFound
from incidents import actions, queries
from incidents.models import Report
from tests.incidents.cast import T0, City, explosion


def plant_report(city: City, **more: object) -> Report:
    values = {"channel": "enterprise", "text": "装置爆炸", **more}
    return actions.receive_report(actor=city.actor("plant"), now=T0, **values)  # type: ignore[arg-type]


def test_reporter_intakes_and_those_above_see_it(city: City) -> None:
    report = plant_report(city)
    seen = set()
    for code in city.departments:
        try:
            queries.report(actor=city.actor(code), report_id=report.pk, now=T0)
            seen.add(code)
        except NotFound:
            continue
    assert seen == {"plant", "district", "city", "ministry", "centre", "watch"}
    listed, _next = queries.reports(actor=city.actor("health"), now=T0)
    assert listed == []


def test_who_sees_all_of_the_incident_sees_its_reports(city: City) -> None:
    report = plant_report(city)
    incident = explosion(city, report_ids=[report.pk])
    assert queries.report(actor=city.actor("fire"), report_id=report.pk, now=T0)["incident"]["id"] == incident.pk
    actions.share(
        actor=city.actor("centre"), now=T0, incident_id=incident.pk, department_id=city["neighbour"].pk, reach=2
    )
    with pytest.raises(NotFound):
        queries.report(actor=city.actor("neighbour"), report_id=report.pk, now=T0)
    assert queries.report(actor=city.actor("plant"), report_id=report.pk, now=T0)["incident"] is None


def test_only_those_that_take_it_in_judge_it(city: City) -> None:
    report = plant_report(city)
    for code in ("plant", "district"):
        with pytest.raises(Forbidden):
            actions.verify_report(actor=city.actor(code), now=T0, report_id=report.pk)
    with pytest.raises(NotFound):
        actions.verify_report(actor=city.actor("health"), now=T0, report_id=report.pk)
    with pytest.raises(Forbidden):
        actions.verify_report(actor=city.actor("watch", "observer"), now=T0, report_id=report.pk)
    assert actions.verify_report(actor=city.actor("watch"), now=T0, report_id=report.pk).state == "verified"
    with pytest.raises(MoveNotAllowed) as refused:
        actions.verify_report(actor=city.actor("watch"), now=T0, report_id=report.pk)
    assert refused.value.extra == {"state": "verified", "allowed": ["refute"]}
    refuted = actions.refute_report(actor=city.actor("centre"), now=T0, report_id=report.pk, why="演练")
    assert (refuted.state, refuted.verify_note) == ("refuted", "演练")
    assert queries.report(actor=city.actor("plant"), report_id=report.pk, now=T0)["allowed_actions"] == []
    watched = queries.report(actor=city.actor("watch"), report_id=report.pk, now=T0)
    assert {action["action"] for action in watched["allowed_actions"]} == {"verify", "join", "open"}


def test_several_join_one_and_one_is_split_again(city: City) -> None:
    reports = [plant_report(city, text=f"第{n}报") for n in range(3)]
    incident = explosion(city, report_ids=[report.pk for report in reports[:2]])
    centre = city.actor("centre")
    actions.join_report(actor=centre, now=T0, report_id=reports[2].pk, incident_id=incident.pk)
    with pytest.raises(Conflict) as refused:
        actions.join_report(actor=centre, now=T0, report_id=reports[2].pk, incident_id=incident.pk)
    assert refused.value.extra["incident"] == incident.pk
    split = actions.split_report(actor=centre, now=T0, report_id=reports[1].pk, why="另一处")
    assert split.incident_id is None
    room = queries.room(actor=centre, incident_id=incident.pk, now=T0)
    assert {row["id"] for row in room["reports"]} == {reports[0].pk, reports[2].pk}
    second = explosion(city, report_ids=[split.pk])
    assert Report.everything.get(pk=split.pk).incident_id == second.pk


def test_an_exercise_and_the_real_stay_apart(city: City) -> None:
    drill = plant_report(city, exercise=True)
    with pytest.raises(Conflict) as refused:
        explosion(city, report_ids=[drill.pk])
    assert refused.value.code == "exercise_mismatch"


def test_a_client_reports_for_its_department(city: City) -> None:
    client = Actor("client", 3, city["plant"].pk)
    report = actions.receive_report(actor=client, now=T0, channel="sensor", text="可燃气体浓度超限")
    assert (report.department_id, report.received_by) == (city["plant"].pk, "client:3")
    with pytest.raises(Forbidden):
        actions.verify_report(actor=client, now=T0, report_id=report.pk)


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({"text": " "}, ["/text"]),
        ({"text": None}, ["/text"]),
        ({"text": 7}, ["/text"]),
        ({"text": "a\x00b"}, ["/text"]),
        ({"text": "a\udfff"}, ["/text"]),
        ({"channel": "pigeon"}, ["/channel"]),
        ({"channel": "a\x00"}, ["/channel"]),
        ({"type": "accident.unheard"}, ["/type"]),
        ({"latitude": 91, "longitude": 0}, ["/latitude"]),
        ({"latitude": float("nan"), "longitude": 0}, ["/latitude"]),
        ({"latitude": True, "longitude": 0}, ["/latitude"]),
        ({"latitude": 30.0}, ["/longitude"]),
        ({"longitude": 181.0, "latitude": -90.5}, ["/latitude", "/longitude"]),
        ({"occurred_at": datetime(1969, 12, 31, tzinfo=UTC)}, ["/occurred_at"]),
        ({"occurred_at": datetime(2026, 6, 18)}, ["/occurred_at"]),
        ({"occurred_at": T0 + timedelta(hours=1)}, ["/occurred_at"]),
        ({"region_code": "31x"}, ["/region_code"]),
        ({"region_code": "1" * 13}, ["/region_code"]),
        ({"reporter_phone": "1" * 41, "reporter_name": "x" * 81}, ["/reporter_name", "/reporter_phone"]),
        ({"attachment_ids": [999]}, ["/attachments"]),
    ],
)
def test_what_is_entered_is_checked(city: City, fields: dict[str, object], pointers: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        plant_report(city, **fields)
    assert sorted(error["pointer"] for error in refused.value.errors) == pointers
    assert not Report.everything.exists()


def test_a_wall_shows_no_name_and_no_telephone(city: City) -> None:
    report = plant_report(city, reporter_name="王建国", reporter_phone="13900001111")
    explosion(city, report_ids=[report.pk])
    row, _token = create_display(actor=SYSTEM, now=T0, department_id=city["centre"].pk, name="大屏")
    wall = Actor("display", row.pk, city["centre"].pk)
    shown = queries.report(actor=wall, report_id=report.pk, now=T0)
    assert shown["text"] == "装置爆炸"
    assert {shown[name] for name in ("reporter_name", "reporter_phone", "verified_by", "received_by")} == {""}
    (listed,), _next = queries.reports(actor=wall, now=T0)
    assert listed["reporter_name"] == listed["reporter_phone"] == ""
    seen = queries.report(actor=city.actor("centre"), report_id=report.pk, now=T0)
    assert (seen["reporter_name"], seen["reporter_phone"]) == ("王建国", "13900001111")


def test_nobody_finds_a_report_by_the_name_that_a_wall_must_not_show(city: City) -> None:
    """A wall may search: each name it tried would have said whether somebody of that name reported something."""
    report = plant_report(city, reporter_name="王建国", reporter_phone="13900001111")
    explosion(city, report_ids=[report.pk])
    row, _token = create_display(actor=SYSTEM, now=T0, department_id=city["centre"].pk, name="大屏")
    wall = Actor("display", row.pk, city["centre"].pk)
    assert "report" in {one["kind"] for one in queries.search(actor=wall, text="装置爆炸", now=T0)}
    for text in ("王建国", "王", "13900001111"):
        assert queries.search(actor=wall, text=text, now=T0) == []
        assert queries.reports(actor=wall, now=T0, q=text)[0] == []


def test_names_stored_as_words_before_are_taken_out_and_can_come_back(city: City) -> None:
    named = plant_report(city, reporter_name="王建国", place="石化一路")
    nobody = plant_report(city, text="泄漏")
    change = importlib.import_module("incidents.migrations.0002_no_names_among_words")

    def found(text: str) -> list[int]:
        return [one["id"] for one in queries.search(actor=city.actor("centre"), text=text, now=T0)]

    with connection.schema_editor() as editor:
        change.with_names(apps, editor)
        assert found("王建国") == [named.pk]
        change.without_names(apps, editor)
    assert found("王建国") == []
    assert found("石化") == found("装置爆炸") == [named.pk]
    assert found("泄漏") == [nobody.pk]

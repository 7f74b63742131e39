"""Does an incident run from the first report to its end, with each scale kept apart?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation

from coordination.events.models import Event, StreamEntry
from coordination.events.refused import Conflict, Forbidden, Invalid, MoveNotAllowed, VersionConflict
from incidents import actions, closing, queries
from incidents.models import Incident, Participation, Report, ScaleChange
from tests.incidents.cast import T0, City, explosion, fresh

MINUTE = timedelta(minutes=1)


def test_from_the_plants_report_to_closed(city: City) -> None:
    report = actions.receive_report(
        actor=city.actor("plant"), now=T0, channel="enterprise", text="1号乙二醇装置爆炸起火", place="J区石化厂",
        latitude=30.72, longitude=121.30, occurred_at=T0 - MINUTE,
    )
    assert report.number == "R2026-0001"
    told = Event.objects.get(type="report.received").tell
    assert {"department": city["centre"].pk, "post": "duty_officer"} in told
    second = actions.receive_report(actor=city.actor("street"), now=T0 + MINUTE, channel="citizen", text="听到巨响")

    centre = city.actor("centre")
    report = actions.verify_report(actor=centre, now=T0 + 2 * MINUTE, report_id=report.pk, note="厂方确认")
    assert report.state == Report.State.VERIFIED

    incident = explosion(city, T0 + 3 * MINUTE, report_ids=[report.pk])
    assert incident.number == "2026-0001"
    assert incident.state == "verified"
    assert incident.place == "J区石化厂" and incident.latitude == 30.72
    assert incident.occurred_at == T0 - MINUTE
    actions.join_report(actor=centre, now=T0 + 4 * MINUTE, report_id=second.pk, incident_id=incident.pk)
    room = queries.room(actor=centre, incident_id=incident.pk, now=T0 + 5 * MINUTE)
    assert [row["number"] for row in room["reports"]] == ["R2026-0002", "R2026-0001"]

    for step, to in enumerate(["respond", "control", "recover", "close"]):
        incident = actions.move(actor=centre, now=T0 + (10 + step) * MINUTE, incident_id=incident.pk, to=to)
    assert incident.state == "closed"
    assert incident.closed_at == T0 + 13 * MINUTE
    states = [row.after for row in ScaleChange.everything.filter(scale="state").order_by("pk")]
    assert states == ["verified", "responding", "controlled", "recovering", "closed"]


def test_each_scale_has_a_history_of_its_own(city: City) -> None:
    centre = city.actor("centre")
    incident = explosion(city)
    actions.set_scale(actor=centre, now=T0, incident_id=incident.pk, scale="grade", value=2, why="一死一伤")
    actions.set_scale(actor=centre, now=T0, incident_id=incident.pk, scale="warning_level", value="orange", why="风向")
    actions.set_scale(actor=centre, now=T0, incident_id=incident.pk, scale="response_level", value=3, why="启动")
    actions.set_scale(actor=centre, now=T0, incident_id=incident.pk, scale="response_level", value=2, why="升级")
    row = fresh(incident)
    assert (row.grade, row.warning_level, row.response_level) == (2, "orange", 2)
    room = queries.room(actor=centre, incident_id=incident.pk, now=T0)
    found = [(c["scale"], c["before"], c["after"], c["why"]) for c in room["scale_changes"] if c["why"]]
    assert found == [
        ("response_level", "3", "2", "升级"),
        ("response_level", "", "3", "启动"),
        ("warning_level", "", "orange", "风向"),
        ("grade", "", "2", "一死一伤"),
    ]
    assert room["scale_changes"][0]["by"]["department"]["id"] == city["centre"].pk
    with pytest.raises(Conflict) as refused:
        actions.set_scale(actor=centre, now=T0, incident_id=incident.pk, scale="grade", value=2, why="again")
    assert refused.value.code == "unchanged"


@pytest.mark.parametrize(
    ("scale", "value", "why", "pointer"),
    [
        ("grade", 5, "x", "/value"),
        ("grade", "2", "x", "/value"),
        ("grade", True, "x", "/value"),
        ("warning_level", "pink", "x", "/value"),
        ("mood", 1, "x", "/scale"),
        ("response_level", 1, "", "/why"),
        ("response_level", 1, "a\x00b", "/why"),
    ],
)
def test_a_scale_takes_no_other_value(city: City, scale: str, value: object, why: str, pointer: str) -> None:
    incident = explosion(city)
    with pytest.raises(Invalid) as refused:
        actions.set_scale(
            actor=city.actor("centre"), now=T0, incident_id=incident.pk, scale=scale, value=value, why=why  # type: ignore[arg-type]
        )
    assert [error["pointer"] for error in refused.value.errors] == [pointer]


def test_only_commanders_of_lead_or_centre_decide(city: City) -> None:
    incident = explosion(city)
    actions.invite(actor=city.actor("centre"), now=T0, incident_id=incident.pk, department_id=city["health"].pk)
    for actor in (city.actor("health"), city.actor("centre", "duty_officer"), city.actor("city")):
        with pytest.raises(Forbidden):
            actions.set_scale(actor=actor, now=T0, incident_id=incident.pk, scale="grade", value=1, why="x")
        with pytest.raises(Forbidden):
            actions.move(actor=actor, now=T0, incident_id=incident.pk, to="verify")
    assert actions.move(actor=city.actor("fire"), now=T0, incident_id=incident.pk, to="verify").state == "verified"


def test_a_wrong_move_names_state_and_what_is_allowed(city: City) -> None:
    incident = explosion(city)
    with pytest.raises(MoveNotAllowed) as refused:
        actions.move(actor=city.actor("centre"), now=T0, incident_id=incident.pk, to="close")
    assert refused.value.extra == {"state": "reported", "allowed": ["verify", "reject", "merge"]}
    with pytest.raises(VersionConflict) as stale:
        actions.move(actor=city.actor("centre"), now=T0, incident_id=incident.pk, to="verify", if_version=99)
    assert stale.value.extra == {"version": 1}


def test_nothing_closes_while_an_assignment_is_open(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    centre = city.actor("centre")
    incident = _controlled(city)
    closing.use([lambda pk: [{"id": 7, "department_id": city["health"].pk}] if pk == incident.pk else []])
    with pytest.raises(Conflict) as refused:
        actions.move(actor=centre, now=T0, incident_id=incident.pk, to="close")
    assert (refused.value.code, refused.value.extra["open"]) == ("assignments_open", [7])
    closing.use([])
    assert actions.move(actor=centre, now=T0, incident_id=incident.pk, to="close").state == "closed"


def test_reopening_needs_a_reason_and_gives_sight_back(city: City) -> None:
    centre, health = city.actor("centre"), city.actor("health")
    incident = _controlled(city)
    actions.invite(actor=centre, now=T0, incident_id=incident.pk, department_id=city["health"].pk)
    actions.move(actor=centre, now=T0, incident_id=incident.pk, to="close")
    later = T0 + timedelta(days=3)
    assert queries.incident(actor=health, incident_id=incident.pk, now=later)["reach"] == 2
    with pytest.raises(Invalid):
        actions.reopen(actor=centre, now=later, incident_id=incident.pk, why=" ")
    again = actions.reopen(actor=centre, now=later, incident_id=incident.pk, why="复燃")
    assert (again.state, again.closed_at) == ("responding", None)
    assert queries.incident(actor=health, incident_id=incident.pk, now=later)["reach"] == 3
    assert ScaleChange.everything.filter(scale="state").latest("pk").why == "复燃"


def test_command_passes_to_another_department_and_person(city: City) -> None:
    incident = explosion(city)
    ministry = city.actor("ministry")
    assert queries.incident(actor=ministry, incident_id=incident.pk, now=T0)["reach"] == 1
    actions.transfer_command(
        actor=city.actor("centre"), now=T0, incident_id=incident.pk, department_id=city["ministry"].pk,
        person_id=city.people["ministry"].pk, why="部工作组接管",
    )
    row = fresh(incident)
    assert (row.commander_department_id, row.commander_id) == (city["ministry"].pk, city.people["ministry"].pk)
    assert queries.is_commander(ministry, row) and not queries.is_commander(city.actor("centre"), row)
    seen = queries.room(actor=ministry, incident_id=incident.pk, now=T0)
    assert seen["reach"] == 3
    assert seen["commander"]["person"]["id"] == city.people["ministry"].pk
    event = Event.objects.get(type="incident.command_transferred")
    assert {"person": city.people["ministry"].pk} in event.tell
    assert {"department": city["ministry"].pk, "post": "commander"} in event.tell
    changed = actions.set_scale(actor=ministry, now=T0, incident_id=incident.pk, scale="grade", value=1, why="核定")
    assert changed.grade == 1
    with pytest.raises(Invalid) as refused:
        actions.transfer_command(
            actor=ministry, now=T0, incident_id=incident.pk, department_id=city["fire"].pk,
            person_id=city.people["health"].pk, why="x",
        )
    assert refused.value.errors[0]["pointer"] == "/person"


def test_objectives_and_end_condition(city: City) -> None:
    centre = city.actor("centre")
    incident = explosion(city)
    first = actions.set_objective(actor=centre, now=T0, incident_id=incident.pk, text="明火扑灭", by=T0 + MINUTE)
    second = actions.set_objective(actor=centre, now=T0, incident_id=incident.pk, text="污水不入海")
    actions.reach_objective(actor=centre, now=T0, objective_id=first.pk)
    actions.drop_objective(actor=centre, now=T0, objective_id=second.pk, why="改由环保")
    with pytest.raises(MoveNotAllowed):
        actions.reach_objective(actor=centre, now=T0, objective_id=second.pk)
    actions.set_end_condition(actor=centre, now=T0, incident_id=incident.pk, text="监测连续6小时合格")
    with translation.override("en"):
        told, _next = queries.timeline(actor=centre, incident_id=incident.pk, now=T0)
    assert ("Objective dropped", "污水不入海") in {(str(row["headline"]), row["text"]) for row in told}
    room = queries.room(actor=centre, incident_id=incident.pk, now=T0)
    assert room["end_condition"] == "监测连续6小时合格"
    assert [bool(row["reached_at"]) for row in room["objectives"]] == [True, False]


def test_parents_and_links_make_no_circle_and_hide_what_is_hidden(city: City) -> None:
    centre = city.actor("centre")
    cause, effect = explosion(city), explosion(city, headline_en="Power failure", type="accident.lifeline.power")
    actions.set_parent(actor=centre, now=T0, incident_id=effect.pk, parent_id=cause.pk)
    with pytest.raises(Conflict) as refused:
        actions.set_parent(actor=centre, now=T0, incident_id=cause.pk, parent_id=effect.pk)
    assert refused.value.code == "circle"
    with pytest.raises(Conflict):
        actions.link(actor=centre, now=T0, incident_id=cause.pk, other_id=cause.pk)
    actions.link(actor=centre, now=T0, incident_id=effect.pk, other_id=cause.pk, why="同一电网")
    with pytest.raises(Conflict):
        actions.link(actor=centre, now=T0, incident_id=cause.pk, other_id=effect.pk)
    actions.invite(actor=centre, now=T0, incident_id=cause.pk, department_id=city["neighbour"].pk)
    seen = queries.room(actor=centre, incident_id=cause.pk, now=T0)
    assert [row["id"] for row in seen["cascades"]] == [row["id"] for row in seen["links"]] == [effect.pk]
    hidden = queries.room(actor=city.actor("neighbour"), incident_id=cause.pk, now=T0)
    assert (hidden["cascades"], hidden["links"]) == ([], [])
    actions.unlink(actor=centre, now=T0, incident_id=cause.pk, other_id=effect.pk)
    assert queries.room(actor=centre, incident_id=cause.pk, now=T0)["links"] == []


def test_the_log_is_corrected_by_a_later_line_only(city: City) -> None:
    centre = city.actor("centre")
    incident = explosion(city)
    wrong = actions.add_log(
        actor=city.actor("fire"), now=T0, incident_id=incident.pk, text="死亡2人", kind="casualty",
        headline_zh="死亡2人",
    )
    right = actions.add_log(
        actor=centre, now=T0 + MINUTE, incident_id=incident.pk, text="死亡1人", corrects_id=wrong.pk
    )
    assert right.kind == "correction"
    rows, following = queries.log(actor=centre, incident_id=incident.pk, now=T0 + MINUTE)
    assert following is None
    assert [(row["text"], row["corrects"], row["corrected_by"]) for row in rows] == [
        ("死亡1人", wrong.pk, None), ("死亡2人", None, right.pk)
    ]
    other = explosion(city)
    with pytest.raises(Invalid) as refused:
        actions.add_log(actor=centre, now=T0, incident_id=other.pk, text="x", corrects_id=wrong.pk)
    assert refused.value.errors[0]["pointer"] == "/corrects"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"text": ""}, "/text"),
        ({"text": "a\ud800"}, "/text"),
        ({"text": "x" * 5001}, "/text"),
        ({"headline_zh": "长" * 23}, "/headline_zh"),
        ({"headline_en": "x" * 41}, "/headline_en"),
        ({"kind": "gossip"}, "/kind"),
        ({"classification": 9}, "/classification"),
        ({"happened_at": T0 + timedelta(days=9)}, "/happened_at"),
    ],
)
def test_a_log_line_is_checked(city: City, fields: dict[str, object], pointer: str) -> None:
    incident = explosion(city)
    with pytest.raises(Invalid) as refused:
        actions.add_log(
            actor=city.actor("centre"), now=T0, incident_id=incident.pk, **{"text": "ok", **fields}  # type: ignore[arg-type]
        )
    assert [error["pointer"] for error in refused.value.errors] == [pointer]


def test_only_a_story_has_a_clock_to_stop(city: City) -> None:
    centre = city.actor("centre")
    real = explosion(city)
    with pytest.raises(MoveNotAllowed):
        actions.pause(actor=centre, now=T0, incident_id=real.pk)
    story = explosion(city, policy_set="story")
    actions.pause(actor=centre, now=T0, incident_id=story.pk)
    with pytest.raises(MoveNotAllowed):
        actions.pause(actor=centre, now=T0, incident_id=story.pk)
    offered = queries.incident(actor=centre, incident_id=story.pk, now=T0)["allowed_actions"]
    assert "resume" in {action["action"] for action in offered}
    actions.resume(actor=centre, now=T0, incident_id=story.pk)
    assert actions.set_pace(actor=centre, now=T0, incident_id=story.pk, pace=4).pace == 4
    with pytest.raises(Invalid):
        actions.set_pace(actor=centre, now=T0, incident_id=story.pk, pace=float("nan"))


def test_every_act_enters_the_streams_without_gap(city: City) -> None:
    incident = _controlled(city)
    seqs = list(
        StreamEntry.objects.filter(stream=f"incident:{incident.pk}").order_by("seq").values_list("seq", flat=True)
    )
    assert seqs == list(range(1, len(seqs) + 1))
    assert Event.objects.filter(incident_id=incident.pk, type="incident.controlled").count() == 1


def test_participation_goes_its_way(city: City) -> None:
    centre, health = city.actor("centre"), city.actor("health")
    incident = explosion(city)
    part = actions.invite(actor=centre, now=T0, incident_id=incident.pk, department_id=city["health"].pk, why="救治")
    assert (part.state, part.role) == ("alerted", "support")
    told = Event.objects.filter(type="participation.changed").latest("pk").tell
    assert told == [{"department": city["health"].pk, "post": "duty_officer"}]
    for state in ("standing_by", "active"):
        part = actions.change_participation(actor=health, now=T0, incident_id=incident.pk, state=state)
    with pytest.raises(Invalid):
        actions.change_participation(actor=health, now=T0, incident_id=incident.pk, state="unable")
    part = actions.change_participation(
        actor=health, now=T0, incident_id=incident.pk, state="unable", why="车辆全部出动"
    )
    assert part.why == "车辆全部出动"
    with pytest.raises(MoveNotAllowed) as refused:
        actions.change_participation(
            actor=centre, now=T0, incident_id=incident.pk, state="active", department_id=city["health"].pk
        )
    assert refused.value.extra["allowed"] == ["stood_down", "alerted"]
    with pytest.raises(Forbidden):
        actions.change_participation(
            actor=city.actor("health", "observer"), now=T0, incident_id=incident.pk, state="active"
        )
    part = actions.change_participation(
        actor=centre, now=T0, incident_id=incident.pk, state="stood_down", department_id=city["health"].pk
    )
    assert part.state == "stood_down"


def test_lead_passes_and_the_former_lead_supports(city: City) -> None:
    incident = explosion(city)
    actions.invite(
        actor=city.actor("centre"), now=T0, incident_id=incident.pk, department_id=city["health"].pk, role="lead"
    )
    roles = dict(Participation.everything.filter(incident=incident).values_list("department__code", "role"))
    assert (roles["health"], roles["fire"]) == ("lead", "support")
    assert fresh(incident).lead_department_id == city["health"].pk
    with pytest.raises(Forbidden):
        actions.set_scale(
            actor=city.actor("fire"), now=T0, incident_id=incident.pk, scale="grade", value=3, why="no lead any more"
        )


def _controlled(city: City) -> Incident:
    incident = explosion(city)
    for to in ("verify", "respond", "control"):
        incident = actions.move(actor=city.actor("centre"), now=T0, incident_id=incident.pk, to=to)
    return incident

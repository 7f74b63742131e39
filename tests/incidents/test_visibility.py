"""Who sees what of an incident at each step, and is a hidden one the same as an absent one?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from coordination.events.actor import Actor
from coordination.events.models import Event, StreamEntry
from coordination.events.queries import entries_after as log_entries
from coordination.events.refused import Conflict, Forbidden, Invalid, NotFound
from incidents import actions, closing, queries
from incidents.models import Attachment, Incident
from sharing import access
from tests.incidents.cast import T0, City, explosion
from tests.incidents.test_attachments import picture

ABSENT = 10**9
EVERYBODY = ("centre", "fire", "health", "city", "ministry", "traffic", "district", "plant", "neighbour", "watch")


def reach(city: City, incident: Incident, code: str, now: Any = T0) -> int:
    """0 where the incident is hidden."""
    try:
        return int(queries.room(actor=city.actor(code), incident_id=incident.pk, now=now)["reach"])
    except NotFound:
        return 0


def matrix(city: City, incident: Incident, now: Any = T0) -> dict[str, int]:
    return {code: found for code in EVERYBODY if (found := reach(city, incident, code, now))}


def test_sight_follows_taking_part_at_each_step(city: City) -> None:
    centre = city.actor("centre")
    incident = explosion(city)
    opened = {"centre": 3, "fire": 3, "city": 1, "ministry": 1}
    assert matrix(city, incident) == opened

    actions.invite(actor=centre, now=T0, incident_id=incident.pk, department_id=city["health"].pk)
    assert matrix(city, incident) == {**opened, "health": 3}

    actions.invite(actor=centre, now=T0, incident_id=incident.pk, department_id=city["plant"].pk, role="informed")
    assert matrix(city, incident) == {**opened, "health": 3, "plant": 1, "district": 1}

    actions.share(actor=centre, now=T0, incident_id=incident.pk, department_id=city["neighbour"].pk, reach=1)
    assert reach(city, incident, "neighbour") == 1

    actions.set_scale(
        actor=centre, now=T0, incident_id=incident.pk, scale="response_level", value=1, why="特别重大"
    )
    assert matrix(city, incident) == {
        **opened, "health": 3, "plant": 3, "district": 3, "neighbour": 1, "city": 3, "ministry": 3
    }
    actions.set_scale(actor=centre, now=T0, incident_id=incident.pk, scale="response_level", value=4, why="降级")
    assert reach(city, incident, "district") == 1

    actions.unshare(actor=centre, now=T0, incident_id=incident.pk, department_id=city["neighbour"].pk)
    assert reach(city, incident, "neighbour") == 0
    with pytest.raises(NotFound):
        actions.unshare(actor=centre, now=T0, incident_id=incident.pk, department_id=city["neighbour"].pk)

    actions.leave(actor=city.actor("health"), now=T0, incident_id=incident.pk)
    assert reach(city, incident, "health", T0 + timedelta(hours=23)) == 3
    assert reach(city, incident, "health", T0 + timedelta(hours=25)) == 0

    for to in ("verify", "respond", "control", "close"):
        actions.move(actor=centre, now=T0, incident_id=incident.pk, to=to)
    after = T0 + timedelta(hours=25)
    assert matrix(city, incident, after) == {"centre": 3, "fire": 3, "plant": 2}


def test_a_rejected_incident_lapses_too(city: City) -> None:
    incident = explosion(city)
    actions.reject(actor=city.actor("centre", "duty_officer"), now=T0, incident_id=incident.pk, why="误报")
    assert matrix(city, incident, T0 + timedelta(days=2)) == {"centre": 3, "fire": 3}


def test_reach_one_opens_the_headline_and_nothing_below_it(city: City) -> None:
    centre = city.actor("centre")
    report = actions.receive_report(actor=city.actor("plant"), now=T0, channel="enterprise", text="secret-report")
    incident = explosion(city, report_ids=[report.pk], description="secret-description", end_condition="secret-end")
    actions.set_objective(actor=centre, now=T0, incident_id=incident.pk, text="secret-objective")
    actions.add_log(actor=centre, now=T0, incident_id=incident.pk, text="secret-log", headline_en="secret-headline")
    actions.share(actor=centre, now=T0, incident_id=incident.pk, department_id=city["neighbour"].pk)
    outside = city.actor("neighbour")
    room = queries.room(actor=outside, incident_id=incident.pk, now=T0)
    assert room["headline_en"] == "Glycol unit explosion" and room["state"] == "reported"
    rows, _next = queries.timeline(actor=outside, incident_id=incident.pk, now=T0)
    log, _next = queries.log(actor=outside, incident_id=incident.pk, now=T0)
    everything = f"{room} {rows} {log} {queries.search(actor=outside, text='secret', now=T0)}"
    assert "secret-" not in everything
    assert room["objectives"] == [] and room["participations"] == [] and log == []
    assert [row["kind"] for row in rows] == ["incident.opened"]
    full, _next = queries.timeline(actor=centre, incident_id=incident.pk, now=T0)
    assert [row["kind"] for row in full[1:]] == ["log.added", "objective.set", "report.joined", "incident.opened"]
    assert full[1]["headline"] == "secret-headline" and full[1]["by"]["department"]["id"] == city["centre"].pk


def test_class_three_lines_need_class_three(city: City) -> None:
    centre = city.actor("centre")
    incident = explosion(city)
    actions.invite(actor=centre, now=T0, incident_id=incident.pk, department_id=city["health"].pk)
    actions.add_log(actor=centre, now=T0, incident_id=incident.pk, text="restricted line", classification=3)
    health = city.actor("health")
    assert queries.log(actor=health, incident_id=incident.pk, now=T0)[0] == []
    assert "log.added" not in {
        row["kind"] for row in queries.timeline(actor=health, incident_id=incident.pk, now=T0)[0]
    }
    assert queries.search(actor=health, text="restricted", now=T0) == []
    assert [row["kind"] for row in queries.search(actor=centre, text="restricted", now=T0)] == ["log"]
    actions.set_scale(actor=centre, now=T0, incident_id=incident.pk, scale="response_level", value=2, why="升级")
    assert len(queries.log(actor=health, incident_id=incident.pk, now=T0)[0]) == 1


@pytest.mark.parametrize("classification", [1, 2, 3, 4])
def test_what_is_told_of_a_line_and_of_its_files_carries_their_class(city: City, classification: int) -> None:
    centre = city.actor("centre")
    incident = explosion(city)
    file = actions.attach(actor=centre, now=T0, file=SimpleUploadedFile("a.jpg", picture()))
    if classification == 4:
        with pytest.raises(Invalid):
            actions.add_log(actor=centre, now=T0, incident_id=incident.pk, text="x", classification=4)
        return
    entry = actions.add_log(
        actor=centre, now=T0, incident_id=incident.pk, text="line", classification=classification,
        attachment_ids=[file.pk],
    )
    assert Event.objects.get(type="log.added").payload["class"] == classification
    file.refresh_from_db(from_queryset=Attachment.everything.all())
    assert (file.subject_id, file.classification) == (entry.pk, classification)
    stream = f"incident:{incident.pk}"
    said = [one for one in log_entries(stream, 1, 0).entries if one.type == "log.added"]
    assert [one.classification for one in said] == [classification]


ACTS: dict[str, Callable[[Actor, int, City], Any]] = {
    "move": lambda a, pk, c: actions.move(actor=a, now=T0, incident_id=pk, to="verify"),
    "reject": lambda a, pk, c: actions.reject(actor=a, now=T0, incident_id=pk, why="x"),
    "reopen": lambda a, pk, c: actions.reopen(actor=a, now=T0, incident_id=pk, why="x"),
    "set_scale": lambda a, pk, c: actions.set_scale(
        actor=a, now=T0, incident_id=pk, scale="grade", value=1, why="x"
    ),
    "invite": lambda a, pk, c: actions.invite(actor=a, now=T0, incident_id=pk, department_id=c["traffic"].pk),
    "change_participation": lambda a, pk, c: actions.change_participation(
        actor=a, now=T0, incident_id=pk, state="active"
    ),
    "leave": lambda a, pk, c: actions.leave(actor=a, now=T0, incident_id=pk),
    "transfer_command": lambda a, pk, c: actions.transfer_command(
        actor=a, now=T0, incident_id=pk, department_id=c["traffic"].pk, why="x"
    ),
    "set_objective": lambda a, pk, c: actions.set_objective(actor=a, now=T0, incident_id=pk, text="x"),
    "set_end_condition": lambda a, pk, c: actions.set_end_condition(actor=a, now=T0, incident_id=pk, text="x"),
    "set_parent": lambda a, pk, c: actions.set_parent(actor=a, now=T0, incident_id=pk, parent_id=None),
    "add_log": lambda a, pk, c: actions.add_log(actor=a, now=T0, incident_id=pk, text="x"),
    "share": lambda a, pk, c: actions.share(actor=a, now=T0, incident_id=pk, department_id=c["traffic"].pk),
    "unshare": lambda a, pk, c: actions.unshare(actor=a, now=T0, incident_id=pk, department_id=c["traffic"].pk),
    "pause": lambda a, pk, c: actions.pause(actor=a, now=T0, incident_id=pk),
    "resume": lambda a, pk, c: actions.resume(actor=a, now=T0, incident_id=pk),
    "set_pace": lambda a, pk, c: actions.set_pace(actor=a, now=T0, incident_id=pk, pace=2),
    "room": lambda a, pk, c: queries.room(actor=a, incident_id=pk, now=T0),
    "incident": lambda a, pk, c: queries.incident(actor=a, incident_id=pk, now=T0),
    "log": lambda a, pk, c: queries.log(actor=a, incident_id=pk, now=T0),
    "timeline": lambda a, pk, c: queries.timeline(actor=a, incident_id=pk, now=T0),
    "participations": lambda a, pk, c: queries.participations(actor=a, incident_id=pk, now=T0),
    "objectives": lambda a, pk, c: queries.objectives(actor=a, incident_id=pk, now=T0),
}


@pytest.mark.parametrize("act", ACTS)
def test_hidden_is_absent_for_every_act_and_query(city: City, act: str) -> None:
    incident = explosion(city)
    foreign = city.actor("neighbour")
    answers = []
    for pk in (incident.pk, ABSENT):
        with pytest.raises(NotFound) as refused:
            ACTS[act](foreign, pk, city)
        answers.append((refused.value.code, str(refused.value.message), refused.value.errors, refused.value.extra))
    assert answers[0] == answers[1]


def test_merging_and_linking_need_sight_of_both(city: City) -> None:
    seen, hidden = explosion(city), explosion(city)
    fire = city.actor("fire")
    assert fire.department_id == seen.lead_department_id
    own = actions.open_incident(
        actor=city.actor("neighbour"), now=T0, type="accident.fire", headline_en="Over there"
    )
    for act in (actions.merge, actions.link):
        key = "into_id" if act is actions.merge else "other_id"
        for pk in (own.pk, ABSENT):
            with pytest.raises(NotFound):
                act(actor=fire, now=T0, incident_id=hidden.pk, **{key: pk})


def test_only_a_centre_opens_under_anothers_lead(city: City) -> None:
    with pytest.raises(Forbidden):
        actions.open_incident(
            actor=city.actor("health"), now=T0, type="accident.fire", headline_en="x",
            lead_department_id=city["fire"].pk,
        )
    own = actions.open_incident(actor=city.actor("health"), now=T0, type="health.food", headline_zh="食物中毒")
    assert (own.lead_department_id, own.commander_department_id) == (city["health"].pk, city["centre"].pk)
    with pytest.raises(Forbidden):
        actions.open_incident(
            actor=city.actor("health", "observer"), now=T0, type="health.food", headline_zh="食物中毒"
        )


def test_lead_command_and_open_work_keep_a_department(city: City) -> None:
    incident = explosion(city)
    centre = city.actor("centre")
    for code in ("fire", "centre"):
        with pytest.raises(Conflict):
            actions.leave(actor=centre, now=T0, incident_id=incident.pk, department_id=city[code].pk)
    actions.invite(actor=centre, now=T0, incident_id=incident.pk, department_id=city["health"].pk)
    closing.use([lambda pk: [{"id": 3, "department_id": city["health"].pk}]])
    with pytest.raises(Conflict) as refused:
        actions.leave(actor=city.actor("health"), now=T0, incident_id=incident.pk)
    assert refused.value.extra["open"] == [3]


def test_work_given_brings_a_department_in_and_keeps_the_ended_shut(city: City) -> None:
    incident = explosion(city)
    centre = city.actor("centre")
    part = actions.ensure_participation(
        actor=centre, now=T0, incident_id=incident.pk, department_id=city["traffic"].pk
    )
    again = actions.ensure_participation(
        actor=centre, now=T0, incident_id=incident.pk, department_id=city["traffic"].pk
    )
    assert (part.pk, part.role, again.version) == (again.pk, "support", part.version)
    assert reach(city, incident, "traffic") == 3
    actions.leave(actor=city.actor("traffic"), now=T0, incident_id=incident.pk)
    back = actions.ensure_participation(
        actor=centre, now=T0, incident_id=incident.pk, department_id=city["traffic"].pk
    )
    assert (back.pk, back.left_at, back.state) == (part.pk, None, "alerted")
    actions.reject(actor=centre, now=T0, incident_id=incident.pk, why="误报")
    with pytest.raises(Conflict) as refused:
        actions.ensure_participation(
            actor=centre, now=T0, incident_id=incident.pk, department_id=city["health"].pk
        )
    assert refused.value.code == "incident_ended"


def test_allowed_actions_are_those_that_would_be_accepted(city: City) -> None:
    incident = explosion(city)
    actions.invite(actor=city.actor("centre"), now=T0, incident_id=incident.pk, department_id=city["health"].pk)

    def names(code: str, *posts: str) -> set[str]:
        found = queries.incident(actor=city.actor(code, *posts), incident_id=incident.pk, now=T0)
        return {action["action"] for action in found["allowed_actions"]}

    assert {"verify", "reject", "merge", "set_scale", "invite", "add_log", "share"} <= names("centre")
    assert not {"respond", "close", "reopen", "pause"} & names("centre")
    assert names("health") == {"add_log", "attach"}
    assert names("city", "observer") == set()
    assert names("centre", "duty_officer") == {
        "reject", "describe", "invite", "link", "set_parent", "add_log", "attach"
    }


def test_access_changes_are_told_to_the_departments_concerned(city: City) -> None:
    incident = explosion(city)
    stream = f"department:{city['health'].pk}"
    assert access.may_read_stream(city.actor("health"), stream, T0)
    actions.invite(actor=city.actor("centre"), now=T0, incident_id=incident.pk, department_id=city["health"].pk)
    types = set(StreamEntry.objects.filter(stream=stream).values_list("event__type", flat=True))
    assert types == {"access.changed", "participation.changed"}

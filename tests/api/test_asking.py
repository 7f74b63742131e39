"""Does a list give what changed, what lies in a box, as a map, and nothing it was not asked for?"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile

from coordination.events import clock
from coordination.events.models import ReadEntry
from incidents import actions as incidents
from incidents.models import Incident
from tests.api.conftest import Speaker
from tests.incidents.test_attachments import picture
from tests.permissions.world import World

Speak = Callable[[str], Speaker]
LISTS = ("/incidents", "/reports", "/instructions", "/assignments")


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["items"]]


@pytest.mark.parametrize("path", LISTS)
def test_since_gives_what_changed_and_keeps_the_order(world: World, speak: Speak, path: str) -> None:
    me = speak("centre/commander")
    every = ids(me.get(path))
    assert every, "something to look for"
    later = (clock.now() + timedelta(minutes=2)).isoformat().replace("+", "%2B")
    assert ids(me.get(f"{path}?since={later}")) == []
    long_ago = "2020-01-01T00:00:00Z"
    assert ids(me.get(f"{path}?since={long_ago}")) == every
    assert me.get(f"{path}?since=yesterday").status_code == 400


def test_since_finds_a_change_and_what_was_under_way_then(
    world: World, speak: Speak, settings: LazySettings
) -> None:
    settings.MUSTER_SESSION_IDLE = timedelta(days=1)
    me = speak("centre/commander")
    pk = world.ids["incident_id"]
    future = clock.now() + timedelta(hours=1)
    clock.travel(timedelta(hours=1))
    try:
        path = f"/incidents/{pk}/scale"
        body = {"scale": "grade", "value": 1, "why": "spread"}
        answer = me.post(path, body, if_match=me.get(f"/incidents/{pk}")["ETag"])
        assert answer.status_code == 200, answer.content
        for seconds, found in ((0, True), (50, True), (180, False)):
            moment = future + timedelta(seconds=seconds)
            text = moment.isoformat().replace("+", "%2B")
            assert (pk in ids(me.get(f"/incidents?since={text}"))) is found, moment
    finally:
        clock.travel(None)


def test_the_log_since(world: World, speak: Speak) -> None:
    me = speak("centre/commander")
    path = f"/incidents/{world.ids['incident_id']}/log"
    assert me.post(path, {"text": "now"}).status_code == 201
    assert ids(me.get(f"{path}?since=2020-01-01T00:00:00Z")) == ids(me.get(path))
    later = (clock.now() + timedelta(minutes=2)).isoformat().replace("+", "%2B")
    assert ids(me.get(f"{path}?since={later}")) == []


def test_incidents_and_reports_as_a_map(world: World, speak: Speak) -> None:
    me = speak("centre/commander")
    Incident.everything.filter(pk=world.ids["incident_id"]).update(latitude=30.7, longitude=121.3)
    for path in ("/incidents", "/reports"):
        plain = me.get(path)
        answer = me.get(path, accept="application/geo+json")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/geo+json")
        found = answer.json()
        assert found["type"] == "FeatureCollection"
        assert [one["id"] for one in found["features"]] == ids(plain)
        assert found["next"] == plain.json()["next"]
        for feature, row in zip(found["features"], plain.json()["items"], strict=True):
            assert feature["type"] == "Feature"
            where = None if row["latitude"] is None else {
                "type": "Point", "coordinates": [row["longitude"], row["latitude"]]
            }
            assert feature["geometry"] == where
            assert feature["properties"] == {k: v for k, v in row.items() if k not in ("latitude", "longitude")}
        assert "Accept" in answer["Vary"]
        assert answer["ETag"] != plain["ETag"]
    short = me.get("/incidents?fields=headline", accept="application/geo+json").json()
    assert all(set(one["properties"]) == {"headline"} for one in short["features"])
    placed = {one["id"]: one["geometry"] for one in short["features"]}
    assert placed[world.ids["incident_id"]] == {"type": "Point", "coordinates": [121.3, 30.7]}


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/incidents", "", 200),
        ("/incidents", "*/*", 200),
        ("/incidents", "application/*", 200),
        ("/incidents", "application/json", 200),
        ("/incidents", "text/html,application/xhtml+xml,*/*;q=0.8", 200),
        ("/incidents", "application/geo+json;q=0.5, application/json", 200),
        ("/incidents", "text/csv", 406),
        ("/incidents", "application/json;q=0", 406),
        ("/incidents", "application/json;q=0, */*", 200),
        ("/incidents", "nonsense", 406),
        ("/departments", "application/geo+json", 406),
        ("/departments", "application/geo+json, application/json;q=0.1", 200),
        ("/incidents", "a" * 5000, 406),
    ],
)
def test_only_what_can_be_given_is_accepted(speak: Speak, path: str, accept: str, status: int) -> None:
    answer = speak("centre/commander").get(path, accept=accept)
    assert answer.status_code == status, answer.content
    if status == 406:
        assert (answer["Content-Type"], answer.json()["code"]) == ("application/problem+json", "not_acceptable")


def test_what_cannot_be_answered_is_not_done(world: World, speak: Speak) -> None:
    me = speak("centre/commander")
    path = f"/incidents/{world.ids['incident_id']}/log"
    before = ids(me.get(path))
    assert me.post(path, {"text": "never"}, accept="text/csv").status_code == 406
    assert ids(me.get(path)) == before


def test_reports_in_a_box(world: World, speak: Speak) -> None:
    me = speak("centre/commander")
    body = {"channel": "hotline", "text": "Smoke", "latitude": 30.7, "longitude": 121.3}
    made = me.post("/reports", body)
    assert made.status_code == 201, made.content
    assert made.json()["id"] in ids(me.get("/reports?bbox=121,30,122,31"))
    assert made.json()["id"] not in ids(me.get("/reports?bbox=122,30,123,31"))
    for box in ("1,2,3", "0,50,1,40", "200,0,201,1"):
        assert me.get(f"/reports?bbox={box}").status_code in (400, 422)


def test_instructions_and_assignments_by_their_words(world: World, speak: Speak) -> None:
    me = speak("centre/commander")
    shown = me.get(f"/instructions/{world.ids['instruction_id']}").json()
    word = (shown["what"] or shown["text"] or shown["headline_en"]).split()[0]
    assert shown["id"] in ids(me.get(f"/instructions?q={word}"))
    assert ids(me.get("/instructions?q=zzzunheardof")) == []
    parts = ids(me.get(f"/assignments?q={word}"))
    assert world.ids["assignment_id"] in parts
    assert ids(me.get("/assignments?q=zzzunheardof")) == []


@pytest.mark.parametrize("path", [*LISTS, "/departments", "/notices"])
def test_an_unknown_parameter_is_named(speak: Speak, path: str) -> None:
    answer = speak("centre/commander").get(f"{path}?colour=red")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/colour")


def test_reads_of_what_is_classified_are_kept_with_their_purpose(world: World, speak: Speak) -> None:
    me = speak("centre/commander")
    path = f"/incidents/{world.ids['incident_id']}/log"
    open_line = me.post(path, {"text": "anybody"}).json()["id"]
    assert ids(me.get(path, purpose="shift briefing"))[0] == open_line
    assert ReadEntry.objects.count() == 0, "nothing classified was read"
    secret = me.post(path, {"text": "store", "classification": 3})
    assert secret.status_code == 201
    before = ReadEntry.objects.count()
    me.get(path, purpose="shift briefing")
    row = ReadEntry.objects.latest("pk")
    assert ReadEntry.objects.count() == before + 1
    assert (row.purpose, row.operation, row.object_type, row.ids, row.count) == (
        "shift briefing", "log_list", "log", [secret.json()["id"]], 1
    )
    actor = world.actor("centre/commander")
    assert (row.actor_key, row.actor_department) == (actor.key, actor.department_id)
    me.get(path, purpose="交接班".encode().decode("latin-1"))
    assert ReadEntry.objects.latest("pk").purpose == "交接班"
    me.get(path)
    assert ReadEntry.objects.latest("pk").purpose == ""
    me.get(f"/incidents/{world.ids['incident_id']}/timeline", purpose="review")
    assert ReadEntry.objects.latest("pk").operation == "incidents_timeline"


def test_a_classified_file_handed_out_is_kept(world: World, speak: Speak) -> None:
    me = speak("centre/commander")
    actor = world.actor("centre/commander")
    file = incidents.attach(actor=actor, now=clock.now(), file=SimpleUploadedFile("a.jpg", picture()))
    incidents.add_log(
        actor=actor, now=clock.now(), incident_id=world.ids["incident_id"], text="x", classification=3,
        attachment_ids=[file.pk],
    )
    for path in (f"/attachments/{file.pk}", f"/attachments/{file.pk}/content"):
        before = ReadEntry.objects.count()
        answer = me.get(path, purpose="evidence")
        assert answer.status_code == 200
        if answer.streaming:
            b"".join(answer.streaming_content)
        row = ReadEntry.objects.latest("pk")
        assert (ReadEntry.objects.count(), row.ids, row.purpose) == (before + 1, [file.pk], "evidence")


@pytest.mark.parametrize("purpose", ["x" * 201, "a\x07b", "\xff\xfe"])
def test_a_purpose_that_cannot_be_kept_is_refused(speak: Speak, purpose: str) -> None:
    answer = speak("centre/commander").get("/incidents", purpose=purpose)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/Purpose")


def test_the_log_of_reads_is_only_added_to() -> None:
    from coordination.config.rights import APPEND_ONLY, LOG_TABLES

    assert APPEND_ONLY["events_readentry"] == "SELECT, INSERT"
    assert "events_readentry" in LOG_TABLES
    assert json.dumps(sorted(APPEND_ONLY))

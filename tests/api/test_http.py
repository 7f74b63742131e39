"""Does every operation keep the manners of HTTP that the API promises?"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts import actions, queries
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.models import Command, Event, Refusal
from tests.permissions.world import World

Speak = Callable[[str], Any]
NOBODYS = 999_999_999


def log_of(world: World) -> str:
    return f"/incidents/{world.ids['incident_id']}/log"


def test_hidden_and_absent_are_the_same_bytes(world: World, speak: Speak) -> None:
    """S31: hidden and absent are the same bytes."""
    stranger = speak("water/commander")
    for path, missing in (
        (f"/incidents/{world.ids['incident_id']}", f"/incidents/{NOBODYS}"),
        (f"/reports/{world.ids['report_id']}", f"/reports/{NOBODYS}"),
        (f"/attachments/{world.ids['attachment_id']}/content", f"/attachments/{NOBODYS}/content"),
        (f"/streams/incident:{world.ids['incident_id']}/entries", f"/streams/incident:{NOBODYS}/entries"),
    ):
        hidden = stranger.get(path, x_request_id="same-request-1")
        absent = stranger.get(missing, x_request_id="same-request-1")
        assert hidden.status_code == absent.status_code == 404
        assert hidden.content == absent.content
        loose = ("Date", "RateLimit")
        assert {k: v for k, v in hidden.items() if k not in loose} == {
            k: v for k, v in absent.items() if k not in loose
        }


def test_an_address_that_leads_nowhere_is_a_problem(speak: Speak) -> None:
    answer = speak("centre/commander").get("/no/such/thing")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_the_first_answer_comes_again_byte_for_byte(world: World, speak: Speak) -> None:
    me, key = speak("centre/commander"), str(uuid.uuid4())
    first = me.send("POST", log_of(world), {"text": "once"}, idempotency_key=key)
    events = Event.objects.count()
    again = me.send("POST", log_of(world), {"text": "once"}, idempotency_key=key)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert again["Idempotency-Replayed"] == "true"
    assert Event.objects.count() == events


def test_a_key_that_is_no_uuid_works_and_is_each_actors_own(world: World, speak: Speak) -> None:
    key = "shift-2026-11-20-log-1"
    mine = speak("centre/commander").send("POST", log_of(world), {"text": "mine"}, idempotency_key=key)
    theirs = speak("centre/duty_officer").send("POST", log_of(world), {"text": "theirs"}, idempotency_key=key)
    assert mine.status_code == theirs.status_code == 201
    assert mine.json()["id"] != theirs.json()["id"]


def test_a_key_with_another_body_is_refused(world: World, speak: Speak) -> None:
    me, key = speak("centre/commander"), str(uuid.uuid4())
    me.send("POST", log_of(world), {"text": "one"}, idempotency_key=key)
    other = me.send("POST", log_of(world), {"text": "two"}, idempotency_key=key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


def test_done_but_never_answered_is_answered_without_doing_it_again(world: World, speak: Speak) -> None:
    me, key = speak("centre/commander"), str(uuid.uuid4())
    first = me.send("POST", log_of(world), {"text": "killed"}, idempotency_key=key)
    Command.objects.filter(key=key).update(reply_status=None, reply_body="", reply_headers={})
    events = Event.objects.count()
    again = me.send("POST", log_of(world), {"text": "killed"}, idempotency_key=key)
    assert again.status_code == 201
    assert again.json()["id"] == first.json()["id"]
    assert Event.objects.count() == events


def test_a_refused_request_may_be_sent_again_with_its_key(world: World, speak: Speak) -> None:
    me, key = speak("fire/commander"), str(uuid.uuid4())
    path = f"/incidents/{world.ids['incident_id']}/share"
    body = {"department": world.departments["police"].pk}
    assert me.send("POST", path, body, idempotency_key=key).status_code == 403
    assert me.send("POST", path, body, idempotency_key=key).status_code == 403


def test_if_match_is_needed_compared_and_strict(world: World, speak: Speak) -> None:
    me = speak("centre/commander")
    path = f"/incidents/{world.ids['incident_id']}"
    body = {"scale": "grade", "value": 2, "why": "bigger"}
    etag = me.get(path)["ETag"]
    assert me.post(f"{path}/scale", body).json()["code"] == "if_match_required"
    assert me.post(f"{path}/scale", body, if_match="W/" + etag).status_code == 400
    assert me.post(f"{path}/scale", body, if_match="*").status_code == 400
    stale = me.post(f"{path}/scale", body, if_match='"0.x"')
    assert (stale.status_code, stale.json()["code"]) == (412, "version_conflict")
    done = me.post(f"{path}/scale", body, if_match=etag)
    assert done.status_code == 200, done.content
    assert done.json()["grade"] == 2
    assert me.post(f"{path}/scale", body, if_match=etag).status_code == 412
    assert me.post(f"{path}/scale", body | {"value": 1}, if_match=done["ETag"]).status_code == 200


def test_only_the_version_part_of_if_match_counts(world: World, speak: Speak) -> None:
    me = speak("centre/commander")
    path = f"/incidents/{world.ids['incident_id']}"
    etag = me.get(path)["ETag"]
    assert me.post(f"{path}/log", {"text": "a neighbour's note"}).status_code == 201
    body = {"scale": "grade", "value": 1, "why": "worse"}
    assert me.post(f"{path}/scale", body, if_match=etag).status_code == 200


def test_an_unchanged_thing_is_304(world: World, speak: Speak) -> None:
    me = speak("centre/commander")
    path = f"/reports/{world.ids['report_id']}"
    first = me.get(path)
    again = me.get(path, if_none_match=first["ETag"])
    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == first["ETag"]


def test_lists_are_paged_by_an_opaque_cursor(world: World, speak: Speak) -> None:
    me = speak("centre/commander")
    seen: list[int] = []
    path = "/departments?limit=2"
    for _page in range(20):
        answer = me.get(path).json()
        seen += [row["id"] for row in answer["items"]]
        if answer["next"] is None:
            break
        path = f"/departments?limit=2&cursor={answer['next']}"
    assert sorted(seen) == sorted(row.pk for row in world.departments.values())
    assert me.get(f"/duty?cursor={answer['next'] or 'x'}").status_code == 400
    assert 'rel="next"' in me.get("/departments?limit=2")["Link"]


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=abc",
        "limit=1e3",
        "kind=castle",
        "under=abc",
        "kind=bureau&kind=town",
        "cursor=abc",
        "fields=secret",
        "fields=",
        "under=99999999999999999999",
        "q=" + "x" * 81,
    ],
)
def test_an_odd_query_is_400_and_says_which(speak: Speak, query: str) -> None:
    answer = speak("centre/commander").get(f"/departments?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_only_the_fields_asked_for(world: World, speak: Speak) -> None:
    answer = speak("centre/commander").get("/departments?fields=id,code")
    assert all(set(row) == {"id", "code"} for row in answer.json()["items"])
    one = speak("centre/commander").get(f"/departments/{world.departments['fire'].pk}?fields=code")
    assert one.json() == {"code": "fire"}


def test_an_unknown_field_is_named(world: World, speak: Speak) -> None:
    answer = speak("centre/commander").post(log_of(world), {"text": "x", "state": "closed", "a/b~c": 1})
    assert answer.status_code == 400
    assert {(one["pointer"], one["code"]) for one in answer.json()["errors"]} == {
        ("/state", "unknown_field"), ("/a~1b~0c", "unknown_field"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "moment",
    [
        "0000-00-00",
        "2026-02-30T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "2026-05-01T10:00:00",
        "0001-01-01T00:00:00+14:00",
        "now",
        "",
        5,
        None,
        [],
        True,
    ],
)
def test_an_odd_date_is_400(world: World, speak: Speak, moment: Any) -> None:
    answer = speak("centre/commander").post(log_of(world), {"text": "x", "happened_at": moment})
    assert answer.status_code == (201 if moment is None else 400)


def test_a_change_by_session_needs_the_csrf_token(world: World) -> None:
    """S11: a change by session needs the csrf token."""
    strict = Client(enforce_csrf_checks=True, REMOTE_ADDR="10.0.0.7")
    strict.cookies = world.clients["centre/commander"].cookies.copy()
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    path = f"/api/v1{log_of(world)}"
    body = json.dumps({"text": "x"})
    refused = strict.post(path, body, content_type="application/json", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    token = strict.get("/api/v1/session").json()["csrf_token"]
    foreign = strict.post(
        path,
        body,
        content_type="application/json",
        headers=headers | {"X-CSRFToken": token, "Origin": "https://evil.example"},
    )
    assert foreign.status_code == 403
    done = strict.post(path, body, content_type="application/json", headers=headers | {"X-CSRFToken": token})
    assert done.status_code == 201


def test_scopes_only_narrow(world: World, speak: Speak) -> None:
    """S35: scopes only narrow."""
    reader = speak("fire/reader")
    assert reader.get("/departments").status_code == 200
    answer = reader.post("/reports", {"channel": "hotline", "text": "x"})
    assert (answer.status_code, answer.json()["right"]) == (403, "reports:write")
    assert speak("fire/client").post("/reports", {"channel": "hotline", "text": "smoke"}).status_code == 201


@pytest.mark.parametrize(
    "value", ["Bearer x", "Bearer", "Basic eDp5", "Bearer " + "x" * 5000, "Nonsense", "Bearer \udcff"]
)
def test_a_token_that_does_not_hold_is_401_even_beside_a_session(world: World, value: str) -> None:
    try:
        answer = world.clients["centre/commander"].get("/api/v1/departments", headers={"Authorization": value})
    except UnicodeEncodeError:
        return
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_clients_token_ends_at_once(world: World, speak: Speak) -> None:
    for client in queries.clients_of(world.departments["fire"].pk):
        actions.revoke_client(actor=SYSTEM, now=clock.now(), client_id=client.pk)
    assert speak("fire/client").get("/departments").status_code == 401


@pytest.mark.parametrize(
    "grant",
    ["password", "authorization_code", "refresh_token", "implicit", "urn:ietf:params:oauth:grant-type:device_code", ""],
)
def test_no_other_grant_type_is_reachable(grant: str, db: None) -> None:
    """S36: no other grant type is reachable."""
    answer = Client().post(
        "/api/v1/oauth/token", f"grant_type={grant}&username=a&password=b&device_code=c",
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert answer.status_code == 400


def test_a_limit_is_said_kept_and_lifted(world: World, speak: Speak, settings: LazySettings) -> None:
    """S9: a limit is said kept and lifted."""
    settings.MUSTER_API_LIMITS = {"read": 3, "write": 120, "loop": 600, "sign_in": 60}
    me = speak("health/observer")
    answers = [me.get("/departments") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"read";q=3;w=60'
    assert answers[1]["RateLimit"].startswith('"read";r=1;t=')
    assert int(answers[3]["Retry-After"]) >= 1
    assert answers[3].json()["code"] == "rate_limited"
    assert speak("health/head").get("/departments").status_code == 200


def test_a_refused_write_leaves_one_refusal_and_nothing_else(world: World, speak: Speak) -> None:
    """S44: a refused write leaves one refusal and nothing else."""
    events, refusals = Event.objects.count(), Refusal.objects.count()
    answer = speak("fire/commander").post(
        f"/incidents/{world.ids['incident_id']}/share", {"department": world.departments["police"].pk},
        x_request_id="refused-write-1",
    )  # fmt: skip
    assert answer.status_code == 403
    assert answer.json()["request_id"] == "refused-write-1"
    assert Event.objects.count() == events
    assert Refusal.objects.count() == refusals + 1
    row = Refusal.objects.latest("pk")
    assert (row.code, row.operation, row.request_id) == ("forbidden", "incidents_share", "refused-write-1")


def test_a_get_writes_nothing(world: World, speak: Speak) -> None:
    """S11: a get writes nothing."""
    before = (Event.objects.count(), Refusal.objects.count(), Command.objects.count())
    me = speak("centre/commander")
    for path in ("/incidents", "/departments", "/duty", "/reports", "/codes", f"/incidents/{world.ids['incident_id']}"):
        assert me.get(path).status_code == 200
    assert (Event.objects.count(), Refusal.objects.count(), Command.objects.count()) == before


def test_methods_that_are_not_offered_are_405(world: World, speak: Speak) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        answer = speak("centre/commander").send(method, "/departments")
        assert answer.status_code == 405, method

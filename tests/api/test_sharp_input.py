"""Does the API hold where a careless or a sly client is off by a little?"""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.permissions.world import World

Speak = Callable[[str], Any]


def log_of(world: World) -> str:
    return f"/incidents/{world.ids['incident_id']}/log"


def said(answer: Any) -> Any:
    return json.loads(answer.content)


def test_the_order_of_members_makes_no_other_request(world: World, speak: Speak) -> None:
    me, key = speak("centre/commander"), str(uuid.uuid4())
    first = me.post(log_of(world), raw=b'{"text": "once", "kind": "note"}', idempotency_key=key)
    again = me.post(log_of(world), raw=b'{ "kind":"note","text":"once" }', idempotency_key=key)
    assert first.status_code == again.status_code == 201, again.content
    assert again.content == first.content
    other = me.post(log_of(world), raw=b'{"text": "once", "kind": "situation"}', idempotency_key=key)
    assert said(other)["code"] == "key_reused"


@pytest.mark.parametrize("path", ["/incidents/1%00", "/incidents?q=%00", "/incidents?q=%FF", "/incidents?%00=1"])
def test_what_cannot_be_read_is_a_problem_too(speak: Speak, path: str) -> None:
    answer = speak("centre/commander").get(path)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert said(answer)["code"] == "bad_request"
    assert said(answer)["request_id"]


def test_no_problem_is_without_a_word(speak: Speak) -> None:
    answer = speak("centre/commander").get("/incidents?bbox=180,90,-180,-90")
    assert answer.status_code == 422
    assert said(answer)["detail"]
    assert said(answer)["errors"][0]["detail"]


@pytest.mark.parametrize("sly", ["\u200b\u200b", "\u2060", "\ufeff \u00ad", "\u3164", "\u2800\u2800"])
def test_a_text_nobody_can_see_is_empty(world: World, speak: Speak, sly: str) -> None:
    me = speak("centre/commander")
    answer = me.post(log_of(world), {"text": sly})
    assert answer.status_code in (400, 422), answer.content
    assert said(answer)["errors"][0]["pointer"] == "/text"
    kept = me.post(log_of(world), {"text": "seen", "headline_en": sly})
    assert kept.status_code == 201
    assert said(kept)["headline_en"] == ""


@pytest.mark.parametrize("sly", ["\u202egnp.exe", "a\u202db", "a\u2066b", "a\u2069b", "a\u202ab\u202c"])
def test_a_text_that_turns_its_line_round_is_refused(world: World, speak: Speak, sly: str) -> None:
    answer = speak("centre/commander").post(log_of(world), {"text": sly})
    assert answer.status_code in (400, 422), answer.content
    assert said(answer)["errors"][0]["pointer"] == "/text"


@pytest.mark.parametrize("fine", ["👩‍🚒 at the gate", "ئۈرۈمچى‎", "مرحبا‏ 3", "می‌خواهم"])
def test_a_text_of_another_script_is_kept_as_it_is(world: World, speak: Speak, fine: str) -> None:
    answer = speak("centre/commander").post(log_of(world), {"text": fine})
    assert answer.status_code == 201
    assert said(answer)["text"] == fine


@pytest.mark.parametrize(
    "odd",
    [
        "٢٠٢٦-05-01T10:00:00Z", "2026-W18-5T10:00:00Z", "20260501T100000Z", "2026-05-01T10Z", "2026-05-01T24:00:00Z",
        "2026-05-01T10:00:60Z", "2026-05-01T10:00:00+24:00", "2026-05-01T10:00:00.Z",
    ],
)  # fmt: skip
def test_only_rfc_3339_is_a_time(world: World, speak: Speak, odd: str) -> None:
    answer = speak("centre/commander").post(log_of(world), {"text": "x", "happened_at": odd})
    assert answer.status_code == 400
    assert said(answer)["errors"][0]["pointer"] == "/happened_at"


@pytest.mark.parametrize("fine", ["2026-05-01T10:00:00Z", "2026-05-01t10:00:00.123456789z", "2026-05-01T18:00+08:00"])
def test_rfc_3339_is_a_time(world: World, speak: Speak, fine: str) -> None:
    answer = speak("centre/commander").post(log_of(world), {"text": "x", "happened_at": fine})
    assert answer.status_code == 201
    assert said(answer)["happened_at"].startswith("2026-05-01T10:00:00")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, gzip"])
def test_a_packed_body_is_415_and_says_why(world: World, speak: Speak, coding: str) -> None:
    me = speak("centre/commander")
    for raw in (b'{"text": "plain after all"}', gzip.compress(b'{"text": "x"}')):
        answer = me.post(log_of(world), raw=raw, content_encoding=coding)
        assert (answer.status_code, said(answer)["code"]) == (415, "unsupported_coding")
        assert answer["Accept-Encoding"] == "identity"
    assert me.post(log_of(world), {"text": "x"}, content_encoding="identity").status_code == 201


@pytest.mark.parametrize("path", ["/duty", "/departments/{fire}/roster", "/instructions/{order}/ladder"])
def test_a_wall_is_told_nobodys_numbers(world: World, speak: Speak, path: str) -> None:
    path = path.format(fire=world.departments["fire"].pk, order=world.ids["instruction_id"])
    assert speak("centre/duty_officer").get(path).status_code == 200
    answer = speak("centre/display").get(path)
    assert (answer.status_code, said(answer)["code"]) == (403, "forbidden")

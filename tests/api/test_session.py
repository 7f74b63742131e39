"""Does a script sign in and out as a person, with and without a second factor?"""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import LazySettings
from django.test import Client

from tests.permissions.world import World

PASSWORD = "a quay without any fire 42"
PATH = "/api/v1/session"


@pytest.fixture
def officer(world: World, settings: LazySettings) -> Any:
    settings.MUSTER_REQUIRE_MFA = False
    person = world.people["fire/duty_officer"]
    person.set_password(PASSWORD)
    person.save()
    return person


def sign_in(client: Client, **more: Any) -> Any:
    body = {"user": "fire-duty_officer", "password": PASSWORD, "post": "duty_officer"} | more
    return client.post(PATH, body, content_type="application/json")


def test_in_who_am_i_and_out(officer: Any, world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    started = sign_in(client)
    assert started.status_code == 201, started.content
    assert started.json()["actor"] == {
        "kind": "person", "id": officer.pk, "department": world.departments["fire"].pk, "posts": ["duty_officer"],
        "scopes": [], "language": "zh-hans",
    }  # fmt: skip
    token = client.get(PATH).json()["csrf_token"]
    assert client.delete(PATH).status_code == 403
    assert client.delete(PATH, headers={"X-CSRFToken": token}).status_code == 204
    assert client.get(PATH).status_code == 401


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"password": "wrong"}, 401, "wrong_credentials"),
        ({"user": "nobody-of-that-name"}, 401, "wrong_credentials"),
        ({"post": "commander"}, 403, "no_post"),
        ({"department": 987654321}, 403, "no_post"),
        ({"user": "x" * 61}, 400, "invalid"),
        ({"user": "a\u0000"}, 400, "malformed"),
        ({"pass": "x"}, 400, "invalid"),
        ({"password": ["a"]}, 400, "invalid"),
    ],
)
def test_what_does_not_sign_in(officer: Any, change: dict[str, Any], status: int, code: str) -> None:
    answer = sign_in(Client(), **change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "session" not in answer.cookies or not answer.cookies["session"].value


def test_the_second_factor_is_asked_for(officer: Any) -> None:
    """S24: the second factor is asked for."""
    secret = generate_totp_secret()
    TOTP.activate(officer, secret)
    assert sign_in(Client()).json()["code"] == "code_needed"
    assert sign_in(Client(), code="000000").status_code == 401
    counter = next(iter(yield_hotp_counters_from_time()))
    code = format_hotp_value(hotp_value(secret, counter))
    assert sign_in(Client(), code=code).status_code == 201


def test_without_a_second_factor_where_one_is_required(officer: Any, settings: LazySettings) -> None:
    settings.MUSTER_REQUIRE_MFA = True
    answer = sign_in(Client())
    assert (answer.status_code, answer.json()["code"]) == (403, "factor_missing")


def test_wrong_tries_lock_the_name_with_a_word_when(officer: Any) -> None:
    client = Client()
    statuses = [sign_in(client, password="wrong").status_code for _ in range(6)]
    assert statuses[:5] == [401] * 5
    answer = sign_in(client)
    assert (answer.status_code, answer.json()["code"]) == (429, "sign_in_locked")
    assert int(answer["Retry-After"]) > 0


def test_a_form_of_another_site_cannot_sign_anybody_in(officer: Any) -> None:
    answer = Client().post(PATH, {"user": "fire-duty_officer", "password": PASSWORD})
    assert answer.status_code == 415


def test_whoever_acts_for_no_department_reads_nothing(world: World) -> None:
    for name in ("nobody", "superuser"):
        for path in ("/departments", "/duty", "/incidents", "/codes"):
            answer = world.clients[name].get(f"/api/v1{path}")
            assert (answer.status_code, answer.json()["code"]) == (403, "no_post")
        assert world.clients[name].get(PATH).status_code == 200

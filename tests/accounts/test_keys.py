"""Does a security key open the door for its owner, at this site, once for each asking, and for nobody else?"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts import queries
from accounts.models import OpenSession, Person
from coordination.events import clock
from coordination.events.models import Event
from tests.accounts.device import Device, asked_on, challenge_of
from tests.accounts.people import PASSWORD, person
from tests.accounts.people import cheap_passwords as cheap_passwords
from tests.accounts.people import officer as officer
from tests.accounts.test_signing import HERE, enter, totp

pytestmark = pytest.mark.django_db
LIST, ADD, CODE, KEY = "/settings/second-factor/", "/sign-in/second-factor/key/", "/sign-in/code/", "/sign-in/key/"


def browser() -> Client:
    """A browser at the name for which keys are made."""
    return Client(REMOTE_ADDR=HERE, SERVER_NAME="localhost")


def asked(client: Client, path: str) -> dict[str, Any]:
    return asked_on(client.get(path).content.decode())


@pytest.fixture
def device(officer: Person, settings) -> Device:
    """The officer's key, set up at the first sign-in."""
    settings.MUSTER_REQUIRE_MFA = True
    client, made = browser(), Device()
    assert enter(client)["Location"].startswith("/sign-in/second-factor/")
    assert ADD in client.get("/sign-in/second-factor/").content.decode()
    done = client.post(ADD, {"name": "on my ring", "credential": made.create(asked(client, ADD))})
    assert len(re.findall(r"<li><code>(\d+)</code>", done.content.decode())) == 10
    assert client.get("/sessions/").status_code == 200
    return made


def sent(client: Client, answer: str):
    return client.post(KEY, {"credential": answer, "next": "/sessions/"})


def waiting() -> Client:
    """A browser whose person's password was right."""
    client = browser()
    assert enter(client)["Location"].startswith(CODE)
    return client


def test_a_key_is_the_second_step(device: Device, officer: Person) -> None:
    """S24: the password alone opens nothing; the key does, and each use is noted."""
    client = waiting()
    assert client.get("/sessions/").status_code == 303
    answer = sent(client, device.get(asked(client, CODE)))
    assert (answer.status_code, answer["Location"]) == (303, "/sessions/")
    assert client.get("/sessions/").status_code == 200
    kept = queries.factors_of(officer.pk)[0]
    assert (kept.data["name"], kept.data["sign_count"]) == ("on my ring", device.count)
    assert kept.last_used_at is not None
    how = Event.objects.filter(type="session.started").order_by("pk").values_list("payload__how", flat=True)
    assert list(how) == ["password+new factor", "password+key"]
    assert "on my ring" in client.get(LIST).content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://muster.example.evil"}, {"origin": "http://127.0.0.1"}, {"site": "evil.example"},
        {"present": False}, {"step": 0},
    ],
)
def test_an_answer_from_elsewhere_or_of_a_copied_key_is_refused(device: Device, wrong: dict[str, Any]) -> None:
    first = waiting()
    assert sent(first, device.get(asked(first, CODE), step=5)).status_code == 303
    client = waiting()
    refused = sent(client, device.get(asked(client, CODE), **wrong))
    assert refused.status_code == 401
    assert 'role="alert"' in refused.content.decode()
    assert client.get("/sessions/").status_code == 303
    again = asked_on(refused.content.decode())
    assert sent(client, device.get(again)).status_code == 303


def test_a_challenge_is_good_once_and_for_its_session_alone(device: Device) -> None:
    client, other = waiting(), waiting()
    mine, theirs = asked(client, CODE), asked(other, CODE)
    assert challenge_of(mine) != challenge_of(theirs)
    assert len(challenge_of(mine)) >= 16
    answer = device.get(mine)
    assert sent(other, answer).status_code == 401
    assert sent(client, answer).status_code == 303
    third = waiting()
    asked(third, CODE)
    assert sent(third, answer).status_code == 401
    fourth = waiting()  # who never asked has no challenge
    assert sent(fourth, device.get(mine)).status_code == 401


def test_another_persons_key_opens_nothing(device: Device, officer: Person) -> None:
    other = person("fire2", (queries.department_by_code("fire"), "duty_officer"))
    stranger, theirs = browser(), Device()
    enter(stranger, other.username)
    stranger.post(ADD, {"name": "mine", "credential": theirs.create(asked(stranger, ADD))})
    client = waiting()
    assert sent(client, theirs.get(asked(client, CODE))).status_code == 401
    third = browser()
    enter(third, person("fire3").username)
    taken = third.post(ADD, {"name": "stolen", "credential": theirs.create(asked(third, ADD))})
    assert taken.status_code == 409
    assert Authenticator.objects.filter(type="webauthn").count() == 2


@pytest.mark.parametrize(
    "nonsense",
    [
        "", "{", "[]", "null", "1", "{}", '{"response": {}}', '{"id": 1, "rawId": [], "response": {"a": 1}}',
        '{"id":"a","rawId":"a","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA",'
        '"signature":"AA"}}',
        '{"id":"a","rawId":"a","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}',
        '{"id":"a","rawId":"a","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"%s"}}'
        % ("gYGB" * 4000),
        "x" * 30_000, "[" * 15_000, '{"response": {"clientDataJSON": "\\ud800"}}',
    ],
)  # fmt: skip
def test_nonsense_is_no_proof(device: Device, nonsense: str) -> None:
    client = waiting()
    asked(client, CODE)
    assert sent(client, nonsense).status_code == (401 if nonsense else 422)
    new = browser()
    enter(new, person("fire4").username)
    asked(new, ADD)
    assert new.post(ADD, {"name": "x", "credential": nonsense}).status_code == 401
    assert new.get("/sessions/").status_code == 303
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_wrong_answers_count_as_guesses(device: Device) -> None:
    """S26: a key's wrong answers lock like a code's, and passwords with them."""
    client = waiting()
    assert [sent(client, "{}").status_code for _n in range(6)] == [401] * 5 + [429]
    assert enter(browser()).status_code == 429


def test_keys_and_codes_stand_beside_each_other(device: Device, officer: Person) -> None:
    client = waiting()
    sent(client, device.get(asked(client, CODE)))
    first = queries.factors_of(officer.pk)[0]
    # the last one stays; every change asks for the password first
    assert f"{LIST}{first.pk}/remove/" not in client.get(LIST).content.decode()
    for path in (f"{LIST}{first.pk}/remove/", f"{LIST}codes/"):
        assert client.post(path)["Location"].startswith("/sign-in/password/")
    assert client.get(ADD)["Location"].startswith("/sign-in/password/")
    client.post("/sign-in/password/", {"password": PASSWORD})
    assert client.post(f"{LIST}{first.pk}/remove/").status_code == 409
    page = client.get("/sign-in/second-factor/").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]
    assert client.post("/sign-in/second-factor/", {"code": totp(secret)})["Location"] == LIST
    second = Device()
    options = asked(client, ADD)
    assert len(options["excludeCredentials"]) == 1
    assert client.post(ADD, {"name": "spare", "credential": second.create(options)})["Location"] == LIST
    assert len(queries.factors_of(officer.pk)) == 3
    before = queries.recovery_codes_left(officer.pk)
    codes = re.findall(r"<li><code>(\d+)</code>", client.post(f"{LIST}codes/").content.decode())
    assert (len(codes), before) == (10, 10)
    assert client.post(f"{LIST}{first.pk}/remove/").status_code == 303
    assert client.post(f"{LIST}{first.pk}/remove/").status_code == 404
    assert [one.type for one in queries.factors_of(officer.pk)] == ["totp", "webauthn"]
    again = waiting()
    assert sent(again, device.get(asked(again, CODE))).status_code == 401
    assert sent(again, second.get(asked(again, CODE))).status_code == 303
    said = Event.objects.filter(actor_id=officer.pk, type__startswith="factor.").order_by("pk")
    assert [(one.type, one.payload["factor"]) for one in said] == [
        ("factor.enrolled", "webauthn"), ("factor.enrolled", "totp"), ("factor.enrolled", "webauthn"),
        ("factor.new_codes", "recovery_codes"), ("factor.removed", "webauthn"),
    ]  # fmt: skip


def test_nobody_elses_factor_can_be_touched(device: Device, officer: Person, settings) -> None:
    mine = queries.factors_of(officer.pk)[0]
    settings.MUSTER_REQUIRE_MFA = False
    other = person("fire2", (queries.department_by_code("fire"), "duty_officer"))
    client = browser()
    enter(client, other.username)
    client.post("/sign-in/password/", {"password": PASSWORD})
    assert client.post(f"{LIST}{mine.pk}/remove/").status_code == 404
    assert client.post(f"{LIST}codes/").status_code == 404
    assert queries.has_key(officer.pk)


def test_a_stranger_with_the_password_adds_no_factor_beside_the_first(device: Device, officer: Person) -> None:
    """Somebody signed in as another person, who knows the officer's password, stays outside of the officer's keys."""
    client = browser()
    other = person("fire2", (queries.department_by_code("fire"), "duty_officer"))
    enter(client, other.username)
    theirs = Device()
    client.post(ADD, {"name": "mine", "credential": theirs.create(asked(client, ADD))})
    assert client.get("/sessions/").status_code == 200
    assert enter(client)["Location"].startswith(CODE)
    for path in (ADD, "/sign-in/second-factor/"):
        assert client.get(path).status_code == 303
        assert client.post(path, {"name": "x", "code": "123456", "credential": "{}"}).status_code == 303
    assert len(queries.factors_of(officer.pk)) == 1


def test_the_second_step_waits_five_minutes(device: Device) -> None:
    client = waiting()
    answer = device.get(asked(client, CODE))
    try:
        clock.travel(timedelta(minutes=6))
        assert sent(client, answer)["Location"].startswith("/sign-in/?")
    finally:
        clock.travel(None)
    assert OpenSession.objects.count() == 1


def test_secrets_of_codes_are_sealed(officer: Person, settings) -> None:
    """A copy of the tables alone makes no codes; an older key of the installation still opens them."""
    settings.MUSTER_REQUIRE_MFA = True
    client = browser()
    enter(client)
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", client.get("/sign-in/second-factor/").content.decode())[1]
    client.post("/sign-in/second-factor/", {"code": totp(secret)})
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 60
    assert queries.recovery_codes_left(officer.pk) == 10

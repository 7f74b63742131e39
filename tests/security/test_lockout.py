"""S26: do a thousand guesses lead nowhere, and does nobody at their own desk feel them?"""

from __future__ import annotations

import json
import logging
import time
from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessLog
from django.db.models import F, Sum
from django.test import Client, RequestFactory

from accounts import actions, devices, lockout
from accounts.models import OpenSession, Person
from coordination.events.models import Refusal
from tests.accounts.people import PASSWORD, department, person
from tests.accounts.people import cheap_passwords as cheap_passwords

pytestmark = pytest.mark.django_db
PATH, ROOM, OUTSIDE = "/sign-in/", "10.20.0.1", "203.0.113.9"


@pytest.fixture(autouse=True)
def _quiet(caplog) -> None:
    caplog.set_level(logging.ERROR, "axes")  # a line for each of thousands of guesses


@pytest.fixture
def crew() -> list[Person]:
    """Forty people of one control room."""
    fire = department("fire")
    return [person(f"fire{n}", (fire, "duty_officer")) for n in range(40)]


def guess(name: str, password: str = "a guess of enough letters", *, address: str = ROOM, client: Client | None = None):
    sent = {"username": name, "password": password}
    return (client or Client()).post(PATH, sent, REMOTE_ADDR=address)


def tried(name: str, password: str = "a guess of enough letters", *, address: str = ROOM) -> str:
    """The same judged without a page around it (a thousand pages take a minute): in, wrong or locked."""
    request = RequestFactory(REMOTE_ADDR=address).post(PATH)
    try:
        actions.check_password(request, name, password)
    except actions.WrongCredentials:
        return "wrong"
    except actions.SignInLocked as refused:
        assert refused.extra["retry_after"] > 0
        return f"locked {refused.extra['retry_after']}"
    return "in"


@pytest.fixture
def three_a_minute(settings) -> None:
    """Three tries a minute and place; not begun in the last seconds of a minute, which are counted by the clock."""
    settings.MUSTER_API_LIMITS = {**settings.MUSTER_API_LIMITS, "sign_in": 3}
    if time.time() % 60 > 50:
        time.sleep(60 - time.time() % 60)


def later(seconds: float) -> None:
    """Let time pass for the book of tries."""
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(seconds=seconds))


def test_a_thousand_guesses_from_one_address(crew: list[Person]) -> None:
    """S26: five are judged; the rest hear how long to wait, and the right password is not even looked at."""
    answers = [tried("fire0", PASSWORD if n > 500 else f"guess {n}", address=OUTSIDE) for n in range(1000)]
    assert answers[:5] == ["wrong"] * 5
    assert all(0 < int(one.removeprefix("locked ")) <= 60 for one in answers[5:])
    page = guess("fire0", PASSWORD, address=OUTSIDE)
    assert page.status_code == 429
    assert 0 < int(page["Retry-After"]) <= 60
    assert not OpenSession.objects.exists()
    assert Refusal.objects.filter(code="sign_in_locked").count() == 1


def test_a_patient_guesser_gets_a_hundred_tries_a_day(crew: list[Person]) -> None:
    """S26: whoever waits exactly as long as told gets 30 strange tries an hour at most, and about 100 a day."""
    judged, clock = 0, 0.0
    while clock < 86_400:
        answer = tried("fire0", address=OUTSIDE)
        judged += answer == "wrong"
        if answer != "wrong":
            waited = int(answer.removeprefix("locked "))
            clock += waited
            later(waited)
    assert 20 <= judged <= 120
    assert AccessAttempt.objects.aggregate(n=Sum("failures_since_start"))["n"] <= judged


def test_a_thousand_guesses_from_a_thousand_addresses(crew: list[Person]) -> None:
    """S26: all strange addresses together have 30 tries an hour for a name; elsewhere nobody feels it."""
    desk = Client()
    assert guess("fire0", PASSWORD, client=desk).status_code == 303
    answers = [tried("fire0", PASSWORD if n >= 30 else "wrong", address=f"198.{18 + n // 250}.{n % 250}.7")
               for n in range(1000)]  # fmt: skip
    assert answers.count("wrong") == lockout.ELSEWHERE_LIMIT
    assert "in" not in answers
    assert desk.get("/sessions/").status_code == 200
    assert guess("fire0", PASSWORD).status_code == 303
    assert guess("fire0", PASSWORD, address=OUTSIDE).status_code == 429
    assert guess("fire1", PASSWORD, address=OUTSIDE).status_code == 303
    later(3700)
    assert guess("fire0", PASSWORD, address=OUTSIDE).status_code == 303


def test_an_attacker_in_the_control_room_locks_nobody_at_their_own_desk(crew: list[Person]) -> None:
    """S26: forty people behind one address; 1,000 guesses from there at all their names; open sessions go on, each
    signs in at their own browser at once, and no guess passes."""
    desks = {one.username: Client() for one in crew}
    for name, desk in desks.items():
        assert guess(name, PASSWORD, client=desk).status_code == 303
    half = list(desks)[:20]
    for name in half:
        assert desks[name].post("/sign-out/").status_code == 303
    answers = [tried(f"fire{n % 40}", PASSWORD if n >= 200 else "wrong") for n in range(1000)]
    assert answers.count("wrong") == 40 * 5
    assert "in" not in answers
    for name, desk in desks.items():
        if name in half:
            assert guess(name, PASSWORD, client=desk).status_code == 303, name
        else:
            assert desk.post("/settings/theme/", {"theme": "dark"}, REMOTE_ADDR=ROOM).status_code == 303
    assert OpenSession.objects.count() == 40
    assert Person.objects.filter(theme="dark").count() == 20
    assert guess("fire0", PASSWORD).status_code == 429


def test_wrong_tries_at_ones_own_desk_count_there(crew: list[Person]) -> None:
    """Whoever took somebody's browser has no more tries than anybody else."""
    desk = Client()
    guess("fire0", PASSWORD, client=desk)
    desk.post("/sign-out/")
    assert [guess("fire0", "wrong", client=desk).status_code for _n in range(6)] == [401] * 5 + [429]
    assert guess("fire0", PASSWORD).status_code == 303
    assert guess("fire1", PASSWORD, client=desk).status_code == 303


def test_the_cookie_of_a_known_browser_opens_nothing_and_cannot_be_made(crew: list[Person]) -> None:
    desk = Client()
    guess("fire0", PASSWORD, client=desk)
    kept = desk.cookies["device"]
    assert (kept["httponly"], kept["samesite"], kept["path"]) == (True, "Lax", "/")
    assert "fire0" not in kept.value
    thief = Client()
    thief.cookies["device"] = kept.value
    assert thief.get("/sessions/").status_code == 303
    for n, value in enumerate((kept.value[:-3] + "abc", "x", "", "x" * 2000, "e30:1:x")):
        forged = Client()
        forged.cookies["device"] = value
        assert guess("fire1", "wrong", address=f"10.9.0.{n}", client=forged).status_code == 401
    assert AccessAttempt.objects.filter(ip_address__startswith="100:").count() == 0
    # good for whoever signed in with it, and for nobody else
    other = Client()
    other.cookies["device"] = kept.value
    guess("fire1", "wrong", address="10.9.1.1", client=other)
    assert AccessAttempt.objects.get(username="fire1", ip_address="10.9.1.1")


def test_a_shared_browser_knows_those_who_take_turns_at_it(crew: list[Person]) -> None:
    shared = Client()
    for one in crew[: devices.MOST + 1]:
        assert guess(one.username, PASSWORD, client=shared).status_code == 303
        shared.post("/sign-out/")
    assert len(shared.cookies["device"].value) < 1000
    for name in ("fire1", f"fire{devices.MOST}"):
        guess(name, "wrong", client=shared)
        assert AccessAttempt.objects.get(username=name).ip_address.startswith("100:")
    guess("fire0", "wrong", client=shared)  # the one before all of them is a stranger again
    assert AccessAttempt.objects.get(username="fire0").ip_address == ROOM
    assert AccessLog.objects.filter(username="fire1", ip_address=ROOM).exists()


def test_an_address_has_no_end_of_tries_for_names_that_nobody_has(crew: list[Person], three_a_minute: None) -> None:
    """S26: each try costs a hash of 100 MB, whatever name it is for: the page counts them as the API does."""
    answers = [guess(f"nobody{n}", address=OUTSIDE) for n in range(5)]
    assert [one.status_code for one in answers] == [401, 401, 401, 429, 429]
    assert 0 < int(answers[4]["Retry-After"]) <= 60
    assert "Too many people sign in from here" in Client(headers={"accept-language": "en"}).post(
        PATH, {"username": "x", "password": "y"}, REMOTE_ADDR=OUTSIDE
    ).content.decode()
    assert AccessAttempt.objects.filter(ip_address=OUTSIDE).count() == 3
    assert Refusal.objects.filter(code="rate_limited", address=OUTSIDE).count() == 3
    body = json.dumps({"user": "fire1", "password": PASSWORD})
    at_the_api = Client().post("/api/v1/session", body, content_type="application/json", REMOTE_ADDR=OUTSIDE)
    assert at_the_api.status_code == 429
    assert guess("fire1", PASSWORD).status_code == 303


def test_whoever_uses_up_the_rooms_tries_keeps_nobody_from_their_own_browser(
    crew: list[Person], three_a_minute: None
) -> None:
    """S26: the same address, but a browser that its person has signed in with counts for itself."""
    desk = Client()
    assert guess("fire0", PASSWORD, client=desk).status_code == 303
    desk.post("/sign-out/")
    assert [guess(f"nobody{n}").status_code for n in range(4)] == [401, 401, 429, 429]
    assert guess("fire0", PASSWORD, client=desk).status_code == 303
    assert guess("fire1", PASSWORD, client=desk).status_code == 429  # a name it does not know is the address's


def test_the_way_to_the_identity_provider_is_counted_too(
    crew: list[Person], three_a_minute: None, settings
) -> None:
    settings.MUSTER_OIDC_ISSUER = "http://127.0.0.1:9"
    desk = Client()
    guess("fire0", PASSWORD, client=desk)
    for _n in range(2):
        guess("nobody")
    stranger = Client().post("/sign-in/identity/", REMOTE_ADDR=ROOM)
    assert stranger.status_code == 429
    assert 0 < int(stranger["Retry-After"]) <= 60
    assert desk.post("/sign-in/identity/", REMOTE_ADDR=ROOM).status_code == 503  # on its way: the provider is away

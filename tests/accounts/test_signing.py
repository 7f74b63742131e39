"""Who comes in, who does not, and how does a session end?"""

from __future__ import annotations

import re
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Sum
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import actions, lockout, queries
from accounts.models import OpenSession, Person
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.models import Event, Refusal
from tests.accounts.people import PASSWORD, department, person
from tests.accounts.people import cheap_passwords as cheap_passwords
from tests.accounts.people import officer as officer

pytestmark = pytest.mark.django_db
HERE, THERE = "10.1.1.1", "10.9.9.9"


def browser(address: str = HERE) -> Client:
    """A browser at an address."""
    return Client(REMOTE_ADDR=address)


def enter(client: Client, username: str = "fire1", password: str = PASSWORD, **more: str):
    """Send the sign-in form."""
    return client.post("/sign-in/", {"username": username, "password": password, **more})


def totp(secret: str) -> str:
    """The code an authenticator shows now."""
    counters = list(yield_hotp_counters_from_time())
    return format_hotp_value(hotp_value(secret, counters[len(counters) // 2]))


def test_right_password_opens_a_session_for_the_only_department(officer: Person) -> None:
    client = browser()
    assert client.get("/sign-in/").status_code == 200
    answer = enter(client, next="/sessions/")
    assert (answer.status_code, answer["Location"]) == (303, "/sessions/")
    kept = OpenSession.objects.get()
    assert (kept.person, kept.address, kept.department.code) == (officer, HERE, "fire")
    assert client.session.session_key == kept.session_key
    assert client.session.get_expiry_date() <= timezone.now() + timedelta(hours=12)
    assert Event.objects.filter(type="session.started", actor_id=officer.pk).count() == 1


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x"])
def test_sign_in_leads_nobody_off(officer: Person, wanted: str) -> None:
    assert enter(browser(), next=wanted)["Location"].startswith("/")
    assert "evil" not in enter(browser(), next=wanted)["Location"]


@pytest.mark.parametrize(
    ("username", "password"),
    [("fire1", "wrong"), ("nobody", PASSWORD), ("FIRE1", PASSWORD), ("x" * 60, "y"), ("fire1", "z" * 1000)],
)
def test_wrong_is_wrong_and_never_says_what(officer: Person, username: str, password: str) -> None:
    answer = enter(browser(), username, password)
    assert answer.status_code == 401
    assert not OpenSession.objects.exists()
    assert Refusal.objects.filter(code="wrong_credentials").count() == 1
    shown = re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", answer.content).replace(username.encode(), b"")
    other = enter(browser(), "somebody", "wrong").content
    other = re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", other).replace(b"somebody", b"")
    assert shown == other


@pytest.mark.parametrize(
    "data",
    [
        {}, {"username": "a"}, {"username": "\x00", "password": "b"}, {"username": "a" * 61, "password": "b"},
    ],
)
def test_bad_forms_are_answered(officer: Person, data: dict[str, str]) -> None:
    assert browser().post("/sign-in/", data).status_code in (400, 422)


def test_the_id_changes_at_sign_in_and_with_the_department(officer: Person) -> None:
    """S27: the id changes at sign in and with the department."""
    client = browser()
    client.get("/sign-in/")
    session = client.session
    session["x"] = 1
    session.save()
    client.cookies["session"] = before = session.session_key
    enter(client)
    first = client.session.session_key
    assert first != before
    water = department("water")
    actions.appoint(actor=SYSTEM, now=clock.now(), department_id=water.pk, person_id=officer.pk, post="head")
    assert client.post("/act-for/", {"department": water.pk, "next": "/sessions/"})["Location"] == "/sessions/"
    assert client.session.session_key != first
    assert OpenSession.objects.get().department == water
    assert client.post("/act-for/", {"department": department("other").pk}).status_code == 403
    assert client.post("/act-for/", {"department": "x"}).status_code == 403


def test_several_departments_are_asked_for(officer: Person) -> None:
    water = department("water")
    actions.appoint(actor=SYSTEM, now=clock.now(), department_id=water.pk, person_id=officer.pk, post="head")
    client = browser()
    assert enter(client)["Location"].startswith("/act-for/")
    shown = client.get("/act-for/").content.decode()
    assert "water" in shown
    assert "fire" in shown
    client.post("/act-for/", {"department": water.pk})
    assert client.session["department_id"] == water.pk


def test_lock_climbs_and_binds_name_and_address_only(officer: Person) -> None:
    """S26: lock climbs and binds name and address only."""
    other = person("fire2", (queries.department_by_code("fire"), "duty_officer"))
    colleague = browser()
    enter(colleague, other.username)
    client = browser()
    answers = [enter(client, password="wrong").status_code for _n in range(6)]
    assert answers == [401] * 5 + [429]
    locked = enter(client)
    assert locked.status_code == 429
    assert 0 < int(locked["Retry-After"]) <= 60
    assert enter(browser(), other.username).status_code == 303
    assert enter(browser(THERE)).status_code == 303
    assert colleague.get("/sessions/").status_code == 200
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(seconds=61))
    assert [enter(client, password="wrong").status_code for _n in range(6)] == [401] * 5 + [429]
    assert int(enter(client)["Retry-After"]) > 60
    assert [lockout.wait_after(n).total_seconds() / 60 for n in (4, 5, 6, 10, 14, 15, 40)] == [0, 1, 0, 5, 0, 15, 15]


def test_a_whole_control_room_behind_one_address_is_not_locked() -> None:
    fire = department("fire")
    people = [person(f"fire{n}", (fire, "duty_officer")) for n in range(12)]
    for one in people:
        for _n in range(3):
            assert enter(browser(), one.username, "wrong").status_code == 401
    for one in people:
        assert enter(browser(), one.username).status_code == 303


@pytest.mark.django_db(transaction=True)
def test_guesses_sent_at_once_are_judged_one_by_one() -> None:
    person("fire1", (department("fire"), "duty_officer"))
    ready, answers = Barrier(10), []

    def guess() -> None:
        client = browser()
        ready.wait()
        try:
            answers.extend(enter(client, password="wrong").status_code for _n in range(3))
        finally:
            connection.close()

    threads = [Thread(target=guess) for _n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {401, 429}
    assert answers.count(401) <= 5
    assert AccessAttempt.objects.aggregate(n=Sum("failures_since_start"))["n"] == answers.count(401)


def test_scripts_sign_in_at_once(officer: Person, settings) -> None:
    def request(address: str = HERE):
        made = RequestFactory(REMOTE_ADDR=address).post("/api/v1/session")
        made.session = Client().session
        return made

    actor = actions.sign_in(request(), "fire1", PASSWORD)
    assert actor.posts == {"duty_officer"}
    assert actions.sign_in(request(), "fire1", PASSWORD, post="fire/duty_officer") == actor
    assert actions.sign_in(request(), "fire1", PASSWORD, post="duty_officer") == actor
    for post in ("water", "fire/head", "head"):
        with pytest.raises(actions.NoPost):
            actions.sign_in(request(), "fire1", PASSWORD, post=post)
    settings.MUSTER_REQUIRE_MFA = True
    with pytest.raises(actions.FactorMissing):
        actions.sign_in(request(), "fire1", PASSWORD)
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    Authenticator.objects.create(user=officer, type="totp", data={"secret": secret})
    with pytest.raises(actions.CodeNeeded):
        actions.sign_in(request(), "fire1", PASSWORD)
    with pytest.raises(actions.WrongCredentials):
        actions.sign_in(request(), "fire1", PASSWORD, code="999999999")
    assert actions.sign_in(request(), "fire1", PASSWORD, code=totp(secret)) == actor


def test_the_list_shows_sessions_and_ends_them_elsewhere(officer: Person) -> None:
    desk, phone = browser(), browser(THERE)
    enter(desk)
    enter(phone)
    shown = desk.get("/sessions/").content.decode()
    assert HERE in shown
    assert THERE in shown
    theirs = OpenSession.objects.get(address=THERE)
    stranger = person("water1", (department("water"), "head"))
    other = browser()
    enter(other, stranger.username)
    assert other.post(f"/sessions/{theirs.pk}/end/").status_code == 404
    assert phone.get("/sessions/").status_code == 200
    assert desk.post(f"/sessions/{theirs.pk}/end/").status_code == 303
    assert phone.get("/sessions/").status_code == 303
    assert desk.get("/sessions/").status_code == 200
    assert desk.post(f"/sessions/{theirs.pk}/end/").status_code == 404
    assert not queries.session_open(theirs.session_key, clock.now())


def test_signing_out_and_deactivation_end_sessions(officer: Person) -> None:
    """S27: signing out and deactivation end sessions."""
    first, second = browser(), browser(THERE)
    enter(first)
    enter(second)
    key = first.session.session_key
    assert first.post("/sign-out/").status_code == 303
    assert first.get("/sessions/").status_code == 303
    assert not Session.objects.filter(session_key=key).exists()
    actions.deactivate_person(actor=SYSTEM, now=clock.now(), person_id=officer.pk)
    assert second.get("/sessions/").status_code == 303
    assert not OpenSession.objects.exists()
    assert enter(browser()).status_code == 401
    assert first.get("/sign-out/").status_code == 405


def test_a_session_lasts_twelve_hours_at_most(officer: Person) -> None:
    """S28: a session lasts twelve hours at most."""
    client = browser()
    enter(client)
    try:
        clock.travel(timedelta(hours=11, minutes=59))
        assert client.get("/sessions/").status_code == 200
        clock.travel(timedelta(minutes=2))
        assert client.get("/sessions/").status_code == 303
    finally:
        clock.travel(None)


def test_losing_the_post_takes_the_department_away(officer: Person) -> None:
    client = browser()
    enter(client)
    membership = officer.memberships.get()
    actions.end_membership(actor=SYSTEM, now=clock.now(), membership_id=membership.pk)
    assert "ops-choices" not in client.get("/act-for/").content.decode()
    assert client.get("/sessions/").status_code == 200


def test_language_and_theme_stay_on_the_page(officer: Person) -> None:
    client = browser()
    answer = client.post("/settings/language/", {"language": "en", "next": "/sign-in/?next=%2Fsessions%2F"})
    assert answer["Location"] == "/sign-in/?next=%2Fsessions%2F"
    assert "Sign in" in client.get("/sign-in/").content.decode()
    assert client.post("/settings/language/", {"language": "xx"}).status_code == 303
    assert client.post("/settings/theme/", {"theme": "dark"}).status_code == 303
    enter(client)
    client.post("/settings/theme/", {"theme": "dark", "compact": "1"})
    client.post("/settings/language/", {"language": "en"})
    client.post("/settings/theme/", {"theme": "pink"})
    officer.refresh_from_db()
    assert (officer.theme, officer.language, officer.compact) == ("dark", "en", True)


def test_a_link_sets_a_good_password_once(officer: Person) -> None:
    now = clock.now()
    newcomer = actions.add_person(
        actor=SYSTEM, now=now, department_id=officer.memberships.get().post.department_id, username="fire9",
        name_zh="新", name_en="New",
    )
    assert enter(browser(), "fire9", "").status_code == 422
    link = f"/sign-in/link/{actions.link_for(actor=SYSTEM, now=now, person_id=newcomer.pk)}/"
    client = browser()
    assert client.get(link).status_code == 200
    for weak in ("short", "passwordpassword"[:8], "1234567890123"):
        assert client.post(link, {"password": weak, "again": weak}).status_code == 422
    assert client.post(link, {"password": PASSWORD, "again": PASSWORD + "x"}).status_code == 422
    assert client.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 200
    assert client.get(link).status_code == 404
    assert client.get("/sign-in/link/x/y/").status_code == 404
    newcomer.refresh_from_db()
    assert newcomer.check_password(PASSWORD)


def test_the_first_person_comes_in_by_a_link_and_nobody_by_default(capsys) -> None:
    """S23: the first person comes in by a link and nobody by default."""
    from django.core.management import CommandError, call_command

    department("city")
    assert not Person.objects.exists()
    call_command("invite", "boss", "city")
    link = capsys.readouterr().out.strip()
    client = browser()
    assert client.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 200
    assert enter(client, "boss").status_code == 303
    assert client.session["department_id"]
    for wrong in (["boss", "nowhere"], ["boss", "city", "--post", "auditor"], ["x" * 61, "city"]):
        with pytest.raises(CommandError):
            call_command("invite", *wrong)


def test_what_is_over_is_deleted(officer: Person) -> None:
    from accounts.purge import purge

    client = browser()
    enter(client)
    enter(browser(THERE), password="wrong")
    actions.pairing(claim="", address=HERE, now=clock.now())
    assert purge(now=clock.now()) == 0
    assert purge(now=clock.now() + timedelta(days=31)) == 6
    assert not OpenSession.objects.exists()
    assert client.get("/sessions/").status_code == 303

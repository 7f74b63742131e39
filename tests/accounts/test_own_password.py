"""Can people change their own password, and does it end what it must?"""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import OpenSession, Person
from coordination.events.models import Event, Refusal
from tests.accounts.people import PASSWORD
from tests.accounts.people import cheap_passwords as cheap_passwords
from tests.accounts.people import officer as officer

pytestmark = pytest.mark.django_db
PAGE = "/settings/password/"
NEW = "the heron stands by the pump"


def entered(password: str = PASSWORD) -> Client:
    client = Client()
    assert client.post("/sign-in/", {"username": "fire1", "password": password}).status_code == 303
    return client


def change(client: Client, current: str = PASSWORD, password: str = NEW, again: str = NEW):
    return client.post(PAGE, {"current": current, "password": password, "again": again})


def test_a_changed_password_keeps_this_session_and_ends_the_others(officer: Person) -> None:
    here, elsewhere = entered(), entered()
    assert PAGE in here.get("/sessions/").content.decode()
    answer = change(here)
    assert (answer.status_code, answer["Location"]) == (303, "/sessions/")
    assert here.get("/sessions/").status_code == 200
    assert elsewhere.get("/sessions/").status_code == 303
    assert list(OpenSession.objects.values_list("session_key", flat=True)) == [here.session.session_key]
    assert Event.objects.filter(type="person.password_set", actor_id=officer.pk).count() == 1
    assert Client().post("/sign-in/", {"username": "fire1", "password": PASSWORD}).status_code == 401
    assert entered(NEW).session.session_key


def test_the_password_so_far_must_be_right_and_wrong_tries_are_noted(officer: Person) -> None:
    client, elsewhere = entered(), entered()
    answer = change(client, current="wrong")
    assert answer.status_code == 401
    assert NEW not in answer.content.decode()
    assert Refusal.objects.filter(code="wrong_credentials").count() == 1
    assert elsewhere.get("/sessions/").status_code == 200
    officer.refresh_from_db()
    assert officer.check_password(PASSWORD)


def test_a_password_that_will_not_do_is_refused_at_its_field(officer: Person) -> None:
    client = entered()
    answer = change(client, password="short", again="short")
    said = answer.content.decode()
    assert answer.status_code == 422
    assert "id_password_error" in said
    assert "15" in said
    assert change(client, again="something else").status_code == 422
    officer.refresh_from_db()
    assert officer.check_password(PASSWORD)
    assert client.get("/sessions/").status_code == 200


def test_strangers_are_sent_to_sign_in() -> None:
    for answer in (Client().get(PAGE), change(Client())):
        assert (answer.status_code, answer["Location"].split("?")[0]) == (303, "/sign-in/")

"""Is the person who was read along with a session taken for its owner only where Django itself would take them?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import OpenSession, Person
from tests.accounts.people import cheap_passwords as cheap_passwords
from tests.accounts.people import department, person
from tests.accounts.people import officer as officer
from tests.accounts.test_signing import browser, enter

pytestmark = pytest.mark.django_db
WHO = "/api/v1/session"


def entered() -> Client:
    client = browser()
    enter(client)
    return client


def test_session_and_person_are_one_question(officer: Person) -> None:
    client = entered()
    client.get(WHO)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(WHO).json()["actor"]["id"] == officer.pk
    texts = [one["sql"] for one in asked]
    assert "kept" in texts[0], texts[0]
    assert not [sql for sql in texts if 'FROM "accounts_person" WHERE "accounts_person"."id" =' in sql]


def switched_off(officer: Person) -> None:
    Person.objects.filter(pk=officer.pk).update(is_active=False)


def new_password(officer: Person) -> None:
    officer.set_password("another password than before")
    Person.objects.filter(pk=officer.pk).update(password=officer.password)


@pytest.mark.parametrize("change", [switched_off, new_password])
def test_a_session_does_not_outlive(officer: Person, change: Callable[[Person], None]) -> None:
    """By the row alone: whatever ends sessions otherwise has not run."""
    client = entered()
    assert client.get(WHO).status_code == 200
    change(officer)
    assert OpenSession.objects.filter(person=officer).exists()
    assert client.get(WHO).status_code == 401


def test_the_session_says_who_it_is_not_the_list(officer: Person) -> None:
    """A row of the list that names somebody else makes nobody somebody else."""
    client = entered()
    other = person("other", (department("other"), "head"))
    OpenSession.objects.filter(person=officer).update(person=other)
    assert client.get(WHO).json()["actor"]["id"] == officer.pk


def test_a_way_of_signing_in_that_is_no_longer_allowed_recognises_nobody(
    officer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = entered()
    monkeypatch.setattr(settings, "AUTHENTICATION_BACKENDS", ["guardian.backends.ObjectPermissionBackend"])
    assert client.get(WHO).status_code == 401


def test_a_cookie_that_no_database_can_hold_is_no_session(officer: Person) -> None:
    """Plain ASCII on the line: the octal stands for NUL."""
    cookie = f'{settings.SESSION_COOKIE_NAME}="abcdefgh\\000ijk"'
    assert browser().get(WHO, headers={"cookie": cookie}).status_code == 401

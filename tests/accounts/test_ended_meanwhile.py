"""Does a session that is ended stay ended, whatever its own requests do at that moment?"""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from accounts import actions
from accounts.actions import signing
from accounts.models import OpenSession, Person
from coordination.config.sessions import SessionStore
from coordination.events import clock
from coordination.events.actor import SYSTEM, Actor
from tests.accounts.people import PASSWORD
from tests.accounts.people import cheap_passwords as cheap_passwords
from tests.accounts.people import officer as officer
from tests.accounts.test_signing import HERE, browser, enter

pytestmark = pytest.mark.django_db


def under_way(client: Client, officer: Person) -> HttpRequest:
    """A request of this browser, its session read, its act still to come."""
    request = RequestFactory(REMOTE_ADDR=HERE).post("/")
    request.session, request.user = SessionStore(client.session.session_key), officer
    assert request.session[SESSION_KEY] == str(officer.pk)
    return request


@pytest.mark.parametrize("act", ["act_for", "wake", "keep_session"])
def test_a_session_ended_while_its_request_is_under_way_stays_ended(officer: Person, act: str) -> None:
    """S27: its new id would have been a new session, in nobody's list."""
    client, now = browser(), clock.now()
    enter(client)
    request, actor = under_way(client, officer), Actor("person", officer.pk)
    actions.end_session(actor=actor, now=now, session_id=OpenSession.objects.get().pk)
    with pytest.raises(signing.SessionOver):
        if act == "act_for":
            fire = officer.memberships.get().post.department_id
            actions.act_for(request=request, actor=actor, department_id=fire, now=now)
        elif act == "wake":
            signing.wake(request=request, now=now)
        else:
            signing.keep_session(request=request, person=officer)
    assert not Session.objects.exists()
    assert not OpenSession.objects.exists()
    assert request.session.is_empty()
    assert not request.user.is_authenticated


def ended_meanwhile(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware: once the request's session is read, its person ends it on another device."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and SESSION_KEY in request.session:
            actor = Actor("person", int(request.session[SESSION_KEY]))
            actions.end_session(actor=actor, now=clock.now(), session_id=OpenSession.objects.get().pk)
        return get_response(request)

    return answer


@pytest.mark.parametrize("path", ["/act-for/", "/sign-in/password/", "/settings/password/"])
def test_whoever_acts_in_a_session_that_ends_meanwhile_is_told(officer: Person, settings: Any, path: str) -> None:
    before = browser()
    enter(before)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.accounts.test_ended_meanwhile.ended_meanwhile"]
    new = "another good long password"
    fire = officer.memberships.get().post.department_id
    sent = {
        "/act-for/": {"department": fire},
        "/sign-in/password/": {"password": PASSWORD},
        "/settings/password/": {"current": PASSWORD, "password": new, "again": new},
    }
    client = Client(REMOTE_ADDR=HERE, headers={"accept-language": "en"})
    client.cookies = before.cookies
    answer = client.post(path, sent[path])
    assert answer.status_code == 401
    assert "This session was ended elsewhere. Sign in again." in answer.content.decode()
    assert client.get("/sessions/").status_code == 303
    assert not Session.objects.exists()
    assert Person.objects.get(pk=officer.pk).check_password(PASSWORD)


def test_whoever_is_half_way_in_goes_on_under_another_id(officer: Person) -> None:
    """Before anybody is in it, a session stands in nobody's list."""
    request = RequestFactory(REMOTE_ADDR=HERE).post("/")
    request.session = SessionStore()
    request.session["pending_sign_in"] = {"person": officer.pk}
    request.session.save()
    before = request.session.session_key
    signing.renew(request)
    assert request.session.session_key != before
    assert list(Session.objects.values_list("session_key", flat=True)) == [request.session.session_key]


@pytest.mark.django_db(transaction=True)
def test_ending_and_renewing_at_once_leave_no_session_behind(officer: Person) -> None:
    """S27: whichever comes first, and neither waits for the other for ever."""
    for _round in range(15):
        client, now = browser(), clock.now()
        enter(client)
        request, begin = under_way(client, officer), Barrier(2)
        found: list[str] = []

        def renew(request: HttpRequest = request, begin: Barrier = begin, found: list[str] = found) -> None:
            begin.wait()
            try:
                signing.renew(request)
                found.append("renewed")
            except signing.SessionOver:
                found.append("over")
            finally:
                connection.close()

        other = Thread(target=renew)
        other.start()
        begin.wait()
        actions.end_sessions_of(actor=SYSTEM, now=now, person_id=officer.pk, why="deactivated")
        other.join(20)
        assert found in (["renewed"], ["over"])
        assert not Session.objects.exists()
        assert not OpenSession.objects.exists()

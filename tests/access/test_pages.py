"""How do pages keep strangers out and say no?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from accounts import actions, queries
from accounts.models import Department
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.models import Refusal
from coordination.events.refused import Conflict, NotFound, TooSoon
from sharing.access import pages
from tests.accounts.people import PASSWORD, department, person

pytestmark = pytest.mark.django_db
ACTED: list[str] = []


@pages.page
def reads(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.actor.key)


@pages.page(posts=("head",))
def for_heads(request: HttpRequest) -> HttpResponse:
    return HttpResponse("head")


@pages.page()
def acts(request: HttpRequest, what: str = "") -> HttpResponse:
    if what == "hidden":
        raise NotFound("hidden")
    if what == "conflict":
        raise Conflict("Somebody was faster.", code="x_open", state="closed")
    if what == "soon":
        raise TooSoon("Too often.", retry_after=7.2)
    ACTED.append(what)
    return HttpResponse("done")


@pytest.fixture
def fire(settings) -> Department:
    settings.MUSTER_REQUIRE_MFA = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    ACTED.clear()
    return department("fire")


def request(client: Client | None = None, method: str = "GET", **headers: str) -> Any:
    """A request as the middleware hands it on, in the client's session."""
    from django.contrib.auth.models import AnonymousUser

    made = RequestFactory(REMOTE_ADDR="10.1.1.1").generic(method, "/some/page/?a=1", headers=headers)
    made.session = client.session if client else Client().session
    user = queries.person(int(made.session["_auth_user_id"])) if "_auth_user_id" in made.session else None
    made.user = user or AnonymousUser()
    made.actor = pages.actor_of(made)
    made.now = pages.now_of(made)
    return made


def signed_in(*posts: tuple[Department, str]) -> Client:
    who = person("somebody", *posts)
    client = Client(REMOTE_ADDR="10.1.1.1")
    assert client.post("/sign-in/", {"username": who.username, "password": PASSWORD}).status_code == 303
    return client


def test_strangers_are_sent_to_sign_in_and_back(fire: Department) -> None:
    answer = reads(request())
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=%2Fsome%2Fpage%2F%3Fa%3D1")
    posted = acts(request(method="POST", Referer="http://testserver/page/7/?b=2"))
    assert (posted.status_code, posted["Location"]) == (303, "/sign-in/?next=%2Fpage%2F7%2F%3Fb%3D2")
    assert "evil" not in acts(request(method="POST", Referer="http://evil.example//evil.example/"))["Location"]
    script = reads(request(**{"HX-Request": "true", "HX-Current-URL": "http://testserver/desk/"}))
    assert (script.status_code, script["X-Sign-In"]) == (401, "/sign-in/?next=%2Fdesk%2F")
    assert ACTED == []


def test_people_act_for_their_department_with_their_posts(fire: Department) -> None:
    client = signed_in((fire, "duty_officer"))
    answer = reads(request(client))
    assert (answer.status_code, answer.content[:7]) == (200, b"person:")
    assert answer["Cache-Control"] == "no-store"
    assert for_heads(request(client)).status_code == 403
    assert Refusal.objects.get().code == "wrong_post"


def test_without_a_department_one_chooses(fire: Department) -> None:
    client = signed_in((fire, "head"), (department("water"), "head"))
    assert reads(request(client))["Location"].startswith("/act-for/")
    client.post("/act-for/", {"department": fire.pk})
    assert for_heads(request(client)).content == b"head"


def test_refusals_are_answered_and_noted(fire: Department) -> None:
    """S44: refusals are answered and noted."""
    client = signed_in((fire, "duty_officer"))
    with pytest.raises(Http404):
        acts(request(client, "POST"), what="hidden")
    answer = acts(request(client, "POST"), what="conflict")
    assert answer.status_code == 409
    assert b"Somebody was faster." in answer.content
    part = acts(request(client, "POST", **{"HX-Request": "true"}), what="conflict")
    assert (part.status_code, b"<html" in part.content) == (409, False)
    assert acts(request(client, "POST"), what="soon")["Retry-After"] == "7"
    assert list(Refusal.objects.order_by("pk").values_list("code", "address")) == [
        ("not_found", "10.1.1.1"), ("x_open", "10.1.1.1"), ("x_open", "10.1.1.1"), ("too_soon", "10.1.1.1"),
    ]


def test_an_hour_of_silence_asks_for_the_password_before_an_act_only(fire: Department) -> None:
    """S28: an hour of silence asks for the password before an act only."""
    client = signed_in((fire, "duty_officer"))
    try:
        clock.travel(timedelta(minutes=59))
        assert acts(request(client, "POST")).content == b"done"
        clock.travel(timedelta(minutes=1))
        assert reads(request(client)).status_code == 200
        answer = acts(request(client, "POST", Referer="http://testserver/page/"))
        assert (answer.status_code, answer["Location"]) == (303, "/sign-in/password/?next=%2Fpage%2F")
        with pytest.raises(pages.PasswordAgain):
            pages.require_awake(request(client, "POST"))
        assert client.post("/sign-in/password/", {"password": "wrong"}).status_code == 401
        again = client.post("/sign-in/password/", {"password": PASSWORD, "next": "/page/"})
        assert (again.status_code, again["Location"]) == (303, "/page/")
        assert acts(request(client, "POST")).content == b"done"
    finally:
        clock.travel(None)
    assert len(ACTED) == 2


def test_acts_and_pages_opened_keep_a_session_awake_and_polling_does_not(fire: Department) -> None:
    """S28: acts and pages opened keep a session awake and polling does not."""
    client = signed_in((fire, "duty_officer"))
    before = client.session["active_at"]
    try:
        clock.travel(timedelta(minutes=30))
        polled = request(client)
        reads(polled)
        assert polled.session["active_at"] == before
        opened = request(client, **{"Sec-Fetch-Mode": "navigate"})
        reads(opened)
        assert opened.session["active_at"] > before
        acted = request(client, "POST")
        acts(acted)
        assert acted.session["active_at"] > before
    finally:
        clock.travel(None)


def test_a_wall_is_known_by_its_token_at_its_address(fire: Department) -> None:
    """S28: a wall is known by its token at its address."""
    wall, token = actions.create_display(
        actor=SYSTEM, now=clock.now(), department_id=fire.pk, name="Wall", address="10.1.1.1"
    )
    shown = request()
    shown.COOKIES[queries.WALL_COOKIE] = token
    actor = pages.actor_of(shown)
    assert (actor.kind, actor.id, actor.department_id, actor.posts) == ("display", wall.pk, fire.pk, frozenset())
    assert reads(request()).status_code == 302
    shown.META["REMOTE_ADDR"] = "10.1.1.2"
    assert pages.actor_of(shown).kind == "anonymous"
    shown.META["REMOTE_ADDR"] = "10.1.1.1"
    actions.revoke_display(actor=SYSTEM, now=clock.now(), display_id=wall.pk)
    assert pages.actor_of(shown).kind == "anonymous"


def test_a_superuser_without_a_post_sees_nothing(fire: Department) -> None:
    root = person("root", is_superuser=True, is_staff=True)
    client = Client(REMOTE_ADDR="10.1.1.1")
    assert client.post("/sign-in/", {"username": "root", "password": PASSWORD})["Location"].startswith("/act-for/")
    assert reads(request(client))["Location"].startswith("/act-for/")
    actor = pages.actor_of(request(client))
    assert (actor.id, actor.department_id, actor.posts) == (root.pk, None, frozenset())
    assert client.post("/act-for/", {"department": fire.pk}).status_code == 403

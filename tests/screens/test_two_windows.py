"""What happens to a form left open in one window when its person switches departments in another?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Membership, Post
from sharing.access.pages import DEPARTMENT
from tests.instructions.world import World
from tests.screens.conftest import Enter
from tests.screens.forms import as_shown, form


@pytest.fixture
def both(world: World, enter: Enter) -> Client:
    """A browser of somebody on duty at the fire bureau and with the police."""
    post = Post.objects.get(department=world.departments["police"], kind="duty_officer")
    Membership.objects.create(
        person_id=world.who("fire").id, post=post, valid_from=world.now - timedelta(days=1)
    )
    return enter("fire")


def switch(client: Client, world: World, code: str) -> None:
    assert client.post("/act-for/", {"department": world.id(code)}).status_code == 303
    assert client.session[DEPARTMENT] == world.id(code)


def test_each_form_says_for_which_department_it_was_opened(world: World, both: Client) -> None:
    page = both.get("/", follow=True).content.decode()
    assert page.count('name="csrfmiddlewaretoken"') == page.count(f'name="opened_for" value="{world.id("fire")}"') > 3


def test_nothing_is_done_for_the_other_department(world: World, both: Client) -> None:
    order = world.issued()
    part = world.on(order, "fire")
    switch(both, world, "police")
    act = f"/assignments/{part.pk}/acknowledge/"
    sent = form(version=1, opened_for=world.id("fire"))
    answer = both.post(act, sent)
    assert answer.status_code == 409
    said = answer.content.decode()
    assert "You now act for police; this form was opened for fire" in said
    assert f'name="command_id" value="{sent["command_id"]}"' in said
    assert world.fresh(part).acknowledged_at is None
    assert both.session[DEPARTMENT] == world.id("police")
    asked = both.post(act, sent, headers={"HX-Request": "true"})
    assert (asked.status_code, asked.headers["X-Other-Department"]) == (409, "1")
    assert "<html" not in asked.content.decode()
    # switched back with one press, it is done, and the session is the fire bureau's again
    again = both.post(act, {**sent, "opened_for": world.id("police"), "switch_back": world.id("fire")})
    assert again.status_code == 303
    assert world.fresh(part).acknowledged_at is not None
    assert both.session[DEPARTMENT] == world.id("fire")


def test_what_was_typed_is_shown_and_can_be_sent_as_the_department_now_acted_for(world: World, both: Client) -> None:
    path = f"/incidents/{world.incident.pk}/act/add_log/"
    room = f"/incidents/{world.incident.pk}/"
    typed = as_shown(both, room, path, kind="note", text="The west gate is <closed> now")
    assert typed["opened_for"] == str(world.id("fire"))
    switch(both, world, "police")
    answer = both.post(path, typed)
    said = answer.content.decode()
    assert answer.status_code == 409
    assert "<li>The west gate is &lt;closed&gt; now</li>" in said
    assert 'value="The west gate is &lt;closed&gt; now"' in said
    assert "Send it as police" in said
    assert both.post(path, {**typed, "opened_for": world.id("police")}).status_code == 303


def test_a_form_that_says_none_is_taken_as_it_comes(world: World, both: Client) -> None:
    order = world.issued()
    for said in ("", "nonsense", "9" * 40):
        assert both.post(f"/assignments/{world.on(order, 'fire').pk}/urge/", form(opened_for=said)).status_code != 409


def test_nobody_switches_back_to_where_they_hold_no_post(world: World, enter: Enter) -> None:
    order = world.issued()
    client = enter("fire")
    act = f"/assignments/{world.on(order, 'fire').pk}/acknowledge/"
    answer = client.post(act, form(version=1, opened_for=world.id("health"), switch_back=world.id("health")))
    assert answer.status_code == 403
    assert client.session[DEPARTMENT] == world.id("fire")

"""Is what a page says once, a secret too, said once and kept nowhere in the browser?"""

from __future__ import annotations

import re

from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from accounts.models import Membership, Post
from coordination.events import clock
from tests.instructions.world import World
from tests.screens.conftest import Enter
from tests.screens.forms import form

SECRET = re.compile(r"shown only now: ([\w-]{43})")


def administrator(world: World, enter: Enter) -> Client:
    """A browser of the fire bureau's duty officer, who administers it too."""
    post, _made = Post.objects.get_or_create(department=world.departments["fire"], kind="administrator")
    Membership.objects.create(person_id=world.who("fire").id, post=post, valid_from=clock.now())
    return enter("fire")


def test_a_new_systems_secret_is_shown_once_and_stays_out_of_cookies(world: World, enter: Enter) -> None:
    client, home = administrator(world, enter), f"/departments/{world.id('fire')}/"
    answer = client.post(f"{home}act/create_client/", form(name="CAD"))
    assert answer.status_code == 303
    assert set(client.cookies) <= {"session", "csrf", "language"}
    assert len(SECRET.findall(client.get(home).content.decode())) == 1
    assert SECRET.findall(client.get(home).content.decode()) == []
    assert "messages" not in client.cookies


def test_a_secret_that_nobody_looked_at_ends_with_the_session(world: World, enter: Enter) -> None:
    client, home = administrator(world, enter), f"/departments/{world.id('fire')}/"
    client.post(f"{home}act/create_client/", form(name="CAD"))
    assert client.post("/sign-out/").status_code == 303
    assert not Session.objects.exists()
    assert {name for name, one in client.cookies.items() if one.value} <= {"csrf", "language"}
    assert SECRET.findall(enter("fire").get(home).content.decode()) == []


def test_a_page_that_has_nothing_to_say_writes_no_session(world: World, enter: Enter) -> None:
    client = enter("fire")
    written = "SELECT xmin::text, expire_date FROM django_session"
    with connection.cursor() as cursor:
        cursor.execute(written)
        before = cursor.fetchall()
        assert client.get("/desk/").status_code == 200
        cursor.execute(written)
        assert (cursor.fetchall(), len(before)) == (before, 1)

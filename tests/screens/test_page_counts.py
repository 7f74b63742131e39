"""Do desk, incident room and instruction page ask the database as often however much there is on them?"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from coordination.instructions.models import Instruction
from incidents import actions as incidents
from tests.instructions.world import World
from tests.screens.conftest import Enter

pytestmark = pytest.mark.django_db
MOST = 15
"""Statements of a desk or a tab of the room, session, person, post and the frame around the page included."""
PAGES = {
    "/desk/": MOST,
    "/incidents/{incident}/": MOST,
    "/incidents/{incident}/log/": MOST,
    "/incidents/{incident}/instructions/": MOST,
    "/incidents/{incident}/departments/": MOST,
    "/incidents/{incident}/map/": MOST,
    "/instructions/{instruction}/": 18,
}


def fill(world: World, times: int) -> None:
    """So many orders with acknowledgement, feedback, a question, something handed down, and lines in the log."""
    for n in range(times):
        order = world.issued(targets=world.targets("fire", "police", "district"), read_back=False)
        part = world.acknowledged(order, "fire")
        world.act("feedback", part, "fire", version=1, percent=20, text=f"Begun {n}")
        world.handed_in(order, "district")
        world.act("ask", world.acknowledged(order, "police"), "police", kind="clarify", reason="Which gate?")
        world.draft()
        incidents.add_log(actor=world.who("fire"), now=world.now, incident_id=world.incident.pk, text=f"Wind turns {n}")
        incidents.set_objective(
            actor=world.who("centre.commander"), now=world.now, incident_id=world.incident.pk, text=f"Aim {n}"
        )


def count(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(url)
    assert answer.status_code == 200, url
    return len(seen)


@pytest.mark.parametrize("name", ["centre", "centre.commander", "fire"])
def test_pages_ask_the_same_at_two_sizes_and_little(world: World, enter: Enter, name: str) -> None:
    fill(world, 2)
    client = enter(name)
    order = Instruction.everything.order_by("pk")[0].pk
    urls = {url: url.format(incident=world.incident.pk, instruction=order) for url in PAGES}
    small = {url: count(client, path) for url, path in urls.items()}
    fill(world, 4)
    large = {url: count(client, path) for url, path in urls.items()}
    assert small == large
    assert {url: n for url, n in large.items() if n > PAGES[url]} == {}

"""Do several parts of a page, read at once, say what each says when it is read alone, for the price of about one?"""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.instructions.world import World
from tests.screens.conftest import Enter

pytestmark = pytest.mark.django_db

# what is drawn anew each time: tokens, the ids of commands, and times of the clock
FRESH = re.compile(r'((?<=csrfmiddlewaretoken" value=")|(?<=command_id" value="))[^"]*|\d+:\d\d(:\d\d)?')
PART = re.compile(r'data-part="([^"]*/parts?/)([\w-]+)(/?)((?:\?[^"]*)?)"')


def plain(answer: bytes) -> str:
    """A part's text without what differs from one reading to the next."""
    return FRESH.sub("", answer.decode())


def pages(world: World) -> list[str]:
    """Every page that has parts, for the one who commands."""
    order = world.issued()
    room = f"/incidents/{order.incident_id}/"
    return ["/desk/", f"/instructions/{order.pk}/", room, *(f"{room}{tab}/" for tab in ("log", "departments")),
            f"{room}instructions/?view=board"]  # fmt: skip


def together(client: Client, page: str) -> tuple[list[str], str]:
    """(the address of each part of a page, the one address of all)."""
    found = PART.findall(client.get(page).content.decode().replace("&amp;", "&"))
    assert len({(before, after, query) for before, _name, after, query in found}) == 1, found
    before, _name, after, query = found[0]
    names = [name for _before, name, _after, _query in found]
    return [f"{before}{name}{after}{query}" for name in names], f"{before}{','.join(names)}{after}{query}"


def test_read_together_they_say_the_same(world: World, enter: Enter) -> None:
    client = enter("centre.commander")
    for page in pages(world):
        alone, at_once = together(client, page)
        one_by_one = [plain(client.get(address).content) for address in alone]
        answer = client.get(at_once)
        assert answer.status_code == 200
        if len(alone) > 1:
            wrapped = "".join(f"<template>{text}</template>" for text in one_by_one)
            assert plain(answer.content) == wrapped, page


def test_five_parts_together_cost_little_more_than_the_dearest_alone(world: World, enter: Enter) -> None:
    client = enter("centre.commander")
    for page in pages(world)[:2]:
        alone, at_once = together(client, page)
        prices = []
        for address in (*alone, at_once):
            client.get(address)
            with CaptureQueriesContext(connection) as spent:
                client.get(address)
            prices.append(len(spent))
        assert prices[-1] < sum(prices[:-1]) / 2, (page, prices)


@pytest.mark.parametrize("names", ["head,nonsense", "head,head", "head,", ",", "head,acts,../acts"])
def test_what_is_no_part_is_not_found(world: World, enter: Enter, names: str) -> None:
    order = world.issued()
    assert enter("centre").get(f"/instructions/{order.pk}/part/{names}").status_code == 404


def test_a_stranger_learns_nothing_by_asking_for_several(world: World, enter: Enter) -> None:
    order = world.issued()
    stranger = enter("stranger")
    hidden = stranger.get(f"/instructions/{order.pk}/part/head,acts")
    absent = stranger.get("/instructions/999999/part/head,acts")
    assert hidden.status_code == absent.status_code == 404

"""Does the incident room show each its own, act, refuse kindly, and keep its place?"""

from __future__ import annotations

import re

import pytest

from incidents.models import Incident, LogEntry
from tests.instructions.world import World
from tests.screens.conftest import Enter
from tests.screens.forms import form

pytestmark = pytest.mark.django_db
TABS = ("", "instructions/", "instructions/?view=board", "log/", "map/", "departments/", "print/")


def incident_of(world: World) -> Incident:
    """The world's incident as it stands now."""
    return Incident.everything.get(pk=world.issued().incident_id)


def test_every_tab_shows_and_a_stranger_finds_nothing(world: World, enter: Enter) -> None:
    incident = incident_of(world)
    centre, stranger = enter("centre"), enter("stranger")
    for tab in TABS:
        page = centre.get(f"/incidents/{incident.pk}/{tab}")
        assert page.status_code == 200, tab
        assert incident.headline_en in page.content.decode()
        hidden, absent = stranger.get(f"/incidents/{incident.pk}/{tab}"), stranger.get(f"/incidents/999999/{tab}")
        assert hidden.status_code == absent.status_code == 404


def test_a_part_read_again_keeps_the_tab_one_is_on(world: World, enter: Enter) -> None:
    incident = incident_of(world)
    centre = enter("centre")
    page = centre.get(f"/incidents/{incident.pk}/log/").content.decode()
    address = re.search(r'id="room-head"[^>]*data-part="([^"]+)"', page)
    assert address is not None
    part = centre.get(address[1]).content.decode()
    assert re.findall(r'aria-current="page">([^<]+)<', part) == ["Log"]


def test_a_list_with_nothing_to_choose_says_so(world: World, enter: Enter) -> None:
    """An empty list cannot be told from one that was changed: the page would keep what it shows for ever."""
    page = enter("centre").get(f"/incidents/{incident_of(world).pk}/").content.decode()
    assert 'name="other_id"' in page
    assert "There is none to choose at present" in page
    assert re.findall(r"<select[^>]*>\s*</select>", page) == []


def test_a_line_of_the_log_is_entered_once(world: World, enter: Enter) -> None:
    incident = incident_of(world)
    centre, sent = enter("centre"), form(text="Second tank is cool", kind="note")
    for _again in range(2):
        assert centre.post(f"/incidents/{incident.pk}/act/add_log/", sent).status_code == 303
    assert LogEntry.everything.filter(text="Second tank is cool").count() == 1
    assert "Second tank is cool" in centre.get(f"/incidents/{incident.pk}/").content.decode()


def test_a_refused_act_says_why_and_keeps_what_was_typed(world: World, enter: Enter) -> None:
    incident = incident_of(world)
    answer = enter("centre.commander").post(f"/incidents/{incident.pk}/act/close/", form(why="All seems quiet now"))
    text = answer.content.decode()
    assert answer.status_code in (409, 422)
    assert "All seems quiet now" in text
    assert 'class="ops-errors"' in text
    assert Incident.everything.get(pk=incident.pk).state == incident.state


def test_an_act_that_does_not_exist_is_not_found(world: World, enter: Enter) -> None:
    incident = incident_of(world)
    assert enter("centre").post(f"/incidents/{incident.pk}/act/explode/", form()).status_code == 404
    assert enter("centre").get(f"/incidents/{incident.pk}/parts/nothing/").status_code == 404

"""Can an incident be put right on its page, with its area, and does nonsense get a clear answer at its field?"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from incidents import actions
from incidents.models import Incident
from tests.instructions.world import World
from tests.screens.conftest import Enter
from tests.screens.forms import as_shown

pytestmark = pytest.mark.django_db

CORNERS = "30.74, 121.33\r\n30.75，121.33\r\n30.75 121.35\r\n"
RING = [[121.33, 30.74], [121.33, 30.75], [121.35, 30.75], [121.33, 30.74]]


def describe(browser: Client, world: World, **typed: Any) -> Any:
    """Post the form of the room as it is shown, with what is typed."""
    room = f"/incidents/{world.incident.pk}/"
    act = f"{room}act/describe/"
    shown = as_shown(browser, room, act)
    row = world.fresh(world.incident)
    texts = {name: getattr(row, name) for name in ("type", "description")}  # fields that are no inputs
    hidden = {name: value for name, value in shown.items() if name.startswith("initial-")}
    return browser.post(act, {**shown, **texts, **hidden, "area": shown.get("initial-area", ""), **typed})


def test_an_area_is_drawn_and_taken_away(world: World, enter: Enter) -> None:
    browser = enter("centre.commander")
    assert describe(browser, world, area=CORNERS, place="Gate 3").status_code == 303
    row = world.fresh(world.incident)
    assert row.area == {"type": "MultiPolygon", "coordinates": [[RING]]}
    assert (row.place, row.headline_en, row.type) == ("Gate 3", "Explosion", "accident.chemical.explosion")
    page = browser.get(f"/incidents/{row.pk}/").content.decode()
    assert "30.74, 121.33\n30.75, 121.33\n30.75, 121.35" in page
    assert "Area" in browser.get(f"/incidents/{row.pk}/map/").content.decode()
    assert describe(browser, world, area="").status_code == 303
    assert (world.fresh(row).area, world.fresh(row).place) == (None, "Gate 3")


def test_two_areas_and_geojson(world: World, enter: Enter) -> None:
    browser = enter("centre.commander")
    assert describe(browser, world, area=f"{CORNERS}\r\n31, 121\r\n31, 122\r\n32, 122").status_code == 303
    assert len(world.fresh(world.incident).area["coordinates"]) == 2
    holes = '{"type": "Polygon", "coordinates": [[[0,0],[0,9],[9,9],[9,0]],[[1,1],[1,2],[2,2]]]}'
    assert describe(browser, world, area=holes).status_code == 303
    assert len(world.fresh(world.incident).area["coordinates"][0]) == 2
    assert "&quot;MultiPolygon&quot;" in browser.get(f"/incidents/{world.incident.pk}/").content.decode()


def test_what_another_changed_meanwhile_stays(world: World, enter: Enter) -> None:
    browser, room = enter("centre.commander"), f"/incidents/{world.incident.pk}/"
    shown = as_shown(browser, room, f"{room}act/describe/")
    Incident.everything.filter(pk=world.incident.pk).update(place="Quay 7")
    texts = {"type": world.incident.type, "description": "", "area": "", "headline_en": "Explosion, second"}
    assert browser.post(f"{room}act/describe/", {**shown, **texts}).status_code == 303
    row = world.fresh(world.incident)
    assert (row.place, row.headline_en) == ("Quay 7", "Explosion, second")


@pytest.mark.parametrize(
    "area",
    [
        "30.74, 121.33", "30.74, 121.33\n30.75, 121.35", "here", "91, 10\n1, 2\n3, 4", "nan, nan\n1, 2\n3, 4",
        "0, 0\n1, 1\n0, 1\n1, 0", "{", "{}", '{"type": "Polygon"}', '{"type": "Polygon", "coordinates": [[[[]]]]}',
        "🗺", "1, 2, 3", "[" * 5000, '{"a":' * 5000, "1, 1\n" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_area_is_said_at_the_field(world: World, enter: Enter, area: str) -> None:
    answer = describe(enter("centre.commander"), world, area=area, place="Gate 3")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'href="#describe-area"' in page  # in the summary, which gets the focus
    assert 'id="describe-area_error"' in page
    assert "Gate 3" in page
    assert (world.fresh(world.incident).area, world.fresh(world.incident).place) == (None, "")


def test_an_aim_is_reached_in_its_own_incident_alone(world: World, enter: Enter) -> None:
    """The address names the incident: where the aim is not its own, nothing is done."""
    centre = world.who("centre.commander")
    aim = actions.set_objective(actor=centre, now=world.now, incident_id=world.incident.pk, text="Fire out")
    browser = enter("centre.commander")
    command = {"command_id": uuid.uuid4(), "objective_id": aim.pk}
    for other in (0, world.incident.pk + 1, 2**63):
        assert browser.post(f"/incidents/{other}/act/reach_objective/", command).status_code == 404
    assert world.fresh(aim).reached_at is None
    assert browser.post(f"/incidents/{world.incident.pk}/act/reach_objective/", command).status_code == 303
    assert world.fresh(aim).reached_at is not None

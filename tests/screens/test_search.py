"""Does the one box find what I may see, and lead straight on to what is named exactly?"""

from __future__ import annotations

from urllib.parse import quote

import pytest

from incidents import actions as incidents
from tests.instructions.world import World
from tests.screens.conftest import Enter

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("desk", "/desk/"), ("Desk", "/desk/"), ("工作台", "/desk/"), ("roster", "/duty/"), ("值班", "/duty/"),
        ("departments", "/departments/"), ("Notices", "/notices/"), ("指令", "/instructions/"), ("engine", "/engine/"),
    ],
)  # fmt: skip
def test_the_name_of_a_page_leads_there(world: World, enter: Enter, text: str, page: str) -> None:
    answer = enter("centre").get("/search/", {"q": text, "go": "1"})
    assert (answer.status_code, answer["Location"]) == (302, page)


def test_a_number_leads_to_the_instruction(world: World, enter: Enter) -> None:
    order, browser = world.issued(), enter("centre")
    address = f"/instructions/{order.pk}/"
    for text in (str(order.number), f"#{order.number}", f"{order.number}号"):
        answer = browser.get("/search/", {"q": text, "go": "1"})
        assert (answer.status_code, answer["Location"]) == (302, address), text
    world.act("cancel", order, "centre", reason="Not needed")
    assert browser.get("/search/", {"q": str(order.number), "go": "1"})["Location"] == address
    assert enter("stranger").get("/search/", {"q": str(order.number), "go": "1"}).status_code == 200


def test_of_several_of_one_number_the_one_under_way_is_meant(world: World, enter: Enter) -> None:
    order = world.issued()
    world.incident = incidents.open_incident(
        actor=world.who("centre.commander"), now=world.now, type="accident.fire", headline_en="Another",
        lead_department_id=world.id("fire"), commander_department_id=world.id("centre"), response_level=2,
    )  # fmt: skip
    other, browser = world.draft(), enter("centre")
    assert other.number == order.number
    asked = {"q": str(order.number), "go": "1"}
    both = browser.get("/search/", asked)
    assert both.status_code == 200  # two are under way: the person chooses
    assert all(f'href="/instructions/{row.pk}/"' in both.content.decode() for row in (order, other))
    world.act("cancel", order, "centre", reason="Not needed")
    assert browser.get("/search/", asked)["Location"] == f"/instructions/{other.pk}/"


def test_a_department_by_its_name(world: World, enter: Enter) -> None:
    row = world.departments["health"]
    assert enter("centre").get("/search/", {"q": row.code.upper(), "go": "1"})["Location"] == f"/departments/{row.pk}/"


def test_on_its_own_page_the_box_only_searches(world: World, enter: Enter) -> None:
    page = enter("centre").get(f"/search/?q={quote('des')}")
    assert page.status_code == 200
    assert 'href="/desk/"' in page.content.decode().partition("<main")[2]
    assert enter("centre").get("/search/?q=desk").status_code == 200


@pytest.mark.parametrize("text", ["", " ", "%", "🛢", "a" * 5000, "'; --", "#", "99999999", "号", "<b>"])
def test_nonsense_finds_nothing_and_breaks_nothing(world: World, enter: Enter, text: str) -> None:
    answer = enter("centre").get("/search/", {"q": text, "go": "1"})
    assert answer.status_code == 200
    assert "<b>" not in answer.content.decode()

"""Can the loop be worked from issue to acceptance by keyboard alone, and do the letter keys do what the help says?"""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import OpenWindow
from tests.browser.ground import COMMANDER, LEAD, Ground
from tests.browser.window import Window

pytestmark = [pytest.mark.stack, pytest.mark.browser]


def press(one: Window, target: Locator) -> None:
    """Tab to a control and press Enter."""
    one.reach(target)
    one.page.keyboard.press("Enter")


def mark(page: Page, row: Locator, key: str = "j") -> None:
    """Press J (or K) until a row is the marked one."""
    row.wait_for()
    for _press in range(80):
        if row.get_attribute("data-current") is not None:
            return
        page.keyboard.press(key)
    raise AssertionError("the row is out of reach of J and K")


def row_of(one: Window, part: str, address: str) -> Locator:
    """The row of a list that leads to an instruction."""
    return one.page.locator(f"{part} [data-row]:has(a[href^='{address}'])").first


def unfolded(one: Window, name: str) -> Locator:
    """Open an act's box, and the group around it, by keyboard."""
    box = one.page.locator(f"details[id^='{name}']").first
    box.wait_for(state="attached")
    for each in (one.page.locator("details.ops-act-group", has=box), box):
        if each.count() and not each.evaluate("el => el.open"):
            press(one, each.locator("> summary"))
    return box


def choose(one: Window, box: Locator, field: str, value: str) -> None:
    """Choose a radio button: Tab to its group, then arrows."""
    group = box.locator(f"[name={field}]")
    wanted = box.locator(f"[name={field}][value='{value}']")
    group.first.wait_for(state="attached")
    for _press in range(150):
        if one.page.evaluate("name => document.activeElement.name === name", field):
            break
        one.page.keyboard.press("Tab")
    for _press in range(group.count()):
        if wanted.is_checked():
            return
        one.page.keyboard.press("ArrowRight")
    assert wanted.is_checked(), f"{field}={value} is out of reach of the arrows"


def test_from_issue_to_acceptance_without_a_mouse(window: OpenWindow, ground: Ground) -> None:
    incident = ground.incident("Leak at the jetty")
    number = ground.draft(incident, "Boom the jetty", headline_zh="码头布设围油栏", to=(LEAD,))
    ground.person(*COMMANDER).do("instruction", number, "submit")
    address = f"/instructions/{number}/"
    command, lead = window("city-commander").open("/desk/").live(), window("fire-duty1").open("/desk/").live()

    ground.approve(number)
    mark(command.page, row_of(command, "main", address))
    command.page.keyboard.press("Enter")
    command.page.wait_for_url(f"**{address}*")
    command.live()
    with command.answered():
        press(command, command.page.get_by_role("button", name="Issue now", exact=True))

    mark(lead.page, row_of(lead, "#desk-needs", address))
    with lead.answered():
        lead.page.keyboard.press("a")
    command.sees("1 of 1 acknowledged")
    mark(lead.page, row_of(lead, "main", address))
    lead.page.keyboard.press("Enter")
    lead.page.wait_for_url(f"**{address}*")
    lead.live()
    box = unfolded(lead, "act-start")
    lead.reach(box.get_by_label("Who goes"))
    lead.page.keyboard.type("Boat 2")
    with lead.answered():
        press(lead, box.get_by_role("button", name="Start"))
    command.sees("goes: Boat 2")

    lead.page.keyboard.press("g")
    lead.page.keyboard.press("d")
    lead.page.wait_for_url("**/desk/")
    lead.live()
    mark(lead.page, row_of(lead, "#desk-progress", address))
    lead.page.keyboard.press("f")
    lead.page.wait_for_url(f"**{address}*")
    lead.live()
    box = unfolded(lead, "act-feedback")
    choose(lead, box, "final", "1")
    choose(lead, box, "percent", "100")
    lead.reach(box.locator("[name=text]"))
    lead.page.keyboard.type("The boom lies.")
    with lead.answered():
        press(lead, box.get_by_role("button", name="Send feedback"))

    command.sees("The boom lies.")
    box = unfolded(command, "act-evaluate")
    choose(command, box, "accepted", "1")
    command.reach(box.locator("[name=outcome]"))
    command.page.keyboard.press("ArrowDown")
    with command.answered():
        press(command, box.get_by_role("button", name="Record the verdict"))
    lead.sees("Closed", "#i-head")
    assert {one["state"] for one in ground.parts(number).values()} == {"closed"}


def test_the_letter_keys(window: OpenWindow, ground: Ground) -> None:
    incident = ground.incident("Smoke in the tunnel")
    names = ("Close the north portal", "Close the south portal")
    numbers = [ground.issue(incident, name, to=("police",)) for name in names]
    one = window("police-duty1").open("/desk/").live()
    page = one.page
    rows = page.locator("main [data-row]")
    page.keyboard.press("j")
    assert rows.nth(0).get_attribute("data-current") is not None
    page.keyboard.press("j")
    assert rows.nth(1).get_attribute("data-current") is not None
    page.keyboard.press("k")
    assert rows.nth(0).get_attribute("data-current") is not None
    assert page.evaluate("document.activeElement.closest('[data-row]') !== null")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "ops-search"
    page.keyboard.type("jag d")  # letters in a field are letters
    assert page.locator("#ops-search").input_value() == "jag d"
    assert page.url.endswith("/desk/")
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    page.locator("#ops-help[open]").wait_for()
    page.keyboard.press("a")  # not behind an open dialog
    page.keyboard.press("Escape")
    page.locator("#ops-help[open]").wait_for(state="hidden")
    page.keyboard.press("Control+j")
    assert rows.nth(0).get_attribute("data-current") is not None
    half = "new KeyboardEvent('keydown', {key: 'j', bubbles: true, isComposing: true})"
    page.evaluate(f"document.body.dispatchEvent({half})")  # a syllable on its way to a character
    assert rows.nth(0).get_attribute("data-current") is not None
    page.keyboard.press("Enter")
    page.wait_for_url("**/instructions/*/")
    page.keyboard.press("/")
    page.keyboard.type("roster")
    page.keyboard.press("Enter")
    page.wait_for_url("**/duty/*/")
    states = {part["state"] for number in numbers for part in ground.parts(number).values()}
    assert states <= {"issued", "delivered"}  # no letter typed elsewhere acknowledged anything


def test_letters_lead_to_places_until_they_are_turned_off(window: OpenWindow, ground: Ground) -> None:
    incident = ground.incident("Smoke in the north tunnel")
    commander = window("city-commander").open(f"/incidents/{incident}/")
    commander.page.keyboard.press("g")
    commander.page.keyboard.press("m")
    commander.page.wait_for_url(f"**/incidents/{incident}/map/")
    commander.page.keyboard.press("n")
    commander.page.wait_for_url("**/instructions/new")
    commander.page.locator("h1").click()
    commander.page.keyboard.press("g")
    commander.page.keyboard.press("d")
    commander.page.wait_for_url("**/desk/")
    commander.page.locator("[data-help]").click()
    commander.page.get_by_role("button", name="Turn the letter keys off").click()
    commander.page.wait_for_load_state()
    commander.live()
    commander.page.keyboard.press("n")
    commander.page.keyboard.press("?")
    commander.page.keyboard.press("/")
    assert commander.page.locator("dialog[open], #ops-search:focus").count() == 0
    assert commander.page.url.endswith("/desk/")
    commander.page.locator("[data-help]").click()
    commander.page.get_by_role("button", name="Turn the letter keys on").click()
    commander.page.wait_for_load_state()

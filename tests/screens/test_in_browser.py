"""Do the loop's pages work in a browser: by keyboard alone, in three windows at once, off line, for everybody?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page

from tests.screens.people import Person
from tests.stacks import System

pytestmark = [pytest.mark.stack, pytest.mark.browser]

COMMAND, APPROVER, LEAD, SUPPORT = "city-duty1", "city-approver", "fire-duty1", "water-duty1"


def due(minutes: int) -> str:
    """A time in the city's own zone, as a date field takes it."""
    moment = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(minutes=minutes)
    return f"{moment:%Y-%m-%dT%H:%M}"


def choose(page: Page, field: str, text: str) -> None:
    """Pick the option whose words begin so."""
    value = page.locator(field).evaluate("(s, t) => [...s.options].find(o => o.text.startsWith(t)).value", text)
    page.select_option(field, value)


@pytest.fixture(scope="module")
def incident(stack: System, browser: Browser) -> Iterator[str]:
    """The address of an incident that the command centre opened from a report."""
    command = Person(browser, stack, "city-commander")
    page = command.page
    command.open("/reports/new/")
    page.fill("[name=text]", "Explosion at the glycol unit, one injured.")
    page.select_option("[name=type]", "accident.chemical.explosion")
    page.fill("[name=place]", "Glycol unit")
    page.fill("[name=latitude]", "30.7421")
    page.fill("[name=longitude]", "121.3312")
    page.locator("main form button.btn-primary").first.click()
    page.locator("a[href$='/open/']").click()
    page.fill("[name=headline_zh]", "乙二醇装置爆炸")
    page.fill("[name=headline_en]", "Explosion at glycol unit")
    page.select_option("[name=response_level]", "2")
    choose(page, "[name=lead_department_id]", "Binhai Fire and Rescue")
    page.locator("main form button.btn-primary").first.click()
    page.wait_for_url("**/incidents/*/")
    yield page.url.removeprefix(command.base)
    command.leave()


def drafted(command: Person, incident: str, headline: str) -> str:
    """Write an instruction to fire (lead) and water; answer the address of its page."""
    page = command.page
    command.open(f"{incident}instructions/new")
    choose(page, "[name=lead]", "Binhai Fire and Rescue")
    more = page.locator(".ops-more > summary").first
    if not page.get_by_label("Binhai Water Authority").first.is_visible():
        more.click()
    page.get_by_label("Binhai Water Authority").first.check()
    command.sees("on duty:")
    page.fill("[name=headline_en]", headline)
    page.fill("[name=text]", "Two lines on each tank.")
    page.fill("[name=what]", "Tanks T-301 to T-304")
    page.fill("[name=due_at]", due(90))
    page.get_by_role("button", name="Keep the draft and go on").click()
    page.wait_for_url("**/instructions/*/?*")
    return page.url.removeprefix(command.base).partition("?")[0]


def issued(command: Person, browser: Browser, stack: System, incident: str, headline: str) -> str:
    """The same, approved by another person and issued."""
    address = drafted(command, incident, headline)
    command.page.get_by_role("button", name="Send for approval").click()
    command.sees("In approval")
    approver = Person(browser, stack, APPROVER)
    approver.open(address)
    approver.page.locator("summary", has_text="Approve").click()
    approver.page.get_by_role("button", name="Approve", exact=True).click()
    approver.leave()
    command.page.get_by_role("button", name="Issue now").click()
    return address


def test_the_loop_by_keyboard_in_three_windows(stack: System, browser: Browser, incident: str) -> None:
    command, approver = Person(browser, stack, COMMAND), Person(browser, stack, APPROVER)
    lead, support = Person(browser, stack, LEAD), Person(browser, stack, SUPPORT)
    for one in (lead, support):
        one.open("/desk/")
        one.live()
    address = drafted(command, incident, "Cool the west tanks")
    approver.open(address)
    command.reach(command.page.get_by_role("button", name="Send for approval"))
    command.page.keyboard.press("Enter")
    command.sees("In approval")
    approver.sees("In approval")
    box = approver.unfold("act-instruction-approve", "Approve")
    approver.reach(box.get_by_role("button", name="Approve"))
    approver.page.keyboard.press("Enter")
    command.sees("Issue now")
    command.reach(command.page.get_by_role("button", name="Issue now"))
    command.page.keyboard.press("Enter")
    lead.sees("Cool the west tanks")
    support.sees("Cool the west tanks")
    for one in (lead, support):
        row = one.page.locator("#desk-needs [data-row]", has_text="Cool the west tanks")
        while row.get_attribute("data-current") is None:
            one.page.keyboard.press("j")
        one.page.keyboard.press("a")
        one.page.locator("#desk-needs", has_text="acknowledged, not started").wait_for()
    command.sees("2 of 2 acknowledged")
    lead.open(address)
    lead.live()
    box = lead.unfold("act-start", "Start")
    lead.type_into("Who goes", "Company 4", box)
    lead.page.keyboard.press("Enter")
    command.sees("Company 4")
    box = lead.unfold("act-feedback", "Feedback")
    lead.reach(box.locator("[name=final]").first)
    lead.page.keyboard.press("ArrowRight")
    lead.reach(box.locator("[name=percent][value='0']"))
    for _step in range(10):
        lead.page.keyboard.press("ArrowRight")
    lead.type_into("What was done", "All tanks cold", box)
    lead.reach(box.get_by_role("button", name="Send feedback"))
    lead.page.keyboard.press("Enter")
    lead.page.locator(".ops-errors").wait_for()  # support still works: a reason is missing, what was typed is kept
    assert lead.page.evaluate("document.activeElement.classList.contains('ops-errors')")
    assert lead.page.locator("textarea[name=text]").first.input_value() == "All tanks cold"
    box = lead.page.locator("[id^='act-feedback']").first
    lead.type_into("Why final now", "Water only stands by", box)
    lead.reach(box.get_by_role("button", name="Send feedback"))
    lead.page.keyboard.press("Enter")
    command.sees("All tanks cold")
    box = command.page.locator("[id^='act-evaluate']").first
    group = command.page.locator("details.ops-act-group", has=box)
    if not group.evaluate("el => el.open"):
        command.reach(group.locator("summary").first)
        command.page.keyboard.press("Enter")
    box = command.unfold("act-evaluate", "Evaluate")
    command.reach(box.locator("[name=outcome]"))
    command.page.keyboard.press("ArrowDown")
    command.reach(box.get_by_role("button", name="Record the verdict"))
    command.page.keyboard.press("Enter")
    lead.sees("Accepted")
    command.picture("instruction-accepted")
    for one in (command, approver, lead, support):
        one.leave()


def test_offline_nothing_typed_is_lost_and_the_screen_says_so(stack: System, browser: Browser, incident: str) -> None:
    command = Person(browser, stack, COMMAND)
    address = issued(command, browser, stack, incident, "Watch the wind")
    lead = Person(browser, stack, LEAD)
    lead.open(address)
    lead.live()
    lead.page.get_by_role("button", name="Acknowledge: received, ours").click()
    command.sees("1 of 2 acknowledged")
    lead.page.locator("[id^='act-start'] summary").click()
    lead.page.get_by_label("Who goes").fill("Weather car")
    lead.context.set_offline(True)
    lead.page.get_by_role("button", name="Start", exact=True).click()
    lead.sees("Kept on this device, not sent. It goes out")
    lead.page.locator("#ops-stale:not([hidden])").wait_for(timeout=12_000)
    lead.context.set_offline(False)
    command.sees("Weather car", 20)
    lead.page.locator("#ops-unsent").wait_for(state="hidden")
    lead.page.locator("#ops-stale").wait_for(state="hidden", timeout=15_000)
    lead.leave()
    command.leave()


def test_a_draft_survives_the_window(stack: System, browser: Browser, incident: str) -> None:
    command = Person(browser, stack, COMMAND)
    command.open(f"{incident}instructions/new")
    command.page.fill("[name=text]", "Half a sentence about the")
    command.sees("Draft kept on this device.")
    command.page.close()
    command.page = command.context.new_page()
    command.open(f"{incident}instructions/new")
    command.sees("restored from this device")
    assert command.page.locator("[name=text]").input_value() == "Half a sentence about the"
    command.leave()


@pytest.mark.parametrize("width", [390, 1366])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_axe_finds_nothing(
    stack: System, browser: Browser, incident: str, language: str, theme: str, width: int
) -> None:
    person = Person(browser, stack, "city-commander", language=language, theme=theme, width=width)
    pages = [
        "/desk/", "/instructions/", f"{incident}", f"{incident}instructions/", f"{incident}instructions/?view=board",
        f"{incident}instructions/new", "/sessions/",
    ]  # fmt: skip
    person.open("/instructions/?show=all")
    first = person.page.locator(".ops-line-title").first
    if first.count():
        pages.append(first.get_attribute("href") or "/desk/")
    found = {}
    for path in pages:
        person.open(path)
        person.picture(f"{path.strip('/').replace('/', '-').replace('?', '-')}-{width}-{theme}-{language}")
        violations = person.violations()
        if violations:
            found[path] = violations
    assert found == {}
    person.leave()

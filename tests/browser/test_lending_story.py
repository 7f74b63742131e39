"""How many times must somebody press before data are found and asked for, and before a steward has answered?

An interaction is one press: a click, a tap, Enter or Space. Filling the fields of an open form is free. The page counts
them itself, so that none is forgotten.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator

from tests.browser.conftest import OpenWindow
from tests.browser.ground import Ground
from tests.browser.lending import OWNER, PLACES, Lending
from tests.browser.window import Window

pytestmark = [pytest.mark.stack, pytest.mark.browser]

ASK, ANSWER = 5, 4
"""The most that finding and asking, and answering, may take."""
CODE, ASKER, STEWARD = "key-enterprises", "water-head", f"{OWNER}-data-steward"
TITLE = {"en": "Key enterprises", "zh": "重点企业"}
LOOKS = [("en", 1280), ("zh", 390), ("zh", 1280), ("en", 390)]
# presses on controls of the page: a key that a form turns into a click of its own has no detail
COUNT = """
const more = () => sessionStorage.setItem('presses', 1 + Number(sessionStorage.getItem('presses') || 0));
addEventListener('click', e => { if (e.isTrusted && e.detail > 0) more(); }, true);
addEventListener('keydown', e => {
  const typed = e.target.matches('textarea, [contenteditable]') || (e.key === ' ' && e.target.matches('input'));
  if (e.isTrusted && !e.repeat && ['Enter', ' '].includes(e.key) && !typed) more();
}, true);
"""


class Counted:
    """A window that counts the presses of one task, and keeps a picture of each step."""

    def __init__(self, window: Window, task: str) -> None:
        self.window, self.page, self.task, self.steps = window, window.page, task, 0
        self.page.add_init_script(COUNT)

    def begin(self, path: str) -> Counted:
        """Where the task begins; what was pressed until here does not count."""
        self.window.open(path)
        self.page.evaluate("sessionStorage.setItem('presses', 0)")
        self.window.picture(f"{self.task}-0")
        return self

    @property
    def presses(self) -> int:
        """How often was something pressed?"""
        return int(self.page.evaluate("Number(sessionStorage.getItem('presses'))"))

    def press(self, target: Locator, key: str = "", leads: str = "") -> None:
        """Click something, or press a key on it; ``leads``: the address that follows."""
        target.wait_for()
        if key:
            target.press(key)
        elif self.page.viewport_size and self.page.viewport_size["width"] < 500:
            target.tap()
        else:
            target.click()
        if leads:
            self.page.wait_for_url(leads)
        self.page.wait_for_load_state()
        self.steps += 1
        self.window.picture(f"{self.task}-{self.steps}")

    def counted(self) -> int:
        """How many presses it took; what the page counted is what was done."""
        assert self.presses == self.steps
        return self.steps


@pytest.fixture(scope="module")
def lending(ground: Ground) -> Lending:
    """The owner's data are there."""
    made = Lending(ground)
    made.deliver(CODE, [one | {"sector": "chemical", "staff": 120, "risk": "red"} for one in PLACES])
    return made


def asked(window: Window, lending: Lending, language: str, width: int, purpose: str) -> tuple[int, int]:
    """Find the dataset from the desk, and ask for it; return the request's id, and how many presses it took."""
    entry = f"/data/{lending.ids[CODE]}/"
    one = Counted(window, f"ask-{width}-{language}").begin("/desk/")
    page = one.page
    if width < 500:
        one.press(page.locator(".ops-bottom a[href='/search/']"), leads="**/search/")
        page.locator("#search-q").fill(TITLE[language])
        one.press(page.locator("#search-q"), "Enter", leads="**/search/?*")
    else:
        one.press(page.locator(".ops-nav a[href='/data/']"), leads="**/data/")
        page.locator("#data-q").fill(TITLE[language])
        one.press(page.locator("#data-q"), "Enter", leads="**/data/?*")
    one.press(page.locator(f"main a[href='{entry}']"), leads=f"**{entry}")
    one.press(page.locator(f"#dataset-open a[href='{entry}request/']"), leads=f"**{entry}request/")
    page.locator("[name=purpose]").fill(purpose)
    one.press(page.locator("main form .btn-primary"), leads="**/data/requests/*/")
    return int(page.url.rstrip("/").rpartition("/")[2]), one.counted()


def reached(one: Counted, request: int) -> None:
    """From the desk over the notice to the request."""
    width = one.page.viewport_size["width"] if one.page.viewport_size else 0
    bar = ".ops-bottom" if width < 500 else ".ops-nav"
    one.press(one.page.locator(f"{bar} a[href='/notices/']"), leads="**/notices/")
    notice = one.page.locator(f"#notice-rows a[href='/data/requests/{request}/']").first
    notice.wait_for(timeout=30_000)  # the engine writes it; the list is live
    one.press(notice, leads=f"**/data/requests/{request}/")


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_found_and_asked_for_in_five_and_answered_in_four(
    window: OpenWindow, lending: Lending, language: str, width: int
) -> None:
    purpose = f"Flood plan of the canal, {language} {width}"
    asker = window(ASKER, language=language, width=width, height=844 if width < 500 else 900)
    steward = window(STEWARD, language=language, width=width, height=844 if width < 500 else 900)
    request, presses = asked(asker, lending, language, width, purpose)
    assert presses <= ASK

    one = Counted(steward, f"answer-{width}-{language}").begin("/desk/")
    reached(one, request)
    one.press(one.page.locator("#act-grant .btn-primary").first, leads=f"**/data/requests/{request}/")
    one.page.locator("a[href^='/data/agreements/']").first.wait_for()
    assert one.counted() <= ANSWER
    asker.open(f"/data/{lending.ids[CODE]}/records/?purpose={purpose}")
    asker.page.get_by_text(str(PLACES[0]["name"])).first.wait_for()


def test_less_than_was_asked_in_four(window: OpenWindow, lending: Lending) -> None:
    request = lending.ask(CODE, ["number", "name", "staff"], "Less of it", by="health")
    one = Counted(window(STEWARD), "answer-less").begin("/desk/")
    reached(one, request)
    one.press(one.page.locator("#act-grant details > summary"))
    one.page.select_option("[name=field-staff]", "nothing")
    one.page.locator("#act-grant [name=answer]").fill("The number of staff is not needed for this.")
    one.press(one.page.locator("#act-grant .btn-primary").first, leads=f"**/data/requests/{request}/")
    one.page.locator("a[href^='/data/agreements/']").first.wait_for()
    assert one.counted() <= ANSWER
    entry = f"/data/{lending.ids[CODE]}/records/?purpose=Less of it"
    holder = window("health-head").open(entry)
    holder.page.get_by_text(str(PLACES[0]["name"])).first.wait_for()
    assert "120" not in holder.page.locator(".ops-records").inner_text()


def test_refused_with_reason_and_basis_in_four(window: OpenWindow, lending: Lending) -> None:
    request = lending.ask(CODE, ["number", "staff"], "Curiosity", by="press")
    one = Counted(window(STEWARD), "answer-refuse").begin("/desk/")
    reached(one, request)
    box = one.page.locator("#act-refuse")
    one.press(box.locator("> summary"))
    box.locator("[name=answer]").fill("No task of yours needs it.")
    box.locator("[name=legal_basis_id]").select_option(index=1)
    one.press(box.locator(".btn-act"), leads=f"**/data/requests/{request}/")
    one.page.get_by_text("No task of yours needs it.").first.wait_for()
    assert one.counted() <= ANSWER
    told = lending.got(lending.ground.person("press", "duty_officer"), f"/api/v1/share-requests/{request}")
    assert (told["state"], bool(told["legal_basis"])) == ("refused", True)


def test_asked_and_granted_by_keyboard_alone(window: OpenWindow, lending: Lending) -> None:
    entry = f"/data/{lending.ids[CODE]}/"
    asker, steward = window("civil-head").open(entry), window(STEWARD)
    page = asker.page
    asker.reach(page.locator(f"#dataset-open a[href='{entry}request/']"))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{entry}request/")
    asker.reach(page.locator("[name=purpose]"))
    page.keyboard.type("Shelters by the canal")
    page.keyboard.press("Enter")
    page.wait_for_url("**/data/requests/*/")
    request = int(page.url.rstrip("/").rpartition("/")[2])

    steward.open("/notices/")
    notice = steward.page.locator(f"#notice-rows a[href='/data/requests/{request}/']").first
    notice.wait_for(timeout=30_000)
    steward.reach(notice)
    steward.page.keyboard.press("Enter")
    steward.page.wait_for_url(f"**/data/requests/{request}/")
    steward.reach(steward.page.locator("#act-grant .btn-primary").first)
    steward.page.keyboard.press("Enter")
    steward.page.locator("a[href^='/data/agreements/']").first.wait_for()
    told = lending.got(lending.ground.person("civil", "head"), f"/api/v1/share-requests/{request}")
    assert told["state"] == "granted"

"""What does a test do with one browser window, and what may never happen in it?"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Response

OUTPUT = Path(__file__).resolve().parents[1] / "output"
SOON = 2.0
"""Seconds within which another's act stands on an open page, on a machine whose cores are not fought over."""
# what Chromium says of answers and of lines that a test breaks on purpose
EXPECTED = ("Failed to load resource", "WebSocket connection to", "htmx:", "Response Status Error")
# a violation of the content security policy is said aloud, whatever the browser prints
TELL = "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"


def patience() -> float:
    """How much slower than alone this machine is now: what waits for each core, between 1 and 6."""
    return min(6.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


def new_context(browser: Browser, *, language: str, theme: str, width: int, height: int) -> BrowserContext:
    """A browser profile of its own, as a desk (1366), a phone (390) or a wall (1920 and more) has it."""
    phone = width < 500
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if theme == "dark" else "light",
        locale="zh-CN" if language == "zh" else "en-GB", timezone_id="Asia/Shanghai", has_touch=phone,
    )  # fmt: skip
    context.add_init_script(TELL)
    return context


class Window:
    """One page in a profile; errors of its scripts and violations of the policy are kept in ``faults``."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.context, self.base = context, base
        self.faults: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))
        self.page.on("console", self._heard)
        self.page.on("response", self._answered)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(EXPECTED):
            self.faults.append(f"{self.page.url}: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500 and response.status != 503:
            self.faults.append(f"{response.request.method} {response.url}: {response.status}")

    def open(self, path: str) -> Window:
        """Go to a page and wait until its scripts run."""
        self.page.goto(self.base + path)
        self.page.locator("html[data-booted='1'], body:not([data-live-url])").first.wait_for(state="attached")
        self.page.evaluate("window.stayed = true")
        return self

    def stayed(self) -> bool:
        """Whether the page was not loaded again since it was opened."""
        return bool(self.page.evaluate("window.stayed === true"))

    def live(self, seconds: float = 10) -> Window:
        """Wait until the screen hears the server over its socket."""
        self.page.locator("#ops-age[data-state=live], #wall-age[data-state=live]").wait_for(timeout=seconds * 1000)
        return self

    def stale(self, seconds: float) -> None:
        """Wait until the screen says that it is old."""
        self.page.locator("#ops-stale:not([hidden]), #wall-stale:not([hidden])").wait_for(timeout=seconds * 1000)

    def says_stale(self) -> bool:
        """Whether the screen says at this moment that it is old."""
        return self.page.locator("#ops-stale:not([hidden]), #wall-stale:not([hidden])").count() > 0

    def sees(self, text: str | re.Pattern[str], within: str = "body", seconds: float = 0) -> Locator:
        """Wait, without a reload, until this text stands on the page."""
        found = self.page.locator(within).get_by_text(text).first
        found.wait_for(timeout=(seconds or SOON * patience()) * 1000)
        return found

    @contextmanager
    def answered(self) -> Iterator[None]:
        """Do an act and wait for the server's answer to it: what was committed must be seen elsewhere from then on."""
        with self.page.expect_response(lambda response: response.request.method == "POST") as answer:
            yield
        assert answer.value.status < 400, f"{answer.value.url}: {answer.value.status}"

    def tap(self, name: str, within: str = "main") -> None:
        """Press the button of this name and wait for the answer."""
        with self.answered():
            self.page.locator(within).get_by_role("button", name=name, exact=True).first.click()

    def unfold(self, box: str) -> Locator:
        """Open the box whose id begins so; answer it."""
        found = self.page.locator(f"details[id^='{box}']").first
        found.wait_for(state="attached")
        outer = self.page.locator("details.ops-act-group", has=found)
        for one in (outer, found):
            if one.count() and not one.evaluate("el => el.open"):
                one.locator("> summary").click()
        return found

    def choose(self, field: str, text: str) -> None:
        """Pick the option whose words begin so."""
        value = self.page.locator(field).evaluate(
            "(s, t) => [...s.options].find(o => o.text.startsWith(t)).value", text
        )
        self.page.select_option(field, value)

    def reach(self, target: Locator, most: int = 150) -> Locator:
        """Press Tab until the target has the focus, which must be seen and not lie under the sticky header."""
        target.wait_for(state="attached")
        for _press in range(most):
            self.page.keyboard.press("Tab")
            if target.evaluate("el => el === document.activeElement"):
                for _look in range(30):  # pages scroll smoothly: the place is right a moment later
                    problem = target.evaluate(FOCUS_PROBLEM)
                    if not problem:
                        break
                    self.page.wait_for_timeout(50)
                assert not problem, f"{target}: {problem}"
                return target
        raise AssertionError(f"{target} is out of reach of the keyboard")

    def picture(self, name: str, *, whole: bool = True) -> None:
        """Keep a picture of the page for people to look at."""
        OUTPUT.mkdir(exist_ok=True)
        self.page.screenshot(path=OUTPUT / f"{name}.png", full_page=whole)


# an outline or a shadow must show, and what lies on top at the element's corner must be the element's own
FOCUS_PROBLEM = """el => {
  const style = getComputedStyle(el), box = el.getBoundingClientRect();
  const shown = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none';
  if (!shown) return 'no focus is to be seen';
  if (box.bottom <= 0 || box.top >= innerHeight) return 'the focus is out of the window';
  const header = document.querySelector('.ops-header');
  if (header && !header.contains(el) && getComputedStyle(header).position === 'sticky'
      && box.top < header.getBoundingClientRect().bottom - 1) return 'the focus is under the header';
  return '';
}"""

"""Who sits before the screens of a browser test, and how do they find their way with the keyboard alone?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from tests.stacks import System

AXE = (Path(__file__).resolve().parents[1] / "vendor" / "axe-core-4.14.1" / "axe.min.js").read_text()
OUTPUT = Path(__file__).resolve().parents[1] / "output"
# what Chromium says of answers that a test provokes itself
EXPECTED = ("Failed to load resource", "WebSocket connection to", "htmx:", "Response Status Error")
UNCOVERED = """el => el.closest('.ops-header') !== null
    || el.getBoundingClientRect().top + 2 > document.querySelector('.ops-header').getBoundingClientRect().bottom"""


class Person:
    """Somebody signed in, in a browser window of their own."""

    def __init__(
        self,
        browser: Browser,
        system: System,
        user: str,
        *,
        language: str = "en",
        theme: str = "light",
        width: int = 1366,
    ) -> None:
        self.base = system.base_url
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, is_mobile=width < 500,
            locale="zh-CN" if language == "zh" else "en-GB", timezone_id="Asia/Shanghai",
        )  # fmt: skip
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._heard)
        password = next(one["password"] for one in system.accounts["people"] if one["user"] == user)
        self.open("/sign-in/")
        self.page.fill("[name=username]", user)
        self.page.fill("[name=password]", password)
        self.page.press("[name=password]", "Enter")
        self.page.wait_for_url("**/desk/")

    def _heard(self, message: Any) -> None:
        if message.type == "error" and not message.text.startswith(EXPECTED):
            self.faults.append(message.text)

    def open(self, path: str) -> None:
        """Go to a page and wait until its scripts run."""
        self.page.goto(f"{self.base}{path}")
        self.page.locator("html[data-booted='1'], .ops-plain").first.wait_for(state="attached")

    def live(self) -> None:
        """Wait until the screen says that it hears the server."""
        self.page.locator("#ops-age[data-state=live]").wait_for()

    def sees(self, text: str, seconds: float = 10) -> None:
        """Wait, without reloading, until this text is on the page."""
        self.page.get_by_text(text).first.wait_for(timeout=seconds * 1000)

    def reach(self, target: Locator, most: int = 120) -> None:
        """Press Tab until the target has the focus, and see that it is not hidden under the header."""
        target.wait_for(state="attached")
        for _press in range(most):
            self.page.keyboard.press("Tab")
            if target.evaluate("el => el === document.activeElement"):
                assert target.evaluate(UNCOVERED), "the focus is under the header"
                return
        raise AssertionError(f"{target} is out of reach of the keyboard")

    def type_into(self, label: str, text: str, within: Locator | None = None) -> None:
        """Reach a field by Tab and type."""
        self.reach((within or self.page.locator("main")).get_by_label(label, exact=False).first)
        self.page.keyboard.type(text)

    def unfold(self, name: str, act: str) -> Locator:
        """Open the box of an act with Enter; answer the box. ``name`` is its id without the subject's."""
        box = self.page.locator(f"[id^='{name}']").first
        assert box.locator("summary").inner_text().strip().startswith(act)
        self.reach(box.locator("summary"))
        self.page.keyboard.press("Enter")
        return box

    def violations(self) -> list[str]:
        """What axe finds on the page, one line each, and whether something stands out of the window's width."""
        session = self.context.new_cdp_session(self.page)
        script = AXE + "; axe.run().then(found => JSON.stringify(found.violations))"
        answer = session.send("Runtime.evaluate", {"expression": script, "awaitPromise": True, "returnByValue": True})
        rows = json.loads(answer["result"]["value"])
        found = [f"{row['impact']} {row['id']}: {row['nodes'][0]['html'][:150]}" for row in rows]
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return [*found, f"{wide} px too wide"] if wide > 0 else found

    def picture(self, name: str) -> None:
        """Keep a picture of the page for people to look at."""
        OUTPUT.mkdir(exist_ok=True)
        self.page.screenshot(path=OUTPUT / f"{name}.png", full_page=True)

    def leave(self) -> None:
        """Close the window; nothing may have gone wrong in its scripts or with the content security policy."""
        self.context.close()
        assert self.faults == []

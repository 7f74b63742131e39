"""Does the script of the parts take nothing from the reader's hand, keep its turn, and say how old the screen is?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

pytestmark = [pytest.mark.browser]
JS = Path(__file__).resolve().parents[2] / "static" / "js"
FORM = "<details {0}><summary>Leave</summary><form method=post><input name=reason id=reason></form></details>"
HTML = f"""<!doctype html><body><div id=r data-live=s data-part=/x/part/r data-careful>{FORM.format("open")}</div>
<script type=module>import * as regions from "/js/regions.js"; regions.watch(() => {{}}); window.regions = regions;
setInterval(() => regions.tick(), 1000);</script>"""
# each read takes ``slow`` ms and is answered with ``status``
FETCH = """window.reads = []; window.slow = 0; window.status = 200; Math.random = () => 0.9;
window.fetch = (url, asked) => { reads.push(performance.now()); const now = window.status;
  return new Promise((done, fail) => { asked.signal.addEventListener("abort", () => fail(new Error("abort")));
    setTimeout(() => done(new Response("<p>new</p>", {status: now})), window.slow); }); };"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with one part and the script alone; no server."""
    context = browser.new_context()

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix("http://part.test")
        if path.startswith("/js/"):
            route.fulfill(body=(JS / path[4:]).read_text(), content_type="text/javascript")
        else:
            route.fulfill(body=HTML, content_type="text/html")

    context.route("**/*", serve)
    context.add_init_script(FETCH)
    opened = context.new_page()
    faults: list[Any] = []
    opened.on("pageerror", lambda fault: faults.append(fault))
    opened.goto("http://part.test/")
    opened.wait_for_function("window.regions")
    yield opened
    context.close()
    assert not faults


@pytest.mark.parametrize("behind", [False, True])
def test_a_form_in_use_is_never_taken_away(page: Page, behind: bool) -> None:
    page.focus("#reason")
    page.evaluate("window.field = document.getElementById('reason')")
    if behind:  # something is looked up in another window
        line = page.context.new_cdp_session(page)
        line.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
        page.context.new_page().bring_to_front()
        assert not page.evaluate("document.hasFocus()")
    page.evaluate("regions.dirty('s')")
    page.wait_for_function("reads.length === 1")
    page.wait_for_timeout(500)
    assert page.evaluate("window.field.isConnected && document.querySelector('details').open")


def test_what_a_read_has_seen_is_not_old(page: Page) -> None:
    """A pointer comes while a read is under way that waited long for its turn: the screen is as old as that read."""
    page.evaluate("slow = 400; regions.dirty('s', 3000)")
    page.wait_for_function("reads.length === 1")
    page.evaluate("regions.dirty('s', 15000)")
    page.wait_for_timeout(1000)
    read, since = page.evaluate("[reads[0], regions.dirtySince()]")
    assert abs(since - read) < 100


def test_a_failed_read_comes_again_within_the_spread_of_the_crowd(page: Page) -> None:
    """Also when what concerned few had it read at once."""
    page.evaluate("status = 503; regions.dirty('s', 14000); regions.dirty('s')")
    page.wait_for_function("reads.length === 1")
    page.wait_for_timeout(4000)
    assert page.evaluate("reads.length") == 1
    page.evaluate("status = 200; regions.acted(null)")
    page.wait_for_function("reads.length === 2")
    page.wait_for_timeout(300)
    page.evaluate("status = 503; regions.dirty('s')")  # the crowd was read with success: its spread is forgotten
    page.wait_for_function("reads.length >= 4", timeout=6000)
    assert page.evaluate("regions.dirtySince()") is not None

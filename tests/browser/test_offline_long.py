"""What does a screen do that has no line for 10 minutes (`F27`)? It says so, keeps what was typed, is right at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from tests.browser.conftest import OpenWindow
from tests.browser.ground import LEAD, SUPPORT, Ground
from tests.browser.window import Window, patience

MINUTES = float(os.environ.get("OFFLINE_MINUTES", "10"))
STALE, RIGHT = 15.0, 5.0
"""Seconds: from the loss of the line until the screen says so, from its return until all is right."""
HALF = "Foam is short; we ask for two more"
pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(MINUTES * 60 + 600)]


def shown(one: Window) -> list[str]:
    """Each assignment on the page with its version."""
    rows = "els => els.map(e => e.dataset.row + ':' + e.dataset.version.split('.')[0]).sort()"
    return list(one.page.locator("#i-assignments [data-row]").evaluate_all(rows))


def true(ground: Ground, number: int) -> list[str]:
    """The same as the server has it."""
    return sorted(f"a{pk}:{one['version']}" for pk, one in ground.parts(number).items())


def test_ten_minutes_without_a_line(
    window: OpenWindow, ground: Ground, figure: Callable[[str], None]
) -> None:
    incident = ground.incident("Fire in the harbour silo")
    number = ground.issue(incident, "Cool the silo's roof")
    ground.acknowledge(number, LEAD)
    command = window("city-commander").open(f"/instructions/{number}/").live()
    compose = window(beside=command).open(f"/incidents/{incident}/instructions/new")
    lead = window("fire-duty1").open(f"/instructions/{number}/").live()
    typed = lead.unfold("act-start").get_by_label("Who goes")
    typed.fill(HALF)
    compose.page.fill("[name=text]", HALF)
    compose.page.wait_for_timeout(1500)
    both = (command, lead)
    for one in both:
        one.context.set_offline(True)
    began = time.monotonic()
    for one in both:
        one.stale(max(0.1, began + STALE * patience() - time.monotonic()))
    stale_after = time.monotonic() - began

    ground.acknowledge(number, SUPPORT)
    moved = [ground.part(number, SUPPORT), ground.part(number, LEAD)]
    ground.person(SUPPORT).do("assignment", moved[0], "start", {"who_goes": "Company 4"})
    percent = 0
    while time.monotonic() - began < MINUTES * 60:
        percent = min(90, percent + 5)
        body = {"version": 1, "percent": percent, "text": f"{percent} % done"}
        ground.person(SUPPORT).do("assignment", moved[0], "feedback", body)
        lead.page.wait_for_timeout(min(30_000, MINUTES * 20_000))
        assert typed.input_value() == HALF
        assert all(one.says_stale() for one in both)
    wanted = true(ground, number)
    assert shown(command) != wanted, "nothing happened meanwhile"

    for one in both:
        one.context.set_offline(False)
    back = time.monotonic()
    while any(shown(one) != wanted or one.says_stale() for one in both):
        assert time.monotonic() - back < RIGHT * patience(), [(shown(one), wanted, one.says_stale()) for one in both]
        lead.page.wait_for_timeout(50)
    right_after = time.monotonic() - back
    figure(f"stale after {stale_after:.1f} s, {MINUTES:g} minutes without a line, right {right_after:.1f} s after it")
    assert typed.input_value() == HALF
    assert compose.page.locator("[name=text]").input_value() == HALF
    assert all(one.stayed() for one in (*both, compose))
    command.live(RIGHT * patience())
    lead.tap("Start", within="details[id^='act-start']")
    command.sees(HALF[:20], seconds=10 * patience())

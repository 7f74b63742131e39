"""Does every open screen say that it is old when the line breaks, and come right by itself once it holds again?

The commander has the instruction open, the lead its desk, the support the incident's instructions; a wall hangs beside
them. All four speak through a line that can be cut.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.browser.conftest import OpenWindow
from tests.browser.ground import LEAD, SUPPORT, Ground
from tests.browser.pairing import pair
from tests.browser.window import Window, patience
from tests.faults.proxy import Proxy
from tests.stacks import System

pytestmark = [pytest.mark.stack, pytest.mark.browser]

STALE, RIGHT = 10.0, 15.0
"""Seconds: from a fault's beginning until a screen says so, from its end until it is right."""
OPEN = ("issued", "delivered", "acknowledged", "in_progress", "feedback_submitted", "declined", "on_hold")


@pytest.fixture(scope="module")
def line(stack: System) -> Iterator[Proxy]:
    """The line between browsers and server."""
    proxy = Proxy(stack.port)
    yield proxy
    proxy.close()


@dataclass
class Screens:
    """Four screens on one instruction, and what each must show."""

    ground: Ground
    instruction: int
    command: Window
    lead: Window
    support: Window
    wall: Window
    percent: int = 0

    @property
    def all(self) -> dict[str, Window]:
        """Every window by name."""
        return {"command": self.command, "lead": self.lead, "support": self.support, "wall": self.wall}

    def wrong(self) -> dict[str, str]:
        """What the screens show otherwise than the API does now; empty when all is right."""
        seen, _etag = self.ground.person("city", "commander").see("instructions_show", instruction_id=self.instruction)
        parts = {one["id"]: one for one in seen["assignments"]}
        mine = next(one for one in parts.values() if one["department"]["id"] == self.ground.city.id(LEAD))
        open_ones = [one for one in parts.values() if one["state"] in OPEN]
        fresh = [one for one in open_ones if one["state"] in ("issued", "delivered")]
        wanted = {
            "command": sorted(f"a{pk}:{one['version']}" for pk, one in parts.items()),
            "lead": [f"a{mine['id']}:{mine['version']}"] if mine["state"] in OPEN else [],
            "support": [f"{len(parts) - len(fresh)} of {len(parts)} acknowledged"],
            "wall": [str(len(open_ones)), str(len(fresh)), str(len(parts) - len(open_ones))],
        }
        rows = "els => els.map(e => e.dataset.row + ':' + e.dataset.version.split('.')[0])"
        shown = {
            "command": sorted(self.command.page.locator("#i-assignments [data-row]").evaluate_all(rows)),
            "lead": self.lead.page.locator(f"[data-row=a{mine['id']}]").evaluate_all(rows),
            "support": self.support.page.locator(f"[data-row=i{self.instruction}] .ops-line-meta")
            .evaluate_all("els => els.flatMap(e => [...e.children].map(c => c.textContent))"),
            "wall": self.wall.page.locator("#wall-figures b").evaluate_all("els => els.map(e => e.textContent.trim())"),
        }  # fmt: skip
        shown["support"] = [text for text in shown["support"] if "acknowledged" in text]
        shown["wall"] = [shown["wall"][n] for n in (0, 1, 3)] if len(shown["wall"]) == 4 else shown["wall"]
        wrong = {name: f"shows {shown[name]}, is {wanted[name]}" for name in wanted if shown[name] != wanted[name]}
        return wrong | {name: "says stale" for name, one in self.all.items() if one.says_stale()}

    def move(self) -> None:
        """Let lead or support go one step on over the API, past the line that the windows speak through."""
        parts = self.ground.parts(self.instruction)
        for code in (SUPPORT, LEAD):
            pk = self.ground.part(self.instruction, code)
            if parts[pk]["state"] in ("issued", "delivered"):
                return self.ground.acknowledge(self.instruction, code)
            if parts[pk]["state"] == "acknowledged":
                self.ground.person(code).do("assignment", pk, "start", {"who_goes": f"Company {pk}"})
                return None
        self.percent += 10
        report = {"version": 1, "percent": self.percent, "text": f"{self.percent} % is cold.", "final": False}
        self.ground.person(LEAD).do("assignment", self.ground.part(self.instruction, LEAD), "feedback", report)
        return None

    def become_right(self, since: float) -> None:
        """Wait until every screen is right, counted from ``since`` (time.monotonic), and then until each has a socket.

        One that polls is right too, but a fault of its socket would be none of it.
        """
        until = since + RIGHT * patience()
        while wrong := self.wrong():
            assert time.monotonic() < until, wrong
            time.sleep(0.2)  # the screens are asked, nothing tells when the last of them is right
        print(f"  right {time.monotonic() - since:.1f} s after the end")
        for one in self.all.values():
            one.live(RIGHT * patience())

    def say_stale(self, since: float) -> None:
        """Wait until every screen says that it is old, counted from ``since``."""
        until = since + STALE * patience()
        for one in self.all.values():
            one.stale(max(0.1, until - time.monotonic()))
        print(f"  all said stale {time.monotonic() - since:.1f} s after the beginning")


@pytest.fixture(scope="module")
def screens(lasting_window: OpenWindow, ground: Ground, line: Proxy) -> Screens:
    """Command, lead, support and the wall, live."""
    incident = ground.incident("Fire on the tank farm")
    number = ground.issue(incident, "Cool the east tanks")
    window = lasting_window
    kept = Screens(
        ground,
        number,
        command=window("city-commander", base=line.base).open(f"/instructions/{number}/"),
        lead=window("fire-duty1", base=line.base).open("/desk/"),
        support=window("transport-duty1", base=line.base).open(f"/incidents/{incident}/instructions/"),
        wall=pair(window, ground, window(width=1920, height=1080, base=line.base), "Fault wall", incident=incident),
    )
    for one in kept.all.values():
        one.live()
    kept.become_right(time.monotonic())
    return kept


def test_the_server_is_killed_and_starts_again(screens: Screens, stack: System) -> None:
    screens.move()
    stack.kill("web")
    began = time.monotonic()
    stack.stop_one("web")  # it is not to start by itself before the screens have said what they must
    screens.say_stale(began)
    stack.start_one("web")
    stack.wait_ready()
    screens.become_right(time.monotonic())
    assert all(one.stayed() for one in screens.all.values())


def test_a_socket_falls_into_a_black_hole(screens: Screens, line: Proxy) -> None:
    line.black_hole()
    began = time.monotonic()
    screens.move()
    screens.say_stale(began)
    line.heal()
    screens.become_right(time.monotonic())
    screens.move()  # and each hears again
    screens.become_right(time.monotonic())
    assert all(one.stayed() for one in screens.all.values())


def test_hidden_tabs_come_back(screens: Screens) -> None:
    hidden = [screens.command, screens.lead, screens.support]
    states = [one.context.new_cdp_session(one.page) for one in hidden]
    for one in states:
        one.send("Page.setWebLifecycleState", {"state": "frozen"})
    screens.move()
    screens.wall.page.wait_for_timeout(10_000)  # longer than a socket may be silent; the wall is not hidden
    assert not screens.wall.says_stale()
    for one in states:
        one.send("Page.setWebLifecycleState", {"state": "active"})
    screens.become_right(time.monotonic())
    assert all(one.stayed() for one in screens.all.values())


def test_redis_is_gone_for_a_while(screens: Screens, stack: System) -> None:
    stack.flush_redis()
    stack.kill("redis")
    stack.stop_one("redis")
    screens.move()
    late = screens.command.page.get_by_text("Live updates are delayed")
    late.wait_for(timeout=STALE * patience() * 1000)
    stack.start_one("redis")
    late.wait_for(state="hidden", timeout=RIGHT * patience() * 1000)
    screens.become_right(time.monotonic())
    screens.move()
    screens.become_right(time.monotonic())
    assert all(one.stayed() for one in screens.all.values())

"""One instruction goes to all departments: when does each open desk show it?

Commit, pointer, the wait of a screen, the read of its parts, the changed page. The screens are simulated in one process
(they read what a browser reads, and look for the new order in the answer); one Chromium among them shows that the page
itself changes. The floor: a bare ASGI program that answers as many reads from one statement.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

from django.db import connection
from django.urls import reverse
from playwright.sync_api import sync_playwright

from coordination.events import clock, queries
from coordination.instructions import actions as orders
from tests import chromium
from tests.benchmarks import scale, servers
from tests.benchmarks.bench_api import cookie_of, load
from tests.benchmarks.figures import Figure, growth, middle, percentile
from tests.events import outside

SIZES = {True: (200, 2_000), False: (20, 200)}
PARTS = "needs,progress,waiting,drafts,duty"
_WATCH = """mark => { window.found = 0;
  const look = () => { if (!window.found && document.body.textContent.includes(mark)) window.found = Date.now(); };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true}); }"""


class Crowd:
    """The process of screens."""

    def __init__(self, web: servers.Embedded, order: dict[str, Any]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.whole_screens", str(web.port), web.origin], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=outside.ROOT, env=outside.environment(),
        )  # fmt: skip
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        assert self.hear()["ready"] == len(order["screens"])

    def hear(self) -> dict[str, Any]:
        """The next line."""
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(10)


def addressed(city: scale.City) -> list[str]:
    """Everybody but the centre, which issues, the city above it and the newcomer."""
    return [code for code in city.departments if code not in ("centre", "city", "newcomer")]


def approved(city: scale.City, mark: str) -> Any:
    """An order to everybody, ready to be issued."""
    return scale.approved(city, city.incident, addressed(city), what=mark, headline_en=mark, headline_zh=mark[:22])


def once(city: scale.City, web: servers.Embedded, number: int, turn: int) -> dict[str, Any]:
    """Issue one order while ``number`` desks are open: seconds from COMMIT until each is right."""
    mark = f"Order {number} {turn}"
    order = approved(city, mark)
    codes = addressed(city)
    heads = queries.heads([f"department:{city.departments[code].pk}" for code in codes])
    screens = []
    for n in range(number):
        code = codes[n % len(codes)]
        stream = f"department:{city.departments[code].pk}"
        hello = {"kind": "hello", "streams": {stream: list(heads[stream])}}
        screens.append({"cookie": cookie_of(city, code, "duty_officer"), "hello": json.dumps(hello)})
    crowd = Crowd(web, {"screens": screens, "path": reverse("desk-part", args=[PARTS]), "mark": mark})
    try:
        orders.issue(actor=city.actor("centre"), now=clock.now(), instruction_id=order.pk)
        committed = time.monotonic()
        found = crowd.hear()
    finally:
        crowd.close()
    waits = [moment - committed for moment in found["moments"]]
    return {"p50": percentile(waits, 0.5), "p99": percentile(waits, 0.99), "last": max(waits, default=0.0),
            "lost": number - found["right"], "reads": found["reads"]}  # fmt: skip


def in_a_browser(city: scale.City, web: servers.Embedded, turns: int) -> list[float]:
    """Seconds from COMMIT until the page of a real browser has changed; empty where there is no Chromium."""
    if not chromium.program():
        return []
    found = []
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing of ours runs in it
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.program(), args=chromium.arguments())
        cookies = cookie_of(city, "b005", "duty_officer").split("; ")
        for turn in range(turns):
            mark = f"Browser {turn}"
            order = approved(city, mark)
            context = browser.new_context()
            context.add_cookies(
                [{"name": one.split("=")[0], "value": one.split("=")[1], "url": web.origin} for one in cookies]
            )
            page = context.new_page()
            page.goto(f"{web.origin}/desk/", wait_until="load")
            page.wait_for_timeout(2_000)
            page.evaluate(_WATCH, mark)
            orders.issue(actor=city.actor("centre"), now=clock.now(), instruction_id=order.pk)
            committed = time.time()
            while not (seen := page.evaluate("window.found")):
                assert time.time() < committed + 30, "the page did not change"
                page.wait_for_timeout(50)
            found.append(seen / 1000 - committed)
            context.close()
        browser.close()
    return found


def measure(*, full: bool = False, rounds: int = 3) -> list[Figure]:
    """Both numbers of screens, and the browser."""
    connection.settings_dict["CONN_MAX_AGE"] = None
    connection.close()
    city = scale.build()
    web, bare = servers.Embedded(), servers.Bare()
    found: list[Figure] = []
    costs = []
    sizes = SIZES[full]
    try:
        for number in sizes:
            turns = [once(city, web, number, turn) for turn in range(rounds)]
            get = [["GET", f"/desk/{city.departments['b005'].pk}", {}, ""]] * number
            floor = middle([load([bare.port], get, clients=32, seconds=0)["seconds"] for _ in range(rounds)])
            last, p99 = middle([one["last"] for one in turns]), middle([one["p99"] for one in turns])
            lost = sum(one["lost"] for one in turns)
            half = middle([one["p50"] for one in turns])
            note = f"median {half:.2f} s, {turns[-1]['reads']} reads, never right {lost}"
            size = f"{number:,} screens"
            many = number == sizes[-1]
            found += [
                Figure("one order to 197 departments: p99 from COMMIT to the right part", size, p99, "s",
                       goal=None if many else ("value", "<=", 2.0), note=note),
                Figure("the last, beside the floor's time for as many reads", size, last, "s", floor, last / floor,
                       ("ratio", "<=", 5.0) if many else None),
            ]  # fmt: skip
            costs.append(last / number)
        pages = in_a_browser(city, web, rounds)
        if pages:
            found.append(Figure("a real browser: COMMIT to changed page", "1 screen", middle(pages), "s",
                                goal=("value", "<=", 2.0), note=f"longest {max(pages):.2f} s"))  # fmt: skip
    finally:
        web.stop()
        bare.stop()
    found.append(growth("seconds a screen", [f"{size:,}" for size in sizes], costs, 1.3))
    return found

"""Does somebody outside hear within a minute that nobody watches any more (`F33`)?

Engine and beat both run the watchdog; it feeds a dead-man's switch outside as long as all is well. The switch here is
what any such service is: it raises its alarm when it was not fed for so long.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.faults.work import LIMITS, SEEDS
from tests.notify.receiver import BaseHTTPRequestHandler, receiver, reply
from tests.stacks import System

PATIENCE = 30.0
"""Seconds without food after which the switch raises its alarm: three rounds of the watchdog."""
ALARM_SECONDS = 60.0
TOKEN = "a-token-for-this-test"
pytestmark = [pytest.mark.chaos, pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(600)]


class Switch:
    """A dead-man's switch: fed by a call; ``alarmed`` when the last one was too long ago."""

    def __init__(self) -> None:
        self.fed: list[float] = []

    def feed(self, request: BaseHTTPRequestHandler) -> None:
        """Take one call."""
        self.fed.append(time.monotonic())
        reply(request, 200, b"ok")

    def alarmed(self) -> bool:
        """Whether it calls somebody now."""
        return bool(self.fed) and time.monotonic() - self.fed[-1] > PATIENCE


def deep(system: System) -> dict[str, Any]:
    """What the deep health page says now."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx.get(f"{system.base_url}/health/deep", headers=headers, timeout=30, trust_env=False)
    return dict(answer.json())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_dead_watchdog_is_heard_of_outside_within_a_minute(
    start_stack: Callable[..., System], seed: int, figure: Callable[[str], None]
) -> None:
    switch = Switch()
    with receiver(switch.feed) as outside:
        system = start_stack(
            environment={**LIMITS, "MUSTER_DEADMAN_URL": outside.url, "MUSTER_METRICS_TOKEN": TOKEN}
        )
        system.until(lambda: len(switch.fed) >= 3, seconds=60, what="food for the switch")
        both = ["engine", "beat"]
        random.Random(f"{seed}/watchdog").shuffle(both)
        first, second = both

        system.kill(first)
        system.stop_one(first)  # it is not to come back by itself
        alone = time.monotonic()
        fed = system.until(
            lambda: len(later := [at for at in switch.fed if at > alone + 5]) >= 2 and later,
            seconds=60, what="food from the other",
        )
        assert len(fed) >= 2
        assert not switch.alarmed(), f"the switch rang though only {first} was gone"

        died = time.monotonic()
        system.kill(second)
        system.stop_one(second)
        system.until(switch.alarmed, seconds=ALARM_SECONDS, what="the alarm outside")
        took = time.monotonic() - died
        found = system.until(
            lambda: (seen := deep(system))["status"] == "bad" and seen, seconds=ALARM_SECONDS, what="the page's word"
        )
        figure(f"alarm {took:.1f} s after the watchdog's death; the page: {found['parts']['engine']}")
        assert took <= ALARM_SECONDS
        assert time.monotonic() - died <= ALARM_SECONDS
        assert found["parts"]["engine"]["status"] == "bad"

        for name in both:
            system.start_one(name)
        system.until(lambda: not switch.alarmed(), seconds=60, what="food again")
        system.until(lambda: deep(system)["parts"]["engine"]["status"] == "ok", seconds=60, what="an engine")

"""Do screens read again in turn only with those that hear of the same commit?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coordination.events.queries import Entry, Page
from coordination.live import frames, reading
from coordination.live.hub import Hub
from coordination.live.outbox import Outbox
from coordination.live.who import Door

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
Told = dict[str, list[dict[str, Any]]]


def entry(stream: str, commit: int) -> Entry:
    """The first entry of a stream, written by a commit of this number."""
    at = T0 + timedelta(microseconds=commit)
    return Entry(stream, 1, commit, "instruction.issued", at, "instructions.instruction", commit, 1, 1)


def told(screens: dict[str, int], act: Callable[[Hub], Any]) -> Told:
    """What so many screens of each stream hear when ``act`` is done to their hub."""
    heard: Told = {stream: [] for stream in screens}

    async def run() -> None:
        hub = Hub()
        boxes = []
        for stream, number in screens.items():
            hub.known[stream] = (1, 0)
            for _ in range(number):

                async def send(message: dict[str, Any], stream: str = stream) -> None:
                    heard[stream].append(json.loads(message["text"]))

                box = Outbox(Door((), None, "http"), send, 0.0)
                box.at[stream] = (1, 0)
                hub.followers[stream].add(box)
                boxes.append(box)
        done = act(hub)
        if done is not None:
            await done
        for _ in range(200):
            await asyncio.sleep(0.01)
            if all(len(heard[stream]) == number for stream, number in screens.items()):
                break
        for box in boxes:
            box.gone()
        for task in hub.tasks:
            task.cancel()
        await asyncio.gather(*hub.tasks, return_exceptions=True)

    asyncio.run(run())
    assert {stream: len(said) for stream, said in heard.items()} == screens
    return heard


def spreads(said: Told) -> dict[str, set[Any]]:
    return {stream: {one.get("spread") for one in frames_} for stream, frames_ in said.items()}


@pytest.mark.parametrize(
    ("commits", "expected"),
    [
        ({"all": 1, "one": 2}, {"all": {15_000}, "one": {None}}),  # two commits, read in one look at the log
        ({"all": 1, "one": 1}, {"all": {15_000}, "one": {15_000}}),
    ],
)
def test_an_order_to_one_desk_is_not_put_behind_the_crowd_of_another(
    monkeypatch: pytest.MonkeyPatch, commits: dict[str, int], expected: dict[str, set[Any]]
) -> None:
    async def moved(after: Any) -> dict[str, Page]:
        return {stream: Page(1, 1, (entry(stream, commits[stream]),)) for stream in after}

    monkeypatch.setattr(reading, "moved", moved)
    heard = told({"all": 2000, "one": 1}, lambda hub: hub.hinted(["all", "one"]))
    assert spreads(heard) == expected


def test_several_commits_to_few_are_no_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    async def moved(after: Any) -> dict[str, Page]:
        return {stream: Page(1, 1, (entry(stream, number),)) for number, stream in enumerate(sorted(after))}

    monkeypatch.setattr(reading, "moved", moved)
    streams = [f"department:{n}" for n in range(1, 31)]
    heard = told(dict.fromkeys(streams, 1), lambda hub: hub.hinted(streams))
    assert spreads(heard) == {stream: {None} for stream in streams}


@pytest.mark.parametrize(("screens", "spread"), [(2000, 15_000), (100, 800), (26, 208), (25, None), (1, None)])
def test_a_reset_told_to_many_is_read_in_turn(screens: int, spread: int | None) -> None:
    heard = told({"s": screens}, lambda hub: hub._deliver("s", Page(1, 700, reset="behind"), {}))
    assert spreads(heard) == {"s": {spread}}
    assert frames.LONGEST_SPREAD_MS == 15_000

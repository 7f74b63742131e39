"""What becomes of work, deadlines, messages and screens when Redis is killed, wiped, frozen or away?"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest
from websockets.sync.client import connect

from tests.faults.checker import Breach
from tests.faults.ground import Ground, Writer, answers, p99, waited, within
from tests.faults.readers import Screen

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(600)]

Say = Callable[[str], None]
SCREEN, LATE, ANSWER = 16.0, 5.0, 2.0
"""Seconds: until a screen shows what was saved; until a deadline fires; until a request is answered."""


class Watched:
    """A screen on the incident, and how long each line took to reach it."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.stream = ground, f"incident:{ground.incident}"
        self.screen = Screen(ground.api, ground.officer, ground.history, self.stream)
        self.began = time.time()

    def whole(self) -> list[float]:
        """Seconds from each entry written since to the screen; fails when one is missing or there was a hole."""
        ground = self.ground
        entries = ground.system.query(
            "SELECT seq, extract(epoch FROM at)::float FROM events_streamentry WHERE stream = %s", self.stream
        )
        written = {seq: at for seq, at in entries if at > self.began}
        last = max(written, default=0)
        ground.system.until(lambda: self.screen.at >= last, seconds=waited(SCREEN, 2), what="the screen to be right")
        assert ground.history.broken == []
        return [self.screen.seen[seq] - at for seq, at in written.items()]


@contextmanager
def watched(ground: Ground) -> Iterator[Watched]:
    """Look at the incident meanwhile."""
    made = Watched(ground)
    made.screen.start()
    try:
        ground.system.until(lambda: made.screen.opened, what="a socket")
        yield made
    finally:
        made.screen.stop.set()
        made.screen.join(30)


def says_late(ground: Ground, seconds: float) -> list[bool]:
    """Whether each heartbeat of a screen says that live updates are delayed, until it does or for so long."""
    cookie = "; ".join(f"{one.name}={one.value}" for one in ground.officer.http.cookies.jar)
    url = f"{ground.system.base_url.replace('http', 'ws')}/live/ws"
    said: list[bool] = []
    end = time.monotonic() + seconds
    with connect(url, origin=ground.system.base_url, additional_headers={"Cookie": cookie}) as socket:  # type: ignore[arg-type]
        socket.send(json.dumps({"kind": "hello", "streams": {f"incident:{ground.incident}": [1, 0]}}))
        while time.monotonic() < end and not (said and said[-1]):
            frame = json.loads(socket.recv(timeout=30))
            if frame["kind"] == "hb":
                said.append(bool(frame.get("late")))
    return said


def judged(ground: Ground, writers: list[Writer], figure: Say, more: str = "") -> None:
    """No write failed, and none was slow."""
    every = [answer for one in writers for answer in one.answers]
    late, bound = p99([one.seconds for one in every]), waited(ANSWER, 0.5)
    figure(f"{len(every)} writes, p99 {late:.2f} s (bound {bound:.1f}){more}")
    assert {one.status for one in every} == {201}
    assert late <= bound


def test_redis_is_killed(ground: Ground, figure: Say) -> None:
    """F8: nothing is lost, screens are right within 16 s."""
    with watched(ground) as seen, ground.written(2, pause=0.3) as writers:
        for _ in range(2):
            time.sleep(3)
            old = ground.kill("redis")
            ground.runs_again("redis", old)
            time.sleep(6)
        took = seen.whole()
    bound = waited(SCREEN, 2)
    judged(ground, writers, figure, f"; on screen at most {max(took):.1f} s later (bound {bound:.1f})")
    assert max(took) <= bound


def test_redis_is_wiped(ground: Ground, figure: Say) -> None:
    """F9: what is due is queued again, by beat alone: the engine, which needs no queue, is stopped."""
    ground.give_orders()
    ground.system.stop_one("engine")
    try:
        due = ground.arm(after=3, spread=16)
        for _ in range(3):
            time.sleep(4)
            ground.system.flush_redis()
        fired = ground.all_fired(due)
    finally:
        ground.system.start_one("engine")
    late, bound = p99([one for _at, one in fired]), waited(LATE, 1)
    figure(f"{len(fired)} deadlines by workers alone, wiped three times: p99 {late:.1f} s late (bound {bound:.1f})")
    assert late <= bound
    assert ground.sound() == []


def _away(ground: Ground, figure: Say, seconds: float) -> list[Breach]:
    """Redis is away for so long while people work; return what is not sound afterwards."""
    ground.give_orders()
    ground.system.stop_one("redis")
    try:
        due = ground.arm(after=3, spread=seconds - 8)
        with watched(ground) as seen, ground.written(2, pause=0.3) as writers:
            said = says_late(ground, within(10))
            time.sleep(max(0, seconds - 10))
            fired = ground.all_fired(due)
            # told, though Redis is still away
            notices = (
                "SELECT count(*) FROM notify_delivery WHERE event_id IS NULL AND object_id = ANY(%s) AND state = 'sent'"
            )
            ground.system.until(
                lambda: ground.system.query(notices, ground.parts)[0][0] >= len(due), seconds=within(15),
                what="the messages",
            )  # fmt: skip
            took = seen.whole()
    finally:
        ground.system.start_one("redis")
    late = p99([one for _at, one in fired])
    judged(
        ground, writers, figure,
        f"; {len(fired)} deadlines p99 {late:.1f} s late; on screen at most {max(took):.1f} s later, which said so",
    )  # fmt: skip
    assert said[-1], "no screen was told that live updates are delayed"
    assert late <= waited(LATE, 1)
    assert max(took) <= waited(SCREEN, 2)
    ground.system.until(lambda: not says_late(ground, 6)[-1], seconds=within(30), what="the end of the delay")
    return ground.sound()


def test_redis_is_away(ground: Ground, figure: Say) -> None:
    """F10, in little: writes, deadlines and messages go on; the screen says that live updates are delayed."""
    assert _away(ground, figure, 25) == []


@pytest.mark.timeout(1500)
def test_redis_is_away_for_ten_minutes(ground: Ground, figure: Say) -> None:
    """F10."""
    assert _away(ground, figure, 600) == []


def test_redis_is_frozen(ground: Ground, figure: Say) -> None:
    """F11: for 60 s; every request is answered, p99 within 2 s."""
    found: list[float] = []

    def look() -> httpx.Response:
        return ground.officer.http.get(f"{ground.system.base_url}/desk/")

    def read() -> None:
        every = answers(look, 58, pause=0.3)
        assert {one.status for one in every} == {200}
        found.extend(one.seconds for one in every)

    with ground.frozen(psutil.Process(ground.system.supervisor.pid("redis"))):
        reader = threading.Thread(target=read)
        with ground.written(3, pause=0.1) as writers:
            reader.start()
            reader.join()
    pages = p99(found)
    judged(ground, writers, figure, f", pages p99 {pages:.2f} s of {len(found)}")
    assert pages <= waited(ANSWER, 0.5)
    assert ground.sound() == []

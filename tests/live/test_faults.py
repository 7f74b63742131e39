"""What becomes of open screens when Redis is gone, and of the server when a screen does not read?"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import redis
from django.db import connection
from websockets.exceptions import ConnectionClosed

from coordination.config.launcher.binaries import redis_program
from coordination.events import clock, command, hint
from coordination.events.actor import SYSTEM
from tests.browser.window import patience
from tests.live import ground
from tests.live.ground import Screen, Web, write


class OwnRedis:
    """A Redis of this test alone, killed and started again by its handle."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "r.sock"
        self.folder = folder
        self.url = f"unix://{self.socket}?db=0"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [redis_program()[0], "--port", "0", "--unixsocket", self.socket, "--dir", self.folder, "--save", "",
             "--appendonly", "yes"],  # as every server must be: the web asks at its start
            stdout=subprocess.DEVNULL,
        )
        ground.until(self._answers)

    def _answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url, socket_timeout=1).ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def own_redis(settings: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnRedis]:
    with tempfile.TemporaryDirectory(prefix="muster-r") as folder:
        made = OwnRedis(Path(folder))
        settings.REDIS_URL = made.url  # type: ignore[attr-defined]
        monkeypatch.setattr(hint, "_client", None)
        monkeypatch.setattr(hint, "_down_until", 0.0)
        yield made
        made.stop()
    hint._client = None


def test_screens_go_on_without_redis_and_with_it_again(
    own_redis: OwnRedis, own_web: Web, city: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen(own_web, city.anna_cookie, {city.f: [1, 0]})
    screen.hear_kind("ready")
    write(city.fire, city.f)
    screen.hear_seq(city.f, 1)
    own_redis.stop()
    write(city.fire, city.f, times=3)
    screen.hear_seq(city.f, 4, 20)
    late = Screen(own_web, city.anna_cookie, {city.f: [1, 0]})  # one that comes while it is away
    late.hear_seq(city.f, 4)
    write(city.fire, city.f)
    for one in (screen, late):
        one.hear_seq(city.f, 5, 20)
    own_redis.start()
    ground.until(lambda: _subscribed(own_redis))
    monkeypatch.setattr(hint, "_down_until", 0.0)
    write(city.fire, city.f, times=2)
    for one in (screen, late):
        one.hear_seq(city.f, 7)
    assert screen.seen[city.f] == late.seen[city.f] == list(range(1, 8))


@pytest.mark.long
def test_a_tenth_of_the_hints_is_lost(
    web: Web, city: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None]
) -> None:
    """F26: right within 2 s while events flow, the last one within 16 s."""
    draw = random.Random("hints 1")
    screen = Screen(web, city.anna_cookie, {city.f: [1, 0]})
    screen.hear_kind("ready")
    total, lost = 100, 0
    written: dict[int, float] = {}

    def writer() -> None:
        nonlocal lost
        try:
            for seq in range(1, total + 1):
                loses = seq == total or draw.random() < 0.1
                lost += loses
                monkeypatch.setattr(hint, "_down_until", float("inf") if loses else 0.0)
                write(city.fire, city.f)
                written[seq] = time.monotonic()
                time.sleep(0.05)
        finally:
            connection.close()

    thread = threading.Thread(target=writer)
    thread.start()
    seen: dict[int, float] = {}
    while screen.cursors[city.f][1] < total:
        screen.hear(25)
        seen.setdefault(screen.cursors[city.f][1], time.monotonic())
    thread.join()
    late = {seq: seen[seq] - written[seq] for seq in written}
    last = late.pop(total)
    figure(f"{lost} of {total} hints lost: at most {max(late.values()):.2f} s while events flow, the last {last:.1f} s")
    assert screen.seen[city.f] == list(range(1, total + 1))
    assert lost > 5
    assert max(late.values()) < 2 * patience()
    assert last < 16 + patience() - 1


def _subscribed(own_redis: OwnRedis) -> bool:
    counts = redis.Redis.from_url(own_redis.url).pubsub_numsub(hint.channel())
    return bool(counts[0][1] == 1)


@pytest.mark.parametrize("deaf", [40, pytest.param(200, marks=pytest.mark.long)])
def test_readers_that_do_not_read_are_dropped_and_cost_little(
    own_web: Web, city: SimpleNamespace, figure: Callable[[str], None], deaf: int
) -> None:
    """F25: gone within 10 s of the last that was sent to them, and never more than 64 MB."""
    assert own_web.process is not None
    good = Screen(own_web, city.anna_cookie, {city.f: [1, 0]})
    good.hear_kind("ready")
    process = psutil.Process(own_web.process.pid)
    before = process.memory_info().rss
    sizes: list[int] = []
    over = threading.Event()

    def weigh() -> None:
        while not over.wait(0.1):
            sizes.append(process.memory_info().rss)

    scales = threading.Thread(target=weigh)
    scales.start()
    sockets = [_deaf_socket(own_web, city) for _ in range(deaf)]
    try:
        _flood(city)
        ended = time.monotonic()
        ground.until(lambda: _connections(own_web) <= 2)
        gone = time.monotonic() - ended
        assert _flooded(own_web, good, city)
    finally:
        over.set()
        scales.join()
        for one in sockets:
            one.close()
    more = (max(sizes) - before) / 1024 / 1024
    figure(f"{deaf} deaf sockets: gone {gone:.1f} s after the flood, {more:.0f} MB more at most")
    assert gone < 10 * patience()
    assert more < 64


def _connections(web: Web) -> int:
    assert web.process is not None
    found = psutil.Process(web.process.pid).net_connections("tcp")
    return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == web.port for one in found)


def _deaf_socket(web: Web, city: SimpleNamespace) -> socket.socket:
    """A socket that says hello and never reads; its buffers are as small as they can be."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    plain.connect(("127.0.0.1", web.port))
    plain.sendall(
        (
            f"GET /live/ws HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nOrigin: {web.origin}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            f"Cookie: {city.anna_cookie}\r\n\r\n"
        ).encode()
    )
    text = json.dumps({"kind": "hello", "streams": {city.f: [1, 0]}}).encode()
    plain.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    return plain


def _flood(city: SimpleNamespace) -> None:
    """More than any buffer of the system between the two holds, in commits of 100."""
    for _ in range(400):
        with command.unit(SYSTEM, clock.now()):
            for _ in range(100):
                command.record(type="department.noted", subject=city.fire, streams=(city.f,))


def _flooded(web: Web, good: Screen, city: SimpleNamespace) -> bool:
    """The one that reads has everything, though it had to open anew where it was too slow itself."""
    deadline = time.monotonic() + 90
    while good.cursors[city.f][1] < 40_000 and time.monotonic() < deadline:
        try:
            good.hear(5)
        except (ConnectionClosed, TimeoutError):
            good.again()
    return good.cursors[city.f][1] == 40_000

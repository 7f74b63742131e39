"""What becomes of open screens when Redis is gone, and of the server when a screen does not read?"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import redis
from django.db import connection
from websockets.asyncio.client import connect

from coordination.config.launcher.binaries import redis_program
from coordination.events import clock, command, hint
from coordination.events.actor import SYSTEM
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
            [redis_program()[0], "--port", "0", "--unixsocket", self.socket, "--dir", self.folder, "--save", ""],
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


def _subscribed(own_redis: OwnRedis) -> bool:
    counts = redis.Redis.from_url(own_redis.url).pubsub_numsub(hint.channel())
    return bool(counts[0][1] == 1)


def test_readers_that_do_not_read_are_dropped_and_cost_little(own_web: Web, city: SimpleNamespace) -> None:
    assert own_web.process is not None
    good = Screen(own_web, city.anna_cookie, {city.f: [1, 0]})
    good.hear_kind("ready")
    before = psutil.Process(own_web.process.pid).memory_info().rss
    deaf = [_deaf_socket(own_web, city) for _ in range(40)]
    try:
        _flood(city)
        assert _flooded(own_web, good, city)
        after = psutil.Process(own_web.process.pid).memory_info().rss
        ground.until(lambda: _connections(own_web) <= 2)
    finally:
        for one in deaf:
            one.close()
    assert after - before < 64 * 1024 * 1024


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
        except Exception:
            good.again()
    return good.cursors[city.f][1] == 40_000


def test_a_hundred_screens_hear_bursts_whole(web: Web, city: SimpleNamespace) -> None:
    """Bursts larger than an outbox reach every screen that reads."""

    async def screen(started: asyncio.Barrier) -> list[int]:
        async with connect(
            f"ws://127.0.0.1:{web.port}/live/ws",
            origin=web.origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": city.anna_cookie},
            compression=None,
            max_queue=None,
        ) as line:
            await line.send(json.dumps({"kind": "hello", "streams": {city.f: [1, 0]}}))
            assert json.loads(await line.recv())["kind"] == "ready"
            await started.wait()
            seen: list[int] = []
            while len(seen) < 460:
                frame = json.loads(await asyncio.wait_for(line.recv(), 60))
                if frame["kind"] == "ev":
                    seen.append(frame["seq"])
            return seen

    def bursts() -> None:
        try:
            for size in (40, 300, 120):  # together below 500, where a screen would be told to begin anew
                with command.unit(SYSTEM, clock.now()):
                    for _ in range(size):
                        command.record(type="department.noted", subject=city.fire, streams=(city.f,))
        finally:
            connection.close()

    async def all_of_them() -> list[list[int]]:
        started = asyncio.Barrier(101)
        screens = [asyncio.create_task(screen(started)) for _ in range(100)]
        await started.wait()
        await asyncio.to_thread(bursts)
        async with asyncio.timeout(90):  # heartbeats go on for ever
            return await asyncio.gather(*screens)

    heard = asyncio.run(all_of_them())
    assert all(seen == list(range(1, 461)) for seen in heard)

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
from websockets.exceptions import ConnectionClosed

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
        except (ConnectionClosed, TimeoutError):
            good.again()
    return good.cursors[city.f][1] == 40_000


class Reader:
    """A screen of a crowd on one event loop: what it was told of one stream, in order."""

    def __init__(self) -> None:
        self.at = 0
        self.pointers: list[int] = []
        self.resets: list[tuple[int, str]] = []

    def hear(self, frame: dict[str, object]) -> None:
        if frame["kind"] == "ev":
            self.at = int(str(frame["seq"]))
            self.pointers.append(self.at)
        elif frame["kind"] == "reset":
            self.at = int(str(frame["seq"]))
            self.resets.append((self.at, str(frame["why"])))

    def whole(self, last: int) -> bool:
        """Every pointer up to ``last`` came once and in order, but for what a reset told it to fetch anew."""
        stops = sorted({*self.pointers, *(seq for seq, _why in self.resets)})
        told = {seq for seq, _why in self.resets}
        begins = [1, *(seq + 1 for seq in stops)]
        return (
            self.pointers == sorted(set(self.pointers))
            and stops[-1:] == [last]
            and all(stop == begin or stop in told for begin, stop in zip(begins, stops, strict=False))
        )


def _crowd(web: Web, city: SimpleNamespace, sizes: list[int], *, in_step: bool) -> list[Reader]:
    """A hundred screens while ``sizes`` events are committed at once, one after another; ``in_step``: each burst only
    when all screens have the one before."""
    total = sum(sizes)

    async def screen(reader: Reader, started: asyncio.Barrier, heard: dict[int, asyncio.Barrier]) -> None:
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
            while reader.at < total:
                before = reader.at
                reader.hear(json.loads(await line.recv()))
                if in_step and reader.at > before and reader.at in heard:
                    await heard[reader.at].wait()

    def burst(size: int) -> None:
        try:
            with command.unit(SYSTEM, clock.now()):
                for _ in range(size):
                    command.record(type="department.noted", subject=city.fire, streams=(city.f,))
        finally:
            connection.close()

    async def all_of_them() -> list[Reader]:
        readers = [Reader() for _ in range(100)]
        started = asyncio.Barrier(101)
        heard = {sum(sizes[: n + 1]): asyncio.Barrier(101) for n in range(len(sizes))}
        screens = asyncio.gather(*(screen(reader, started, heard) for reader in readers))
        await started.wait()
        try:
            async with asyncio.timeout(120):  # heartbeats go on for ever
                for size, barrier in zip(sizes, heard.values(), strict=True):
                    await asyncio.to_thread(burst, size)
                    if in_step:
                        await barrier.wait()
                await screens
        except TimeoutError:
            at = sorted((reader.at, len(reader.pointers), reader.resets) for reader in readers)
            raise AssertionError(f"screens that never heard all: {at[:5]} ... {at[-1]}") from None
        return readers

    return asyncio.run(all_of_them())


def test_a_hundred_screens_hear_bursts_whole(web: Web, city: SimpleNamespace) -> None:
    """Bursts larger than an outbox, each below what a screen is handed at once, reach every screen that reads."""
    heard = _crowd(web, city, [50, 300, 350], in_step=True)
    assert all(reader.pointers == list(range(1, 701)) for reader in heard)
    assert not any(reader.resets for reader in heard)


def test_a_hundred_screens_are_told_where_bursts_outran_them(web: Web, city: SimpleNamespace) -> None:
    """More at once than is handed out: pointers without a hole, or a reset that says from where to fetch anew."""
    heard = _crowd(web, city, [50, 300, 350, 600, 3], in_step=False)
    assert all(reader.whole(1303) for reader in heard), [(r.pointers, r.resets) for r in heard if not r.whole(1303)][0]
    assert {why for reader in heard for _seq, why in reader.resets} == {"behind"}

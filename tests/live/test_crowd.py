"""Does each of many screens hear all, in order, when bursts outrun it and when the server stops beneath it?"""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.db import connection
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from coordination.events import clock, command
from coordination.events.actor import SYSTEM
from coordination.events.models import StreamHead
from coordination.live import frames
from tests.live.ground import Web, write


class Reader:
    """A screen of a crowd on one event loop: what it was told of one stream, in order."""

    def __init__(self) -> None:
        self.at = 0
        self.pointers: list[int] = []
        self.resets: list[tuple[int, str]] = []
        self.spreads: list[object] = []

    def hear(self, frame: dict[str, object]) -> None:
        if frame["kind"] == "ev":
            self.at = int(str(frame["seq"]))
            self.pointers.append(self.at)
            self.spreads.append(frame.get("spread"))
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
    assert {spread for reader in heard for spread in reader.spreads[50:]} == {100 * frames.READ_MS}, "they read in turn"


def test_a_hundred_screens_are_told_where_bursts_outran_them(web: Web, city: SimpleNamespace) -> None:
    """More at once than is handed out: pointers without a hole, or a reset that says from where to fetch anew."""
    heard = _crowd(web, city, [50, 300, 350, 600, 3], in_step=False)
    assert all(reader.whole(1303) for reader in heard), [(r.pointers, r.resets) for r in heard if not r.whole(1303)][0]
    assert {why for reader in heard for _seq, why in reader.resets} == {"behind"}


async def _resumes(
    web: Web, city: SimpleNamespace, reader: Reader, ready: asyncio.Barrier, last: list[int]
) -> list[int]:
    """A screen that goes on where it was whenever its socket ends, until it has ``last``; the codes of those ends."""
    codes: list[int] = []
    waits = True
    while not last or reader.at < last[0]:
        try:
            async with connect(
                f"ws://127.0.0.1:{web.port}/live/ws",
                origin=web.origin,  # type: ignore[arg-type]
                additional_headers={"Cookie": city.anna_cookie},
                compression=None,
                open_timeout=30,
            ) as line:
                await line.send(json.dumps({"kind": "hello", "streams": {city.f: [1, reader.at]}}))
                while not last or reader.at < last[0]:
                    frame = json.loads(await line.recv())
                    if frame["kind"] == "ready" and waits:
                        waits = False
                        await ready.wait()
                    reader.hear(frame)
        except ConnectionClosed as closed:
            codes.append(closed.rcvd.code if closed.rcvd else 1006)
        except (OSError, TimeoutError, InvalidHandshake):
            await asyncio.sleep(0.2)
    return codes


@pytest.mark.long
def test_a_server_that_stops_loses_nothing_of_two_hundred_screens(
    own_web: Web, city: SimpleNamespace, figure: Callable[[str], None]
) -> None:
    """F23: asked to stop while much is written, it says so to each, exits 0 within 30 s; each goes on where it was."""
    over = threading.Event()
    last: list[int] = []

    def writer() -> None:
        try:
            while not over.is_set():
                write(city.fire, city.f, times=3)
                over.wait(0.05)
        finally:
            connection.close()

    def stop_and_start() -> tuple[int, float]:
        assert own_web.process is not None
        time.sleep(1)
        began = time.monotonic()
        own_web.process.send_signal(signal.SIGTERM)
        code = own_web.process.wait(60)
        took = time.monotonic() - began
        own_web.start()
        return code, took

    async def all_of_them() -> tuple[int, float, list[list[int]]]:
        ready = asyncio.Barrier(201)
        screens = asyncio.gather(*(_resumes(own_web, city, reader, ready, last) for reader in readers))
        async with asyncio.timeout(200):
            await ready.wait()
            code, took = await asyncio.to_thread(stop_and_start)
            await asyncio.sleep(2)
            over.set()
            await asyncio.to_thread(thread.join)
            last.append(await asyncio.to_thread(_head, city.f))
            await asyncio.to_thread(write, city.fire, city.f)  # one more, so that each hears that it is over
            return code, took, await screens

    readers = [Reader() for _ in range(200)]
    thread = threading.Thread(target=writer)
    thread.start()
    try:
        code, took, codes = asyncio.run(all_of_them())
    finally:
        over.set()
        thread.join()
    figure(f"200 sockets, {last[0]} events: exit {code} after {took:.1f} s, 0 lost")
    assert (code, took < 30) == (0, True)
    assert {one for each in codes for one in each} <= {1012, 1006}
    assert all(reader.whole(reader.at) and reader.at >= last[0] for reader in readers)


def _head(stream: str) -> int:
    try:
        return int(StreamHead.objects.get(pk=stream).last_seq)
    finally:
        connection.close()

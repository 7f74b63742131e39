"""Many screens in one process, as cheap as can be: they count pointers and note when each came.

``python -m tests.benchmarks.live_screens <port> <origin>``; standard input: one JSON line with a list of
{"cookie", "hello"}; then ``expect <n>`` (answers when each screen has n more pointers, or after 120 s) and
``times <json>`` (the moments of sending; answers percentiles of the last expectation in milliseconds).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

MARK = b'"kind":"ev"'


class Screen(asyncio.Protocol):
    """One socket."""

    def __init__(self, crowd: Crowd, cookie: str, hello: str) -> None:
        self.crowd, self.cookie, self.hello = crowd, cookie, hello
        self.buffer = b""
        self.open = False
        self.came: list[float] = []

    def connection_made(self, transport: Any) -> None:
        """Ask for the upgrade."""
        self.transport = transport
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        transport.write(
            f"GET /live/ws HTTP/1.1\r\nHost: 127.0.0.1:{self.crowd.port}\r\nOrigin: {self.crowd.origin}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{cookie}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take frames apart."""
        self.buffer += data
        if not self.open:
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head, head
            self.open, self.buffer = True, rest
            text = self.hello.encode()
            size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
            self.transport.write(b"\x81" + size + bytes(4) + text)
        now = time.monotonic()
        at, buffer = 0, self.buffer
        while len(buffer) - at >= 4:
            length, start = buffer[at + 1] & 127, at + 2
            if length == 126:
                length, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            if len(buffer) - start < length:
                break
            self._frame(buffer[at] & 15, buffer[start : start + length], now)
            at = start + length
        self.buffer = buffer[at:]

    def _frame(self, opcode: int, body: bytes, now: float) -> None:
        if opcode == 9:
            self.transport.write(b"\x8a" + bytes([0x80 | len(body)]) + bytes(4) + body)
        elif MARK in body:
            self.came.append(now)
            self.crowd.heard(self)
        elif b'"ready"' in body:
            self.crowd.ready()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it: no screen may be dropped."""
        self.crowd.dropped += 1


class Crowd:
    """All of them."""

    def __init__(self, port: int, origin: str) -> None:
        self.port, self.origin = port, origin
        self.screens: list[Screen] = []
        self.count_ready = self.dropped = self.wanted = self.whole = 0
        self.change = asyncio.Event()

    def ready(self) -> None:
        """One more is ready."""
        self.count_ready += 1
        self.change.set()

    def heard(self, screen: Screen) -> None:
        """One more pointer."""
        if len(screen.came) == self.wanted:
            self.whole += 1
            if self.whole >= len(self.screens):
                self.change.set()

    async def until(self, true: Any, seconds: float) -> None:
        """Wait for ``true()``, at most ``seconds``."""
        deadline = time.monotonic() + seconds
        while not true() and time.monotonic() < deadline:
            self.change.clear()
            try:
                await asyncio.wait_for(self.change.wait(), 0.5)
            except TimeoutError:
                continue

    async def expect(self, number: int) -> dict[str, int]:
        """Wait until each has ``number`` pointers more than at the last expectation's end."""
        self.wanted = number
        self.whole = sum(len(screen.came) >= number for screen in self.screens)
        await self.until(lambda: all(len(screen.came) >= number for screen in self.screens), 120)
        got = sum(len(screen.came) for screen in self.screens)
        return {"deliveries": got, "lost": number * len(self.screens) - got, "dropped": self.dropped}

    def late(self, sent: list[float]) -> dict[str, float]:
        """Percentiles of arrival after sending; forgets the pointers."""
        waits = sorted(
            1000 * (came - sent[index])
            for screen in self.screens
            for index, came in enumerate(screen.came[: len(sent)])
        )
        for screen in self.screens:
            screen.came.clear()
        pick = (
            [waits[min(len(waits) - 1, int(len(waits) * share))] for share in (0.5, 0.99, 1.0)] if waits else [0.0] * 3
        )
        return {"p50": pick[0], "p99": pick[1], "max": pick[2]}


async def main(port: int, origin: str) -> None:
    """Open all, then obey standard input."""
    loop = asyncio.get_running_loop()
    crowd = Crowd(port, origin)
    for one in json.loads(await loop.run_in_executor(None, sys.stdin.readline)):
        screen = Screen(crowd, one["cookie"], one["hello"])
        crowd.screens.append(screen)
        await loop.create_connection(lambda screen=screen: screen, "127.0.0.1", port)
    await crowd.until(lambda: crowd.count_ready >= len(crowd.screens), 120)
    print(json.dumps({"ready": crowd.count_ready}), flush=True)
    expecting: asyncio.Task[dict[str, int]] | None = None
    while order := await loop.run_in_executor(None, sys.stdin.readline):
        word, _, rest = order.strip().partition(" ")
        if word == "expect":
            expecting = asyncio.create_task(crowd.expect(int(rest)))
            print(json.dumps({}), flush=True)
        elif word == "got" and expecting is not None:
            print(json.dumps(await expecting), flush=True)
        elif word == "times":
            print(json.dumps(crowd.late(json.loads(rest))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))

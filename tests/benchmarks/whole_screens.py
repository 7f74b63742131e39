"""Many screens in one process that do what a page does: hear a pointer, wait a little, read their part again.

``python -m tests.benchmarks.whole_screens <port> <origin>``; standard input: one JSON line
``{screens: [{cookie, hello}], path, mark}``; when all listen, ``{ready}`` is printed, and when every screen has read an
answer that holds ``mark`` (or after 300 s) ``{right, moments, reads}``: moments of the monotonic clock.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import Any

from tests.benchmarks.live_screens import MARK, Crowd, Screen

LONGEST = 300.0
USUAL_SPREAD = 0.2


class Reader(Screen):
    """A screen that reads again what it was told has changed, in its turn, as static/js/regions.js does."""

    def __init__(self, crowd: Readers, cookie: str, hello: str) -> None:
        super().__init__(crowd, cookie, hello)
        self.readers = crowd
        self.right = 0.0
        self.reading: asyncio.Task[None] | None = None
        self.told = False
        self.spread = USUAL_SPREAD

    def _frame(self, opcode: int, body: bytes, now: float) -> None:
        super()._frame(opcode, body, now)
        if MARK in body and not self.right:
            self.told = True
            self.spread = json.loads(body).get("spread", USUAL_SPREAD * 1000) / 1000
            if self.reading is None or self.reading.done():
                self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while self.told and not self.right:
            self.told = False
            await asyncio.sleep(0.1 + random.random() * self.spread)
            html = await self._get()
            self.readers.reads += 1
            if html is None:
                self.told = True
                self.spread = max(1.0, self.spread)
                await asyncio.sleep(random.random())  # until the page's next look at what failed
            elif self.readers.mark in html:
                self.right = time.monotonic()
                self.readers.count_right += 1
                self.readers.change.set()

    async def _get(self) -> bytes | None:
        """The parts, or None where the server was busy."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.readers.port)
            writer.write(
                f"GET {self.readers.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.readers.port}\r\nCookie: {self.cookie}\r\n"
                "HX-Request: true\r\nX-Part: 1\r\nConnection: close\r\n\r\n".encode()
            )
            answer = await reader.read()
            writer.close()
        except OSError:
            return None
        return answer if answer[9:12] == b"200" else None


class Readers(Crowd):
    """All of them."""

    def __init__(self, port: int, origin: str, order: dict[str, Any]) -> None:
        super().__init__(port, origin)
        self.path: str = order["path"]
        self.mark: bytes = order["mark"].encode()
        self.reads = self.count_right = 0


async def main(port: int, origin: str) -> None:
    """Open all, say so, wait until all are right."""
    loop = asyncio.get_running_loop()
    order = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    crowd = Readers(port, origin, order)
    for one in order["screens"]:
        screen = Reader(crowd, one["cookie"], one["hello"])
        crowd.screens.append(screen)
        await loop.create_connection(lambda screen=screen: screen, "127.0.0.1", port)
    await crowd.until(lambda: crowd.count_ready >= len(crowd.screens), 120)
    print(json.dumps({"ready": crowd.count_ready}), flush=True)
    await crowd.until(lambda: crowd.count_right >= len(crowd.screens), LONGEST)
    moments = [screen.right for screen in crowd.screens if isinstance(screen, Reader) and screen.right]
    print(json.dumps({"right": len(moments), "moments": moments, "reads": crowd.reads}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))

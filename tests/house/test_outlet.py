"""Does a download leave piece by piece, each after the one before it, and end when nobody reads?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from coordination.config.pool import Pool
from sharing.access.outlet import SCOPE_KEY

SCOPE = {
    "type": "http", "method": "GET", "path": "/file", "query_string": b"", "headers": [], "http_version": "1.1",
    "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 5),
}  # fmt: skip


async def asked(application: Callable[..., Iterable[bytes]], send: Any, gone: asyncio.Event) -> None:
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    await Pool(application, threads=1, wait_seconds=5)(SCOPE, receive, send)


def download(made: list[int]) -> Callable[..., Iterable[bytes]]:
    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        outlet = environ["asgi.scope"][SCOPE_KEY]
        outlet.begin()
        start_response("200 OK", [("Content-Type", "text/plain")])
        for number in range(50):
            made.append(number)
            yield b"%d\n" % number
            if not outlet.made():
                return

    return application


async def test_no_piece_is_made_before_the_last_has_left() -> None:
    made: list[int] = []
    left: list[bytes] = []
    ahead: list[int] = []

    async def send(message: Any) -> None:
        if message.get("body"):
            await asyncio.sleep(0)
            ahead.append(len(made) - len(left))
            left.append(message["body"])

    await asked(download(made), send, asyncio.Event())
    assert b"".join(left) == b"".join(b"%d\n" % n for n in range(50)) and set(ahead) == {1}


async def test_a_reader_who_left_ends_it() -> None:
    made: list[int] = []
    gone = asyncio.Event()

    async def send(message: Any) -> None:
        if len(made) == 3 and message.get("body"):
            gone.set()
            raise OSError("the reader is gone")

    await asked(download(made), send, gone)
    assert len(made) <= 4

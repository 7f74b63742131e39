"""What does a socket answer to each kind of actor that asks for a stream?"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.db import connections

from coordination.config.sockets import sockets
from coordination.live import reading
from tests.permissions.bodies import stream_of
from tests.permissions.operations import Operation
from tests.permissions.world import ADDRESS, World

SECONDS = 10.0
POOLS = (reading._STREAMS, reading._SOCKETS)


Cells = Iterable[tuple[str, str, str]]


def try_all(operation: Operation, world: World, cells: Cells) -> dict[tuple[str, str], int | str]:
    """Return the answer of each cell: ``follows``, ``refused``, or the code the socket was closed with."""
    with _one_connection():
        return asyncio.run(_try_all(operation, world, cells))


async def _try_all(operation: Operation, world: World, cells: Cells) -> dict[tuple[str, str], int | str]:
    found = {}
    for relation, kind, principal in cells:
        about = world.archive() if relation == "archived" else world
        stream = stream_of(operation.name, about, absent=relation == "absent")
        found[relation, kind] = await _say_hello(operation.route, world, principal, stream)
    return found


async def _say_hello(route: str, world: World, principal: str, stream: str) -> int | str:
    scope = {
        "type": "websocket", "path": f"/{route}", "query_string": b"", "headers": list(_headers(world, principal)),
        "subprotocols": [], "client": (ADDRESS, 40_000), "scheme": "ws",
    }  # fmt: skip
    talk = ApplicationCommunicator(sockets, scope)
    await talk.send_input({"type": "websocket.connect"})
    said = await talk.receive_output(timeout=SECONDS)
    if said["type"] == "websocket.close":
        return int(said["code"])
    hello = {"kind": "hello", "streams": {stream: [1, 0]}}
    await talk.send_input({"type": "websocket.receive", "text": json.dumps(hello)})
    said = await talk.receive_output(timeout=SECONDS)
    if said["type"] == "websocket.close":
        return int(said["code"])
    frame = json.loads(said["text"])
    assert (frame["kind"], {*frame["accepted"], *frame["refused"]}) == ("ready", {stream})
    if frame["refused"]:
        assert await talk.receive_nothing(timeout=0.01), "something was said about a stream that was refused"
    await talk.send_input({"type": "websocket.disconnect", "code": 1000})
    await talk.wait(SECONDS)
    return "refused" if frame["refused"] else "follows"


def _headers(world: World, principal: str) -> Iterator[tuple[bytes, bytes]]:
    client = world.clients[principal]
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    yield b"host", b"testserver"
    yield b"origin", b"http://testserver"
    yield b"cookie", cookies.encode()
    for name, value in world.headers.get(principal, {}).items():
        yield name.lower().encode(), value.encode()


@contextmanager
def _one_connection() -> Iterator[None]:
    """Let the threads that read for sockets see the world, which is in no other transaction than the test's.

    Each gets a wrapper of its own around the one connection, so that it closes nothing when it is done.
    """
    ours = connections["default"]

    def lend() -> None:
        lent = ours.copy()
        lent.connection, lent.autocommit, lent.close_at = ours.connection, True, None
        connections["default"] = lent

    def give_back() -> None:
        connections["default"].connection = None
        del connections["default"]

    try:
        for pool in POOLS:
            _in_every_thread(pool, lend)
        yield
    finally:
        for pool in POOLS:
            _in_every_thread(pool, give_back)


def _in_every_thread(pool: ThreadPoolExecutor, run: Callable[[], Any]) -> None:
    together = threading.Barrier(pool._max_workers)

    def once() -> None:
        together.wait(SECONDS)
        run()

    for waiting in [pool.submit(once) for _ in range(pool._max_workers)]:
        waiting.result()

"""Does what is asked of the hub while it is busy get done soon after?"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from django.db import connections

from coordination.live import reading
from coordination.live.hub import Hub
from coordination.live.outbox import Outbox
from coordination.live.who import Door
from tests.live import ground

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_second_hello_leaves_a_recheck_due(city: SimpleNamespace) -> None:
    """Rights are taken away while another check is under way; the socket says hello again before the next tick."""
    ground.write(city.fire, city.f)
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def run() -> tuple[float, float]:
        hub = Hub()
        try:
            door = Door(((b"cookie", city.anna_cookie.encode()), (b"host", b"testserver")), ("127.0.0.1", 1), "http")
            outbox = Outbox(door, send, hub.loop.time())
            hub.enter(outbox)
            hub.checking = True  # other sockets are being looked at all the while
            await hub.hello(outbox, {city.f: (1, 1)})
            ordinary = outbox.next_check
            hub.recheck([city.fire.pk], [])
            await hub.hello(outbox, {f"user:{city.anna.pk}": (1, 0)})
            return ordinary - hub.loop.time(), outbox.next_check
        finally:
            for task in hub.tasks:
                task.cancel()
            await asyncio.gather(*hub.tasks, return_exceptions=True)
            for pool in (reading._STREAMS, reading._SOCKETS):
                await hub.loop.run_in_executor(pool, connections.close_all)

    ordinary, asked_for = asyncio.run(run())
    assert ordinary > 10
    assert asked_for == 0.0

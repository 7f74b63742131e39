"""What do other processes say has moved?

One Redis subscription a process, made again whenever it breaks. Only hints: without it the hub looks for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence

import orjson
from django.conf import settings
from redis import RedisError
from redis.asyncio import Redis

from coordination.events import hint

PING_SECONDS = 5.0
SILENT_SECONDS = 15.0
PAUSES = (0.2, 0.5, 1.0, 2.0)

_log = logging.getLogger(__name__)


class Hints:
    """Listens for ever; ``live`` says whether the subscription stands."""

    def __init__(
        self,
        moved: Callable[[Iterable[str]], None],
        recheck: Callable[[Sequence[int], Sequence[int], Sequence[str]], None],
        begun: Callable[[], None],
    ) -> None:
        """``begun`` is called whenever a subscription begins: what was said before it is lost."""
        self.moved, self.recheck, self.begun = moved, recheck, begun
        self.live = False

    async def run(self) -> None:
        """Subscribe, listen, and begin anew after each failure."""
        failures = 0
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, EOFError, TimeoutError) as error:
                if self.live or failures == 0:
                    _log.warning("no hints from Redis: %s", error)
            except Exception:  # noqa: BLE001 - the loop goes on whatever happens
                _log.exception("hints")
            failures = 0 if self.live else failures + 1
            self.live = False
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])

    async def _listen(self) -> None:
        client = Redis.from_url(settings.REDIS_URL, socket_timeout=None, socket_connect_timeout=1, retry=None)
        pubsub = client.pubsub()
        try:
            await pubsub.subscribe(hint.channel())
            heard = asked = time.monotonic()
            while True:
                message = await pubsub.get_message(timeout=PING_SECONDS)
                now = time.monotonic()
                if message is not None:
                    heard = now
                    self._take(message)
                elif now - heard > SILENT_SECONDS:
                    raise TimeoutError("Redis is silent")
                if now - asked >= PING_SECONDS:
                    asked = now
                    await asyncio.wait_for(pubsub.ping(), PING_SECONDS)
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(pubsub.aclose(), 1)  # type: ignore[no-untyped-call]
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.aclose(), 1)

    def _take(self, message: dict[str, object]) -> None:
        if message["type"] == "subscribe":
            self.live = True
            self.begun()
            return
        if message["type"] != "message":
            return
        try:
            said = orjson.loads(message["data"])  # type: ignore[arg-type]
            if "streams" in said:
                self.moved(said["streams"])
            if "recheck" in said:
                asked = said["recheck"]
                self.recheck(asked["departments"], asked["people"], asked.get("streams", ()))
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            _log.warning("not a hint: %s", error)

"""How do other processes hear at once that a stream moved?

A hint is one Redis PUBLISH; it may be lost, doubled or late: relay and hubs also look for themselves.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import orjson
import redis
from django.conf import settings

TIMEOUT = 0.2
REST_SECONDS = 1.0
"""After a failure nobody waits for Redis again for this long: a frozen one must not slow every write."""

_log = logging.getLogger(__name__)
_client: redis.Redis | None = None
_down_until = 0.0


def channel() -> str:
    """The Redis channel of this installation."""
    return f"{settings.REDIS_PREFIX}:streams"


def send(streams: Sequence[str]) -> None:
    """Publish the names of streams that moved; never raises, never waits longer than twice `TIMEOUT`."""
    _publish(orjson.dumps({"streams": list(streams)}))


def send_recheck(departments: Sequence[int], people: Sequence[int] = (), streams: Sequence[str] = ()) -> None:
    """Ask every hub to look again at what these departments, people and followers of streams may see; like `send`."""
    _publish(
        orjson.dumps({"recheck": {"departments": list(departments), "people": list(people), "streams": list(streams)}})
    )


def _publish(message: bytes) -> None:
    global _client, _down_until
    if time.monotonic() < _down_until:
        return
    try:
        if _client is None:
            _client = redis.Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=TIMEOUT,
                socket_connect_timeout=TIMEOUT,
                retry=None,
            )
        _client.publish(channel(), message)
    except (redis.RedisError, OSError) as error:
        _down_until = time.monotonic() + REST_SECONDS
        _log.warning("hint lost: %s", error)


class Listener:
    """Wakes a loop that looks for itself anyway, as soon as any stream moved. One thread listens."""

    def __init__(self) -> None:
        self._heard = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="hints", daemon=True)

    def start(self) -> Listener:
        """Begin to listen; a Redis that is away is tried again each second."""
        self._thread.start()
        return self

    def wait(self, seconds: float) -> bool:
        """Sleep up to ``seconds``; return True, earlier, if a hint came since the last call."""
        heard = self._heard.wait(max(0.0, seconds))
        self._heard.clear()
        return heard

    def wake(self) -> None:
        """End a wait now (a signal handler's way out)."""
        self._heard.set()

    def close(self) -> None:
        """Stop listening within a second."""
        self._over.set()
        self._heard.set()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                self._listen_once()
            except (redis.RedisError, OSError) as error:
                _log.warning("no hints: %s", error)
                self._over.wait(1.0)

    def _listen_once(self) -> None:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=1, retry=None)
        with (
            contextlib.closing(client),
            contextlib.closing(_pubsub(client)) as pubsub,
        ):
            pubsub.subscribe(channel())
            asked = time.monotonic()
            while not self._over.is_set():
                if pubsub.get_message(timeout=1.0) is not None:
                    self._heard.set()
                if time.monotonic() - asked > 10:
                    pubsub.ping()  # a half-open connection raises at the next read
                    asked = time.monotonic()


def _pubsub(client: redis.Redis) -> Any:
    return client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]

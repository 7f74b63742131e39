"""How do other processes hear at once that a stream moved?

A hint is one Redis PUBLISH; it may be lost, doubled or late: relay and hubs also look for themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import orjson
import redis
from django.conf import settings

CHANNEL = "muster:streams"
_log = logging.getLogger(__name__)
_client: redis.Redis | None = None


def send(streams: Sequence[str]) -> None:
    """Publish the names of streams that moved; never raises, never waits longer than 0.2 s."""
    global _client
    try:
        if _client is None:
            _client = redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=0.2, socket_connect_timeout=0.2, retry=None
            )
        _client.publish(CHANNEL, orjson.dumps(list(streams)))
    except (redis.RedisError, OSError) as error:
        _log.warning("hint lost: %s", error)

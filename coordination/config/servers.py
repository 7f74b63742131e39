"""Do the servers behind this process run as they must, or would they lose, leak or hang?

Settings of ours can be right and the server's own wrong: it is asked, once, when a web process starts. A server that is
away is waited for elsewhere; one that answers and is unsafe stops the start.
"""

import logging
from typing import Any

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection

logger = logging.getLogger(__name__)

LIMITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")
ASKED = (
    "fsync", "synchronous_commit", "full_page_writes", "data_checksums", "max_slot_wal_keep_size", "server_encoding",
    "is_superuser", *LIMITS,
)  # fmt: skip
DURABLE = frozenset({"on", "remote_apply"})


def unsafe_postgres(said: dict[str, str]) -> list[str]:
    """Return a sentence for each setting that must differ; ``said``: name and value, times in milliseconds."""
    found = [
        f"PostgreSQL's {name} is {said[name]} and must be on: a power cut would lose what was saved"
        for name in ("fsync", "full_page_writes", "data_checksums")
        if said[name] != "on"
    ]
    if said["synchronous_commit"] not in DURABLE:
        found.append(f"PostgreSQL's synchronous_commit is {said['synchronous_commit']}: saved work may be lost")
    if said["max_slot_wal_keep_size"] == "-1":
        found.append("PostgreSQL's max_slot_wal_keep_size is unlimited: a dead receiver would fill the disk")
    if said["server_encoding"] != "UTF8":
        found.append(f"PostgreSQL's server_encoding is {said['server_encoding']} and must be UTF8")
    if said["is_superuser"] == "on":
        found.append("the web process works as a superuser of PostgreSQL: one hole would open everything")
    found += [
        f"PostgreSQL's {name} is {said[name]} ms here, which is no limit: requests would pile up"
        for name in LIMITS
        if not 0 < int(said[name]) <= 30_000
    ]
    return found


def unsafe_redis(said: dict[str, str]) -> list[str]:
    """Return a sentence for each setting of Redis that must differ."""
    found = []
    if said.get("maxmemory-policy") != "noeviction":
        policy = said.get("maxmemory-policy")
        found.append(f"Redis's maxmemory-policy is {policy} and must be noeviction: queued work would vanish")
    if said.get("appendonly") != "yes":
        found.append("Redis's appendonly is off and must be on: a restart would lose queued work")
    return found


def postgres_says() -> dict[str, str]:
    """What PostgreSQL runs with, for this process's own connection."""
    with connection.cursor() as cursor:
        # setting is in the unit of pg_settings: milliseconds for the limits
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"
            " UNION ALL SELECT 'is_superuser', current_setting('is_superuser')",
            [list(ASKED)],
        )
        return dict(cursor.fetchall())


def redis_says() -> dict[str, str]:
    """What Redis runs with."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1) as client:
        found: dict[Any, Any] = {}
        for name in ("maxmemory-policy", "appendonly"):  # Redis 6 takes one name at a time
            answer: Any = client.config_get(name)
            found |= answer
        return {_word(name): _word(value) for name, value in found.items()}


def _word(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def broken() -> list[str]:
    """Return a sentence for each unsafe setting; a server that does not answer is not judged."""
    found: list[str] = []
    try:
        found += unsafe_postgres(postgres_says())
    except Error as error:
        logger.warning("PostgreSQL could not be asked for its settings: %s", type(error).__name__)
    finally:
        connection.close()
    try:
        found += unsafe_redis(redis_says())
    except redis.ResponseError:
        logger.warning("Redis does not show its settings: appendonly and noeviction could not be checked")
    except redis.RedisError as error:
        logger.warning("Redis could not be asked for its settings: %s", type(error).__name__)
    return found


def demand() -> None:
    """Raise ImproperlyConfigured, naming everything, unless both run as they must; of a demo city it is only said."""
    found = broken()
    if found and settings.MUSTER_DEMO:
        logger.warning("a demo city goes on, but nothing else would: %s", "; ".join(found))
    elif found:
        raise ImproperlyConfigured("; ".join(found))

"""What do the database, Redis, the disk and the backup say about themselves right now?

Each function asks one thing and returns plain numbers, seconds by the database's clock, bytes. Nothing is judged here.
What a dependency raises comes out: the caller decides what silence means.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import connection

from coordination.config.celery import QUEUES
from coordination.events import queries as events
from coordination.events.sealing import anchoring, sealer
from coordination.notify import witnesses

REDIS_SECONDS = 1.5
LATELY_SECONDS = 600.0  # what did nothing for longer was stopped, or its container is another by now
OUTSIDE = frozenset({"redis", "disk"})  # parts that ask no database


def _rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall())


def canaries() -> dict[str, float | None]:
    """Seconds since a worker of each queue last did a task; None: never."""
    ages = dict(_rows("SELECT queue, extract(epoch FROM clock_timestamp() - at)::float8 FROM config_canary"))
    return {queue: ages.get(queue) for queue in QUEUES}


def workers() -> dict[str, float]:
    """Seconds since each worker last did a task, of those that did one within `LATELY_SECONDS`."""
    return {str(worker): float(age) for worker, age in _rows(
        "SELECT worker, extract(epoch FROM clock_timestamp() - at)::float8 FROM config_workercanary"
        " WHERE at > clock_timestamp() - %s * interval '1 second'", LATELY_SECONDS
    )}  # fmt: skip


def engine() -> float | None:
    """Seconds since any process last watched the deadlines; None: never."""
    ((age,),) = _rows("SELECT extract(epoch FROM clock_timestamp() - max(at))::float8 FROM deadlines_engineheartbeat")
    return None if age is None else float(age)


def engines() -> int:
    """How many processes watched the deadlines within the last 10 s."""
    ((count,),) = _rows(
        "SELECT count(*) FROM deadlines_engineheartbeat WHERE at > clock_timestamp() - interval '10 seconds'"
    )
    return int(count)


def relay() -> dict[str, float]:
    """Seconds that the oldest event not yet handed on waits, by subscriber."""
    return events.lags()


@dataclass(frozen=True, slots=True)
class Deadlines:
    """``overdue``: armed and due; ``oldest``: seconds the first waits; ``late``: the worst of those fired lately."""

    overdue: int
    oldest: float
    held: int
    fired: int
    late: float


_DEADLINES = """
SELECT count(*) FILTER (WHERE state = 'armed' AND due_at <= clock_timestamp()),
       coalesce(extract(epoch FROM clock_timestamp() - min(due_at) FILTER
                (WHERE state = 'armed' AND due_at <= clock_timestamp())), 0)::float8,
       count(*) FILTER (WHERE state = 'held' AND held_why LIKE 'poison%')
FROM deadlines_deadline WHERE state IN ('armed', 'held')
"""
_FIRED = """
SELECT count(*), coalesce(max(extract(epoch FROM fired_at - due_at)), 0)::float8
FROM deadlines_deadline WHERE state = 'fired' AND fired_at > clock_timestamp() - interval '5 minutes'
"""


def deadlines() -> Deadlines:
    """How the deadlines stand; three index scans."""
    ((overdue, oldest, held),) = _rows(_DEADLINES)
    ((fired, late),) = _rows(_FIRED)
    return Deadlines(int(overdue), max(0.0, float(oldest)), int(held), int(fired), max(0.0, float(late)))


def alarms() -> dict[str, int]:
    """Open alarms by kind."""
    return {str(kind): int(n) for kind, n in _rows(
        "SELECT kind, count(*) FROM deadlines_alarm WHERE settled_at IS NULL GROUP BY kind"
    )}  # fmt: skip


# two questions, each with an index of its own: joined by OR they read every message ever sent
_DELIVERIES = """
SELECT channel, state, count(*) FROM notify_delivery
WHERE state IN ('pending', 'sending', 'unknown') GROUP BY channel, state
UNION ALL
SELECT channel, state, count(*) FROM notify_delivery
WHERE state = 'failed' AND created_at > clock_timestamp() - interval '1 hour' GROUP BY channel, state
"""


def deliveries() -> dict[tuple[str, str], int]:
    """Messages by (channel, state): those on their way, and those that failed within the last hour."""
    return {(str(channel), str(state)): int(n) for channel, state, n in _rows(_DELIVERIES)}


def lock_outs() -> int:
    """How many pairs of user name and address have had five or more wrong tries, the last within 15 minutes."""
    ((count,),) = _rows(
        "SELECT count(*) FROM (SELECT 1 FROM axes_accessattempt "
        "WHERE attempt_time > clock_timestamp() - interval '15 minutes' "
        "GROUP BY username, ip_address HAVING sum(failures_since_start) >= 5) AS locked"
    )
    return int(count)


def emergency() -> tuple[int, int, int]:
    """Emergency accounts that can sign in, those of them with a second factor, and their open sessions."""
    ((accounts, factors, sessions),) = _rows(
        "SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM mfa_authenticator f "
        "WHERE f.user_id = p.id AND f.type <> 'recovery_codes')), coalesce(sum((SELECT count(*) FROM "
        "accounts_opensession s WHERE s.person_id = p.id"
        " AND s.started_at > clock_timestamp() - interval '12 hours')), 0)"
        " FROM accounts_person p WHERE p.emergency AND p.is_active"
    )
    return int(accounts), int(factors), int(sessions)


def refusals() -> dict[str, int]:
    """Acts refused within the last 5 minutes, by reason."""
    return {str(code): int(n) for code, n in _rows(
        "SELECT code, count(*) FROM events_refusal WHERE at > clock_timestamp() - interval '5 minutes' GROUP BY code"
    )}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Postgres:
    """``written``: bytes of log written since the cluster was made; ``retained``: bytes kept for each slot."""

    size: int
    connections: int
    most_connections: int
    written: int
    retained: dict[str, int]


def postgres() -> Postgres:
    """Size, connections and write-ahead log of the database."""
    ((size, used, most, written),) = _rows(
        "SELECT pg_database_size(current_database()), (SELECT count(*) FROM pg_stat_activity), "
        "current_setting('max_connections')::int, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
    )
    slots = _rows(
        "SELECT slot_name, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint "
        "FROM pg_replication_slots"
    )
    return Postgres(int(size), int(used), int(most), int(written), {str(name): int(kept) for name, kept in slots})


def broker() -> dict[str, int]:
    """How many tasks wait in each queue; raises redis.RedisError when Redis does not answer in time."""
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
    )
    prefix = str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"])
    try:
        return {queue: int(client.llen(prefix + queue)) for queue in QUEUES}  # type: ignore[arg-type]
    finally:
        client.close()


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes of the disk that holds the files."""

    free: int
    total: int


def disk(folder: Path | None = None) -> Disk:
    """What is free where files are kept (or where ``folder`` will be)."""
    place = Path(folder or settings.MEDIA_ROOT)
    while not place.exists() and place != place.parent:
        place = place.parent
    found = shutil.disk_usage(place)
    return Disk(found.free, found.total)


def backups() -> dict[str, float]:
    """Seconds since each part of the backup last went well: ``base``, ``wal``, ``files``. Empty: none ever did."""
    return {str(kind): float(age) for kind, age in _rows(
        "SELECT kind, extract(epoch FROM clock_timestamp() - at)::float8 FROM config_backup"
    )}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sealing:
    """``unsealed``: seconds the oldest line of the log waits for its seal; ``anchored``: since the newest anchor.

    ``behind``: anchors that each witness has not got yet.
    """

    unsealed: float
    anchored: float | None
    behind: dict[str, int]


def sealing() -> Sealing:
    """How the log is sealed and anchored."""
    with connection.cursor() as cursor:
        waits = sealer.unsealed(cursor)
        newest, age = anchoring.newest(cursor)
    return Sealing(waits, age, witnesses.behind(newest))

"""What does Prometheus read?

One exporter gathers what every process counts (files of one folder) and asks the database, Redis, the disk and the
backup itself, each time it is read, all at once and for at most two seconds. What does not answer is missing from the
answer and shows as ``muster_up{part=…} 0``: numbers of long ago are never repeated as if they were of now.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from coordination.config.monitor import facts, process
from coordination.config.monitor.asking import ask

SECONDS = 2.0


def _one(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"muster_{name}", says, value=value)


def _many(name: str, says: str, labels: tuple[str, ...], values: Mapping[Any, float | None]) -> Metric:
    family = GaugeMetricFamily(f"muster_{name}", says, labels=labels)
    for key, value in values.items():
        if value is not None:
            family.add_metric([str(part) for part in (key if isinstance(key, tuple) else (key,))], value)
    return family


def _deadlines(found: facts.Deadlines) -> list[Metric]:
    return [
        _one("deadlines_overdue", "Deadlines that are due and have not fired.", found.overdue),
        _one("deadline_oldest_overdue_seconds", "How long the first of them has been due.", found.oldest),
        _one("deadline_lateness_seconds", "The latest firing of the last 5 minutes.", found.late),
        _one("deadlines_fired", "Deadlines fired within the last 5 minutes.", found.fired),
        _one("deadlines_poisoned", "Deadlines held because they cannot be worked off.", found.held),
    ]


def _postgres(found: facts.Postgres) -> list[Metric]:
    return [
        _one("database_bytes", "Size of the database.", found.size),
        _one("database_connections", "Connections in use.", found.connections),
        _one("database_connections_limit", "Connections that there may be.", found.most_connections),
        _one("wal_written_bytes", "Bytes of write-ahead log since the cluster was made.", found.written),
        _many("wal_retained_bytes", "Bytes of log kept for a reader that has not come.", ("slot",), found.retained),
    ]


def _disk(found: facts.Disk) -> list[Metric]:
    return [
        _one("disk_free_bytes", "Free bytes where files are kept.", found.free),
        _one("disk_total_bytes", "All bytes there.", found.total),
    ]


# part → what is asked, what it becomes
ASKED: dict[str, tuple[Callable[[], Any], Callable[[Any], list[Metric]]]] = {
    "canary": (facts.canaries, lambda found: [
        _many("canary_seconds", "Since a worker of the queue last did a task.", ("queue",), found)]),
    "engine": (facts.engine, lambda found: [
        _one("engine_seconds", "Since anybody last watched the deadlines.", float("inf") if found is None else found)]),
    "engines": (facts.engines, lambda found: [_one("engines", "Processes that watch the deadlines.", found)]),
    "relay": (facts.relay, lambda found: [
        _many("relay_lag_seconds", "How long the oldest event not handed on waits.", ("subscriber",), found)]),
    "deadlines": (facts.deadlines, _deadlines),
    "alarms": (facts.alarms, lambda found: [_many("alarms_open", "Open alarms.", ("kind",), found)]),
    "deliveries": (facts.deliveries, lambda found: [
        _many("deliveries", "Messages on their way; failed: within the last hour.", ("channel", "state"), found)]),
    "lock_outs": (facts.lock_outs, lambda found: [_one("lock_outs", "Sign-ins locked after wrong tries.", found)]),
    "refusals": (facts.refusals, lambda found: [
        _many("refusals", "Acts refused within the last 5 minutes.", ("code",), found)]),
    "postgresql": (facts.postgres, _postgres),
    "redis": (facts.broker, lambda found: [_many("tasks_waiting", "Tasks that wait.", ("queue",), found)]),
    "disk": (facts.disk, _disk),
    "backup": (facts.backups, lambda found: [
        _many("backup_seconds", "Since this part of the backup last went well.", ("kind",), found)]),
}  # fmt: skip


class Asked:
    """What the dependencies say, asked anew at each reading."""

    def collect(self) -> Iterator[Metric]:
        """Yield every family, `muster_up` last."""
        questions = {name: question for name, (question, _shape) in ASKED.items()}
        answers = ask(questions, SECONDS, in_turn=set(questions) - facts.OUTSIDE)
        up: dict[str, float | None] = {}
        for name, answer in answers.items():
            up[name] = 0.0 if isinstance(answer, Exception) else 1.0
            if not isinstance(answer, Exception):
                yield from ASKED[name][1](answer)
        yield _many("up", "Whether this part answered within two seconds.", ("part",), up)


def registry() -> CollectorRegistry:
    """What is shown: the processes' counts, where they write them, and what was asked."""
    found = CollectorRegistry()
    found.register(Asked())  # type: ignore[arg-type]
    if os.environ.get(process.FOLDER):
        process.forget_the_dead()
        MultiProcessCollector(found)  # type: ignore[no-untyped-call]
    else:
        for one in (process.REQUESTS, process.SECONDS, process.SOCKETS, process.TASKS):
            found.register(one)
    return found


def text() -> bytes:
    """The metrics in Prometheus' text form."""
    return generate_latest(registry())

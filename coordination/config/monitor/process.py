"""What does this process count of its own work?

The counts live in files of one folder (``PROMETHEUS_MULTIPROC_DIR``, set by whoever starts the processes), which the
exporter reads; without that folder they are kept in memory and nobody asks for them. A process that died keeps its
share of the counters; what only the living hold (open sockets) goes with it.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import prometheus_client
import psutil
from prometheus_client import values

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_HOST = re.sub(r"[^A-Za-z0-9.]", ".", socket.gethostname())[:20]

if os.environ.get(FOLDER):
    Path(os.environ[FOLDER]).mkdir(mode=0o700, parents=True, exist_ok=True)
    # two containers that share the folder both have a process 1
    values.ValueClass = values.MultiProcessValue(lambda: f"{_HOST}-{os.getpid()}")  # type: ignore[no-untyped-call]

REQUESTS = prometheus_client.Counter(
    "muster_requests", "Requests answered, by what was asked for and the class of the answer.", ["kind", "status"]
)
SECONDS = prometheus_client.Histogram(
    "muster_request_seconds",
    "Seconds from a request's arrival at the application to its answer.",
    ["kind"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10),
)
SOCKETS = prometheus_client.Gauge("muster_sockets", "Open web sockets.", multiprocess_mode="livesum")
TASKS = prometheus_client.Counter("muster_tasks", "Background tasks done, by how they ended.", ["task", "outcome"])

_KINDS = (("/api/", "api"), ("/static/", "static"), ("/health/", "health"), ("/live/", "live"))


def forget_the_dead() -> None:
    """Remove what processes of this machine that are gone had open."""
    folder = os.environ.get(FOLDER)
    for path in Path(folder).glob(f"gauge_live*_{_HOST}-*.db") if folder else ():
        pid = path.stem.rpartition("-")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            path.unlink(missing_ok=True)


def kind(path: str) -> str:
    """What is asked for: api, static, health, live or page; never the address itself, of which there are many."""
    for beginning, name in _KINDS:
        if path.startswith(beginning):
            return name
    return "page"


def answered(path: str, status: int, seconds: float) -> str:
    """Count one request and return its kind."""
    what = kind(path)
    REQUESTS.labels(what, f"{status // 100}xx").inc()
    SECONDS.labels(what).observe(seconds)
    return what

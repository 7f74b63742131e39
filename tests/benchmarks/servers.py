"""Which servers are measured, each a process of its own on the benchmark's database?

What they say goes to var/bench/servers.log.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import suppress

import psutil

from tests.benchmarks.figures import KEPT
from tests.events import outside
from tests.live import ground

LIMITS = {f"MUSTER_API_{name}": "1000000000" for name in ("READS", "WRITES", "LOOP", "SIGN_INS")}
STATIC = KEPT / "static"


def collect() -> None:
    """Collect scripts and styles once, so that pages name them as they do in earnest."""
    if (STATIC / "staticfiles.json").exists():
        return
    KEPT.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"], check=True, cwd=outside.ROOT,
        env=outside.environment(MUSTER_STATIC_ROOT=str(STATIC), MUSTER_HASHED_STATIC="1", MUSTER_PROCESS="command"),
    )  # fmt: skip


class Server:
    """A process that listens on a port; ended by `stop`."""

    arguments: tuple[str, ...] = ()

    def __init__(self, **environment: str) -> None:
        collect()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.log = (KEPT / "servers.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", *(one.format(port=self.port) for one in self.arguments)], cwd=outside.ROOT,
            stdout=self.log, stderr=self.log,
            env=outside.environment(MUSTER_STATIC_ROOT=str(STATIC), MUSTER_PROCESS="web", **LIMITS, **environment),
        )  # fmt: skip
        ground.until(self._listens, 60)

    def _listens(self) -> bool:
        assert self.process.poll() is None, "it ended; see var/bench/servers.log"
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def cpu(self) -> float:
        """CPU seconds it has used, its workers' included."""
        first = psutil.Process(self.process.pid)
        times = [one.cpu_times() for one in (first, *first.children(recursive=True))]
        return sum(one.user + one.system for one in times)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.log.close()


class Embedded(Server):
    """The embedded default: sockets, pages and API in one ASGI process."""

    arguments = ("coordination.config.serve", "--port", "{port}")

    @property
    def origin(self) -> str:
        """What a browser sends as its origin."""
        return f"http://127.0.0.1:{self.port}"


class Bare(Server):
    """The floor: one statement, no framework."""

    arguments = ("tests.benchmarks.api_floor", "{port}")


class Service(Server):
    """Pages and API in a WSGI server of their own; ``installed`` says whether there is one."""

    arguments = ("coordination.config.serve_pages", "--host", "127.0.0.1", "--port", "{port}")

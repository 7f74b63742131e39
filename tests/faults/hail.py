"""What if kills never stop? Each strikes by chance, whatever the one before has left standing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import psutil
from redis import RedisError

from tests.faults.nemesis import BACK, WORKERS, Nemesis, decoy

MEAN = 3.2
"""Seconds between two strikes, on the average; the gaps are exponential, so that some fall together."""
SHARES = {
    "pool": 7, "engine": 3, "worker": 2, "web": 2, "redis": 2, "beat": 1.5, "backend": 1.5, "postgres": 1, "wipe": 0.3,
    "away": 0.1,
}  # fmt: skip
"""How often each is hit, against the others."""


class Hail(Nemesis):
    """Strikes without waiting for what it struck; all must run again within `BACK` all the same."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.down: dict[str, tuple[int, float]] = {}

    def fall(self, on: Callable[[], bool]) -> None:
        """Strike as long as ``on`` says so, then wait until everything runs again."""
        while on():
            time.sleep(min(self.random.expovariate(1 / MEAN), 4 * MEAN))
            what = self.random.choices(list(SHARES), weights=list(SHARES.values()))[0]
            if what == "away":
                self.do("away")
            elif what == "wipe":
                with contextlib.suppress(RedisError):  # it may be down just now
                    self.do("wipe")
            else:
                with decoy(self.history):
                    self.strike(what)
            self._look()
            self.check_orphans(wait=False)
        end = time.monotonic() + BACK
        while self.down and time.monotonic() < end:
            time.sleep(0.2)
            self._look()
        self.check_orphans(wait=True)

    def strike(self, what: str) -> None:
        """Kill one process, if it runs: what is down already is no kill."""
        name = self.random.choice(WORKERS) if what in ("pool", "worker") else "postgres" if what == "backend" else what
        tree, draw = self.random.random() < 0.5, self.random.random()
        information = self.system.supervisor.information(name)
        if information["statename"] != "RUNNING":
            return
        process = psutil.Process(information["pid"])
        with contextlib.suppress(psutil.NoSuchProcess):
            children = process.children(recursive=what not in ("pool", "backend"))
            if what in ("pool", "backend"):
                self._one_of(what, name, children, draw)
                return
            self._hit(process, f"SIGKILL {name} {process.pid}" + (f" and {len(children)} children" if tree else ""))
            self.killed.add("worker" if name in WORKERS else name)
            self.down[name] = (process.pid, time.monotonic())
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    if tree:
                        child.kill()
                self.orphans.append((name, child, time.monotonic()))

    def _one_of(self, what: str, name: str, children: list[psutil.Process], draw: float) -> None:
        if children:
            victim = children[int(draw * len(children))]
            self._hit(victim, f"SIGKILL {what} process {victim.pid} of {name}")
            self.killed.add(what)

    def _hit(self, process: psutil.Process, said: str) -> None:
        process.kill()
        self.history.fault(said)
        self.kills += 1

    def _look(self) -> None:
        """Note who runs again, and who has not come back in time."""
        for name, (pid, since) in list(self.down.items()):
            information = self.system.supervisor.information(name)
            if information["statename"] == "RUNNING" and information["pid"] != pid:
                self.back.setdefault(name, []).append(time.monotonic() - since)
                del self.down[name]
            elif time.monotonic() - since > BACK:
                self.history.breach("a process did not come back", f"{name}: {information}")
                del self.down[name]

"""What is done to the system while it works?

Only processes whose handles it holds are hurt: those the supervisor names, and their children as the system itself
knows them. Beside each kill stands a decoy with a server's name; it must live.
"""

from __future__ import annotations

import contextlib
import copy
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator

import psutil

from coordination.config.launcher.supervise import Supervisor
from coordination.config.launcher.watch import Watch
from tests.faults.history import History
from tests.stacks import System

WORKERS = ("worker-urgent", "worker-normal", "worker-bulk")
BACK = 45.0
"""Seconds within which a killed process must run again, on a machine that has more to do."""
AFTERWARDS = 25.0
"""Seconds that the children of a killed process may outlive it."""


class Nemesis:
    """Hurts one system, by a seed."""

    def __init__(self, system: System, history: History, seed: str, *, redis_away: float) -> None:
        self.system, self.history, self.redis_away = system, history, redis_away
        self.random = random.Random(seed)
        self.kills = 0
        self.killed: set[str] = set()
        self.back: dict[str, list[float]] = {}
        self.orphans: list[tuple[str, psutil.Process, float]] = []

    def round(self) -> list[str]:
        """The faults of one round, in the seed's order: each process killed, Redis wiped, Redis away."""
        names = set(self.system.names)
        faults = [name for name in ("web", "beat", "engine", "redis", "postgres") if name in names]
        faults += [self.random.choice(WORKERS), "pool"]
        if "redis" in names:
            faults += ["wipe", "away"]
        self.random.shuffle(faults)
        return faults

    def run(self) -> None:
        """Do each fault once, the next when the process runs again."""
        for fault in self.round():
            time.sleep(0.5 + self.random.random() * 2)
            self.do(fault)
        self.check_orphans(wait=True)

    def do(self, fault: str) -> None:
        """Do one fault beside a decoy."""
        with decoy(self.history):
            if fault == "wipe":
                self.history.fault("Redis wiped")
                self.system.flush_redis()
            elif fault == "away":
                self.history.fault(f"Redis away for {self.redis_away:.0f} s")
                self.system.stop_one("redis")
                began = self.history.now
                time.sleep(self.redis_away)
                self._went_on(began)
                self.system.start_one("redis")
                self._until_back("redis", 0)
            elif fault == "pool":
                self._kill_pool(self.random.choice(WORKERS))
            else:
                self._kill(fault, tree=self.random.random() < 0.5)

    def _went_on(self, began: float) -> None:
        """Without Redis people work on."""
        done = [one for one in self.history.commands if one.outcome == "ok" and one.began > began]
        self.history.fault(f"{len(done)} commands done meanwhile")
        if not done:
            self.history.breach("work stood still without Redis", f"from {began:.1f} s on")

    def _kill(self, name: str, *, tree: bool) -> None:
        pid = self.system.supervisor.pid(name)
        if not pid:
            self.history.fault(f"{name} did not run")
            return
        process = psutil.Process(pid)
        children = process.children(recursive=True)
        self.history.fault(f"SIGKILL {name} {pid}" + (f" and its {len(children)} children" if tree else ""))
        process.kill()
        self.kills += 1
        self.killed.add("worker" if name in WORKERS else name)
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                if tree:
                    child.kill()
            self.orphans.append((name, child, time.monotonic()))
        self._until_back(name, pid)

    def _kill_pool(self, name: str) -> None:
        pid = self.system.supervisor.pid(name)
        children = psutil.Process(pid).children() if pid else []
        if not children:
            self.history.fault(f"{name} has no pool process yet")
            return
        victim = self.random.choice(children)
        self.history.fault(f"SIGKILL pool process {victim.pid} of {name}")
        victim.kill()
        self.kills += 1

    def _until_back(self, name: str, old: int) -> None:
        began = time.monotonic()
        while True:
            information = self.system.supervisor.information(name)
            if information["statename"] == "RUNNING" and information["pid"] not in (0, old):
                break
            if time.monotonic() - began > BACK:
                self.history.breach("a process did not come back", f"{name}: {information}")
                break
            time.sleep(0.1)
        if name == "postgres":
            while self.system.web_answers() and time.monotonic() - began < BACK:
                time.sleep(0.2)
        self.back.setdefault(name, []).append(time.monotonic() - began)

    def check_orphans(self, *, wait: bool) -> None:
        """Children of what was killed must not live on beside their successors; without ``wait`` those are judged
        whose time is over."""
        later = []
        for name, process, killed in self.orphans:
            while wait and process.is_running() and time.monotonic() - killed < AFTERWARDS:
                time.sleep(0.2)
            if not wait and time.monotonic() - killed < AFTERWARDS:
                later.append((name, process, killed))
                continue
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    said = f"{process.pid} {process.cmdline()[:6]} of {name}, {time.monotonic() - killed:.0f} s later"
                    self.history.breach("a child outlived its parent", said)
        self.orphans = later


@contextlib.contextmanager
def decoy(history: History) -> Iterator[None]:
    """Run a process that is called like a server's child beside a fault; it must live."""
    process = subprocess.Popen(["postgres: x", "600"], executable=shutil.which("sleep"))
    try:
        yield
        if process.poll() is not None:
            history.breach("the decoy died", f"exit {process.returncode}")
    finally:
        process.kill()
        process.wait()


class Watchman(threading.Thread):
    """The launcher's own watch over the system, as `up` has it."""

    def __init__(self, system: System, history: History) -> None:
        super().__init__(name="watch", daemon=True)
        stack = copy.copy(system)
        stack.supervisor = Supervisor(system.instance)  # a connection of its own
        self.said: list[str] = []
        self.history = history
        self.watch = Watch(stack, self._say)
        self.stop = threading.Event()

    def _say(self, text: str) -> None:
        self.said.append(text)
        self.history.fault(f"(watch) {text}")

    def run(self) -> None:
        """Look about once a second."""
        while not self.stop.wait(1):
            self.watch.tick()

"""Does each start come up by itself, or refuse with a remedy that works, whatever the last run left?

One instance is wrecked again and again by what a seed draws: killed at a random moment of start, run or stop (held by
handle), and what it left tampered with. After each wreck it is started as a person would. A refusal must name what
mends it; that is done, word for word, and the next start must come up. What was saved before must be there, nobody
else's process may be hurt, and no two servers may work.

``make wrecks N=200 SEED=7``, or ``python -m tests.house.wrecks --count 200 --seed 7``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import psutil

from coordination.config.launcher import leftovers
from coordination.config.launcher.folders import REPOSITORY, unprivileged
from coordination.config.launcher.stack import PARTS
from tests import stacks
from tests.house import tampering

READY_SECONDS = 120.0
LIGHT = ("web",)
WHOLE_EVERY = 8  # so many starts with the web process alone, then one with everything
MOMENTS = {"start": 6.0, "run": 1.0, "stop": 3.0}
"""The moment of the kill, and within how many seconds after it began."""
TARGETS = ("launcher", "launcher", "launcher and supervisor", "all", "PostgreSQL", "a child hangs", "nobody")


@dataclass
class Outcome:
    """What became of one wreck."""

    number: int
    wreck: str
    ended: str = ""
    seconds: float = 0.0
    refusals: list[str] = field(default_factory=list)
    wrong: str = ""


class Running:
    """One launcher, started as a person would start it."""

    def __init__(self, yard: Yard, arguments: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            [*yard.command, "up", *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.said: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def until_ready(self, seconds: float = READY_SECONDS) -> str:
        """Return "ready", "refused" (it ended) or "hangs"."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                return "hangs"
            if line is None:
                self.process.wait()
                return "refused"
            self.said.append(line)
            if line.startswith("ready"):
                return "ready"

    def end(self) -> None:
        """Kill it and close its pipe."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Yard:
    """The instance that is wrecked, and what must outlive each wreck."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(f"wrecks {seed}")
        self.instance = stacks.Instance(stacks.FOLDER / f"test-{os.getpid()}-wrecks")
        self.system = stacks.System(self.instance, port=0)
        self.command = [sys.executable, "-m", "coordination.config.launcher", "--folder", str(self.instance.folder)]
        self.backup = stacks.FOLDER / f"test-{os.getpid()}-wrecks-backup"
        self.strangers: list[subprocess.Popen[bytes]] = []
        self.running: Running | None = None
        self.port = stacks.free_port()
        self.saved = 0
        self.starts = 0
        self.parts: tuple[str, ...] = LIGHT

    # --- the run

    def prepare(self) -> None:
        """Make the instance, keep its keys as a backup would, and start it once."""
        stacks.sweep()
        stacks.seed(self.instance)
        self.backup.mkdir(mode=0o700)
        shutil.copy2(self.instance.secrets, self.backup)
        outcome = Outcome(0, "a new one")
        self._start_until_up(outcome)
        assert not outcome.wrong, outcome.wrong
        self.query("CREATE TABLE wreck_mark (n int PRIMARY KEY)")

    def close(self) -> None:
        """End everything and remove it."""
        if self.running is not None:
            self.running.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.running.process.wait(60)
            self.running.end()
        for stranger in self.strangers:
            stranger.kill()
            stranger.wait()
        leftovers.clear(self.instance)
        stacks.end(self.system)
        moved = [*stacks.FOLDER.glob(f"{self.instance.folder.name}*.old*")]
        moved += self.instance.run.parent.glob(f"{self.instance.run.name}*.old*")
        for path in (self.backup, *moved):
            tampering.remove(path)

    def one(self, number: int) -> Outcome:
        """Wreck it once, and start it again."""
        outcome = Outcome(number, "")
        try:
            outcome.wreck = self._wreck()
            began = time.monotonic()
            self._start_until_up(outcome)
            outcome.seconds = time.monotonic() - began
            if not outcome.wrong:
                outcome.wrong = self._harm()
        except (AssertionError, OSError, subprocess.SubprocessError, psutil.Error) as error:
            outcome.wrong = f"{type(error).__name__}: {error}"
        return outcome

    # --- the wreck

    def _wreck(self) -> str:
        moment = self.draw.choice(list(MOMENTS))
        target = self.draw.choice(TARGETS)
        after = self.draw.uniform(0, MOMENTS[moment])
        self._save()
        running = self._running()
        if moment == "start":
            running.process.terminate()
            running.process.wait(90)
            running = self.running = Running(self, self._arguments())
        elif moment == "stop":
            running.process.terminate()
        time.sleep(after)
        self._strike(running, target)
        names = self.draw.sample(sorted(tampering.ALL), self.draw.choice((0, 1, 1, 2, 3)))
        done = [f"{name} ({tampering.ALL[name](self)})" for name in names]
        return f"{moment} +{after:.1f} s, killed: {target}; {', '.join(done) or 'nothing touched'}"

    def _strike(self, running: Running, target: str) -> None:
        """Kill by handle what ``target`` says; the rest learns of it, or not."""
        if target == "nobody":
            running.process.terminate()
            running.process.wait(90)
            return
        children = self._children(running)
        chosen: list[psutil.Process] = []
        if target == "all":
            chosen = children
        elif target == "launcher and supervisor":
            chosen = [child for child in children if tampering.is_supervisor(child)]
        elif target == "PostgreSQL":
            chosen = [child for child in children if tampering.name_of(child) == "postgres"]
        elif target == "a child hangs":
            hanging = [child for child in children if tampering.name_of(child) != "postgres"]
            for child in self.draw.sample(hanging, min(1, len(hanging))):
                child.suspend()
        running.process.kill()
        for child in chosen:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
        running.process.wait()

    def _children(self, running: Running) -> list[psutil.Process]:
        try:
            return sorted(psutil.Process(running.process.pid).children(recursive=True), key=lambda one: one.pid)
        except psutil.NoSuchProcess:
            return []

    # --- the start

    def _arguments(self, *more: str) -> list[str]:
        user = unprivileged()
        named = ["--user", user.pw_name] if user else []
        return [*named, "--port", str(self.port), "--parts", *self.parts, *more]

    def _start_until_up(self, outcome: Outcome) -> None:
        """Start it; where it refuses, do what it says; at most three refusals, each for another reason."""
        self.starts += 1
        self.parts = PARTS if self.starts % WHOLE_EVERY == 0 else LIGHT
        more: list[str] = []
        for _try in range(4):
            self.running = Running(self, self._arguments(*more))
            outcome.ended = self.running.until_ready()
            if outcome.ended == "ready":
                return
            said = "".join(self.running.said)
            self.running.end()
            if outcome.ended == "hangs":
                outcome.wrong = f"hangs: {said[-1500:]}"
                return
            wrong, found, remedy = said.partition("What mends it:\n")
            reason = wrong.strip().splitlines()[-1] if wrong.strip() else ""
            if not found or reason in outcome.refusals:
                outcome.wrong = f"refused without a remedy that works: {said[-1500:]}"
                return
            outcome.refusals.append(reason)
            more += self._mend(remedy)
        outcome.wrong = f"refused again and again: {outcome.refusals}"

    def _mend(self, remedy: str) -> list[str]:
        """Do what was said, word for word; return what it said to start with."""
        commands = [line.strip() for line in remedy.splitlines() if line.strip()]
        if commands[0].startswith("--port"):
            self.port = int(commands[0].split()[1])
            return []
        for command in commands:
            subprocess.run(
                command.replace("BACKUP", str(self.backup)), shell=True, check=True, cwd=REPOSITORY,
                capture_output=True, text=True,
            )  # fmt: skip
        return []

    # --- what must be

    def query(self, statement: str) -> list[tuple[object, ...]]:
        """Ask its database, as the owner."""
        return self.system.query(statement)

    def stranger(self, **options: object) -> subprocess.Popen[bytes]:
        """Start a process that is nobody's business."""
        made = subprocess.Popen(["/bin/sleep", "infinity"], **options)  # type: ignore[call-overload]
        self.strangers.append(made)
        return made  # type: ignore[no-any-return]

    def _running(self) -> Running:
        assert self.running is not None
        return self.running

    def _save(self) -> None:
        self.query(f"INSERT INTO wreck_mark VALUES ({self.saved + 1})")
        self.saved += 1

    def _harm(self) -> str:
        """Say what is wrong with a system that says it is ready; "" when nothing is."""
        if self.running is not None:
            match = re.search(r"http://127\.0\.0\.1:(\d+)", "".join(self.running.said)) or None
            self.port = int(match[1]) if match else self.port
        answer = httpx.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=20, trust_env=False)
        if answer.status_code != 200:
            return f"not ready: {answer.text}"
        kept = self.query("SELECT count(*), max(n) FROM wreck_mark")
        if kept != [(self.saved, self.saved)]:
            return f"saved {self.saved}, found {kept}"
        servers = [one for one in tampering.servers(self.instance.postgres_data) if one.is_running()]
        if len(servers) != 1:
            return f"{len(servers)} servers work in the data"
        hurt = [one.pid for one in self.strangers if one.poll() is not None]
        if hurt:
            return f"strangers were hurt: {hurt}"
        return self._status()

    def _status(self) -> str:
        deadline = time.monotonic() + 30
        while True:
            said = subprocess.run([*self.command, "status"], cwd=REPOSITORY, capture_output=True, text=True)
            running = set(re.findall(r"^(\S+) +RUNNING", said.stdout, re.MULTILINE))
            if {"postgres", "redis", *self.parts} <= running:
                return ""
            if time.monotonic() > deadline:
                return f"status: {said.stdout}{said.stderr}"
            time.sleep(0.5)


def go(count: int, seed: int, *, seconds: float = float("inf")) -> list[Outcome]:
    """Wreck it ``count`` times, or as often as begins within ``seconds``, saying what happens; the outcomes."""
    yard = Yard(seed)
    outcomes: list[Outcome] = []
    began = time.monotonic()
    try:
        yard.prepare()
        for number in range(1, count + 1):
            if time.monotonic() - began > seconds:
                break
            outcome = yard.one(number)
            outcomes.append(outcome)
            refused = f"; refused: {' | '.join(outcome.refusals)}" if outcome.refusals else ""
            print(f"{number:4} {outcome.seconds:5.1f} s {outcome.wreck}{refused}", flush=True)
            if outcome.wrong:
                print(f"     WRONG (seed {seed}): {outcome.wrong}", flush=True)
                break
    finally:
        yard.close()
    return outcomes


def main(arguments: Sequence[str]) -> int:
    """Say how many came up by themselves, and how many after the remedy; 1 when one did not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no wreck after so long")
    asked = parser.parse_args(arguments)
    outcomes = go(asked.count, asked.seed, seconds=asked.seconds)
    wrong = [one for one in outcomes if one.wrong]
    mended = [one for one in outcomes if one.refusals and not one.wrong]
    alone = len(outcomes) - len(wrong) - len(mended)
    print(
        f"{len(outcomes)} wrecks, seed {asked.seed}: {alone} came up by themselves, {len(mended)} refused and came up "
        f"after their remedy, {len(wrong)} did neither"
    )
    for reason, times in Counter(re.sub(r"\d+|/\S+", "…", one) for o in mended for one in o.refusals).most_common():
        print(f"{times:4} × {reason}")
    return 1 if wrong or len(outcomes) < asked.count and asked.seconds == float("inf") else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))

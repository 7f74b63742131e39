"""What does it cost to bring a pointer to an open screen, beside a bare broadcast of the same text?

Small: 200 and 500 screens, full: 500 and 2,000. Each screen is
another person's, in one of 50 departments; bursts go to all of them, paced events too, and one commit to every
department's own stream. Nothing is asserted about time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil

from coordination.events import clock, command
from coordination.events.actor import SYSTEM
from coordination.live import frames
from tests.benchmarks.figures import Figure, growth, middle
from tests.live import ground

BURSTS = (50, 300)
PACED, PAUSE = 50, 0.05
DEPARTMENTS = 50


class Crowd:
    """The process of screens, spoken to line by line."""

    def __init__(self, port: int, origin: str, screens: list[dict[str, str]]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.live_screens", str(port), origin],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.number = len(screens)
        assert self.ask(json.dumps(screens))["ready"] == self.number

    def ask(self, line: str) -> Any:
        """Say a line, read one."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(10)


def phase(
    name: str, server: psutil.Process, crowd: Crowd, each: int, send: Callable[[], list[float]]
) -> dict[str, Any]:
    """Server CPU per delivery (µs), what was lost, and how late pointers were (ms)."""
    crowd.ask(f"expect {each}")
    before = server.cpu_times()
    sent = send()
    got = crowd.ask("got")
    after = server.cpu_times()
    spent = (after.user + after.system) - (before.user + before.system)
    late = crowd.ask(f"times {json.dumps(sent)}")
    deliveries = max(1, got["deliveries"])
    return {"phase": name, "us": 1e6 * spent / deliveries, "lost": got["lost"], "dropped": got["dropped"], **late}


def floor(number: int, text: str) -> list[dict[str, Any]]:
    """The bare broadcast."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.live_floor"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    out, into = process.stdout, process.stdin
    port = int(out.readline())
    crowd = Crowd(port, f"http://127.0.0.1:{port}", [{"cookie": "", "hello": "{}"}] * number)

    def order(times: int, pause: float) -> list[float]:
        into.write(f"{times} {pause} {text}\n")
        into.flush()
        sent: list[float] = json.loads(out.readline())
        return sent

    try:
        server = psutil.Process(process.pid)
        rows = [phase(f"burst {size}", server, crowd, size, lambda size=size: order(size, 0)) for size in BURSTS]
        rows.append(phase("paced", server, crowd, PACED, lambda: order(PACED, PAUSE)))
        return rows
    finally:
        crowd.close()
        process.kill()
        process.wait(10)


def ours(number: int, turn: int) -> tuple[list[dict[str, Any]], str, float]:
    """The web process; also an example of a pointer and the memory of a socket (KiB)."""
    departments = [ground.department(f"d{number}-{turn}-{index}") for index in range(DEPARTMENTS)]
    people = [ground.person(f"p{number}-{turn}-{index}", departments[index % DEPARTMENTS]) for index in range(number)]
    heads = ground.log_heads(["system", *(f"department:{one.pk}" for one in departments)])
    screens = []
    for index, person in enumerate(people):
        where = departments[index % DEPARTMENTS]
        streams = {name: heads[name] for name in ("system", f"department:{where.pk}")}
        hello = json.dumps({"kind": "hello", "streams": streams})
        screens.append({"cookie": ground.sign_in(person, where), "hello": hello})

    def burst(size: int) -> list[float]:
        with command.unit(SYSTEM, clock.now()):
            for _ in range(size):
                command.record(type="department.noted", subject=departments[0], streams=("system",))
        return [time.monotonic()] * size

    def paced() -> list[float]:
        sent = []
        for _ in range(PACED):
            sent += burst(1)
            time.sleep(PAUSE)
        return sent

    def to_all() -> list[float]:
        with command.unit(SYSTEM, clock.now()):
            streams = [f"department:{one.pk}" for one in departments]
            command.record(type="instruction.issue", subject=departments[0], streams=streams)
        return [time.monotonic()]

    web = ground.Web()
    try:
        assert web.process is not None
        server = psutil.Process(web.process.pid)
        empty = server.memory_info().rss
        crowd = Crowd(web.port, web.origin, screens)
        per_socket = (server.memory_info().rss - empty) / number / 1024
        try:
            rows = [phase(f"burst {size}", server, crowd, size, lambda size=size: burst(size)) for size in BURSTS]
            rows.append(phase("paced", server, crowd, PACED, paced))
            rows.append(phase("one commit, 50 audiences", server, crowd, 1, to_all))
            before, began = server.cpu_times(), time.monotonic()
            time.sleep(20)
            after = server.cpu_times()
            spent = after.user + after.system - before.user - before.system
            rows.append({"phase": "idle, % of a core", "us": 100 * spent / (time.monotonic() - began)})
        finally:
            crowd.close()
    finally:
        web.stop()
    entry = frames.ev(ground.entry("system"), 1)
    return rows, entry, per_socket


def measure(*, full: bool = False, rounds: int = 3) -> list[Figure]:
    """All phases at two numbers of screens; medians over the rounds."""
    found: list[Figure] = []
    sizes = (500, 2_000) if full else (200, 500)
    costs: list[float] = []
    for number in sizes:
        turns: list[tuple[dict[str, Any], dict[str, Any], float]] = []
        for turn in range(rounds):
            measured, text, per_socket = ours(number, turn)
            bare = {row["phase"]: row for row in floor(number, text)}
            turns.append(({row["phase"]: row for row in measured}, bare, per_socket))
        found += [_figure(phase_name, number, turns) for phase_name in turns[0][0]]
        costs.append(next(one.value for one in found if one.name.startswith("burst 300") and one.size == f"{number:,}"))
        found.append(Figure("memory a socket", f"{number:,}", middle([turn[2] for turn in turns]), "KiB",
                            goal=("value", "<=", 40.0)))  # fmt: skip
    found.append(growth("burst 300, CPU a delivery", [f"{size:,}" for size in sizes], costs, 1.3))
    return found


def _figure(phase_name: str, number: int, turns: list[tuple[dict[str, Any], dict[str, Any], float]]) -> Figure:
    mine = [turn[0][phase_name] for turn in turns]
    base = [turn[1][phase_name] for turn in turns if phase_name in turn[1]]
    value = middle([row["us"] for row in mine])
    if "idle" in phase_name:
        return Figure(phase_name, f"{number:,}", value, "%")
    lost = sum(row.get("lost", 0) + row.get("dropped", 0) for row in mine)
    late = middle([row["p99"] for row in mine])
    note = f"p99 {late:.0f} ms, lost {lost}"
    if not base:
        return Figure(f"{phase_name}, CPU a delivery", f"{number:,}", value, "µs", note=note)
    under = middle([row["us"] for row in base])
    note = f"p99 {late:.0f} ms, floor {middle([row['p99'] for row in base]):.0f} ms; lost {lost}"
    return Figure(f"{phase_name}, CPU a delivery", f"{number:,}", value, "µs", under, value / under,
                  ("ratio", "<=", 1.5), note)  # fmt: skip

"""How many actions a second does one hot incident take, beside one bare statement that does the same?"""

from __future__ import annotations

import subprocess
import sys
import time

from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.events import chain, clock, command
from coordination.events.actor import SYSTEM
from tests.benchmarks import scale
from tests.benchmarks.figures import Figure, growth, middle
from tests.events import outside

WRITERS = 4
SECONDS = 2.0
WHATS = {"grammar": "smallest action, recorded in two streams", "log": "line in the log, as people write it"}
SIZES = {True: (10_000, 100_000), False: (1_000, 10_000)}


def rate(what: str, incident_id: int) -> float:
    """Actions a second of all writers together."""
    command_ = [sys.executable, "-m", "tests.benchmarks.log_writers", what, str(incident_id), str(SECONDS)]
    running = [
        subprocess.Popen(command_, env=outside.environment(MUSTER_PROCESS="worker"), cwd=outside.ROOT, text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(WRITERS)
    ]  # fmt: skip
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline().strip() == "ready"
    for one in running:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    done = sum(int(one.communicate(timeout=60)[0]) for one in running)
    return done / SECONDS


def added(city: scale.City, number: int) -> int:
    """How many statements recording in so many streams adds to an action that does nothing else."""
    names = [f"department:{pk}" for pk in range(1, number + 1)]
    counts = []
    for records in (False, True):
        with CaptureQueriesContext(connection) as seen, command.unit(SYSTEM, clock.now()):
            if records:
                command.record(type="incident.touched", subject=city.incident, streams=names)
        counts.append(len(seen))
    return counts[1] - counts[0]


def chained() -> tuple[int, float]:
    """Entries of the log, and how many a second are read, chained and compared."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_event WHERE type = 'floor'")  # they have no place in any stream
    began = time.perf_counter()
    report = chain.verify(connection.connection)
    assert not report.problems, report.problems[:3]
    return report.entries, report.entries / (time.perf_counter() - began)


def measure(*, full: bool = False, rounds: int = 3) -> list[Figure]:
    """Statements, rates beside the floor, and the chain at two sizes."""
    connection.settings_dict["CONN_MAX_AGE"] = None
    connection.close()
    city = scale.build()
    found = [
        Figure("statements that recording adds", f"{number} streams", added(city, number), "", goal=("value", "<=", 2))
        for number in (1, 200)
    ]
    rates: dict[str, list[float]] = {}
    chains, sizes = [], []
    for size in SIZES[full]:
        scale.grow(city, size)
        sizes.append(f"{size:,}")
        rates.clear()
        for _ in range(rounds):
            for what in ("raw", *WHATS):
                rates.setdefault(what, []).append(rate(what, city.incident.pk))
        floor = middle(rates["raw"])
        for what, name in WHATS.items():
            done = middle(rates[what])
            goal = ("value", ">=", 500.0) if what == "grammar" else None
            said = f"one hot incident, {WRITERS} writers: {name}"
            found.append(Figure(said, sizes[-1], done, "/s", floor, done / floor,
                                goal))  # fmt: skip
        measured = [chained() for _ in range(rounds)]
        speed = middle([one[1] for one in measured])
        chains.append(1 / speed)
        found.append(Figure("log read, chained and verified", f"{measured[-1][0]:,} entries", speed, "/s",
                            goal=("value", ">=", 10_000.0)))  # fmt: skip
    found.append(growth("chain, seconds an entry", sizes, chains, 1.3))
    return found

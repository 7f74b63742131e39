"""How many actions a second does one hot incident take, beside a bare statement; how fast is it sealed and verified?"""

from __future__ import annotations

import subprocess
import sys
import time

from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.events import clock, command
from coordination.events.actor import SYSTEM
from coordination.events.sealing import line, sealer
from coordination.events.sealing.verify import verify
from tests.benchmarks import scale
from tests.benchmarks.figures import Figure, growth, middle
from tests.events import outside

WRITERS = 4
SECONDS = 2.0
WHATS = {"grammar": "smallest action, recorded in two streams", "log": "line in the log, as people write it"}
SIZES = {True: (10_000, 100_000, 1_000_000), False: (1_000, 10_000)}


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


def sealed() -> tuple[int, float]:
    """Seal the whole log anew; entries, and how many a second."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_event WHERE type = 'floor'")  # they have no place in any stream
        cursor.execute("TRUNCATE events_seal, events_sealhead")
        cursor.execute("ANALYZE events_event")
        cursor.execute("ANALYZE events_streamentry")
    began, count = time.perf_counter(), 0
    while found := sealer.run_once().entries:
        count += found
    took = time.perf_counter() - began
    line.close()
    return count, count / took


def verified() -> tuple[int, float]:
    """Entries of the log, and how many a second are read beside their seals and compared."""
    began = time.perf_counter()
    report = verify(connection.connection)
    assert not report.findings, [str(one) for one in report.findings[:3]]
    return report.entries, report.entries / (time.perf_counter() - began)


def measure(*, full: bool = False, rounds: int = 3) -> list[Figure]:
    """Statements, rates beside the floor, sealing and verifying at two sizes."""
    connection.settings_dict["CONN_MAX_AGE"] = None
    connection.close()
    city = scale.build()
    found = [
        Figure("statements that recording adds", f"{number} streams", added(city, number), "", goal=("value", "<=", 2))
        for number in (1, 200)
    ]
    rates: dict[str, list[float]] = {}
    works = {"sealed": (sealed, 10_000.0), "verified": (verified, 50_000.0)}
    costs: dict[str, list[float]] = {name: [] for name in works}
    sizes = []
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
        for name, (work, least) in works.items():
            measured = [work() for _ in range(rounds)]
            speed = middle([one[1] for one in measured])
            costs[name].append(1 / speed)
            read = f"{measured[-1][0]:,} entries"
            found.append(Figure(f"log {name}", read, speed, "/s", goal=("value", ">=", least)))
            if name == "verified":
                whole = measured[-1][0] / speed
                found.append(Figure("the whole log verified", read, whole, "s", goal=("value", "<=", 120.0)))
    found += [growth(f"log {name}, seconds an entry", sizes, cost, 1.3) for name, cost in costs.items()]
    return found

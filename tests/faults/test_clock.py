"""Does any deadline fire early or twice, or not at all, when the machine's clock moves (`F24`)?

All processes of a whole system take the time from one place; there it is moved, by what only a demo city allows. An
hour on, an hour back, a day on and back for two seconds, a day on for good, and over both midnights of a 29 February.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.client import Api, City
from tests.browser.ground import Ground
from tests.faults import checker, records
from tests.faults.clients import CREWS, open_incident
from tests.faults.history import History
from tests.faults.work import LIMITS, SEEDS
from tests.stacks import System

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHECKS = (checker.firings, checker.ladders, checker.notices, checker.told, checker.streams, checker.alarms)
ORDERS = 4
"""Instructions issued before each jump; each is clocks for two departments and for itself."""
STEADY_SECONDS = 8.0
"""After a jump the engine lets so long pass before it trusts the clock again, and then some."""
SETTLED_SECONDS = 120.0
pytestmark = [pytest.mark.chaos, pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(1800)]


class Clock:
    """The clock of one system."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.set(timedelta())

    def set(self, offset: timedelta) -> None:
        """Let it stand so far from the machine's."""
        self.offset = offset
        self.system.query(
            "WITH old AS (DELETE FROM events_clockoffset) INSERT INTO events_clockoffset (seconds) VALUES (%s)",
            offset.total_seconds(),
        )

    def now(self) -> datetime:
        """What it shows."""
        return datetime.now(UTC) + self.offset

    def show(self, moment: datetime) -> None:
        """Let it show this moment now."""
        self.set(moment - datetime.now(UTC))


class Orders:
    """Instructions whose clocks run; people sign in anew after a jump, since their sessions may be over."""

    def __init__(self, system: System, clock: Clock, draw: random.Random) -> None:
        self.system, self.clock, self.draw = system, clock, draw
        self.count = 0

    @contextmanager
    def people(self) -> Iterator[Ground]:
        """Everybody, signed in at the time that it is now."""
        ground = Ground(City(Api(f"{self.system.base_url}/api/v1/schema"), self.system.accounts))
        yield ground
        ground.close()

    def issue(self, count: int = ORDERS) -> None:
        """Issue so many; some are acknowledged."""
        with self.people() as ground:
            incident = open_incident(ground.city, self.count, CREWS[0])
            for _ in range(count):
                self.count += 1
                due = self.clock.now() + timedelta(seconds=self.draw.choice((30, 90, 1800, 5400, 40_000)))
                number = ground.issue(
                    incident, f"Order {self.count}", to=("fire", "health"), due_at=due.isoformat(),
                    urgency=self.draw.choice(("immediate", "urgent", "routine")),
                )  # fmt: skip
                if self.draw.random() < 0.5:
                    ground.acknowledge(number, "fire")


def read(system: System, clock: Clock) -> records.Records:
    """What the database holds, at the time that the system's clock shows."""
    found = records.read(system)
    found.now += clock.offset
    return found


def settled(system: System, clock: Clock) -> list[str]:
    """Wait until nothing is overdue and everybody was told; return what is wrong in the end."""
    end = time.monotonic() + SETTLED_SECONDS
    while True:
        found = read(system, clock)
        said = [
            f"{one.what}: {one.said}"
            for check in CHECKS
            for one in check(History(), found)
        ]
        if not said or time.monotonic() > end:
            return said
        time.sleep(1)


def armed(system: System) -> dict[int, datetime]:
    """When each deadline is due that has not fired."""
    return {row[0]: row[7] for row in records.read(system)["deadlines"] if row[6] == "armed"}


def fired(system: System) -> set[int]:
    """The deadlines that have fired, of which each has one event."""
    return {row[0] for row in records.read(system)["deadlines"] if row[6] == "fired"}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_deadline_is_early_double_or_missed_when_the_clock_moves(
    start_stack: Callable[..., System], seed: int, figure: Callable[[str], None]
) -> None:
    system = start_stack(environment={**LIMITS, "MUSTER_MOVABLE_CLOCK": "1"})
    clock, draw = Clock(system), random.Random(f"{seed}/clock")
    orders = Orders(system, clock, draw)
    jumps = [HOUR, -HOUR, DAY]
    draw.shuffle(jumps)
    orders.issue()
    for jump in jumps:
        a_moment_elsewhere(system, clock, draw.choice((HOUR, DAY, -HOUR)))
        before, due_then = fired(system), armed(system)
        clock.set(clock.offset + jump)
        time.sleep(STEADY_SECONDS)
        assert settled(system, clock) == [], jump
        after = fired(system)
        assert before <= after
        early = {pk for pk in after - before if due_then.get(pk, clock.now()) > clock.now()}
        assert not early, "fired though not due by the clock that holds"
        figure(f"{jump.total_seconds() / 3600:+.0f} h: {len(after - before)} fired, {len(after)} in all")
        orders.issue()
    for midnight in (datetime(2028, 2, 29, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)):
        clock.show(midnight - timedelta(seconds=40))
        time.sleep(STEADY_SECONDS)
        orders.issue(2)
        while clock.now() < midnight + timedelta(seconds=10):
            time.sleep(1)
        assert settled(system, clock) == [], midnight
        over = [row for row in records.read(system)["deadlines"] if row[6] == "fired" and row[7] > midnight]
        figure(f"over {midnight:%d %B %Y}: {len(over)} fired after it, {len(fired(system))} in all")
        assert over, "no deadline was due beyond midnight"
    assert len(fired(system)) > 20


def a_moment_elsewhere(system: System, clock: Clock, by: timedelta) -> None:
    """The clock is wrong for a second and right again: nothing may fire that was not due by then."""
    home, before = clock.offset, armed(system)
    clock.set(home + by)
    time.sleep(1.0)
    clock.set(home)
    time.sleep(STEADY_SECONDS)
    early = {pk for pk in before if before[pk] > clock.now()} & fired(system)
    assert not early, f"fired while the clock stood {by} elsewhere"

"""Is anything lost, doubled, early or forgotten while processes are killed and Redis is wiped and away?

The short run is part of every test run. The long one, ``make chaos``, goes on until its seeds together came to so many
kills, acknowledged commands and deadlines: ``make chaos SEEDS=1 KILLS=40 ACKNOWLEDGED=2000 DEADLINES=200`` for less.
"""

import os
from collections.abc import Callable

import pytest

from tests.faults.run import Aim, Run
from tests.stacks import System

pytestmark = [pytest.mark.chaos, pytest.mark.stack]

FIRST_SEED = int(os.environ.get("SEED", "1"))
SEEDS = int(os.environ.get("SEEDS", "3"))
MINUTES = float(os.environ.get("MINUTES", "60"))
"""The longest that one seed may take."""
CLIENTS = int(os.environ.get("CLIENTS", "50"))
AIM = Aim(
    kills=-(-int(os.environ.get("KILLS", "1000")) // SEEDS),
    acknowledged=-(-int(os.environ.get("ACKNOWLEDGED", "100000")) // SEEDS),
    deadlines=-(-int(os.environ.get("DEADLINES", "10000")) // SEEDS),
    seconds=MINUTES * 60,
)
"""Of one seed: its share of what all come to."""
# crews share their people, and work faster than people do
LIMITS = {"MUSTER_API_READS": "1000000", "MUSTER_API_WRITES": "1000000", "MUSTER_API_LOOP": "1000000"}


@pytest.mark.timeout(600)  # ten faults and what each waits for: some 90 s, several times that on a busy machine
def test_nothing_is_lost_or_doubled_while_each_process_is_killed(start_stack: Callable[..., System]) -> None:
    system = start_stack(environment=LIMITS)
    run = Run(system, FIRST_SEED, redis_away=20)
    figures = run.go()
    print(figures)
    assert run.nemesis.killed == {"web", "worker", "beat", "engine", "redis", "postgres"} & {*system.names, "worker"}
    assert figures.commands["ok"] > 20
    assert figures.fired > 3


@pytest.mark.long
@pytest.mark.timeout(MINUTES * 120 + 1200)
@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
def test_nothing_is_lost_or_doubled_in_a_hail_of_kills(start_stack: Callable[..., System], seed: int) -> None:
    system = start_stack(environment=LIMITS)
    figures = Run(system, seed, clients=CLIENTS, redis_away=60).go(AIM)
    print(figures)
    assert figures.kills >= AIM.kills
    assert figures.commands["ok"] >= AIM.acknowledged
    assert figures.fired >= AIM.deadlines

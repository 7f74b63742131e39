"""Is anything lost, doubled, early or forgotten while processes are killed and Redis is wiped and away?

The short run is part of every test run. The long one: ``make chaos SEEDS=3 MINUTES=10``.
"""

import os
from collections.abc import Callable

import pytest

from tests.faults.run import Run
from tests.stacks import System

pytestmark = [pytest.mark.chaos, pytest.mark.stack]

FIRST_SEED = int(os.environ.get("SEED", "1"))
SEEDS = int(os.environ.get("SEEDS", "1"))
MINUTES = float(os.environ.get("MINUTES", "3"))
# crews share their people, and work faster than people do
LIMITS = {"MUSTER_API_READS": "100000", "MUSTER_API_WRITES": "100000", "MUSTER_API_LOOP": "100000"}


@pytest.mark.timeout(600)  # ten faults and what each waits for: some 90 s, several times that on a busy machine
def test_nothing_is_lost_or_doubled_while_each_process_is_killed(start_stack: Callable[..., System]) -> None:
    system = start_stack(environment=LIMITS)
    run = Run(system, FIRST_SEED, redis_away=20)
    figures = run.go(rounds=1)
    print(figures)
    assert run.nemesis.killed == {"web", "worker", "beat", "engine", "redis", "postgres"} & {*system.names, "worker"}
    assert figures.commands["ok"] > 20
    assert figures.fired > 3


@pytest.mark.long
@pytest.mark.timeout(MINUTES * 120 + 600)
@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
def test_nothing_is_lost_or_doubled_for_long(start_stack: Callable[..., System], seed: int) -> None:
    system = start_stack(environment=LIMITS)
    figures = Run(system, seed, redis_away=60).go(seconds=MINUTES * 60)
    print(figures)
    assert figures.commands["ok"] > 50

"""Which system is hurt? One for all fault rows that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coordination.config.launcher.folders import REPOSITORY
from tests import stacks
from tests.faults.ground import Ground

# who writes here writes faster than people do; and workers know the tasks of `hooks`
ENVIRONMENT = {
    "MUSTER_API_READS": "1000000", "MUSTER_API_WRITES": "1000000", "MUSTER_API_LOOP": "1000000",
    "PYTHONPATH": f"{REPOSITORY / 'tests' / 'faults' / 'hooks'}:{REPOSITORY}",
}  # fmt: skip


@pytest.fixture(scope="package")
def hurt() -> Iterator[Ground]:
    """A running system and those who work in it, with the launcher's watch over it."""
    system = stacks.start("-hurt", environment=ENVIRONMENT)
    ground = Ground(system)
    yield ground
    ground.close()
    stacks.end(system)


@pytest.fixture
def ground(hurt: Ground) -> Iterator[Ground]:
    """The same, everything running before and after, whatever a test that failed has left."""
    yield hurt
    for name in hurt.system.names:
        if hurt.system.supervisor.state(name) in {"STOPPED", "EXITED", "FATAL"}:
            hurt.system.start_one(name)
    hurt.ready()

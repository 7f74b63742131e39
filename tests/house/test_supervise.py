"""Is the supervisor still held after a call to it was cut short?"""

import os
from collections.abc import Iterator

import pytest

from coordination.config.launcher.demo import reset
from coordination.config.launcher.folders import Instance, private
from coordination.config.launcher.supervise import Supervisor
from tests import stacks


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    instance = Instance(stacks.FOLDER / f"test-{os.getpid()}-supervise")
    for folder in (instance.folder, instance.run):
        private(folder)
    made = Supervisor(instance)
    made.start([])
    yield made
    made.shutdown()
    reset(instance)


def test_a_call_cut_short_by_a_signal_does_not_make_it_look_dead(supervisor: Supervisor) -> None:
    """Ctrl-C in the middle of a call: whoever then takes the supervisor for dead leaves every process running."""
    assert supervisor.alive()
    supervisor._transport.connection.request("POST", "/RPC2", b"")  # asked, and the answer never read
    assert supervisor.alive()

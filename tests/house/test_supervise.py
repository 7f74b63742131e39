"""Is the supervisor still held after a call to it was cut short?"""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from coordination.config.launcher import leftovers, supervise
from coordination.config.launcher.demo import reset
from coordination.config.launcher.folders import Instance, private
from coordination.config.launcher.supervise import Program, Supervisor
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


def test_what_a_killed_run_left_is_ended_although_it_hangs(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor's socket is gone, so that nobody can ask it; its program hears nothing; others live on."""
    monkeypatch.setattr(leftovers, "SECONDS", 0.5)
    instance = supervisor.instance
    supervisor.shutdown()
    supervisor.start([Program("web", ["/bin/sleep", "600"])])
    supervisor.launch("web")
    hanging, holding = supervisor.pid("web"), supervisor.process
    assert holding is not None
    os.kill(hanging, signal.SIGSTOP)
    os.kill(holding.pid, signal.SIGSTOP)
    monkeypatch.setattr(supervise, "CALL_SECONDS", 0.3)
    assert not supervisor.alive()  # and not: waits for an answer for ever
    instance.supervisor_socket.unlink()
    elsewhere = subprocess.Popen(["/bin/sleep", "600"], env={leftovers.MARK: str(instance.folder) + "-other"})
    try:
        assert {process.pid for process in leftovers.find(instance)} == {hanging, holding.pid}
        leftovers.clear(instance)
        assert leftovers.find(instance) == []
        assert holding.wait(5) is not None
        assert elsewhere.poll() is None
        assert leftovers.clear(instance) == []
    finally:
        elsewhere.kill()
        elsewhere.wait()
    supervisor.start([])  # for the fixture to end

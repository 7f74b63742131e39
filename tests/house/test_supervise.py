"""Is the supervisor still held after a call to it was cut short?"""

import os
import signal
import subprocess
import time
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


def test_what_ends_with_it_ends_together_and_what_it_writes_to_last(supervisor: Supervisor) -> None:
    """One after the other, each with its second, nine programs outlast whoever waits for them."""
    supervisor.shutdown()
    told = supervisor.instance.folder / "told"
    script = "trap 'echo asked {0} >> {1}; sleep 0.5; echo ended {0} >> {1}; exit' TERM; echo up {0} >> {1}; " \
        "while true; do sleep 0.1; done"  # fmt: skip
    rank = {"postgres": 1, "redis": 2, "beat": 999, "engine": 999, "web": 999}
    supervisor.start(
        [Program(name, ["/bin/sh", "-c", script.format(name, told)], priority=at) for name, at in rank.items()]
    )
    for name in rank:
        supervisor.launch(name)
    deadline = time.monotonic() + 30
    while not told.exists() or len(told.read_text().splitlines()) < len(rank):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert supervisor.process is not None
    supervisor.process.terminate()
    supervisor.process.wait(30)
    lines = told.read_text().splitlines()[len(rank) :]
    parts = {"beat", "engine", "web"}
    assert set(lines[:3]) == {f"asked {name}" for name in parts}
    assert set(lines[3:6]) == {f"ended {name}" for name in parts}
    assert lines[6:] == ["asked redis", "ended redis", "asked postgres", "ended postgres"]
    supervisor.start([])  # for the fixture to end


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

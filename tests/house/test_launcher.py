"""Does the launcher end its processes however it ends itself, and refuse to run twice?"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from coordination.config.launcher.folders import REPOSITORY
from coordination.config.launcher.stack import PARTS
from tests import stacks
from tests.browser.window import patience

pytestmark = pytest.mark.stack


class Launcher:
    """Starts launchers of one folder and keeps their handles."""

    def __init__(self) -> None:
        self.instance = stacks.Instance(stacks.FOLDER / f"test-{os.getpid()}-launcher")
        self.command = [sys.executable, "-m", "coordination.config.launcher", "--folder", str(self.instance.folder)]
        self.started: list[subprocess.Popen[str]] = []

    def begin(self) -> subprocess.Popen[str]:
        """Start one."""
        process = subprocess.Popen(
            [*self.command, "up", "--user", "nobody", "--port", str(stacks.free_port())], cwd=REPOSITORY,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def up(self, until: str = "ready") -> subprocess.Popen[str]:
        """Start one and return it once it says ``until``."""
        process = self.begin()
        self.hear(process, until)
        return process

    @staticmethod
    def hear(process: subprocess.Popen[str], until: str) -> None:
        """Wait until it says a line that begins so."""
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(until):
                return
        raise AssertionError(f"it did not say {until!r}, but {process.communicate()[1][-3000:]}")

    def end(self) -> None:
        """End what a failed test left."""
        for process in self.started:
            with process:  # closes its pipes
                if process.poll() is None:
                    process.kill()
        stacks.end(stacks.System(self.instance, port=0))


@pytest.fixture
def launcher(django_db_setup: None) -> Iterator[Launcher]:
    """A launcher whose instance has its tables, copied from those of the tests' database."""
    made = Launcher()
    stacks.seed(made.instance)
    yield made
    made.end()


def test_one_at_a_time_its_children_end_with_it_and_the_next_goes_on(
    launcher: Launcher, figure: Callable[[str], None]
) -> None:
    """F22 among it: killed, its children end, and the next start takes at most 10 s."""
    first = launcher.up()
    second = launcher.begin()
    _, said = second.communicate(timeout=60)
    assert second.returncode == 75
    assert f"process {first.pid}" in said
    assert "down" in said
    end = time.monotonic() + 15 * patience()
    while True:
        status = subprocess.run([*launcher.command, "status"], cwd=REPOSITORY, capture_output=True, text=True)
        if status.returncode == 0 or time.monotonic() > end:  # what is started last is not up at once
            break
    assert status.returncode == 0, status.stdout
    line = r" +RUNNING +\d+ +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d +0$"
    for name in PARTS:
        assert re.search(rf"^{name}{line}", status.stdout, re.MULTILINE), name
    assert f"launcher: {first.pid}" in status.stdout
    children = psutil.Process(first.pid).children(recursive=True)
    assert len(children) > 8
    first.kill()
    first.wait()
    began = time.monotonic()
    third = launcher.up()
    took = time.monotonic() - began
    figure(f"{len(children)} children ended; the next start took {took:.1f} s (bound {10 * patience():.0f})")
    assert took <= 10 * patience()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == [], "children outlived a launcher that was killed"

    children = psutil.Process(third.pid).children(recursive=True)
    third.send_signal(signal.SIGINT)
    assert third.wait(60) == 0
    assert [child for child in children if not stacks.ended(child)] == []

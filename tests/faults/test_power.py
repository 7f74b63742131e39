"""Is everything that was acknowledged still there after the power was cut, and is the system up by itself (`F18`)?"""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from coordination.config.launcher.folders import Instance
from coordination.config.launcher.supervise import Supervisor
from coordination.events.sealing.verify import verify
from tests import stacks
from tests.faults.ground import within
from tests.faults.power import PowerDisk
from tests.faults.work import LIMITS, SEEDS, Work
from tests.stacks import System

CUTS = 3
UP_SECONDS = 60.0
MEGABYTES = 700
pytestmark = [pytest.mark.chaos, pytest.mark.stack, pytest.mark.mounts, pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture
def machine(start_stack: Callable[..., System]) -> Iterator[tuple[System, PowerDisk]]:
    """Return a system, everything it keeps on one disk whose power can be cut."""
    instance = Instance(stacks.FOLDER / f"test-{os.getpid()}-0")
    stacks.seed(instance)
    folder = stacks.FOLDER / f"test-{os.getpid()}-power"
    disk = PowerDisk(folder, MEGABYTES)
    try:
        for kept in (instance.folder, instance.postgres_data):
            disk.hold(kept)
        os.sync()  # what was installed a while ago
        system = start_stack(environment=LIMITS)
        assert system.instance == instance
        yield system, disk
        system.stop()
    finally:
        disk.release()
        shutil.rmtree(folder)


def test_the_disk_forgets_what_was_not_flushed(tmp_path: Path) -> None:
    """The disk of these tests is one whose cache is lost, and keeps what was flushed: else they would show nothing."""
    disk = PowerDisk(tmp_path, 64)
    try:
        flushed, loose = disk.place / "flushed", disk.place / "loose"
        with flushed.open("wb") as out:
            out.write(b"kept" * 5000)
            out.flush()
            os.fsync(out.fileno())
        loose.write_bytes(b"lost" * 5000)
        disk.cut(random.Random(0), share=0.0)
        disk.restore()
        assert flushed.read_bytes() == b"kept" * 5000
        assert not loose.exists() or loose.read_bytes() != b"lost" * 5000
    finally:
        disk.release()


class Uploads(threading.Thread):
    """Somebody who sends files, and remembers what each held that was acknowledged."""

    def __init__(self, work: Work, draw: random.Random) -> None:
        super().__init__(name="uploads", daemon=True)
        self.work, self.draw, self.party = work, draw, work.city.person("fire", "duty_officer")
        self.kept: dict[int, bytes] = {}
        self.stop = threading.Event()

    def run(self) -> None:
        """Send one after the other; one without an answer is left."""
        url = f"{self.work.system.base_url}/api/v1/attachments"
        while not self.stop.wait(0.2):
            held = self.draw.randbytes(self.draw.choice((50, 5_000, 200_000))).hex().encode()
            files = {"file": ("note.txt", held, "text/plain")}
            headers = {"Idempotency-Key": self.draw.randbytes(16).hex()}
            with suppress(httpx.HTTPError):
                answer = self.party.http.post(url, files=files, headers=headers, timeout=8)
                if answer.status_code == 201:
                    self.kept[int(answer.json()["id"])] = held

    def missing(self) -> list[int]:
        """Return those that are not there as they were."""
        url = f"{self.work.system.base_url}/api/v1/attachments"
        return [pk for pk, held in self.kept.items() if self.party.http.get(f"{url}/{pk}/content").content != held]


def end_all(system: System) -> None:
    """Kill every process of the system by its handle, as a machine without power does."""
    supervisor = system.supervisor.process
    assert supervisor is not None
    held = [psutil.Process(supervisor.pid), *psutil.Process(supervisor.pid).children(recursive=True)]
    for process in held:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(held, timeout=20)
    supervisor.wait(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_when_the_power_is_cut(
    machine: tuple[System, PowerDisk], seed: int, figure: Callable[[str], None]
) -> None:
    system, disk = machine
    draw = random.Random(f"{seed}/power")
    work = Work(system, seed, watched=False)
    uploads = Uploads(work, random.Random(f"{seed}/uploads"))
    uploads.start()
    took = []
    with work.going_on():
        for _cut in range(CUTS):
            work.wait_for_work(60, count=10)
            time.sleep(draw.random() * 6)
            disk.cut(draw)
            work.history.fault("the power is cut")
            end_all(system)
            if draw.random() < 0.5:  # folders of a machine's memory are gone after it
                shutil.rmtree(system.instance.run, ignore_errors=True)
                shutil.rmtree(system.instance.postgres_run, ignore_errors=True)
            disk.restore()
            began = time.monotonic()
            system.supervisor = Supervisor(system.instance)
            system.start()
            took.append(time.monotonic() - began)
            work.history.fault("the power is back, the system up")
    uploads.stop.set()
    uploads.join(30)
    missing = uploads.missing()
    ups = ", ".join(f"{one:.1f}" for one in took)
    kept = f"{len(uploads.kept)} files and {work.done()} commands acknowledged, {CUTS} cuts"
    figure(f"{kept}, up after {ups} s (bound {within(UP_SECONDS):.0f})")
    assert missing == [] and len(uploads.kept) > CUTS
    assert work.judge() == []
    with closing(system.connect()) as connection:
        chained = verify(connection)
    assert chained.problems == [] and chained.entries > 0
    assert max(took) <= within(UP_SECONDS)

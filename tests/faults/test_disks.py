"""Is nothing lost when a disk is full, does what can go on go on, and does the rest come back by itself?

Each disk is one of memory, as small as it may be, mounted where the folder was (`F16`, `F17`).
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from coordination.config.launcher.folders import Instance
from tests import stacks
from tests.faults import disks
from tests.faults.work import LIMITS, SEEDS, Work
from tests.stacks import System

DATA_MEGABYTES = 220
FULL_SECONDS = 20.0
BACK_SECONDS = 45.0
"""From the moment there is room until work is done again, on a machine that has more to do."""
pytestmark = [pytest.mark.chaos, pytest.mark.stack, pytest.mark.mounts, pytest.mark.long, pytest.mark.timeout(900)]

OnDisks = Callable[[dict[str, int]], System]


def place_of(instance: Instance, name: str) -> Path:
    """Where the folder called so lies."""
    return {
        "data": instance.postgres_data, "wal": instance.postgres_data / "pg_wal", "logs": instance.logs,
        "files": instance.files,
    }[name]  # fmt: skip


@pytest.fixture
def on_disks(start_stack: Callable[..., System]) -> Iterator[OnDisks]:
    """Return what starts a system, some of whose folders are disks of so many MB."""
    with ExitStack() as mounted:
        started: list[System] = []

        def start(sizes: dict[str, int]) -> System:
            instance = Instance(stacks.FOLDER / f"test-{os.getpid()}-0")
            stacks.seed(instance)
            for name, megabytes in sizes.items():
                mounted.enter_context(disks.small(place_of(instance, name), megabytes))
            started.append(start_stack(environment=LIMITS))
            assert started[0].instance == instance
            return started[0]

        yield start
        for system in started:
            system.stop()


def look(work: Work) -> str:
    """Ask for the incidents as a person does; return "" when they come, else what came."""
    try:
        answer = work.city.person("city", "duty_officer").http.get(f"{work.system.base_url}/api/v1/incidents")
    except httpx.HTTPError as error:
        return type(error).__name__
    return "" if answer.status_code == 200 else f"{answer.status_code} {answer.text[:200]}"


def looks(work: Work, seconds: float) -> list[str]:
    """Look again and again for so long; return what came of each look."""
    end, found = time.monotonic() + seconds, []
    while time.monotonic() < end:
        found.append(look(work))
        time.sleep(0.25)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_full_data_disk_loses_nothing_is_read_and_recovers(
    on_disks: OnDisks, seed: int, figure: Callable[[str], None]
) -> None:
    system = on_disks({"data": DATA_MEGABYTES})
    data = place_of(system.instance, "data")
    draw = random.Random(f"{seed}/disk")
    work = Work(system, seed)
    with work.going_on():
        for _round in range(2):
            work.wait_for_work(60, count=10)
            time.sleep(draw.random() * 5)
            filler = disks.fill(data, leave=draw.choice((0, 4096, 65536)))
            work.history.fault("the data disk is full")
            full_from = work.history.now
            seen = looks(work, FULL_SECONDS)
            meanwhile = [one for one in work.history.commands if one.ended > full_from and one.outcome != "ok"]
            filler.unlink()
            work.history.fault("there is room again")
            took = work.wait_for_work(BACK_SECONDS)
            kept = f"{seen.count('')} of {len(seen)} reads while full"
            figure(f"{kept}, {len(meanwhile)} commands refused; back {took:.1f} s after")
            assert set(seen) == {""}, sorted(set(seen))
    assert work.judge() == []


def upload(work: Work, megabytes: float) -> httpx.Response:
    """Send a file as a person does."""
    party = work.city.person("fire", "duty_officer")
    body = os.urandom(1024).hex().encode() * int(megabytes * 512)
    return party.http.post(
        f"{work.system.base_url}/api/v1/attachments", files={"file": ("note.txt", body, "text/plain")},
        headers={"Idempotency-Key": os.urandom(16).hex()},
    )  # fmt: skip


def pids(system: System, names: tuple[str, ...]) -> dict[str, Any]:
    """Which process runs under each name."""
    return {name: system.supervisor.pid(name) for name in names}


@pytest.mark.parametrize("seed", SEEDS)
def test_full_disks_of_wal_log_and_files(on_disks: OnDisks, seed: int) -> None:
    """The WAL's: up once there is room. The logs': dropped, and everything goes on. The files': 507, and words go."""
    system = on_disks({"wal": 128, "logs": 8, "files": 64})
    work = Work(system, seed)
    parts = ["wal", "logs", "files"]
    random.Random(f"{seed}/disks").shuffle(parts)
    with work.going_on():
        work.wait_for_work(60)
        for part in parts:
            work.history.fault(f"the disk of {part} is full")
            {"wal": wal_is_full, "logs": logs_are_full, "files": files_are_full}[part](work)
            work.history.fault(f"the disk of {part} has room")
            work.wait_for_work(BACK_SECONDS)
    assert work.judge() == []


def wal_is_full(work: Work) -> None:
    system = work.system
    filler = disks.fill(place_of(system.instance, "wal"))
    end = time.monotonic() + 60
    while look(work) == "" and time.monotonic() < end:  # it uses up what it has set aside
        try:
            system.query("CREATE TABLE IF NOT EXISTS public.wal_eater (t text)")
            system.query("INSERT INTO public.wal_eater SELECT repeat(md5(n::text), 60) FROM generate_series(1, 4000) n")
        except Exception as error:  # the server goes down here, in whatever words
            print(f"  WAL full: {str(error).strip().splitlines()[0]}")
            break
    time.sleep(8)
    filler.unlink()
    began = time.monotonic()
    system.until(lambda: not system.web_answers(), seconds=BACK_SECONDS, what="a system that is ready")
    print(f"  WAL: ready {time.monotonic() - began:.1f} s after there was room")
    system.query("DROP TABLE IF EXISTS public.wal_eater")


def logs_are_full(work: Work) -> None:
    system = work.system
    kept = ("postgres", "redis", "web", "engine", "beat")
    time.sleep(15)  # what was hurt before has been started again by now, if it must be
    before = pids(system, kept)
    filler = disks.fill(place_of(system.instance, "logs"))
    work.wait_for_work(BACK_SECONDS, count=5)
    assert set(looks(work, 5)) == {""}
    assert pids(system, kept) == before, work.watch[0].said
    system.kill("web")  # and what ends is started again though nothing can be written about it
    system.until(lambda: not system.web_answers() and pids(system, ("web",))["web"] not in (0, before["web"]),
                 seconds=BACK_SECONDS, what="the web process")  # fmt: skip
    filler.unlink()
    size = system.log("web").stat().st_size
    look(work)
    system.until(lambda: system.log("web").stat().st_size > size, seconds=15, what="a line in the log")


def files_are_full(work: Work) -> None:
    system = work.system
    assert upload(work, 0.1).status_code == 201
    filler = disks.fill(place_of(system.instance, "files"), leave=4 * disks.MEGABYTE)
    time.sleep(6)  # a look at the disk is good for five seconds
    late = upload(work, 5)  # by the marks there is room for it, and there is none
    assert (late.status_code, late.json()["code"]) == (507, "no_room"), late.text
    filler.unlink()
    disks.fill(place_of(system.instance, "files"))
    time.sleep(6)
    refused = upload(work, 0.1)
    assert (refused.status_code, refused.json()["code"]) == (507, "no_room"), refused.text
    work.wait_for_work(BACK_SECONDS)
    filler.unlink()
    system.until(lambda: upload(work, 0.1).status_code == 201, seconds=15, what="an upload")

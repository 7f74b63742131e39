"""What becomes of background work when workers, engine or beat are killed, hang, crash or have too much to do?"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from itertools import islice

import psutil
import pytest

from tests.faults.checker import Breach
from tests.faults.ground import Ground, p99, waited, within

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(600)]

Say = Callable[[str], None]
RESUMED, LATE, RESTARTED, URGENT = 15.0, 5.0, 30.0, 2.0
"""Seconds until work goes on, a deadline fires, what takes nothing is restarted, urgent work is done."""
BULK = 100_000


def _by_workers_alone(ground: Ground, figure: Say, strike: Callable[[], None]) -> list[Breach]:
    """Deadlines come due all the time, and only workers fire them and tell people; ``strike`` falls in between.

    Return what is not sound afterwards.
    """
    ground.give_orders()
    ground.system.stop_one("engine")
    struck: list[float] = []
    try:
        due = ground.arm(after=3, spread=40)
        for wait in (8, 14):
            time.sleep(wait)
            struck.append(time.time())
            strike()
        fired = ground.all_fired(due, 90)
        told = [
            at for (at,) in ground.system.query(
                "SELECT extract(epoch FROM at)::float FROM notify_notice WHERE object_id = ANY(%s)"
                " AND text_key = 'deadline.remind_duty' ORDER BY 1", ground.parts,
            )
        ]  # fmt: skip
    finally:
        ground.system.start_one("engine")
    resumed = max(min(at for at, _late in fired if at > moment) - moment for moment in struck)
    messages = max(min((at for at in told if at > moment), default=float("inf")) - moment for moment in struck)
    bound = within(RESUMED)
    figure(f"{len(fired)} each once; fired {resumed:.1f} s, told {messages:.1f} s after the kill (bound {bound:.1f})")
    assert max(resumed, messages) <= bound
    return ground.sound()


def test_a_worker_is_killed_with_its_children(ground: Ground, figure: Say) -> None:
    """F4: what fires and what tells, at the same moment."""

    def strike() -> None:
        for name in ("worker-urgent", "worker-normal"):
            ground.kill(name)

    assert _by_workers_alone(ground, figure, strike) == []


def test_a_pool_process_is_killed(ground: Ground, figure: Say) -> None:
    """F5: the process in which tasks run, under a worker that lives."""

    def strike() -> None:
        for name in ("worker-urgent", "worker-normal"):
            with ground.beside_a_decoy():
                for child in psutil.Process(ground.system.supervisor.pid(name)).children():
                    with contextlib.suppress(psutil.NoSuchProcess):
                        child.kill()

    assert _by_workers_alone(ground, figure, strike) == []


def test_a_pool_process_left_within_a_transaction_is_replaced(ground: Ground, figure: Say) -> None:
    """F5: it lives, but no task can be done in it any more."""
    (old,) = psutil.Process(ground.system.supervisor.pid("worker-normal")).children()
    ground.celery().send_task("faults.stick", queue="normal")
    began = time.monotonic()
    ground.system.until(lambda: not old.is_running(), seconds=60, what="its end")
    ground.system.until(lambda: _sung(ground, "normal") < time.monotonic() - began, seconds=60, what="work to go on")
    took, bound = time.monotonic() - began, within(RESUMED)
    figure(f"a broken process: replaced, work goes on after {took:.1f} s (bound {bound:.1f})")
    assert took <= bound


@pytest.mark.parametrize("name", ["engine", "beat"])
def test_what_fires_is_killed_when_much_is_due(ground: Ground, figure: Say, name: str) -> None:
    """F7: again and again while deadlines come due."""
    ground.give_orders()
    due = ground.arm(after=2, spread=12)
    for _ in range(4):
        time.sleep(3)
        ground.runs_again(name, ground.kill(name))
    fired = ground.all_fired(due)
    late, bound = p99([one for _at, one in fired]), waited(LATE, 1)
    figure(f"{name}: {len(fired)} each once, p99 {late:.2f} s late (bound {bound:.1f})")
    assert late <= bound
    assert ground.sound() == []


def test_a_worker_that_takes_nothing_is_restarted(ground: Ground, figure: Say) -> None:
    """F12: it lives, and was told to consume no more; and it is stopped in the middle of everything."""
    took: dict[str, float] = {}
    instance = ground.system.instance
    for how in ("consumes nothing", "stopped"):
        pid = ground.system.supervisor.pid("worker-urgent")
        for name in ("beat", "worker-urgent"):  # what was just started may still be starting
            age = time.time() - psutil.Process(ground.system.supervisor.pid(name)).create_time()
            time.sleep(max(0.0, ground.watchman.watch.grace + 2 - age))
        ground.system.until(lambda: _sung(ground, "urgent") < 10, seconds=30, what="a canary")
        began = time.monotonic()
        if how == "stopped":
            for process in (psutil.Process(pid), *psutil.Process(pid).children()):
                process.suspend()
        else:
            worker = f"urgent@{instance.token}"
            ground.celery().control.cancel_consumer("urgent", destination=[worker])
        ground.system.until(
            lambda pid=pid: ground.system.supervisor.pid("worker-urgent") not in (0, pid), seconds=90, what="a restart"
        )
        took[how] = time.monotonic() - began
        ground.system.until(lambda: _sung(ground, "urgent") < 5, seconds=60, what="a canary again")
    bound = waited(RESTARTED, 1)
    said = ", ".join(f"{how}: restarted after {seconds:.1f} s" for how, seconds in took.items())
    figure(f"{said} (bound {bound:.1f})")
    assert max(took.values()) <= bound


def _sung(ground: Ground, queue: str) -> float:
    """Seconds since a task of this queue was done."""
    rows = ground.system.query(
        "SELECT extract(epoch FROM clock_timestamp() - at)::float FROM config_canary WHERE queue = %s", queue
    )
    return float(rows[0][0]) if rows else float("inf")


def test_a_hundred_thousand_bulk_jobs_wait(ground: Ground, figure: Say) -> None:
    """F30: urgent work is done as if they were not there; the worker that has them is not taken for one that hangs."""
    ground.give_orders()
    app, client = ground.celery(), ground.system.redis()
    ground.system.until(lambda: _sung(ground, "bulk") < 15, seconds=60, what="a bulk canary")
    ground.system.stop_one("worker-bulk")
    try:
        app.send_task("faults.work", args=(0.01,), queue="bulk")
        ground.system.until(lambda: client.llen("bulk"), what="the first job")
        first = json.loads(client.lindex("bulk", 0))
        while client.llen("bulk") < BULK:
            batch = []
            for _ in islice(range(BULK), 2000):
                first["headers"]["id"] = first["properties"]["correlation_id"] = str(uuid.uuid4())
                first["properties"]["delivery_tag"] = str(uuid.uuid4())
                batch.append(json.dumps(first))
            client.lpush("bulk", *batch)
    finally:
        ground.system.start_one("worker-bulk")
    waiting = int(client.llen("bulk"))
    pid = ground.system.supervisor.pid("worker-bulk")
    try:
        due = ground.arm(after=8, spread=40)
        urgent = [_urgent(ground, app) for _ in range(60)]
        fired = ground.all_fired(due)
        left = int(client.llen("bulk"))
        said = [line for line in ground.watchman.said if line.startswith("worker-bulk")]
    finally:
        client.delete("bulk")
    late, bound = p99([one for _at, one in fired]), waited(URGENT, 0.5)
    figure(
        f"{waiting} queued, {waiting - left} done meanwhile; {len(urgent)} urgent tasks p99 {p99(urgent):.2f} s, "
        f"{len(fired)} deadlines p99 {late:.2f} s (bound {bound:.1f})"
    )
    assert left < waiting
    assert left > 0
    assert max(p99(urgent), late) <= bound
    assert ground.system.supervisor.pid("worker-bulk") == pid, said


def _urgent(ground: Ground, app: object) -> float:
    """Seconds until a worker has done an urgent task that is sent now."""
    before = _canary(ground)
    began = time.monotonic()
    app.send_task("config.canary", args=("urgent",), queue="urgent")  # type: ignore[attr-defined]
    ground.system.until(lambda: _canary(ground) > before, seconds=60, what="an urgent task")
    took = time.monotonic() - began
    time.sleep(random.Random(str(before)).uniform(0.2, 0.6))
    return took


def _canary(ground: Ground) -> datetime:
    found: datetime = ground.system.query("SELECT at FROM config_canary WHERE queue = 'urgent'")[0][0]
    return found


def test_a_task_that_always_aborts_is_parked(ground: Ground, figure: Say) -> None:
    """F6: after three attempts, with an alarm; others flow meanwhile. Last here: the alarm stays."""
    app = ground.celery()
    sent = app.send_task("faults.abort", queue="normal")
    alarms = "SELECT detail FROM deadlines_alarm WHERE kind = 'poison' AND key = %s"
    went_on = threading.Event()

    def others() -> None:
        ground.system.until(lambda: _sung(ground, "normal") < 3, seconds=60, what="others")
        went_on.set()

    beside = threading.Thread(target=others)
    beside.start()
    ground.system.until(lambda: ground.system.query(alarms, f"task:{sent.id}"), seconds=60, what="the alarm")
    beside.join()
    detail = ground.system.query(alarms, f"task:{sent.id}")[0][0]
    time.sleep(10)
    tried = (ground.system.instance.folder / "aborted").read_text().splitlines()
    figure(f"parked after {len(tried)} attempts with its alarm; others went on: {went_on.is_set()}")
    assert detail["task"] == "faults.abort"
    assert len(tried) == 3
    assert went_on.is_set()
    assert _sung(ground, "normal") < 15

"""Is a worker seen that hangs while another serves the same queue?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from coordination.config import actions
from coordination.config.launcher.folders import REPOSITORY
from coordination.config.models import Canary, WorkerCanary
from coordination.config.monitor import deep, facts
from coordination.events import clock
from tests.faults.work import LIMITS
from tests.stacks import System

TOKEN = "a-token-for-this-test"


@pytest.mark.django_db
def test_each_worker_leaves_its_own_sign_and_old_ones_go() -> None:
    now = clock.now()
    WorkerCanary.objects.create(worker="celery@gone", queue="urgent", at=now - timedelta(days=2))
    actions.sing("urgent", "celery@one")
    actions.sing("urgent", "celery@two")
    actions.sing("urgent", "celery@two")
    assert set(WorkerCanary.objects.values_list("worker", flat=True)) == {"celery@one", "celery@two"}
    assert Canary.objects.get().queue == "urgent"
    WorkerCanary.objects.filter(worker="celery@two").update(at=now - timedelta(seconds=90))
    ages = facts.workers()
    assert ages["celery@one"] < 30 < 90 <= ages["celery@two"]
    found = deep.canary({"urgent": 1.0, "normal": 1.0, "bulk": 1.0}, ages)
    assert (found.status, found.why) == ("warn", "no task taken: celery@two")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_one_of_two_that_hangs_is_named_while_the_other_works(start_stack: Callable[..., System]) -> None:
    system = start_stack(environment={**LIMITS, "MUSTER_METRICS_TOKEN": TOKEN})
    command = [
        sys.executable, "-m", "celery", "-A", "coordination.config.celery", "worker", "--queues", "urgent",
        "--concurrency", "1", "--hostname", "second@here", "--loglevel", "WARNING", "--without-gossip",
        "--without-mingle",
    ]  # fmt: skip
    environment = {**os.environ, **system.environment("worker")}
    second = subprocess.Popen(command, cwd=REPOSITORY, env=environment, start_new_session=True)

    def ages() -> dict[str, float]:
        return {
            str(name): float(age) for name, age in system.query(
                "SELECT worker, extract(epoch FROM clock_timestamp() - at) FROM config_workercanary"
            )
        }  # fmt: skip

    def said() -> dict[str, Any]:
        answer = httpx.get(
            f"{system.base_url}/health/deep", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30, trust_env=False
        )
        return dict(answer.json()["parts"]["canary"])

    try:
        system.until(lambda: ages().get("second@here", 99) < 15, seconds=60, what="a task for the second")
        system.until(lambda: len(ages()) == 4, seconds=60, what="a task for each")
        os.killpg(second.pid, 19)  # SIGSTOP: it hangs, its lines stay open
        found = system.until(lambda: (seen := said())["status"] == "warn" and seen, seconds=120, what="the page's word")
        assert found["why"] == "no task taken: second@here"
        assert max(age for name, age in ages().items() if name != "second@here") < 30
    finally:
        os.killpg(second.pid, 18)
        os.killpg(second.pid, 15)
        second.wait(30)

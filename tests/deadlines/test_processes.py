"""Do several engines fire each deadline once, whichever of them is killed?"""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from coordination.deadlines import actions
from coordination.deadlines.models import Deadline, EngineHeartbeat
from coordination.events import clock
from coordination.events.models import Event
from coordination.notify.models import Delivery, Notice
from incidents.models import Incident
from tests.deadlines import city as cities
from tests.deadlines.city import City
from tests.events import outside

PROGRAM = "tests/deadlines/engine_process.py"
PATIENCE = 60
LADDER = [[0, "remind_duty"], [3600, "head"]]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def due(transactional_db: None) -> list[Incident]:
    """Sixty incidents whose deadline is now."""
    city: City = cities.build(clock.now())
    incidents = [city.incident() for _ in range(60)]
    orders = [actions.Order(one, "acknowledge", city.now, LADDER, "urgent", one.pk) for one in incidents]
    actions.arm_many(orders, now=city.now)
    return incidents


def start(what: str, begun: Path, **more: str) -> subprocess.Popen[bytes]:
    folder = str(begun.with_name("mail"))
    return outside.start(PROGRAM, what, str(begun), MUSTER_PROCESS="engine", MUSTER_MAIL_FOLDER=folder, **more)


def until(true: Callable[[], bool]) -> None:
    over = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < over, "it did not happen in time"
        time.sleep(0.05)


def each_once(incidents: list[Incident]) -> None:
    events = Counter(Event.objects.filter(type="deadline.fired").values_list("object_id", flat=True))
    assert events == {incident.pk: 1 for incident in incidents}
    assert Deadline.objects.filter(state="fired", level=0).count() == len(incidents)
    assert Deadline.objects.filter(state="armed", level=1).count() == len(incidents)
    for channel in ("in_app", "email"):
        sent = Counter(Delivery.objects.filter(channel=channel).values_list("object_id", flat=True))
        assert sent == {incident.pk: 1 for incident in incidents}
    assert Notice.objects.count() == len(incidents)


def test_two_engines_at_once_fire_each_deadline_once(due: list[Incident], tmp_path: Path) -> None:
    engines = [start("sweep", tmp_path / str(n)) for n in range(2)]
    assert [engine.wait(PATIENCE) for engine in engines] == [0, 0]
    each_once(due)


def test_engine_killed_in_mid_batch_leaves_its_batch_to_the_next(due: list[Incident], tmp_path: Path) -> None:
    killed = start("hang", tmp_path / "hang")
    until((tmp_path / "hang").exists)
    other = start("sweep", tmp_path / "other")
    until(lambda: Deadline.objects.filter(state="fired").count() >= 40)
    assert Deadline.objects.filter(state="fired").count() == 40, "the hanging batch is still held"
    killed.kill()
    assert killed.wait(PATIENCE) == -signal.SIGKILL
    assert other.wait(PATIENCE) == 0
    each_once(due)


def test_engine_goes_on_without_redis_over_cut_connections_and_ends_when_asked(
    due: list[Incident], tmp_path: Path
) -> None:
    running = start("engine", tmp_path / "engine", REDIS_URL=f"unix://{tmp_path}/nowhere.sock")
    try:
        until(lambda: Delivery.objects.filter(channel="in_app", state="sent").count() == len(due))
        each_once(due)
        assert EngineHeartbeat.objects.filter(doing="engine").exists()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'muster-engine'"
            )
            assert cursor.fetchone()[0] >= 3
        now = clock.now()
        actions.arm_many([actions.Order(one, "start", now, LADDER, "urgent", one.pk) for one in due], now=now)
        until(lambda: Deadline.objects.filter(kind="start", state="fired").count() == len(due))
    finally:
        running.send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE) == 0

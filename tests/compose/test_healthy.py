"""Does a container's look at itself end only what it would help to end?"""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path
from types import ModuleType

import pytest
from django.db import connection

from coordination.config.addresses import Database
from coordination.config.launcher.folders import REPOSITORY


@pytest.fixture
def healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that the container runs, with a memory of its own; what it would end is only noted."""
    spec = importlib.util.spec_from_file_location("healthy", REPOSITORY / "deploy" / "healthy.py")
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    found.BAD_SINCE = tmp_path / "since"
    found.ended = []
    monkeypatch.setattr(found, "end", lambda: found.ended.append(1))
    return found


def says(healthy: ModuleType, monkeypatch: pytest.MonkeyPatch, good: bool, served: bool) -> int:
    monkeypatch.setattr(healthy, "asked", lambda *_: (good, served))
    return int(healthy.main(["worker"]))


def long_ago(healthy: ModuleType) -> None:
    then = time.time() - healthy.PATIENCE - 5
    os.utime(healthy.BAD_SINCE, (then, then))


def test_what_does_not_work_for_long_is_ended(healthy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert says(healthy, monkeypatch, True, True) == 0
    assert says(healthy, monkeypatch, False, True) == 1
    assert says(healthy, monkeypatch, False, True) == 1
    assert healthy.ended == []
    long_ago(healthy)
    assert says(healthy, monkeypatch, False, True) == 1
    assert healthy.ended == [1]
    assert says(healthy, monkeypatch, False, True) == 1  # the next one has its own time
    assert healthy.ended == [1]


def test_what_lacks_something_else_is_left_alone(healthy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert says(healthy, monkeypatch, False, False) == 1
    for _ in range(3):
        long_ago(healthy)
        assert says(healthy, monkeypatch, False, False) == 1
    assert says(healthy, monkeypatch, False, True) == 1  # only from now on it counts
    assert healthy.ended == []
    assert says(healthy, monkeypatch, True, True) == 0
    assert not healthy.BAD_SINCE.exists()


@pytest.mark.django_db(transaction=True)
def test_it_asks_postgresql_about_this_very_container(healthy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    found = connection.settings_dict
    address = Database(
        name=found["NAME"], user=found["USER"], password=found["PASSWORD"], host=found["HOST"],
        port=int(found["PORT"]) if found["PORT"] else None,
    )  # fmt: skip
    monkeypatch.setenv("DATABASE_URL", address.url())
    monkeypatch.setattr(healthy.socket, "gethostname", lambda: "this-one")
    assert healthy.main(["engine"]) == 1
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO deadlines_engineheartbeat (process, tick, at, monotonic, doing)"
                       " VALUES ('another:7', 1, clock_timestamp(), 1, '')")  # fmt: skip
    assert healthy.main(["engine"]) == 1
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO deadlines_engineheartbeat (process, tick, at, monotonic, doing)"
                       " VALUES ('this-one:7', 1, clock_timestamp(), 1, '')")  # fmt: skip
    assert healthy.main(["engine"]) == 0
    assert healthy.main(["beat"]) == 1
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO config_canary (queue, at) VALUES ('urgent', clock_timestamp())")
    assert healthy.main(["beat"]) == 0
    note = "INSERT INTO config_workercanary (worker, queue, at) VALUES (%s, 'urgent', clock_timestamp())"
    with connection.cursor() as cursor:
        cursor.execute(note, ["celery@another"])
    assert healthy.main(["worker"]) == 1  # another one's work hides nothing, and shows that there is work
    assert healthy.asked(healthy.QUESTIONS["worker"], "celery@this-one", 60) == (False, True)
    with connection.cursor() as cursor:
        cursor.execute(note, ["celery@this-one"])
    assert healthy.main(["worker"]) == 0
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@/nowhere?host=/nonexistent")
    assert healthy.asked(healthy.QUESTIONS["engine"], "x:%", 1) == (False, False)

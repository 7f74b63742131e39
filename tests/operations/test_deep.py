"""Does the deep health page say what is wrong, to those who may know, in time, whatever hangs?"""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from coordination.config.monitor import asking, deep, facts, watched
from coordination.events import clock
from coordination.events.sealing import line

TOKEN = "a-token-for-this-test"
GB = 1_000_000_000


@pytest.fixture
def asked(settings: LazySettings) -> Any:
    settings.MUSTER_METRICS_TOKEN = TOKEN
    return lambda token=TOKEN: Client().get("/health/deep", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.django_db(transaction=True)
def test_every_part_is_there_and_none_is_a_fault(asked: Any) -> None:
    answer = asked()
    found = answer.json()
    assert set(found["parts"]) == {
        "postgresql", "redis", "disk", "canary", "engine", "relay", "watchdog", "backup", "lock_outs",
            "emergency", "sealing",
    }  # fmt: skip
    assert found["parts"]["postgresql"]["status"] == "ok"
    assert found["parts"]["redis"]["status"] == "ok"
    # nobody watches deadlines in a test's database, and that is said
    assert found["parts"]["engine"] == {"status": "bad", "why": "nobody watches the deadlines", "seconds": None}
    assert (answer.status_code, found["status"]) == (200, "bad")


@pytest.mark.django_db
def test_it_is_not_for_strangers(asked: Any, settings: LazySettings) -> None:
    assert asked("another").status_code == 302
    settings.MUSTER_METRICS_TOKEN = ""
    assert asked("").status_code == 302
    assert Client().post("/health/deep").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_a_part_that_hangs_or_breaks_is_a_finding(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()

    def broken() -> None:
        raise RuntimeError("no such table")

    monkeypatch.setitem(deep.PARTS, "redis", (lambda: let_go.wait(30), deep.broker))
    monkeypatch.setitem(deep.PARTS, "disk", (broken, deep.disk))
    began = time.monotonic()
    answer = asked()
    took = time.monotonic() - began
    let_go.set()
    parts = answer.json()["parts"]
    assert parts["redis"] == {"status": "bad", "why": "NoAnswer: no answer within 2 s"}
    assert parts["disk"] == {"status": "bad", "why": "RuntimeError: no such table"}
    assert parts["postgresql"]["status"] == "ok"
    assert took < 3.0


@pytest.mark.django_db
def test_the_token_needs_no_database(
    asked: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    for name in deep.PARTS:
        monkeypatch.setitem(deep.PARTS, name, (lambda: 1, lambda _one: deep.Finding(deep.OK)))
    with django_assert_num_queries(0):
        assert asked().json()["status"] == "ok"


def test_what_hangs_does_not_pile_up() -> None:
    let_go = threading.Event()
    questions = {str(n): (lambda: let_go.wait(30)) for n in range(asking.AT_ONCE + 5)}
    found = asking.ask(questions, 0.1)
    let_go.set()
    said = [str(answer) for answer in found.values()]
    assert said.count("earlier questions still hang") == 5
    assert said.count("no answer within 0.1 s") == asking.AT_ONCE


@pytest.mark.parametrize(
    ("finding", "status"),
    [
        (deep.canary({"urgent": 3.0, "normal": 29.0, "bulk": 1.0}), "ok"),
        (deep.canary({"urgent": 31.0, "normal": 2.0, "bulk": 1.0}), "warn"),
        (deep.canary({"urgent": None, "normal": 2.0, "bulk": 1.0}), "bad"),
        (deep.canary({"urgent": 3.0, "normal": 2.0, "bulk": 1.0}, {"celery@a": 3.0, "celery@b": 9.0}), "ok"),
        (deep.canary({"urgent": 3.0, "normal": 2.0, "bulk": 1.0}, {"celery@a": 3.0, "celery@b": 61.0}), "warn"),
        (deep.engine(1.0), "ok"),
        (deep.engine(11.0), "bad"),
        (deep.engine(None), "bad"),
        (deep.relay({"live": 0.1, "notify": 11.0}), "warn"),
        (deep.relay({"live": 31.0}), "bad"),
        (deep.disk(facts.Disk(50 * GB, 100 * GB)), "ok"),
        (deep.disk(facts.Disk(9 * GB, 100 * GB)), "warn"),
        (deep.disk(facts.Disk(4 * GB, 100 * GB)), "bad"),
        (deep.disk(facts.Disk(11 * GB, 10_000 * GB)), "ok"),
        (deep.lock_outs(4), "ok"),
        (deep.lock_outs(5), "warn"),
        (deep.lock_outs(20), "bad"),
        (deep.sealing(facts.Sealing(2.0, 300.0, {"file": 0})), "ok"),
        (deep.sealing(facts.Sealing(21.0, 300.0, {"file": 0})), "warn"),
        (deep.sealing(facts.Sealing(61.0, 300.0, {"file": 0})), "bad"),
        (deep.sealing(facts.Sealing(0.0, None, {"file": 0})), "warn"),
        (deep.sealing(facts.Sealing(0.0, 1600.0, {"file": 0})), "warn"),
        (deep.sealing(facts.Sealing(0.0, 300.0, {})), "warn"),
        (deep.sealing(facts.Sealing(0.0, 300.0, {"file": 0, "syslog": 3})), "warn"),
        (deep.database(facts.Postgres(1, 10, 100, 0, {})), "ok"),
        (deep.database(facts.Postgres(1, 90, 100, 0, {})), "warn"),
        (deep.database(facts.Postgres(1, 10, 100, 0, {"backup": 2 * GB})), "warn"),
    ],
)
def test_each_part_is_judged(finding: deep.Finding, status: str) -> None:
    assert finding.status == status


def test_a_backup_that_is_not_set_up_is_off_and_one_that_stopped_is_bad(settings: LazySettings) -> None:
    assert deep.backup({}).status == "off"
    settings.MUSTER_BACKUP_FOLDER = "/elsewhere"
    assert deep.backup({}).why == "too old: base, wal, files"
    assert deep.backup({"base": 3600.0, "wal": 12.0, "files": 20.0}).status == "ok"
    assert deep.backup({"base": 3600.0, "wal": 61.0, "files": 20.0}).why == "too old: wal"


def test_what_is_bad_three_times_in_a_row_is_alarmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "_bad", {})
    bad = {"disk": deep.Finding(deep.BAD, "little room", {"free_bytes": 1})}
    good = {"disk": deep.Finding(deep.OK, "", {"free_bytes": 9})}
    unknown = {"disk": deep.Finding(deep.BAD, "NoAnswer: no answer within 2 s")}
    levels = [watched.look(lambda _names, seen=seen: seen)[0][1] for seen in (bad, bad, good, bad, bad, bad, unknown)]
    assert levels == ["warn", "warn", "ok", "warn", "warn", "page", "warn"]


@pytest.mark.django_db
def test_the_watchdog_raises_and_settles_what_it_is_handed() -> None:
    from coordination.deadlines import alarms, watchdog
    from coordination.deadlines.models import Alarm

    state = {"level": "page"}
    watchdog.use([lambda: [(alarms.DISK, state["level"], 1.0)], "no.such.module"])
    try:
        watchdog.check(clock.now())
        assert Alarm.objects.filter(kind=alarms.DISK, settled_at=None).count() == 1
        state["level"] = "ok"
        watchdog.check(clock.now())
        assert Alarm.objects.filter(kind=alarms.DISK, settled_at=None).count() == 0
    finally:
        watchdog.use([])


@pytest.mark.django_db(transaction=True)
def test_a_log_that_is_not_sealed_for_a_minute_is_alarmed_until_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.events.sealed import execute, seal, written

    monkeypatch.setattr(watched, "_bad", {})

    def look() -> str:
        ((kind, level, _value),) = watched.look(lambda _names: deep.look(("sealing",)))
        assert kind == "log_unsealed"
        return level

    written(1)
    assert look() == "ok", "that there is neither an anchor nor a witness is said, and no alarm"
    execute("UPDATE events_readentry SET at = at - interval '61 seconds'")
    execute("UPDATE events_streamentry SET at = at - interval '61 seconds' WHERE stream = 'b'")
    assert [look() for _ in range(3)] == ["warn", "warn", "page"]
    seal()
    line.close()
    assert look() == "ok"

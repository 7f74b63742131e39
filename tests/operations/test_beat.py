"""Does beat go on sending when the clock is set back, or its own file was half written?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.utils.imports import symbol_by_name

from coordination.config.celery import app as ours

HOUR = timedelta(hours=1)
SCHEDULE = {
    "often": {"task": "tests.often", "schedule": 0.2},
    "daily": {"task": "tests.daily", "schedule": 86_400.0},
}


@pytest.fixture
def app() -> Iterator[Celery]:
    """A broker of this test's own, so that nothing stays in anybody's queue."""
    alone = Celery("beat", broker="memory://", set_as_current=False)
    alone.conf.update(beat_schedule=SCHEDULE, enable_utc=True, timezone="UTC")
    yield alone
    alone.close()


def scheduler(app: Celery, folder: Path) -> Any:
    """As ``celery beat`` makes it with our settings."""
    found = symbol_by_name(ours.conf.beat_scheduler)(app=app, schedule_filename=str(folder / "beat"))
    return found


def sent(beat: Any, entry: str, seconds: float = 20.0) -> int:
    """How often an entry is sent meanwhile, until it has been three times."""
    before, ends = beat.schedule[entry].total_run_count, time.monotonic() + seconds
    while time.monotonic() < ends and beat.schedule[entry].total_run_count < before + 3:
        time.sleep(min(0.05, max(0.0, beat.tick())))
    return int(beat.schedule[entry].total_run_count - before)


def set_back(beat: Any) -> None:
    """As if an hour had been taken off the clock: all that was sent was sent later than now."""
    for entry in beat.schedule.values():
        entry.last_run_at += HOUR


def test_beat_that_begins_before_its_own_past_sends_at_once(app: Celery, tmp_path: Path) -> None:
    first = scheduler(app, tmp_path)
    assert sent(first, "often") >= 3
    set_back(first)
    first.close()
    second = scheduler(app, tmp_path)
    assert second.schedule["often"].last_run_at > app.now(), "it read what the first one kept"
    assert sent(second, "often") >= 3
    assert second.schedule["daily"].total_run_count == 0
    assert second.schedule["daily"].last_run_at <= app.now()
    second.close()


def test_beat_that_runs_while_the_clock_is_set_back_goes_on(app: Celery, tmp_path: Path) -> None:
    running = scheduler(app, tmp_path)
    assert sent(running, "often") >= 3
    set_back(running)
    running._heap = [type(event)(event[0] + HOUR.total_seconds(), *event[1:]) for event in running._heap]
    assert sent(running, "often") >= 3
    running.close()


def test_what_is_done_once_a_day_is_not_done_again_at_each_start(app: Celery, tmp_path: Path) -> None:
    for _start in range(3):
        beat = scheduler(app, tmp_path)
        assert sent(beat, "daily", 0.3) == 0
        beat.close()


@pytest.mark.parametrize(
    "left", [b"", b"half", b"zeros", b"[]", b"null", b'{"often": 1, "daily": null}', b'{"daily": "0001-01-01T00:00"}',
             b"deep"],
    ids=repr,
)  # fmt: skip
def test_a_file_that_was_half_written_stops_nothing(app: Celery, tmp_path: Path, left: bytes) -> None:
    first = scheduler(app, tmp_path)
    assert sent(first, "often") >= 3
    first.close()
    kept = sorted(tmp_path.iterdir())
    assert kept
    for path in kept:
        whole = path.read_bytes()
        wrecked = {b"half": whole[: len(whole) // 2], b"zeros": bytes(len(whole)), b"deep": b"[" * 100_000}
        path.write_bytes(wrecked.get(left, left))
    second = scheduler(app, tmp_path)
    assert sent(second, "often") >= 3
    second.close()
    third = scheduler(app, tmp_path)
    assert (third.schedule["often"].last_run_at, sent(third, "daily", 0.3)) == (second.schedule["often"].last_run_at, 0)
    third.close()


def test_beat_goes_on_where_it_cannot_keep_anything(app: Celery, tmp_path: Path) -> None:
    (tmp_path / "beat").mkdir()
    beat = scheduler(app, tmp_path)
    beat.sync()
    assert sent(beat, "often") >= 3
    beat.close()

"""Is the backup tried each night by itself, and is it said when that does not go well?"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml
from django.conf import LazySettings

from coordination.config.backup import seal
from coordination.config.backup.follow import Follower
from coordination.config.backup.nightly import Nightly
from coordination.config.backup.source import Store
from coordination.config.launcher.folders import REPOSITORY
from coordination.config.monitor import deep
from tests import stacks

NIGHT = datetime(2026, 11, 20, 3, 5, tzinfo=UTC)
DAY = timedelta(days=1)
BASE = "20261119T020000Z"
FRESH = {"base": 3600.0, "wal": 12.0, "files": 20.0}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "other-disk")
    (made.bases / BASE).mkdir(parents=True)
    (made.bases / BASE / "manifest").touch()
    return made


def nightly(store: Store, last: datetime | None, program: str = "pass", noted: list[Any] | None = None) -> Nightly:
    return Nightly(
        store, store.folder.parent / "drill", hour=3, last=last, drill=lambda _folder: [sys.executable, "-c", program],
        note=lambda *what: (noted if noted is not None else []).append(what),
    )  # fmt: skip


def test_once_a_night_from_its_hour_on_and_at_once_where_none_ever_was(store: Store, tmp_path: Path) -> None:
    assert store.base_names() == [BASE]
    assert nightly(store, None).due(NIGHT)
    assert nightly(store, NIGHT - DAY).due(NIGHT)
    assert not nightly(store, NIGHT - DAY).due(NIGHT - timedelta(minutes=10))
    assert not nightly(store, NIGHT).due(NIGHT + timedelta(hours=20))
    assert not nightly(Store(tmp_path / "nothing yet"), None).due(NIGHT)


def test_a_disk_that_is_away_for_a_moment_does_not_end_the_drills(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, tries = threading.Event(), []

    def away(self: Store) -> list[str]:
        tries.append(1)
        if len(tries) > 1:
            stop.set()
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Store, "base_names", away)
    nightly(store, None).run(stop)
    assert len(tries) == 2


def test_a_database_that_goes_away_does_not_end_the_copying(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, rounds = threading.Event(), []
    source: Any = None
    follower = Follower(
        source, store, bytes(32), files=store.folder / "none", spool=store.folder / "spool", note=lambda *_: None,
        every=0, hour=2, keep_days=35,
    )  # fmt: skip

    def gone() -> None:
        rounds.append(1)
        if len(rounds) > 1:
            stop.set()
        raise psycopg2.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(follower, "round", gone)
    follower.run(stop)
    assert len(rounds) == 2


def test_what_went_well_is_noted_and_what_did_not_is_tried_again_in_an_hour(store: Store) -> None:
    noted: list[Any] = []
    good = nightly(store, None, noted=noted)
    assert good.once(threading.Event())
    assert [(kind, base) for kind, base, _seconds in noted] == [("drill", BASE)]
    assert not good.due(datetime.now(UTC))
    bad = nightly(store, None, "raise SystemExit(1)", noted)
    assert not bad.once(threading.Event())
    assert len(noted) == 1
    assert not bad.due(datetime.now(UTC) + timedelta(minutes=50))
    assert bad.due(datetime.now(UTC) + timedelta(minutes=70))


def test_a_drill_ends_with_what_runs_it(store: Store) -> None:
    stop = threading.Event()
    stop.set()
    assert not nightly(store, None, "import time; time.sleep(600)").once(stop)


def test_a_night_without_a_drill_is_said_where_there_is_to_be_one(settings: LazySettings) -> None:
    settings.MUSTER_BACKUP_FOLDER = "/elsewhere"
    settings.MUSTER_DRILL_HOUR = None
    assert deep.backup(FRESH).status == "ok"
    settings.MUSTER_DRILL_HOUR = 3
    assert (deep.backup(FRESH).status, deep.backup(FRESH).why) == ("warn", "it was never restored for a trial")
    assert deep.backup({**FRESH, "drill": 30 * 3600.0}).status == "ok"
    assert deep.backup({**FRESH, "drill": 51 * 3600.0}).why == "too old: drill"


def test_compose_drills_each_night_and_the_demo_does_not() -> None:
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
    assert compose["services"]["backup"]["environment"]["MUSTER_DRILL_HOUR"] == "${MUSTER_DRILL_HOUR-3}"
    assert compose["services"]["web"]["environment"]["MUSTER_DRILL_HOUR"] == "${MUSTER_DRILL_HOUR-3}"
    assert "MUSTER_DRILL_HOUR=3" in (REPOSITORY / "deploy/compose.env.example").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_keeps_the_backup_restores_it_for_a_trial(
    start_stack: Callable[..., stacks.System], tmp_path: Path
) -> None:
    key_file, store = tmp_path / "safe" / "backup.key", Store(tmp_path / "other-disk")
    seal.make_key(key_file)
    system = start_stack(
        environment={
            "MUSTER_BACKUP_FOLDER": str(store.folder), "MUSTER_BACKUP_KEY_FILE": str(key_file),
            "MUSTER_BACKUP_EVERY": "5", "MUSTER_DRILL_HOUR": "0",
        },
        more={"backup": ["backup", "follow"]},
    )  # fmt: skip
    noted = "SELECT position, size FROM config_backup WHERE kind = 'drill'"
    found = system.until(lambda: system.query(noted), seconds=300, what="a drill")
    said = system.log("backup").read_text()
    assert found[0][0] == store.base_names()[-1] and found[0][1] > 0
    assert '"good": true' in said
    assert not (system.instance.folder / "backup-spool" / "drill").exists()
    assert system.supervisor.state("backup") == "RUNNING"

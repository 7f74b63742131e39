"""Is the log checked when asked and once a day, by one, with its result kept; and does an export prove itself?"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from coordination.events import checking, clock, exporting, reads
from coordination.events.models import Event, LogCheck, LogExport, ReadEntry
from coordination.events.sealing import anchoring, bundle, line
from coordination.events.searching import Asked
from tests.events.deeds import PERSON, department, note
from tests.events.sealed import KEY, execute, seal, written

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = replace(PERSON, id=9, department_id=2)


@pytest.fixture(autouse=True)
def _signed(settings: Any) -> Iterator[None]:
    settings.MUSTER_ANCHOR_KEY = KEY
    yield
    line.close()


def checked() -> LogCheck:
    LogCheck.objects.create(asked_by="person:1", asked_at=clock.now())
    done = checking.run_next(clock.now())
    assert done is not None
    return LogCheck.objects.get(pk=done.pk)


def test_a_check_says_what_it_found_and_until_when() -> None:
    written()
    seal()
    assert anchoring.make_due() is not None
    good = checked()
    assert (good.state, good.entries, good.anchored, good.findings) == ("proven", 30, True, [])
    assert good.covers is not None and good.finished_at is not None
    execute("UPDATE events_event SET type = 'other' WHERE id = (SELECT min(id) FROM events_event)")
    told: list[LogCheck] = []
    LogCheck.objects.create(asked_by="person:1", asked_at=clock.now())
    bad = checking.run_next(clock.now(), told.append)
    assert bad is not None and bad.state == "changed" and told == [bad]
    assert "content: a 1: this is not what was sealed" in bad.findings
    seen = checking.standing()
    assert (seen.check, seen.going, seen.anchor, seen.unsealed) == (bad, None, 1, 0.0)


def test_what_is_not_proven_is_not_called_broken() -> None:
    written(2)
    execute("UPDATE events_streamentry SET at = at - interval '61 seconds'")
    assert checked().state == "unproven"


def test_the_check_of_the_day_is_asked_for_once_and_one_that_was_killed_is_done_again() -> None:
    now = clock.now()
    assert checking.make_due(now) and not checking.make_due(now + timedelta(hours=23))
    assert checking.make_due(now + timedelta(hours=25))
    LogCheck.objects.filter(pk=LogCheck.objects.order_by("id").first().pk).update(state="running", covers=now)
    assert checking.run_next(now).pk == LogCheck.objects.order_by("id").last().pk
    assert checking.run_next(now) is None, "somebody is at the other one"
    assert checking.run_next(now + checking.LONGEST + timedelta(seconds=1)) is not None


def exported(asked: Asked, form: str = "bundle", within: Any = None) -> LogExport:
    given = orjson.loads(orjson.dumps(exporting.stored(asked)))
    LogExport.objects.create(asked_by="person:1", asked_at=clock.now(), form=form, asked=given, within=within)
    done = exporting.run_next(clock.now())
    assert done is not None
    return LogExport.objects.get(pk=done.pk)


@pytest.fixture
def log() -> None:
    """Acts and reads of two departments, mixed in the same chains."""
    row = department()
    for n in range(6):
        actor = (PERSON, OTHER)[n % 2]
        note(actor=actor, now=clock.now(), department_id=row.pk, streams=("incident:5",))
        reads.note(actor, "records_list", "records", [n], purpose=f"canary-{actor.department_id}", grants=[n])
    seal()


def test_a_search_leaves_as_a_bundle_that_shows_nothing_else(log: None, tmp_path: Path) -> None:
    assert anchoring.make_due() is not None
    row = exported(Asked(department=2), within=[1, 2])
    assert (row.state, row.lines, row.cut, row.error) == ("ready", 6, False, "")
    path = tmp_path / "bundle"
    path.write_bytes(exporting.file_of(row))
    report = bundle.verify(path, anchoring.public_keys())
    assert (report.exit, report.problems) == (0, []), report.findings
    lines = [orjson.loads(one) for one in path.read_bytes().splitlines()]
    records = [one for one in lines if "record" in one]
    assert len(records) == 6 and {one["stream"] for one in records} == {"incident:5", "access-log"}
    assert "canary-2" in path.read_text() and "canary-1" not in path.read_text()
    for n, one in enumerate(lines):
        if "record" in one:
            changed = [*lines[:n], {**one, "record": one["record"].replace("person", "parson")}, *lines[n + 1 :]]
            path.write_bytes(b"\n".join(orjson.dumps(line) for line in changed) + b"\n")
            assert bundle.verify(path, anchoring.public_keys()).exit == 1


def test_a_search_leaves_as_a_table_of_ids_without_formulas(log: None) -> None:
    ReadEntry.objects.filter(actor_department=2).update(purpose="=HYPERLINK(1)")
    row = exported(Asked(source="read", begin=clock.now() - timedelta(hours=1), grants=(1, 3)), "csv")
    table = list(csv.DictReader(io.StringIO(exporting.file_of(row).decode("utf-8-sig"))))
    assert [(one["objects"], one["grants"], one["actor"]) for one in table] == [
        ("3", "3", "person:9"), ("1", "1", "person:9"),
    ]  # fmt: skip
    assert {one["purpose"] for one in table} == {"'=HYPERLINK(1)"}
    assert len(row.digest) == 64


def test_a_long_export_is_cut_and_says_so(log: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)
    monkeypatch.setattr(exporting, "MOST", 4)
    row = exported(Asked(), "csv")
    assert (row.lines, row.cut) == (4, True)
    assert exported(Asked(source="event"), "csv").cut and Event.objects.count() == 6


def test_an_export_that_cannot_be_made_says_why_and_old_files_go(log: None, settings: Any) -> None:
    assert "no sealed line" in exported(Asked(act="no.such")).error
    settings.MUSTER_ANCHOR_KEY = ""
    failed = exported(Asked())
    assert (failed.state, "MUSTER_ANCHOR_KEY" in failed.error) == ("failed", True)
    ready = exported(Asked(), "csv")
    exporting.run_next(clock.now() + timedelta(days=8))
    ready.refresh_from_db()
    assert exporting.file_of(ready) == b""

"""Is the log sealed behind its writers, whole, once, by who may, and is nothing that was changed overlooked?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from django.db import OperationalError, connection

from accounts.models import Department
from coordination.events import clock, reads, streams
from coordination.events.models import Seal
from coordination.events.sealing import anchoring, anchors, fields, line, sealer
from coordination.events.sealing.proof import Report
from tests.events import outside
from tests.events.deeds import PERSON, department, note
from tests.events.sealed import KEY, aged, asked, execute, seal, written

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _signed(settings: Any) -> Iterator[None]:
    settings.MUSTER_ANCHOR_KEY = KEY
    yield
    line.close()


def test_an_untouched_log_is_sealed_and_proven() -> None:
    written()
    assert anchoring.make_due() is None, "there is nothing to anchor yet"
    done = seal()
    assert (done.entries, done.reads, done.gaps) == (24, 6, {})
    found = asked()
    assert (found.findings, found.entries, found.fresh, found.exit) == ([], 30, 0, 0)
    assert {name: head[0] for name, head in found.heads.items()} == {"a": 12, "b": 6, "c": 6, streams.ACCESS_LOG: 6}
    assert seal().entries == 0, "nothing is sealed twice"


def test_what_is_not_sealed_is_said_once_it_should_be() -> None:
    written(2)
    assert (asked().findings, asked().fresh) == ([], 5)
    execute("UPDATE events_streamentry SET at = at - interval '61 seconds' WHERE stream = 'a'")
    execute("UPDATE events_readentry SET at = at - interval '61 seconds'")
    found = asked()
    assert [str(one) for one in found.findings] == [
        "unsealed: access-log: 1 lines should be sealed by now and are not",
        "unsealed: a 1: 2 from here on should be sealed by now and are not",
    ]
    assert (found.problems, found.exit) == ([], 2)
    with connection.cursor() as cursor:
        assert sealer.unsealed(cursor) > 60
    seal()
    with connection.cursor() as cursor:
        assert sealer.unsealed(cursor) == 0
    assert asked().exit == 0


def test_anchors_are_made_when_due_follow_each_other_and_carry_what_moved() -> None:
    written(2)
    seal()
    first = anchoring.make_due()
    assert first is not None and [head[0] for head in first.heads] == ["a", streams.ACCESS_LOG, "b", "c"]
    assert anchoring.make_due() is None, "the next one is due in ten minutes"
    note(actor=PERSON, now=clock.now(), department_id=Department.objects.get().pk, streams=("b",))
    seal()
    aged()
    second = anchoring.make_due()
    assert second is not None and (second.number, second.prev) == (2, first.digest)
    assert [head[0] for head in second.heads] == ["b"]
    report = Report()
    row_of = anchors.Row(report, anchoring.public_keys())
    assert [row_of.take(anchors.read(one.shown())) for one in (first, first, second)] == [True] * 3
    assert report.findings == [] and row_of.heads["b"][0] == 2 and row_of.heads["a"][0] == 2
    forged = replace(second, heads=first.heads)
    assert not anchors.Row(report, anchoring.public_keys()).take(forged)


def test_without_a_key_there_are_no_anchors(settings: Any) -> None:
    settings.MUSTER_ANCHOR_KEY = ""
    written(1)
    seal()
    assert anchoring.make_due() is None
    settings.MUSTER_ANCHOR_KEY = "short"
    with pytest.raises(anchors.BadKey, match="MUSTER_ANCHOR_KEY"):
        anchoring.make_due()


def test_an_entry_missing_before_it_was_sealed_is_a_gap_and_holds_nothing_up() -> None:
    written()
    execute("DELETE FROM events_streamentry WHERE stream = 'a' AND seq = 5")
    assert seal().gaps == {"a": 4}
    assert "gap: a 6: 4 is followed by 6" in asked().problems
    written(2)
    assert seal().gaps == {}


def test_reads_wait_for_the_oldest_open_transaction_and_none_is_left_out() -> None:
    old = connection.copy()
    with old.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT pg_current_xact_id()")
        written(2)
        assert seal(patient=False).reads == 0
        cursor.execute(
            "INSERT INTO events_readentry (at, actor_key, actor_post, purpose, operation, object_type, ids, count,"
            " request_id) VALUES (now(), 'user:1', '', '', 'late', 'incident', '[]', 0, '')"
        )
        cursor.execute("COMMIT")
    old.close()
    assert seal().reads == 2
    assert asked().exit == 0


def test_several_sealers_make_no_double_and_no_gap() -> None:
    written(40)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(30):
                sealer.run_once()
        except BaseException as error:
            failed.append(error)
        finally:
            line.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    written(20)
    for thread in threads:
        thread.join()
    seal()
    assert failed == []
    found = asked()
    assert (found.findings, found.entries) == ([], 60 * 2 + 30)


KILLED = """
import time
import django; django.setup()
from coordination.events.sealing import sealer
sealer.BATCH = 7
reads = sealer._reads
sealer._reads = lambda *given: (time.sleep(0.05), reads(*given))  # in the middle of each batch
print("ready", flush=True)
while True:
    sealer.run_once()
"""


def test_who_is_killed_leaves_a_whole_batch_or_none() -> None:
    written(60)
    for _ in range(3):
        running = subprocess.Popen([sys.executable, "-c", KILLED], env=outside.environment(MUSTER_PROCESS="engine"),
                                   cwd=outside.ROOT, stdout=subprocess.PIPE, text=True)  # fmt: skip
        assert running.stdout is not None and running.stdout.readline() == "ready\n"
        began = Seal.objects.count()
        while Seal.objects.count() == began:
            time.sleep(0.01)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        running.stdout.close()
        assert asked().problems == []
    assert 0 < Seal.objects.count() < 150, "they were killed at work"
    seal()
    assert (asked().exit, asked().entries) == (0, 150)


TABLES = ("events_event", "events_streamentry", "events_readentry", "events_refusal", "events_seal", "events_sealhead",
          "events_anchor", "events_anchorhead")  # fmt: skip
FORBIDDEN = [
    *(f"DELETE FROM {name}" for name in TABLES), *(f"TRUNCATE {name} CASCADE" for name in TABLES),
    *(f"ALTER TABLE {name} DISABLE TRIGGER ALL" for name in TABLES), *(f"DROP TABLE {name} CASCADE" for name in TABLES),
    "UPDATE events_event SET type = 'x'", "UPDATE events_streamentry SET home = true",
    "UPDATE events_seal SET seq = 1", "UPDATE events_readentry SET count = 1",
    "UPDATE events_refusal SET code = 'x'", "UPDATE events_anchor SET streams = 1",
    "SET session_replication_role = replica", "UPDATE events_streamhead SET epoch = 2", "DELETE FROM events_streamhead",
]  # fmt: skip
OF_THE_APPLICATION = [
    "INSERT INTO events_seal VALUES ('a', 1, '', '', 1, NULL)", "UPDATE events_sealhead SET seq = 1",
    "INSERT INTO events_anchor VALUES (1, now(), 1, '', '', '', '')", "SET ROLE muster_sealer",
    "SET ROLE muster_log_owner",
]  # fmt: skip
OF_THE_SEALER = [
    "INSERT INTO events_event DEFAULT VALUES", "UPDATE events_streamhead SET last_seq = 1",
    "SELECT * FROM accounts_person", "UPDATE events_anchorhead SET seq = 1", "SET ROLE muster_app",
]  # fmt: skip


ROLES = {"muster_app", "muster_sealer", "muster_log_owner"}


def really(role: str) -> Any:
    """A connection with this role's rights: come in as it, or (where that takes its password) become it."""
    given = connection.get_connection_params()
    try:
        return psycopg2.connect(**{**given, "user": role})
    except psycopg2.OperationalError:
        own = psycopg2.connect(**given)
        with own.cursor() as cursor:
            cursor.execute(f"SET ROLE {role}")
        own.commit()
        return own


@pytest.mark.parametrize(("role", "more"), [("muster_app", OF_THE_APPLICATION), ("muster_sealer", OF_THE_SEALER)])
def test_neither_the_application_nor_the_sealer_can_rewrite_anything(role: str, more: list[str]) -> None:
    written(2)
    seal()
    own = really(role)
    try:
        with own.cursor() as cursor:
            cursor.execute("SELECT session_user")
            came_in = cursor.fetchone()[0] == role
            for other in ROLES - {role}:
                cursor.execute("SELECT pg_has_role(%s, %s, 'SET')", [role, other])
                assert cursor.fetchone()[0] is False, f"{role} may become {other}"
        for statement in (*FORBIDDEN, *more):
            if statement.startswith("SET ROLE") and not came_in:
                continue  # whoever became it may become others; that the role itself may not was asked above
            with own.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)
            own.rollback()
    finally:
        own.close()
    assert asked().exit == 0


def test_the_sealer_comes_in_as_itself_or_not_at_all(settings: Any) -> None:
    written(2)
    settings.MUSTER_SEALER_LOGIN = settings.MUSTER_SEALER_ROLE
    given = {**connection.get_connection_params(), "user": settings.MUSTER_SEALER_ROLE}
    given.pop("password", None)
    try:
        psycopg2.connect(**given).close()
    except psycopg2.OperationalError:  # the server asks for a password, and none is set
        with pytest.raises(OperationalError):
            seal()
        settings.MUSTER_SEALER_LOGIN = ""
        assert seal().entries == 4
        return
    assert seal().entries == 4
    with line.transaction() as cursor:
        cursor.execute("SELECT session_user, current_user")
        assert cursor.fetchone() == ("muster_sealer", "muster_sealer")


def test_records_are_told_apart_and_read_back() -> None:
    written(1)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {fields.record(fields.ENTRIES)} FROM events_streamentry e JOIN events_event v ON v.id = e.event_id"
            f" {fields.lateral(fields.ENTRIES)} WHERE e.stream = 'a'"
        )
        record = cursor.fetchone()[0]
    found = dict(zip(fields.ENTRY, fields.read(record), strict=True))
    assert (found["e.stream"], found["e.seq"], found["v.incident_id"]) == ("a", "1", None)
    for broken in ("", "9,1:a", "1,5:a", "1,a", "1,1:ab"):
        with pytest.raises(fields.NoRecord):
            fields.read(broken)


def grown(entries: int) -> None:
    """Another stream of so many entries, written past the actions: a size, nothing else."""
    execute(
        "WITH made AS (INSERT INTO events_event (type, at, actor_kind, actor_post, object_type, object_id, version,"
        " payload, tell, urgency, exercise, request_id) SELECT 'x', clock_timestamp(), 'system', '', 'x', n, 1, '{}',"
        " '[]', '', false, '' FROM generate_series(1, %s) n RETURNING id),"
        " head AS (INSERT INTO events_streamhead VALUES (%s, %s, 1))"
        " INSERT INTO events_streamentry (stream, seq, event_id, home, at)"
        " SELECT %s, row_number() OVER (ORDER BY id), id, true, clock_timestamp() FROM made",
        entries, f"size:{entries}", entries, f"size:{entries}",
    )  # fmt: skip
    seal()


def test_verifying_a_larger_log_takes_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coordination.events.sealing.verify.ROWS", 100)
    peaks = []
    for size in (500, 5_000):
        grown(size)
        asked()
        tracemalloc.start()
        found = asked()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (found.exit, found.entries >= size) == (0, True)
    assert peaks[1] < peaks[0] * 1.5, peaks


def test_a_chain_of_the_first_version_goes_on_in_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is after an upgrade: old seals cover no grants and stay proven, new ones cover them."""
    row = department()
    note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=("a",))
    first = {1: fields.READ}
    as_before = sealer._READS.replace(fields.record(fields.READS), fields.record(first))
    assert as_before != sealer._READS
    with monkeypatch.context() as old:
        old.setattr(sealer, "_READS", as_before)
        old.setattr(fields, "READS", first)
        reads.note(PERSON, "records", "records", [1])
        seal()
    reads.note(PERSON, "records", "records", [2], grants=[7, 8])
    seal()
    chain = Seal.objects.filter(stream=streams.ACCESS_LOG).order_by("seq")
    assert list(chain.values_list("seq", "version")) == [(1, 1), (2, 2)]
    assert set(Seal.objects.exclude(stream=streams.ACCESS_LOG).values_list("version", flat=True)) == {1}
    assert anchoring.make_due() is not None
    assert (asked().findings, asked().exit) == ([], 0)
    execute("UPDATE events_readentry SET grants = '[7]' WHERE ids = '[2]'")
    assert asked().problems == ["content: access-log 2: this is not what was sealed"]
    execute("UPDATE events_readentry SET grants = '[7, 8]' WHERE ids = '[2]'")
    assert asked().exit == 0
    execute("UPDATE events_seal SET version = 1 WHERE stream = 'access-log' AND seq = 2")
    assert asked().problems == ["content: access-log 2: this is not what was sealed"], "no seal goes back a version"


@pytest.mark.parametrize("stream", ["a", streams.ACCESS_LOG])
def test_a_seal_of_a_version_nobody_knows_is_said(stream: str) -> None:
    written(4)
    seal()
    execute("UPDATE events_seal SET version = 9 WHERE stream = %s AND seq = 1", stream)
    assert asked().problems == [f"content: {stream} 1: its seal is of a version that is not known here"]

"""Are sequences without gaps, and is commit order sequence order, whoever writes at once?"""

from __future__ import annotations

import threading
import time

import psycopg2
import pytest
from django.db import connection, transaction

from coordination.config import rights
from coordination.events import clock, command, hint
from coordination.events.actor import SYSTEM
from coordination.events.models import Event, StreamEntry, StreamHead
from tests.events import outside
from tests.events.deeds import PERSON, department, note
from tests.events.test_command import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def seqs(stream: str) -> list[int]:
    return list(StreamEntry.objects.filter(stream=stream).order_by("seq").values_list("seq", flat=True))


def test_processes_that_write_to_the_same_streams_leave_no_gap() -> None:
    row = department()
    writers = [
        outside.start(
            "-m",
            "tests.events.deeds",
            str(row.pk),
            "60",
            "hot",
            "department:1",
            "department:2",
        )
        for _ in range(4)
    ]
    assert [writer.wait(120) for writer in writers] == [0] * 4
    expected = 4 * 48
    for stream in ("hot", "department:1", "department:2"):
        assert seqs(stream) == list(range(1, expected + 1))
        assert StreamHead.objects.get(pk=stream).last_seq == expected
    assert StreamEntry.objects.filter(home=True).count() == Event.objects.count() == expected


def test_a_reader_never_sees_a_later_entry_before_an_earlier_one() -> None:
    row, over, gaps, seen = department(), threading.Event(), [], [0]

    def watch() -> None:
        try:
            while not over.is_set():
                found = seqs("hot")
                if found != list(range(1, len(found) + 1)):
                    gaps.append(found)
                seen[0] += 1
        finally:
            connection.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    results = at_once(
        lambda _: [note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=("hot",)) for _ in range(40)],
        6,
    )
    over.set()
    watcher.join(30)
    assert not [result for result in results if isinstance(result, Exception)]
    assert seen[0] > 5
    assert gaps == []
    assert seqs("hot") == list(range(1, 241))


def test_streams_named_in_any_order_do_not_lock_each_other_out() -> None:
    row = department()
    names = [f"department:{number}" for number in range(12)]
    results = at_once(
        lambda index: [
            note(
                actor=PERSON,
                now=clock.now(),
                department_id=row.pk,
                streams=tuple(names[index:] + names[:index]) if turn % 2 else tuple(reversed(names)),
            )
            for turn in range(15)
        ],
        6,
    )
    assert not [result for result in results if isinstance(result, Exception)]
    assert {head.last_seq for head in StreamHead.objects.all()} == {90}


def test_a_hot_stream_is_held_only_for_the_flush() -> None:
    """While one action works at length before its end, others pass it on the same stream."""
    row = department()
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with command.unit(SYSTEM, clock.now()):
                note(
                    actor=SYSTEM,
                    now=clock.now(),
                    department_id=row.pk,
                    streams=("hot",),
                )
                begun.set()
                go_on.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert begun.wait(20)
    note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=("hot",))
    assert seqs("hot") == [1]
    go_on.set()
    thread.join(20)
    assert seqs("hot") == [1, 2]
    assert StreamEntry.objects.get(stream="hot", seq=1).event.actor_kind == "person"


def test_an_action_costs_two_statements_for_its_log_whatever_the_streams(
    django_assert_num_queries: object,
) -> None:
    row, now = department(), clock.now()
    for streams in (("a",), tuple(f"department:{number}" for number in range(200))):
        with django_assert_num_queries(2 + 2):  # type: ignore[operator]
            note(actor=PERSON, now=now, department_id=row.pk, streams=streams)


def test_a_redis_that_is_gone_is_asked_once_a_second_not_at_each_write(
    settings: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    row = department()
    monkeypatch.setattr(hint, "_client", None)
    monkeypatch.setattr(hint, "_down_until", 0.0)
    settings.REDIS_URL = "unix:///nonexistent/redis.sock"  # type: ignore[attr-defined]
    for _ in range(50):
        note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=("a",))
    assert seqs("a") == list(range(1, 51))
    assert 1 <= sum("hint lost" in record.getMessage() for record in caplog.records) < 50
    monkeypatch.setattr(hint, "_client", None)
    monkeypatch.setattr(hint, "_down_until", 0.0)


def test_a_hint_wakes_the_listener() -> None:
    row = department()
    listener = hint.Listener().start()
    try:
        deadline = time.monotonic() + 20
        woken = False
        while not woken and time.monotonic() < deadline:  # until its subscription stands
            note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=("a",))
            woken = listener.wait(0.2)
        assert woken
    finally:
        listener.close()


class TestRoles:
    def test_the_application_may_append_and_count_but_not_rewrite(self) -> None:
        rights.grant()
        row = department()
        note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=("a",))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL ROLE muster_app")
            note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=("a", "b"))
        assert seqs("a") == [1, 2]
        for statement in (
            "UPDATE events_event SET type = 'x'",
            "DELETE FROM events_event",
            "TRUNCATE events_event CASCADE",
            "UPDATE events_streamentry SET seq = seq + 10",
            "DELETE FROM events_streamentry",
            "UPDATE events_streamhead SET epoch = 2",
            "DELETE FROM events_streamhead",
            "UPDATE events_refusal SET code = 'x'",
            "DELETE FROM events_refusal",
            "ALTER TABLE events_event DISABLE TRIGGER ALL",
        ):
            with (
                pytest.raises(Exception) as caught,
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute("SET LOCAL ROLE muster_app")
                cursor.execute(statement)
            assert isinstance(caught.value.__cause__, psycopg2.errors.InsufficientPrivilege), statement

"""Does a search of the log find each line that matches, in order and no other, without reading the whole table?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from coordination.events import clock, reads
from coordination.events.command import request_id
from coordination.events.models import Event, ReadEntry
from coordination.events.searching import Asked, search
from tests.events.deeds import PERSON, department, note

pytestmark = pytest.mark.django_db
OFFICER = replace(PERSON, id=5, department_id=7, posts=frozenset({"duty_officer"}))
CLIENT = replace(PERSON, kind="client", id=5, department_id=8, posts=frozenset())


def every(asked: Asked, within: Any, size: int = 2) -> list[tuple[str, int]]:
    """All pages of the search, one after the other."""
    found: list[tuple[str, int]] = []
    after = None
    while True:
        lines, after = search(asked, within, after, size)
        found += [(line.source, line.id) for line in lines]
        if after is None:
            return found


@pytest.fixture
def log() -> None:
    row = department()
    token = request_id.set("req-1")
    for n in range(4):
        note(actor=(OFFICER, CLIENT)[n % 2], now=clock.now(), department_id=row.pk, streams=("a",))
        reads.note((OFFICER, CLIENT)[n % 2], "records_list", "records", [n, n + 1], purpose="flood", grants=[n, 40])
    request_id.reset(token)
    note(actor=OFFICER, now=clock.now(), department_id=row.pk, streams=("a",))


def in_order() -> list[tuple[str, int]]:
    """Every line as it should come."""
    rows = [(row.at, "event", row.pk) for row in Event.objects.all()]
    rows += [(row.at, "read", row.pk) for row in ReadEntry.objects.all()]
    return [(source, pk) for _at, source, pk in sorted(rows, reverse=True)]


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_pages_follow_each_other_without_a_gap(log: None, size: int) -> None:
    assert every(Asked(), None, size) == in_order() and len(in_order()) == 9
    assert every(Asked(), [7, 8], size) == in_order()
    assert every(Asked(), [7, 8, 9], size) == in_order()


def test_lines_of_one_moment_follow_each_other_too(log: None) -> None:
    Event.objects.update(at=clock.now())
    ReadEntry.objects.update(at=Event.objects.first().at)
    assert every(Asked(), None, 1) == in_order()
    assert every(Asked(), [7, 8], 1) == in_order()


def test_only_acts_of_the_given_departments(log: None) -> None:
    assert {line.department_id for line in search(Asked(), [7])[0]} == {7}
    assert search(Asked(department=8), [7]) == search(Asked(), []) == search(Asked(), [99]) == ([], None)
    assert len(search(Asked(department=8), [7, 8])[0]) == 4
    assert search(Asked(actor=("client", 5)), [7]) == ([], None), "a narrow search stays within too"
    assert search(Asked(request_id="req-1"), [99]) == ([], None)


@pytest.mark.parametrize(("asked", "count"), [
    (Asked(source="event"), 5), (Asked(source="read"), 4), (Asked(actor=("person", 5)), 5),
    (Asked(actor=("client", 5)), 4), (Asked(actor=("display", 5)), 0), (Asked(post="duty_officer"), 5),
    (Asked(act="records_list"), 4), (Asked(act="department.noted"), 5), (Asked(objects=("records",), object_id=1), 2),
    (Asked(objects=("accounts.department",)), 5), (Asked(grants=(40,)), 4), (Asked(grants=(1, 2)), 2),
    (Asked(grants=()), 0),
    (Asked(request_id="req-1"), 8), (Asked(strangers_to=7), 2), (Asked(act="'; DROP TABLE events_event --"), 0),
])  # fmt: skip
def test_each_filter_finds_what_matches(log: None, asked: Asked, count: int) -> None:
    for within in (None, [7, 8]):
        assert len(every(asked, within)) == count


def test_a_time_range_ends_before_its_end(log: None) -> None:
    first, last = Event.objects.order_by("id").first(), Event.objects.order_by("id").last()
    found = every(Asked(source="event", begin=first.at, end=last.at), None)
    assert found == [("event", pk) for pk in Event.objects.order_by("-id").values_list("pk", flat=True)[1:]]
    assert every(Asked(begin=clock.now() + timedelta(hours=1)), None) == []


def plan(asked: Asked, within: Any) -> str:
    """How the server would answer, of a log with ten thousand lines of two hundred departments."""
    seen: list[tuple[str, Any]] = []
    with connection.execute_wrapper(lambda run, sql, params, many, context: (seen.append((sql, params)), run(
        sql, params, many, context))[1]):  # fmt: skip
        search(asked, within)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {seen[0][0]}", seen[0][1])
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize(("asked", "within", "index"), [
    (Asked(), None, "event_at"), (Asked(), list(range(20)), "event_department"), (Asked(), [7], "readentry_department"),
    (Asked(actor=("person", 3)), list(range(20)), "event_actor"), (Asked(grants=(77,)), None, "readentry_grants"),
    (Asked(objects=("records",), object_id=77), None, "readentry_ids"), (Asked(act="t.5"), None, "event_type"),
    (Asked(objects=("x",), object_id=77), None, "event_object"),
    (Asked(request_id="r77"), list(range(9)), "event_request"),
])  # fmt: skip
def test_no_search_reads_the_whole_log(asked: Asked, within: Any, index: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events_event (type, at, actor_kind, actor_id, actor_department, actor_post, object_type,"
            " object_id, version, payload, tell, urgency, exercise, request_id) SELECT 't.' || n % 100,"
            " now() - n * interval '1 s', 'person', n % 500, n % 200, '', 'x', n, 1, '{}', '[]', 'routine', false,"
            " 'r' || n FROM generate_series(1, 10000) n"
        )
        cursor.execute(
            "INSERT INTO events_readentry (at, actor_key, actor_department, actor_post, purpose, operation,"
            " object_type, ids, count, grants, request_id) SELECT now() - n * interval '1 s', 'person:' || n % 500,"
            " n % 200, '', '', 'o' || n % 100, 'records', jsonb_build_array(n), 1, jsonb_build_array(n), 'r' || n"
            " FROM generate_series(1, 10000) n"
        )
        cursor.execute("ANALYZE events_event; ANALYZE events_readentry")
    said = plan(asked, within)
    assert "Seq Scan" not in said and index in said, said

"""Does a steward learn who read by which grant, and of nothing else?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from coordination.events import clock, queries, reads
from tests.events.deeds import PERSON

pytestmark = pytest.mark.django_db


def test_receipts_are_told_by_grant_department_post_and_purpose(django_assert_num_queries: Any) -> None:
    officer = replace(PERSON, department_id=7, posts=frozenset({"duty_officer"}))
    steward = replace(PERSON, department_id=8, posts=frozenset({"data_steward"}))
    reads.note(officer, "records", "records", [1, 2, 3], purpose="flood", grants=[5, 6])
    reads.note(officer, "records", "records", [4], purpose="flood", grants=[5])
    reads.note(officer, "records", "records", [4], purpose="drill", grants=[5])
    reads.note(steward, "records", "records", [9, 9], grants=[6])
    reads.note(steward, "records", "records", [9], grants=[55])
    reads.note(steward, "records", "records", [9])
    with django_assert_num_queries(1):
        found = queries.receipts([5, 6])
    told = {(one.grant_id, one.department_id, one.post, one.purpose): (one.times, one.count) for one in found}
    assert told == {
        (5, 7, "duty_officer", "flood"): (2, 4),
        (6, 7, "duty_officer", "flood"): (1, 3),
        (5, 7, "duty_officer", "drill"): (1, 1),
        (6, 8, "data_steward", ""): (1, 2),
    }
    assert all(one.first <= one.last for one in found)
    assert [one.last for one in found] == sorted((one.last for one in found), reverse=True)
    assert queries.receipts([5], since=clock.now() + timedelta(hours=1)) == queries.receipts([]) == []


def test_receipts_are_found_by_the_index_of_grants() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events_readentry (at, actor_key, actor_post, purpose, operation, object_type, ids,"
            " count, grants, request_id) SELECT now(), 'person:1', '', '', 'records', 'records', '[]', 1,"
            " jsonb_build_array(n), '' FROM generate_series(1, 5000) n"
        )
        cursor.execute("ANALYZE events_readentry")
        cursor.execute(f"EXPLAIN {queries._RECEIPTS}", [[5, 6], None])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "readentry_grants" in plan and "Seq Scan on events_readentry" not in plan

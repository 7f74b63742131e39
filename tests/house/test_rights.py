"""Do the roles keep their rights while they are set again beside people at work, and is nobody held up by it?"""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection

from coordination.config import rights
from coordination.config.migrating import LOCK_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

ASKED = """
SELECT has_table_privilege('muster_app', 'events_streamentry', 'INSERT'),
       has_table_privilege('muster_app', 'events_streamhead', 'SELECT'),
       has_table_privilege('muster_app', 'events_event', 'UPDATE'),
       has_table_privilege('muster_app', 'events_streamentry', 'DELETE'),
       has_table_privilege('muster_app', 'django_migrations', 'INSERT')
"""
RIGHT = (True, True, False, False, False)


def test_at_every_moment_the_application_may_do_what_it_may_and_no_more() -> None:
    rights.grant()
    other = connection.copy()
    seen = []

    def look(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        with other.cursor() as cursor:
            cursor.execute(ASKED)
            seen.append(cursor.fetchone())
        return result

    try:
        with connection.execute_wrapper(look):
            rights.grant()
    finally:
        other.close()
    assert len(seen) > 10
    assert set(seen) == {RIGHT}


def test_a_long_report_on_the_log_does_not_hold_up_who_appends_behind_it() -> None:
    rights.grant()
    report, done = connection.copy(), threading.Event()

    def again() -> None:
        try:
            rights.grant()
            done.set()
        finally:
            connection.close()

    try:
        with report.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT count(*) FROM events_event")
            thread = threading.Thread(target=again)
            thread.start()
            assert done.wait(20), "the rights wait for a report"
            cursor.execute("ROLLBACK")
            thread.join()
    finally:
        report.close()


def test_a_table_of_the_wrong_owner_is_handed_over_when_its_report_is_done() -> None:
    rights.grant()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events_refusal OWNER TO CURRENT_USER")
    report, said = connection.copy(), []
    over = threading.Event()

    def read() -> None:
        with report.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT count(*) FROM events_refusal")
            reading.set()
            over.wait(20)
            cursor.execute("ROLLBACK")
        report.close()

    reading = threading.Event()
    thread = threading.Thread(target=read)
    report.inc_thread_sharing()
    thread.start()
    assert reading.wait(20)

    def say(text: str) -> None:
        said.append(text)
        over.set()

    began = time.monotonic()
    rights.grant(say)
    thread.join()
    assert said and "trying again" in said[0]
    assert time.monotonic() - began >= LOCK_SECONDS
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'events_refusal'")
        assert cursor.fetchone() == (rights.LOG_OWNER,)

"""What exactly may the application's role do with each table of the log, by the database's own account?"""

from __future__ import annotations

import pytest
from django.db import connection

from coordination.config import rights

pytestmark = pytest.mark.django_db
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
APPEND = {"SELECT", "INSERT"}
# The log itself, its seals and its anchors: nothing that was written is ever written again. What is asked of the log
# (a check, a file to fetch) is work of the application's, proves nothing by itself, and is made anew from the log.
MAY: dict[str, set[str]] = {
    "events_event": APPEND, "events_streamentry": APPEND, "events_streamhead": APPEND, "events_refusal": APPEND,
    "events_readentry": APPEND, "events_seal": {"SELECT"}, "events_sealhead": {"SELECT"}, "events_anchor": {"SELECT"},
    "events_anchorhead": {"SELECT"},
    "events_logcheck": {*APPEND, "UPDATE", "DELETE"}, "events_logexport": {*APPEND, "UPDATE", "DELETE"},
}  # fmt: skip


def _asked(statement: str, *values: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def test_of_each_table_of_the_log_the_application_may_what_stands_here_and_no_more() -> None:
    rights.grant()
    found: dict[str, set[str]] = {}
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'events\\_%%'"
    for (table,) in _asked(tables):
        for right in RIGHTS:
            ((may,),) = _asked("SELECT has_table_privilege('muster_app', %s, %s)", table, right)
            if may:
                found.setdefault(str(table), set()).add(right)
    assert MAY.items() <= found.items()
    assert {name for name, may in found.items() if may > APPEND} & set(rights.LOG_TABLES) == set()
    assert set(rights.LOG_TABLES) <= set(MAY), "a table of the log is added here with what may be done to it"
    columns = _asked(
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE c.relname = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped"
        " AND has_column_privilege('muster_app', c.oid, a.attnum, 'UPDATE')", list(rights.LOG_TABLES),
    )  # fmt: skip
    assert columns == [("events_streamhead", "last_seq")]


def test_nor_may_it_become_somebody_who_may() -> None:
    """It owns nothing of the log, is in no role, and cannot bypass, make or alter one; so no trigger is its to end."""
    rights.grant()
    owners = _asked("SELECT DISTINCT tableowner FROM pg_tables WHERE tablename = ANY(%s)", list(rights.LOG_TABLES))
    assert owners == [(rights.LOG_OWNER,)]
    (row,) = _asked(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolreplication, rolcreatedb FROM pg_roles"
        " WHERE rolname = 'muster_app'"
    )
    assert row == (False,) * 5
    assert _asked("SELECT r.rolname FROM pg_roles r WHERE r.rolname <> 'muster_app' AND"
                  " pg_has_role('muster_app', r.oid, 'MEMBER')") == []  # fmt: skip
    ((create,),) = _asked("SELECT has_schema_privilege('muster_app', 'public', 'CREATE')")
    assert create is False, "a table or function of its own would stand in the log's place"
    assert _asked(
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prosecdef"
        " AND n.nspname = 'public' AND has_function_privilege('muster_app', p.oid, 'EXECUTE')"
    ) == [], "nothing runs with another's rights"

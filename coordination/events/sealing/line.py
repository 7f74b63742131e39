"""By which connection is the log sealed?

By one of its own, as the sealer's role: the application may read seals and make none. Where the roles are not ours (one
role does everything) it is the application's, and seals show what others changed, not what that role did.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import psycopg2  # type: ignore[import-untyped]
from django.conf import settings
from django.db import connection as default

_MAY_BECOME = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s AND pg_has_role(oid, 'SET'))"
_own = threading.local()


def opened() -> Any:
    """A new connection (psycopg2) as the sealer; raises psycopg2.OperationalError where it is not let in."""
    given = default.get_connection_params()
    if settings.MUSTER_SEALER_LOGIN:
        given |= {"user": settings.MUSTER_SEALER_LOGIN}
        given.pop("password", None)
        if settings.MUSTER_SEALER_PASSWORD:
            given |= {"password": settings.MUSTER_SEALER_PASSWORD}
    made = psycopg2.connect(**given)
    try:
        with made.cursor() as cursor:
            cursor.execute(_MAY_BECOME, [settings.MUSTER_SEALER_ROLE])
            if not settings.MUSTER_SEALER_LOGIN and cursor.fetchone()[0]:
                cursor.execute(f"SET ROLE {settings.MUSTER_SEALER_ROLE}")
        made.commit()
    except BaseException:
        made.close()
        raise
    return made


@contextlib.contextmanager
def transaction() -> Iterator[Any]:
    """A cursor in one transaction of this thread's own connection; whatever fails leaves nothing, not even that.

    Raises what Django raises for the database's errors.
    """
    try:
        with default.wrap_database_errors:
            if getattr(_own, "connection", None) is None:
                _own.connection = opened()
            with _own.connection, _own.connection.cursor() as cursor:
                yield cursor
    except BaseException:
        close()
        raise


def close() -> None:
    """End this thread's connection, if it has one."""
    held, _own.connection = getattr(_own, "connection", None), None
    if held is not None:
        held.close()

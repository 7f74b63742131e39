"""How are tables changed while people work? Nobody waits long for a lock behind a migration.

A migration that needs a table for itself queues for it, and everybody who comes later queues behind it: behind one
long report all work would stand still. So it asks for a second, gives up, lets the others through and asks again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.core.management import call_command
from django.db import OperationalError, connection

LOCK_SECONDS = 1.0
"""The longest a migration holds up others while it waits."""
PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 300.0
_NOT_GIVEN = "55P03"


def migrate(say: Callable[[str], None] = lambda _text: None) -> None:
    """Apply what is missing."""

    def apply() -> None:
        with connection.execute_wrapper(_beside_the_writes):
            call_command("migrate", interactive=False, verbosity=0)

    patiently(apply, say)


def patiently(work: Callable[[], None], say: Callable[[str], None] = lambda _text: None) -> None:
    """Do ``work``; where a lock is not given, what it did is undone and tried again, for `PATIENCE_SECONDS` in all."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            _limit(LOCK_SECONDS)
            work()
            return
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) != _NOT_GIVEN or time.monotonic() > end:
                raise
            say(f"a table is in use, trying again: {str(error).splitlines()[0]}")
            time.sleep(PAUSE_SECONDS)
        finally:
            _limit(0)


def _limit(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{seconds * 1000:.0f}ms"])


def _beside_the_writes(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Let an index that is made concurrently wait as long as it must: it holds up nobody."""
    if "CONCURRENTLY" not in str(sql):
        return execute(sql, params, many, context)
    context["cursor"].cursor.execute("SET lock_timeout = 0")
    try:
        return execute(sql, params, many, context)
    finally:
        context["cursor"].cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS * 1000:.0f}ms'")

"""What do the tests of the sealed log do to it?"""

from __future__ import annotations

import time
from typing import Any

from django.db import connection

from accounts.models import Department
from coordination.events import clock, reads
from coordination.events.sealing import anchoring, anchors, line, sealer
from coordination.events.sealing.proof import Report
from coordination.events.sealing.verify import verify
from tests.events.deeds import PERSON, department, note

KEY = "11" * 32
LONGEST = 120.0


def seal(*, patient: bool = True) -> sealer.Done:
    """Seal until nothing waits; ``patient``: reads too, which wait for every transaction of the server, others' tests'
    as well."""
    whole, ends = sealer.Done(), time.monotonic() + LONGEST
    while True:
        done = sealer.run_once()
        whole.entries, whole.reads = whole.entries + done.entries, whole.reads + done.reads
        whole.gaps.update(done.gaps)
        if done.entries or done.reads:
            continue
        with connection.cursor() as cursor:
            waits = patient and sealer.unsealed(cursor) > 0
        if not waits or time.monotonic() > ends:
            return whole
        time.sleep(0.1)


def written(number: int = 12) -> None:
    """As many events in three streams, and reads of half as many objects."""
    row = Department.objects.filter(code="fire").first() or department()
    for n in range(number):
        note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=("a", "bc"[n % 2]))
        if n % 2:
            reads.note(PERSON, "incident.read", "incident", [n, n + 1])


def execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def asked(**more: Any) -> Report:
    connection.ensure_connection()
    return verify(connection.connection, keys=anchoring.public_keys(), **more)


def long_ago() -> Any:
    """Make an anchor as if it were made two hours ago, signed so."""
    key = anchoring.key()
    assert key is not None
    with line.transaction() as cursor:
        made = anchoring._make(Earlier(cursor), key, 1, anchors.FIRST)
    assert made is not None
    return made


class Earlier:
    """A cursor whose server's clock is two hours slow."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    def execute(self, statement: str, values: Any = None) -> None:
        """Ask the server, for another time."""
        self.cursor.execute(statement.replace("clock_timestamp()", "clock_timestamp() - interval '2 hours'"), values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cursor, name)


def aged() -> None:
    """Make the newest anchor old enough for the next (as the database's owner; it no longer says what was signed)."""
    execute("UPDATE events_anchor SET at = at - interval '11 minutes' WHERE number ="
            " (SELECT max(number) FROM events_anchor)")  # fmt: skip

"""Does a test process remove its database also where autovacuum is at work in it just then?"""

from __future__ import annotations

from typing import Any

import psycopg2
import pytest

from tests import services


class Vacuumed:
    """A cursor of a server whose autovacuum is in the database for the first statements."""

    def __init__(self, busy: int) -> None:
        self.busy, self.asked = busy, 0

    def execute(self, _statement: Any) -> None:
        self.asked += 1
        if self.asked <= self.busy:
            raise psycopg2.errors.InsufficientPrivilege("permission denied to terminate process")


def test_a_database_is_dropped_when_autovacuum_has_left_it() -> None:
    cursor = Vacuumed(2)
    services._drop(cursor, "test_muster_0")  # type: ignore[arg-type]
    assert cursor.asked == 3


def test_who_stays_is_said_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "VACUUM_SECONDS", 0.3)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        services._drop(Vacuumed(10_000), "test_muster_0")  # type: ignore[arg-type]

"""Has this caller asked too often this minute?

Counted in PostgreSQL, so that the loss of Redis lifts no limit; one row a caller and kind, written without waiting
for the disk (a count lost in a crash harms nobody).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from coordination.events.refused import TooSoon

WINDOW = 60
FORGET = 60
"""Windows after which a caller who does not come back is forgotten."""
PER_MINUTE = {"read": 600, "write": 120, "loop": 600, "sign_in": 300, "break_glass": 10}

_COUNT = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO access_requestcount AS c (key, slot, n) SELECT %(key)s, %(slot)s, 1 FROM quick
ON CONFLICT (key) DO UPDATE SET
  n = CASE WHEN c.slot = excluded.slot THEN c.n + 1 ELSE 1 END, slot = excluded.slot
RETURNING n
"""


@dataclass(frozen=True)
class Count:
    """How much of a limit is used. ``reset``: seconds until it begins anew."""

    kind: str
    limit: int
    used: int
    reset: int

    def write(self, response: HttpResponse) -> None:
        """Say it in the answer's headers."""
        response["RateLimit-Policy"] = f'"{self.kind}";q={self.limit};w={WINDOW}'
        response["RateLimit"] = f'"{self.kind}";r={max(0, self.limit - self.used)};t={self.reset}'


def count(kind: str, key: str) -> Count:
    """Count one request of ``key`` (an actor's key, or an address). Returns what is used now."""
    now = int(time.time())
    limit = getattr(settings, "MUSTER_API_LIMITS", PER_MINUTE).get(kind, PER_MINUTE[kind])
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"key": f"{kind}/{key}"[:80], "slot": now // WINDOW})
        used = cursor.fetchone()[0]
        if used == 1 and now // WINDOW % FORGET == 0:
            cursor.execute("DELETE FROM access_requestcount WHERE slot < %s", [now // WINDOW - FORGET])
    return Count(kind, limit, used, WINDOW - now % WINDOW)


def wait(kind: str, key: str) -> int:
    """Count one request of ``key``; for how many seconds it must wait, 0 where it need not."""
    counted = count(kind, key)
    return max(1, counted.reset) if counted.used > counted.limit else 0


def enforce(counted: Count) -> None:
    """Raise `TooSoon` (429 rate_limited) when more than the limit was asked."""
    if counted.used > counted.limit:
        raise TooSoon(
            _("Too many requests this minute; wait as long as Retry-After says."),
            code="rate_limited", retry_after=counted.reset,
        )  # fmt: skip

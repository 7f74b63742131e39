"""Which request does what happens now belong to? Also what follows from it elsewhere: tasks, calls outside."""

from __future__ import annotations

import contextvars
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

FORM = re.compile(r"[A-Za-z0-9-]{8,64}")
request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")


@contextmanager
def under(ids: Iterable[str]) -> Iterator[str]:
    """Work under the one id of ``ids``; under none where they differ or nothing is known (empty ones do not count)."""
    known = {one for one in ids if one}
    current = known.pop() if len(known) == 1 else ""
    token = request_id.set(current)
    try:
        yield current
    finally:
        request_id.reset(token)

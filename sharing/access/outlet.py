"""How does a long answer leave piece by piece, so that what is not yet read can still be kept back?

Most answers are small, and are kept until their thread is free again. A download is neither small nor to be kept: who
is to stop in the middle of it must know how far its reader is. Each piece waits until the one before it has left.
"""

from __future__ import annotations

import threading
from typing import Any

SCOPE_KEY = "muster.outlet"
SLOWEST_SECONDS = 60.0
"""A reader who takes no piece for so long has gone."""


class Outlet:
    """Between the thread that makes an answer and the loop that sends it."""

    def __init__(self) -> None:
        self.piecemeal = False
        self._changed = threading.Condition()
        self._made = self._left = 0
        self._gone = False

    def begin(self) -> None:
        """Say, before the answer begins, that it is to leave piece by piece."""
        self.piecemeal = True

    def made(self) -> bool:
        """Note that a piece was handed over, and wait until it has left; False when nobody reads any more."""
        with self._changed:
            self._made += 1
            done = self._changed.wait_for(lambda: self._gone or self._left >= self._made, SLOWEST_SECONDS)
            self._gone = self._gone or not done
            return not self._gone

    def left(self) -> None:
        """Note that a piece has left."""
        with self._changed:
            self._left += 1
            self._changed.notify_all()

    def give_up(self) -> None:
        """Note that nobody reads any more."""
        with self._changed:
            self._gone = True
            self._changed.notify_all()


def outlet_of(request: Any) -> Outlet | None:
    """The outlet of a request; None where the server itself sends each piece before it asks for the next."""
    scope = request.META.get("asgi.scope") or {}
    found: Outlet | None = scope.get(SCOPE_KEY)
    return found

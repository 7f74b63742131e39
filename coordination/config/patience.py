"""How long does a process wait for PostgreSQL to say anything at all?

The server's own limits do nothing while the server is frozen. psycopg2 calls ``wait`` instead of blocking, so the
client has a deadline of its own. (The price: COPY is not available.) The callback raises and never closes the
connection: closing inside it deadlocks; psycopg2 closes it when the callback has raised.
"""

import select
import threading
import time

import psycopg2
from psycopg2 import extensions

AGAIN_SECONDS = 0.1
"""What a request that has waited enough still has for each exchange: it is to be told so, not to wait again."""
LONG_SECONDS = 1.0
"""What took longer was a wait too, for a lock as a rule: it is taken off what the request may still wait."""
_seconds: float | None = None
_request = threading.local()


class NoAnswer(psycopg2.OperationalError):
    """PostgreSQL said nothing within the deadline."""


def wait(connection: extensions.connection) -> None:
    """Wait until the current exchange with the server is over, at most the seconds set by ``install``."""
    seconds = _seconds
    if seconds is not None and hasattr(_request, "waited"):
        seconds = max(AGAIN_SECONDS, seconds - _request.waited)
    began = time.monotonic()
    deadline = began + seconds if seconds is not None else None
    poller = None
    while True:
        state = connection.poll()
        if state == extensions.POLL_OK:
            if hasattr(_request, "waited") and time.monotonic() - began > LONG_SECONDS:
                _request.waited += time.monotonic() - began
            return
        if state not in (extensions.POLL_READ, extensions.POLL_WRITE):
            raise psycopg2.OperationalError("unexpected state of the connection")
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            if hasattr(_request, "waited"):
                _request.waited = float("inf")
            raise NoAnswer("PostgreSQL does not answer")
        poller.poll(None if left is None else max(1, int(left * 1000)))


def begin(waited: float = 0.0) -> None:
    """A request begins on this thread: it may wait in vain once, and no longer than ``install`` said all in all.

    ``waited``: seconds it stood in line already.
    """
    _request.waited = waited


def install(seconds: float | None) -> None:
    """Give every connection of this process the deadline ``seconds`` per exchange; None: wait as psycopg2 does."""
    global _seconds  # psycopg2's callback is one per process
    _seconds = seconds
    extensions.set_wait_callback(wait if seconds is not None else None)

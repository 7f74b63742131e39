"""How are many things asked at once without any of them holding the answer up?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from django.db import connections

AT_ONCE = 24  # questions under way in this process; what hangs must not pile up
_free = threading.BoundedSemaphore(AT_ONCE)


class NoAnswer(Exception):
    """What was asked had not answered when the time was up."""


def ask(
    questions: Mapping[str, Callable[[], Any]], seconds: float, *, in_turn: Collection[str] = ()
) -> dict[str, Any]:
    """Ask all at once; return by name the answer, or the exception it ended with (`NoAnswer` when it took too long).

    Each runs in a thread and with database connections of its own, which are closed again; those named ``in_turn``
    share one. A thread that hangs is left to its own limits and counts against the number that may be under way.
    """
    until = time.monotonic() + seconds
    asked: dict[str, Future[Any]] = {name: Future() for name in questions}
    shared = [name for name in questions if name in in_turn]
    for names in ([shared] if shared else []) + [[name] for name in questions if name not in in_turn]:
        _begin([(asked[name], questions[name]) for name in names])
    found: dict[str, Any] = {}
    for name, future in asked.items():
        try:
            found[name] = future.result(max(0.0, until - time.monotonic()))
        except TimeoutError:
            found[name] = NoAnswer(f"no answer within {seconds:g} s")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            found[name] = error
    return found


def _begin(questions: Sequence[tuple[Future[Any], Callable[[], Any]]]) -> None:
    if not _free.acquire(blocking=False):
        for future, _question in questions:
            future.set_exception(NoAnswer("earlier questions still hang"))
        return

    def run() -> None:
        try:
            for future, question in questions:
                try:
                    future.set_result(question())
                except Exception as error:  # noqa: BLE001 - handed to whoever asked
                    future.set_exception(error)
        finally:
            connections.close_all()
            _free.release()

    threading.Thread(target=run, name="ask", daemon=True).start()

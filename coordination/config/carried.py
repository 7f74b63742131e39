"""Under which request does a task of Celery run?

Whoever sends a task sends the id of the request along; a task that nobody's request sent (beat's) runs under its own.
"""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from celery import Task
from django.db import DatabaseError, connection

from coordination.config import actions
from coordination.config.monitor import process
from coordination.events import tracing

HEADER = "muster_request_id"
_log = logging.getLogger("muster.tasks")
_sung = float("-inf")
QUEUES = frozenset({"urgent", "normal", "bulk"})
SING_SECONDS = 5.0  # each task done shows that its queue is served, however many stand before the canary
QUIET_SECONDS = 1.0  # a nudge that did little is not worth a line; what took longer, or follows from a request, is


class Carried(Task):  # type: ignore[misc,type-arg]
    """A task that carries the request's id, says how it ended, and is counted."""

    abstract = True
    # a task whose process dies is sent again at once (no ETA: it would wait in the worker's hands), three times in all
    max_retries = 2
    default_retry_delay = 0

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:  # type: ignore[override]
        """Send the task, with the current request's id among its headers."""
        current = tracing.request_id.get()
        if current:
            options["headers"] = {**(options.get("headers") or {}), HEADER: current}
        return super().apply_async(args, kwargs, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do it under the id that came along."""
        self._whole()
        given = str((self.request.headers or {}).get(HEADER) or self.request.get(HEADER) or "")
        sent = bool(tracing.FORM.fullmatch(given))
        began, outcome = time.monotonic(), "failed"
        with tracing.under([given if sent else str(self.request.id or "")]):
            try:
                result = super().__call__(*args, **kwargs)
                outcome = "done"
                self._sing()
                return result
            finally:
                seconds = time.monotonic() - began
                process.TASKS.labels(self.name, outcome).inc()
                if sent or outcome != "done" or seconds >= QUIET_SECONDS:
                    fields = {"task": self.name, "outcome": outcome, "ms": round(seconds * 1000, 1)}
                    _log.info("task", extra={"fields": fields})

    def _whole(self) -> None:
        """End a worker's process whose last task was cut short within a transaction: it could do no task any more.

        Its pool puts another in its place, and this task is sent again.
        """
        if self._queue() and connection.in_atomic_block:
            _log.error("left within a transaction; this process ends, and is replaced")
            logging.shutdown()
            os._exit(70)

    def _queue(self) -> str:
        """The queue that this task came from; "" for one that was called, not sent."""
        came = self.request.delivery_info or {}
        queue = str(came.get("routing_key") or "")
        return queue if queue in QUEUES and not came.get("is_eager") else ""

    def _sing(self) -> None:
        """Note now and then that this queue is served; a task that nobody queued shows nothing."""
        global _sung  # one worker process serves one queue
        queue = self._queue()
        if not queue or time.monotonic() - _sung < SING_SECONDS:
            return
        _sung = time.monotonic()
        try:
            actions.sing(queue, str(self.request.hostname or ""))
        except DatabaseError as error:  # the task is done all the same
            _log.warning("not noted that %s is served: %s", queue, error)

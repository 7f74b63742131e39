"""Under which request does a task of Celery run?

Whoever sends a task sends the id of the request along; a task that nobody's request sent (beat's) runs under its own.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Task

from coordination.config.monitor import process
from coordination.events import tracing

HEADER = "muster_request_id"
_log = logging.getLogger("muster.tasks")
QUIET_SECONDS = 1.0  # a nudge that did little is not worth a line; what took longer, or follows from a request, is


class Carried(Task):  # type: ignore[misc,type-arg]
    """A task that carries the request's id, says how it ended, and is counted."""

    abstract = True

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:  # type: ignore[override]
        """Send the task, with the current request's id among its headers."""
        current = tracing.request_id.get()
        if current:
            options["headers"] = {**(options.get("headers") or {}), HEADER: current}
        return super().apply_async(args, kwargs, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do it under the id that came along."""
        given = str((self.request.headers or {}).get(HEADER) or self.request.get(HEADER) or "")
        sent = bool(tracing.FORM.fullmatch(given))
        began, outcome = time.monotonic(), "failed"
        with tracing.under([given if sent else str(self.request.id or "")]):
            try:
                result = super().__call__(*args, **kwargs)
                outcome = "done"
                return result
            finally:
                seconds = time.monotonic() - began
                process.TASKS.labels(self.name, outcome).inc()
                if sent or outcome != "done" or seconds >= QUIET_SECONDS:
                    fields = {"task": self.name, "outcome": outcome, "ms": round(seconds * 1000, 1)}
                    _log.info("task", extra={"fields": fields})

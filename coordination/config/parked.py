"""What becomes of a task whose process dies each time it is tried?

It is sent again as often as its ``max_retries`` says, and then parked: it waits nowhere any more, and an open alarm
holds its name and arguments, so that a person can send it again once the reason is mended. Others go on meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from billiard.exceptions import WorkerLostError
from django.db import DatabaseError, connection

from coordination.config import actions
from coordination.events import clock

_log = logging.getLogger("muster.tasks")


def park(
    sender: Any = None, task_id: str = "", exception: BaseException | None = None, args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None, **_more: Any,
) -> None:  # fmt: skip
    """Raise the alarm of a task given up because its process died; any other failure is the task's own affair.

    Runs in the worker's main process, which lives.
    """
    if not isinstance(exception, WorkerLostError):
        return
    name = str(getattr(sender, "name", sender))
    _log.error("%s %s is poison: its process died each time; parked", name, task_id)
    try:
        actions.park(name, task_id, list(args or ()), dict(kwargs or {}), now=clock.now())
    except DatabaseError:
        _log.exception("%s %s: its alarm could not be raised", name, task_id)
    finally:
        connection.close()  # the children to come must not inherit it

"""What was refused to whom?

A refusal rolls its action back, so the edge writes it down afterwards, in a row of its own and in no stream: a hot
stream would make everybody who is refused wait in one queue.
"""

from __future__ import annotations

import logging

from django.db import DatabaseError, transaction

from coordination.events import clock
from coordination.events.actor import Actor
from coordination.events.models import Refusal
from coordination.events.refused import Refused

log = logging.getLogger("muster.refusals")


def note(
    actor: Actor,
    operation: str,
    refused: Refused,
    *,
    object_type: str = "",
    object_id: object = "",
    request_id: str = "",
    address: str | None = None,
) -> None:
    """Write one refusal. A database that does not answer must not turn a clear no into a fault: it is logged."""
    try:
        with transaction.atomic():
            Refusal.objects.create(
                at=clock.now(),
                actor_key=actor.key[:40],
                actor_department=actor.department_id,
                operation=operation[:120],
                object_type=object_type[:60],
                object_id=_plain(object_id),
                code=refused.code[:60],
                request_id=request_id[:64],
                address=address,
            )
    except DatabaseError:
        log.warning("refusal not written: %s %s %s", actor.key, operation, refused.code)


def _plain(value: object) -> str:
    return str(value).replace("\x00", "").encode("utf-8", "replace").decode()[:40]

"""Who read what is classified, and what for?

Written before the answer leaves, in a row of its own and in no stream: readers never queue behind writers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coordination.events import clock
from coordination.events.actor import Actor
from coordination.events.command import request_id
from coordination.events.models import ReadEntry

#: from this class on a read is kept
KEPT_FROM = 3
MOST_IDS = 200
BREAK_GLASS = "break_glass"
"""The purpose of a read that rests on broken glass, where the reader names none."""


def is_kept(row: Mapping[str, Any], kept_from: int = KEPT_FROM) -> bool:
    """Whether it is kept that this was read: of a class from ``kept_from`` on, data of persons, or others' records.

    ``row``: what is handed out, which says so as ``classification``, ``of_persons`` and ``of_others``.
    """
    classified = (row.get("classification") or 0) >= kept_from
    return bool(classified or row.get("of_persons") or row.get("of_others"))


def note(
    actor: Actor,
    operation: str,
    object_type: str,
    ids: Sequence[int],
    *,
    purpose: str = "",
    grants: Sequence[int] = (),
) -> None:
    """Keep that these classified objects are about to be handed to the actor. Nothing where there are none.

    ``grants``: ids of the grants that open them.
    """
    if not ids:
        return
    ReadEntry.objects.create(
        at=clock.now(),
        actor_key=actor.key[:40],
        actor_department=actor.department_id,
        actor_post=actor.post[:20],
        purpose=purpose,
        operation=operation[:120],
        object_type=object_type[:60],
        ids=list(ids)[:MOST_IDS],
        count=len(ids),
        grants=list(grants)[:MOST_IDS],
        request_id=request_id.get()[:64],
    )

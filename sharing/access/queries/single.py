"""Which is the one row that an actor opens, or locks to change it?

A row of class 3 or above is asked for twice: by the table of visibility, which is fast, and by the grants, which are
the truth. Where they disagree it stays shut, and somebody hears of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError

from coordination.events import clock
from coordination.events.actor import Actor
from coordination.events.at_once import at_once
from coordination.events.kept import kept
from coordination.events.reads import KEPT_FROM
from sharing.access.guarded import Guarded
from sharing.access.queries.decisions import decide, follow
from sharing.access.queries.drift import note_drift
from sharing.access.queries.hidden import Unseen
from sharing.access.queries.sight import scope

M = TypeVar("M", bound=Guarded)


def get(
    actor: Actor,
    model: type[M],
    pk: object,
    *,
    now: datetime | None = None,
    select: Sequence[str] = (),
) -> M:
    """The row, when the actor sees it, else `Unseen` (404)."""
    return _one(actor, model, pk, now, tuple(select), ())


def lock(
    actor: Actor,
    model: type[M],
    pk: object,
    *,
    now: datetime | None = None,
    of: Sequence[str] = ("self",),
    select: Sequence[str] = (),
) -> M:
    """The row locked, when the actor sees it, else `Unseen` (404). Only inside a transaction.

    Not its key: whoever adds a row that refers to it has that checked at COMMIT, after the streams' counters are
    taken, and must not wait then for whoever waits for the counters.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("a row is locked inside a transaction alone")
    return _one(actor, model, pk, now, tuple(select), tuple(of))


def _one(
    actor: Actor, model: type[M], pk: object, now: datetime | None, select: tuple[str, ...], of: tuple[str, ...]
) -> M:
    moment = now or clock.now()
    if isinstance(pk, int) and not isinstance(pk, bool) and abs(pk) < 2**63:
        (found,) = at_once(kept(_by_key, actor, model, pk, moment, select, of))
    else:
        try:
            found = list(_by_key(actor, model, pk, moment, select, of)) if pk is not None else []
        except (TypeError, ValueError, OverflowError):
            found = []
    if not found:
        raise Unseen
    row: M = found[0]
    classified = bool(row.guard_class) and (follow(row, row.guard_class) or 0) >= KEPT_FROM
    if classified and not decide(actor, "view", row, at=moment).seen:
        note_drift(actor, row, moment)
        raise Unseen
    return row


def _by_key(
    actor: Actor, model: type[M], pk: Any, at: datetime, select: tuple[str, ...], of: tuple[str, ...]
) -> QuerySet[M]:
    rows = scope(actor, model, at=at).filter(pk=pk).order_by("pk")
    if select:
        rows = rows.select_related(*select)
    return (rows.select_for_update(no_key=True, of=of) if of else rows)[:1]

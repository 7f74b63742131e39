"""Which grants on datasets were given, and which are held: those in force, and those that are not yet or no longer?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from accounts.queries import ancestor_ids
from coordination.events.actor import Actor
from sharing.access.models import Grant, Scope
from sharing.access.queries.records import DATASET
from sharing.access.rights import right

STATES = ("in_force", "not_yet", "lapsed", "revoked")


def state_of(grant: Grant, at: datetime) -> str:
    """How a grant stands at a moment; needs ``scope`` selected. A scope that is retired opens nothing any more."""
    if revoked_at(grant, at) is not None:
        return "revoked"
    if grant.valid_to is not None and grant.valid_to <= at:
        return "lapsed"
    return "not_yet" if grant.valid_from > at else "in_force"


def revoked_at(grant: Grant, at: datetime) -> datetime | None:
    """Since when it is revoked, by itself or with its holder; None where it is not, or will be only later."""
    ends = [one for one in (grant.revoked_at, grant.scope.retired_at) if one is not None and one <= at]
    return min(ends, default=None)


def in_state(state: str, at: datetime) -> Q:
    """The same as a condition."""
    revoked = Q(revoked_at__lte=at) | Q(scope__retired_at__lte=at)
    over = Q(valid_to__lte=at)
    return {
        "revoked": revoked,
        "lapsed": ~revoked & over,
        "not_yet": ~revoked & ~over & Q(valid_from__gt=at),
        "in_force": ~revoked & ~over & Q(valid_from__lte=at),
    }[state]


def given(datasets: QuerySet[Any]) -> QuerySet[Grant]:
    """What others were given on these datasets: a department's own grant on what it keeps is none of it."""
    rows = Grant.objects.filter(object_type=DATASET, object_id__in=datasets.order_by().values("pk"))
    return rows.exclude(source=Grant.Source.OWNER).select_related("scope", "policy", "fields")


def taken_back(dataset_id: int, kind: str, key: str) -> bool:
    """Whether somebody took back what this holder was given of a dataset: it does not come again by itself."""
    rows = Grant.objects.filter(object_type=DATASET, object_id=dataset_id, revoked_at__isnull=False)
    return rows.filter(scope__kind=kind, scope__key=key).exclude(source=Grant.Source.BREAK_GLASS).exists()


def received(actor: Actor) -> QuerySet[Grant]:
    """What the actor's department was given: it, those above it with all below them, its posts; of persons one's own.

    Also what no longer holds, or not yet, so that it can be asked for again.
    """
    if not right("view").open_to(actor) or actor.department_id is None:
        return Grant.objects.none()
    home = actor.department_id
    above = [str(pk) for pk in {home, *ancestor_ids(home)}]
    mine = (
        _named(Scope.Kind.DEPARTMENT, [str(home)])
        | _named(Scope.Kind.SUBTREE, above)
        | Q(kind=Scope.Kind.POST, key__startswith=f"{home}/")
        | Q(kind=Scope.Kind.EVERY_DEPARTMENT)
    )
    if actor.is_person:
        mine |= Q(kind=Scope.Kind.PERSON, key=str(actor.id))
    held = Scope.objects.filter(mine).values("pk")
    rows = Grant.objects.filter(object_type=DATASET, scope__in=held).exclude(source=Grant.Source.OWNER)
    return rows.select_related("scope", "policy", "fields")


def _named(kind: str, keys: Sequence[str]) -> Q:
    """Scopes of these keys, with those of the same holders that were retired."""
    found = Q(kind=kind, key__in=keys)
    for key in keys:
        found |= Q(kind=kind, key__startswith=f"{key}~")
    return found

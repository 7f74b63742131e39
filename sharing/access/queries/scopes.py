"""Which scopes does an actor resolve to?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from coordination.events import clock
from coordination.events.actor import Actor
from sharing.access.models import Scope
from sharing.access.rights import right


@dataclass(frozen=True, slots=True)
class Scopes:
    """The actor, the time its questions are answered for, and the ids of its live scopes."""

    actor: Actor
    at: datetime
    ids: tuple[int, ...]


def keys_of(actor: Actor) -> list[tuple[str, str]]:
    """(kind, key) of every scope the actor may resolve to; empty for whoever may view nothing.

    A superuser flag gives nothing. A person needs one of the viewing posts in the department they act for.
    """
    if not right("view").open_to(actor) or actor.kind == "system":
        return []
    department = str(actor.department_id)
    keys: list[tuple[str, str]] = [
        (Scope.Kind.DEPARTMENT, department),
        (Scope.Kind.EVERY_DEPARTMENT, ""),
    ]
    if actor.is_person:
        keys.append((Scope.Kind.PERSON, str(actor.id)))
        keys += [(Scope.Kind.POST, f"{department}/{post}") for post in sorted(actor.posts)]
    if actor.kind == "display":
        keys.append((Scope.Kind.DISPLAY, str(actor.id)))
    return keys


def live_scopes(actor: Actor) -> QuerySet[Scope]:
    """The actor's scopes that are not retired, as a query to be used inside others."""
    wanted = Q(pk__in=[])
    for kind, key in keys_of(actor):
        wanted |= Q(kind=kind, key=key)
    return Scope.objects.filter(wanted, retired_at=None)


_IDS = (
    "SELECT s.id FROM unnest(%s::text[], %s::text[]) AS k(kind, key)"
    " JOIN access_scope s ON s.kind = k.kind AND s.key = k.key WHERE s.retired_at IS NULL"
)


def scope_ids(actor: Actor) -> RawSQL | list[int]:
    """Ids of the actor's live scopes, for ``__in``: `live_scopes` without what the ORM needs to put it together.

    A page asks by it twenty times.
    """
    values = _values(actor)
    return RawSQL(_IDS, values) if values else []  # noqa: S611 - its text is a constant


_SUBTREES = (
    "SELECT s.id FROM accounts_department d JOIN access_scope s"
    " ON s.kind = 'subtree' AND d.path LIKE '%%/' || s.key || '/%%' WHERE d.id = %s AND s.retired_at IS NULL"
)


def in_scope(actor: Actor) -> Q:
    """That ``scope`` is one of the actor's, those of every department that theirs is or stands below among them.

    Of datasets alone: grants on incidents are never given to a subtree, what departments above take part in opens to
    them one by one.
    """
    if not _values(actor):
        return Q(pk__in=[])
    subtrees = RawSQL(_SUBTREES, [actor.department_id])  # noqa: S611 - its text is a constant
    return Q(scope__in=scope_ids(actor)) | Q(scope__in=subtrees)


def scope_sql(actor: Actor) -> tuple[str, list[Any]]:
    """The same as a statement with its values; no values where no scope can be theirs."""
    return _IDS, _values(actor)


def _values(actor: Actor) -> list[Any]:
    keys = keys_of(actor)
    return [[str(kind) for kind, _key in keys], [key for _kind, key in keys]] if keys else []


def resolve(actor: Actor, at: datetime | None = None) -> Scopes:
    """The actor's live scope ids and the time of the question; one query (two without ``at``)."""
    moment = at or clock.now()
    return Scopes(actor, moment, tuple(live_scopes(actor).order_by("pk").values_list("pk", flat=True)))

"""Which rows of a guarded table does an actor see?

Three ways lead to a row: the incident it hangs on is visible with enough reach and class; or the row is the
actor's own department's (or that of one below it) and the incident is visible with reach 2; or the row is its
own and the table says that this is enough (`Guarded.guard_own_alone`). Datasets and their records hang on no incident:
to them lead the grants alone (`sharing.access.queries.records`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar, cast

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.lookups import GreaterThan

from accounts.queries import shown_on
from coordination.events import clock
from coordination.events.actor import Actor
from sharing.access.guarded import Guarded, Opened
from sharing.access.models import Grant, VisIncident
from sharing.access.queries.hidden import Unseen as Unseen
from sharing.access.queries.records import DISPLAY_MAX_CLASS, opened_rows
from sharing.access.queries.scopes import scope_ids
from sharing.access.rights import Right, right

M = TypeVar("M", bound=Guarded | Opened)

# What a department may own without any grant is open up to here to those above it too: internal.
OWN_ALONE_MAX_CLASS = 2
_BELOW = "SELECT id FROM accounts_department WHERE path LIKE %s"


def scope(
    actor: Actor, model: type[M], *, action: str = "view", at: datetime | None = None, wide: bool = False
) -> QuerySet[M]:
    """Rows of a guarded table the actor may see (``view``) or do ``action`` to; deny by default.

    ``wide``: the whole table is gone through, so that PostgreSQL may gather all that the actor sees beforehand. Asked
    of the rows of one incident or of some ids it looks each of them up instead: a centre sees a million incidents.
    """
    asked = right(action)
    rows = _every(model)
    if actor.kind == "system":
        return rows
    if not asked.open_to(actor) or not right("view").open_to(actor):
        return rows.none()
    moment = at or clock.now()
    if issubclass(model, Opened):
        return opened_rows(actor, model, moment, rows) if action == "view" else rows.none()
    rows = rows.filter(seen(actor, model, moment, wide=wide))
    if action != "view":
        rows = rows.filter(Exists(_granted(actor, model, moment, asked)))
    return rows


def _every(model: type[M]) -> QuerySet[M]:
    return cast("QuerySet[M]", model._default_manager.all())


def seen(actor: Actor, model: type[Guarded], at: datetime, *, wide: bool = False) -> Q:
    """The condition under which an actor who may view at all sees a row."""
    opened = _opened(actor, model, at, wide)
    if model.guard_private is None:
        return opened
    since, owner = model.guard_private
    public = Q(**{f"{since}__isnull": False})
    if actor.kind == "display":
        return opened & public
    below = RawSQL(_BELOW, [f"%/{actor.department_id}/%"])  # noqa: S611 - its text is a constant
    commands = _visible(actor, model, at, reach=1, classes=False, wide=wide)
    commands = commands.filter(grant__actions__contains=["command"])
    return opened & (public | Q(**{f"{owner}__in": below}) | Q(Exists(commands)))


def _opened(actor: Actor, model: type[Guarded], at: datetime, wide: bool) -> Q:
    open_to_all = Q(Exists(_visible(actor, model, at, reach=model.guard_reach, wide=wide)))
    if actor.kind == "display":
        return _on_display(actor, model) & open_to_all
    if not model.guard_own:
        return open_to_all
    below = RawSQL(_BELOW, [f"%/{actor.department_id}/%"])  # noqa: S611 - its text is a constant
    own = _owned(model, below)
    if model.guard_own_alone:
        return open_to_all | (_own_alone(actor, model, at, own, wide) if model.guard_class else own)
    if not model.guard_class:
        return open_to_all | (own & Q(Exists(_visible(actor, model, at, reach=2, wide=wide))))
    # what a department wrote itself it reads whatever its class; those above it only up to theirs
    exactly = _owned(model, [actor.department_id])
    whatever = Q(Exists(_visible(actor, model, at, reach=2, classes=False, wide=wide)))
    return open_to_all | (exactly & whatever) | (own & Q(Exists(_visible(actor, model, at, reach=2, wide=wide))))


def _own_alone(actor: Actor, model: type[Guarded], at: datetime, own: Q, wide: bool) -> Q:
    """Its own whatever its class; those above it read what is internal, and up to their own ceiling."""
    internal = Q(**{f"{model.guard_class}__lte": OWN_ALONE_MAX_CLASS})
    fits = Q(Exists(_visible(actor, model, at, reach=1, wide=wide)))
    return _owned(model, [actor.department_id]) | (own & (internal | fits))


def _visible(
    actor: Actor, model: type[Guarded], at: datetime, *, reach: int, classes: bool = True, wide: bool = False
) -> QuerySet[VisIncident]:
    rows = VisIncident.objects.filter(
        incident_id=OuterRef(model.guard_path),
        scope__in=scope_ids(actor),
        valid_to__gt=at,
        reach__gte=reach,
    )
    if model.guard_class and classes:
        rows = rows.filter(max_class__gte=OuterRef(model.guard_class))
    if not wide:
        # always so; but what hangs on the row asked about in another way than by being equal is looked up row by row
        rows = rows.filter(GreaterThan(OuterRef(model.guard_path), 0))
    return rows


def _granted(actor: Actor, model: type[Guarded], at: datetime, asked: Right) -> QuerySet[VisIncident]:
    rows = _visible(actor, model, at, reach=asked.reach, classes=False)
    rows = rows.exclude(grant__source=Grant.Source.BREAK_GLASS)  # that opens to be looked at, no more
    if asked.needs == "command":
        rows = rows.filter(grant__actions__contains=["command"])
    return rows


def _on_display(actor: Actor, model: type[Guarded]) -> Q:
    """A wall that is not revoked; pinned to an incident it shows that one alone."""
    mine = Q(incident_id=None) | Q(incident_id=OuterRef(model.guard_path))
    shown = shown_on(actor.id, actor.department_id).filter(mine)
    allowed = Q(Exists(shown))
    if model.guard_class:
        allowed &= Q(**{f"{model.guard_class}__lte": DISPLAY_MAX_CLASS})
    return allowed


def _owned(model: type[Guarded], departments: Any) -> Q:
    """Rows that belong to one of the departments by any of the table's own lookups."""
    owned = Q(pk__in=[])
    for lookup in model.guard_own:
        matching = Q(**{f"{lookup}__in": departments})
        if _to_many(model, lookup):
            # a join would show the row once for each match
            owned |= Q(pk__in=model.everything.filter(matching).values("pk"))
        else:
            owned |= matching
    return owned


def _to_many(model: type[Any], lookup: str) -> bool:
    meta = model._meta
    for part in lookup.split("__"):
        found = meta.get_field(part)
        if found.one_to_many or found.many_to_many:
            return True
        if found.related_model is not None:
            meta = found.related_model._meta
    return False


def unscoped(model: type[M], *, reason: str) -> QuerySet[M]:
    """Every row, for the platform's own work (engine, tasks, roll-up). ``reason`` says why no actor asks."""
    if not reason.strip():
        raise ValueError("unscoped needs a reason")
    return _every(model)

"""Which rules and grants open an object to somebody at a moment, and which do not?

Reads the grants alone, as `decide` does, and besides those in force also those that are over, revoked or yet to come:
they answer most questions of why not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts.models import Department
from accounts.queries import ancestor_ids
from coordination.events.actor import Actor
from sharing.access import explanation, filters
from sharing.access import fields as masks
from sharing.access.explanation import Explanation, FieldTold, Step, Told
from sharing.access.guarded import Guarded, Opened
from sharing.access.models import Grant, Scope
from sharing.access.queries import decisions
from sharing.access.queries.decisions import INCIDENT, follow
from sharing.access.queries.records import DATASET, DISPLAY_MAX_CLASS, Opening, openings_of
from sharing.access.queries.sight import OWN_ALONE_MAX_CLASS
from sharing.access.rights import right


def reasons(who: Actor, obj: Guarded | Opened, at: datetime, classes: Mapping[str, int] | None = None) -> Explanation:
    """Every rule asked whether ``who`` sees the object. ``classes``: of a record's fields, or a dataset's."""
    on = DATASET if isinstance(obj, Opened) else INCIDENT
    pk = follow(obj, obj.guard_dataset if isinstance(obj, Opened) else obj.guard_path)
    told = _told(who, on, pk, at)
    standing = [one.grant for one in told if one.state == explanation.IN_FORCE]
    first = [
        _may_view(who),
        Step("hangs_on", None, {"object": f"{on}:{pk}" if pk is not None else ""}),
        Step("grants", bool(standing), {"in_force": len(standing), "all": len(told)}),
    ]
    fields: tuple[FieldTold, ...] = ()
    if isinstance(obj, Opened):
        steps, opened = _of_opened(obj, standing)
        told = [_judged(one, obj) for one in told]
        fields = _fields(openings_of(who, obj, at), classes or {})
    else:
        steps, opened = _of_guarded(who, obj, standing, pk)
    return Explanation(
        object=f"{obj._meta.label_lower}:{obj.pk}", who=who, at=at, seen=bool(first[0].holds) and opened,
        steps=(*first, *steps), grants=tuple(told), fields=fields,
    )


def _may_view(who: Actor) -> Step:
    view = right("view")
    facts = {
        "kind": who.kind, "department": who.department_id, "posts": sorted(who.posts), "wanted": sorted(view.posts),
    }  # fmt: skip
    return Step("may_view", view.open_to(who), facts)


def _told(who: Actor, object_type: str, object_id: int | None, at: datetime) -> list[Told]:
    """Every grant there ever was on the object for one of the scopes that the actor could resolve to."""
    if object_id is None or who.department_id is None:
        return []
    rows = Grant.objects.filter(_scopes(who, subtrees=object_type == DATASET))
    rows = rows.filter(object_type=object_type, object_id=object_id, actions__contains=["view"])
    return [Told(one, _state(one, at)) for one in rows.select_related("scope", "policy", "fields").order_by("pk")]


def _scopes(who: Actor, *, subtrees: bool) -> Q:
    """The scopes of an actor whose posts would let them view, retired ones among them."""
    here = str(who.department_id)
    found = Q(scope__kind=Scope.Kind.DEPARTMENT, scope__key=here) | Q(scope__kind=Scope.Kind.EVERY_DEPARTMENT)
    if who.is_person:
        found |= Q(scope__kind=Scope.Kind.PERSON, scope__key=str(who.id))
        found |= Q(scope__kind=Scope.Kind.POST, scope__key__in=[f"{here}/{post}" for post in who.posts])
    if who.kind == "display":
        found |= Q(scope__kind=Scope.Kind.DISPLAY, scope__key=str(who.id))
    if subtrees and who.department_id is not None:
        line = [here, *map(str, ancestor_ids(who.department_id))]
        found |= Q(scope__kind=Scope.Kind.SUBTREE, scope__key__in=line)
    return found


def _state(grant: Grant, at: datetime) -> str:
    if grant.scope.retired_at is not None:
        return explanation.RETIRED
    if grant.revoked_at is not None and grant.revoked_at <= at:
        return explanation.REVOKED
    if grant.valid_to is not None and grant.valid_to <= at:
        return explanation.LAPSED
    return explanation.NOT_YET if grant.valid_from > at else explanation.IN_FORCE


def _of_guarded(
    who: Actor, obj: Guarded, standing: Sequence[Grant], incident_id: int | None
) -> tuple[list[Step], bool]:
    reaching = [one.policy for one in standing if one.policy.reach >= obj.guard_reach]
    widest = max((one.policy.reach for one in standing), default=0)
    steps = [Step("reach", bool(reaching), {"needed": obj.guard_reach, "widest": widest})]
    level = follow(obj, obj.guard_class) if obj.guard_class else 0
    opened = any(policy.max_class >= level for policy in reaching)
    if obj.guard_class:
        ceiling = max((policy.max_class for policy in reaching), default=0)
        steps.append(Step("class", opened, {"needed": level, "widest": ceiling}))
    if who.kind == "display":
        shown = decisions.display_shows(who, incident_id)
        wall = Step("wall", shown and level <= DISPLAY_MAX_CLASS, {"shown": shown, "class_most": DISPLAY_MAX_CLASS})
        steps.append(wall)
        opened = opened and bool(wall.holds)
    elif obj.guard_own:
        own = _own(who, obj, standing, level)
        steps.append(own)
        opened = opened or bool(own.holds)
    if obj.guard_private is not None:
        private = _private(who, obj, standing)
        steps.append(private)
        opened = opened and bool(private.holds)
    return steps, opened


def _own(who: Actor, obj: Guarded, standing: Sequence[Grant], level: int) -> Step:
    owners = set(decisions.owners_of(obj))
    mine = who.department_id in owners
    below = not mine and _above(who, owners)
    ceilings = [one.policy.max_class for one in standing]
    if obj.guard_own_alone:
        holds = mine or (below and level <= max([OWN_ALONE_MAX_CLASS, *ceilings]))
    else:
        deep = [one.policy.max_class for one in standing if one.policy.reach >= 2]
        holds = (mine and bool(deep)) or (below and any(ceiling >= level for ceiling in deep))
    return Step("own", holds, {"owner": "own" if mine else "below" if below else "", "alone": obj.guard_own_alone})


def _private(who: Actor, obj: Guarded, standing: Sequence[Grant]) -> Step:
    since, owner = obj.guard_private or ("", "")
    public = follow(obj, since) is not None
    person = who.kind != "display"
    mine = person and _above(who, {follow(obj, owner)})
    commands = person and any("command" in one.actions for one in standing)
    return Step("private", public or mine or commands, {"public": public, "owner": mine, "commands": commands})


def _above(who: Actor, departments: set[Any]) -> bool:
    """Whether the actor's department is one of these or stands above one."""
    rows = Department.objects.filter(pk__in=departments - {None})
    return who.department_id is not None and rows.filter(path__contains=f"/{who.department_id}/").exists()


def _of_opened(obj: Opened, standing: Sequence[Grant]) -> tuple[list[Step], bool]:
    opening = [one for one in standing if one.fields is not None]
    if not obj.guard_data:
        return [], bool(opening)
    passing = any(filters.opens(one.filter, getattr(obj, obj.guard_data)) for one in opening)
    return [Step("filter", passing, {"filtered": sum(bool(one.filter) for one in opening)})], passing


def _judged(told: Told, obj: Opened) -> Told:
    """A grant with what its filter says of the record; of one that does not hold nothing is told by the record."""
    if not obj.guard_data or told.state != explanation.IN_FORCE:
        return told
    return Told(told.grant, told.state, filters.opens(told.grant.filter, getattr(obj, obj.guard_data)))


def _fields(openings: Sequence[Opening], classes: Mapping[str, int]) -> tuple[FieldTold, ...]:
    return tuple(_field(name, level, openings) for name, level in classes.items())


def _field(name: str, level: int, openings: Sequence[Opening]) -> FieldTold:
    """How one field is shown: of several openings as that does which hides least, by all that show it so."""
    ways = [(rule, one.grant_ids) for one in openings if (rule := one.rule(name, level)) is not None]
    if not ways:
        named = any(one.names(name) for one in openings)
        why = "not_opened" if not openings else "above_class" if named else "unnamed"
        return FieldTold(name, level, "absent", (), why)
    least = masks.least([rule for rule, _ids in ways])
    ids = sorted({pk for rule, some in ways if masks.rank(rule) == masks.rank(least) for pk in some})
    return FieldTold(name, level, least if isinstance(least, str) else str(least["mask"]), tuple(ids))

"""May this actor do this, and by which grants?

Answers come from the grants themselves, never from the table of visibility, so that a row there that has gone
astray opens nothing that is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Department
from accounts.queries import may_administer, shown_on
from coordination.events import clock
from coordination.events.actor import Actor
from coordination.events.refused import Forbidden
from sharing.access.guarded import Guarded, Opened
from sharing.access.models import Grant
from sharing.access.queries.hidden import Unseen
from sharing.access.queries.records import DISPLAY_MAX_CLASS, openings_of
from sharing.access.queries.scopes import scope_ids
from sharing.access.queries.sight import OWN_ALONE_MAX_CLASS
from sharing.access.rights import Right, right

INCIDENT = "incidents.incident"


@dataclass(frozen=True, slots=True)
class Decision:
    """``seen`` false = to be answered as absent. ``reach`` and ``max_class``: the widest the grants give."""

    allow: bool
    right: str
    seen: bool
    reach: int = 0
    max_class: int = 0
    grant_ids: tuple[int, ...] = ()
    reason: str = ""


class NotYourRight(Forbidden):
    """The posts held, or the department's part in the incident, do not give this right (named in ``right``)."""


def decide(
    actor: Actor,
    action: str,
    obj: Guarded | Opened | Department | None = None,
    *,
    at: datetime | None = None,
    grants: Sequence[Grant] | None = None,
) -> Decision:
    """Whether the actor may do ``action`` (to ``obj``); names the grants it rests on.

    ``grants``: those of `grants_on` for the same actor, incident and moment, where they have been read already.
    """
    asked = right(action)
    if actor.kind == "system":
        return Decision(True, action, True, 3, 4, reason="system")
    has_post = asked.open_to(actor)
    if obj is None:
        return Decision(has_post, action, True, reason="" if has_post else "post")
    if isinstance(obj, Department):
        allowed = has_post and asked.needs == "department" and may_administer(actor, obj.pk, asked.posts)
        return Decision(allowed, action, True, reason="" if allowed else "department")
    if isinstance(obj, Opened):
        return _decide_opened(actor, asked, obj, at or clock.now(), has_post)
    if grants is None:
        grants = _live_grants(actor, obj, at or clock.now())
    return _decide_guarded(actor, asked, obj, grants, has_post)


def _decide_guarded(
    actor: Actor, asked: Right, obj: Guarded, grants: Sequence[Grant], has_post: bool
) -> Decision:
    if not right("view").open_to(actor) or not _sees(actor, obj, grants):
        return Decision(False, asked.name, False, reason="unseen")
    fitting = [
        grant
        for grant in grants
        if grant.policy.reach >= asked.reach and (asked.needs != "command" or "command" in grant.actions)
        # who broke the glass looks on, and does nothing by it
        and (asked.name == "view" or grant.source != Grant.Source.BREAK_GLASS)
    ]
    allowed = has_post and (asked.name == "view" or bool(fitting))
    return Decision(
        allow=allowed,
        right=asked.name,
        seen=True,
        reach=max((grant.policy.reach for grant in grants), default=0),
        max_class=max((grant.policy.max_class for grant in grants), default=0),
        grant_ids=tuple(grant.pk for grant in fitting),
        reason="" if allowed else ("grant" if has_post else "post"),
    )


def _decide_opened(actor: Actor, asked: Right, obj: Opened, at: datetime, has_post: bool) -> Decision:
    """Of a dataset, or one of its records: a grant opens it to be viewed, and gives no other right."""
    openings = openings_of(actor, obj, at)
    if not openings:
        return Decision(False, asked.name, False, reason="unseen")
    allowed = has_post and asked.name == "view"
    return Decision(
        allow=allowed,
        right=asked.name,
        seen=True,
        reach=3,
        max_class=max(opening.max_class for opening in openings),
        grant_ids=tuple(sorted({pk for opening in openings for pk in opening.grant_ids})) if allowed else (),
        reason="" if allowed else ("grant" if has_post else "post"),
    )


def _live_grants(actor: Actor, obj: Guarded, at: datetime) -> list[Grant]:
    incident_id = follow(obj, obj.guard_path)
    return [] if incident_id is None else list(grants_on(actor, incident_id, at))


def grants_on(actor: Actor, incident_id: int, at: datetime) -> QuerySet[Grant]:
    """The actor's grants on an incident that hold at a moment, with their policies."""
    rows = Grant.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=at),
        Q(revoked_at=None) | Q(revoked_at__gt=at),
        object_type=INCIDENT,
        object_id=incident_id,
        scope__in=scope_ids(actor),
        valid_from__lte=at,
        actions__contains=["view"],
    )
    return rows.select_related("policy").order_by("pk")


def _sees(actor: Actor, obj: Guarded, grants: Sequence[Grant]) -> bool:
    return _opened(actor, obj, grants) and _not_private(actor, obj, grants)


def _not_private(actor: Actor, obj: Guarded, grants: Sequence[Grant]) -> bool:
    """Whether the row is no longer its owner's alone, or the actor is the owner, above it, or commands."""
    if obj.guard_private is None:
        return True
    since, owner = obj.guard_private
    if follow(obj, since) is not None:
        return True
    if actor.kind == "display":
        return False
    if any("command" in grant.actions for grant in grants):
        return True
    return Department.objects.filter(pk=follow(obj, owner), path__contains=f"/{actor.department_id}/").exists()


def _opened(actor: Actor, obj: Guarded, grants: Sequence[Grant]) -> bool:
    level = follow(obj, obj.guard_class) if obj.guard_class else 0
    policies = [grant.policy for grant in grants]
    open_to_all = any(p.reach >= obj.guard_reach and p.max_class >= level for p in policies)
    if actor.kind == "display":
        return open_to_all and level <= DISPLAY_MAX_CLASS and display_shows(actor, follow(obj, obj.guard_path))
    if open_to_all or not obj.guard_own:
        return open_to_all
    owners = set(owners_of(obj))
    if not owners:
        return False
    below = Department.objects.filter(pk__in=owners, path__contains=f"/{actor.department_id}/").exists()
    if obj.guard_own_alone:
        ceiling = max([OWN_ALONE_MAX_CLASS, *(p.max_class for p in policies)])
        return actor.department_id in owners or (below and level <= ceiling)
    if actor.department_id in owners and any(p.reach >= 2 for p in policies):
        return True
    return below and any(p.reach >= 2 and p.max_class >= level for p in policies)


def display_shows(actor: Actor, incident_id: int | None) -> bool:
    """Whether a wall is not revoked, and shows all incidents or this one."""
    return shown_on(actor.id, actor.department_id).filter(Q(incident_id=None) | Q(incident_id=incident_id)).exists()


def owners_of(obj: Guarded) -> Iterable[int]:
    """The departments that own the row by any of its table's own lookups."""
    rows = type(obj).everything.filter(pk=obj.pk)
    for lookup in obj.guard_own:
        yield from (pk for pk in rows.values_list(lookup, flat=True) if pk is not None)


def follow(obj: Any, lookup: str) -> Any:
    """The value at the end of a lookup like ``instruction__incident_id`` (None where a link is missing)."""
    for part in lookup.split("__"):
        if obj is None:
            return None
        obj = getattr(obj, part)
    return obj


def require_more_than_glass(actor: Actor, incident: Guarded, right: str, at: datetime) -> None:
    """Refuse (403) who sees an incident by break-glass alone: they look on, and do nothing in it."""
    grants = _live_grants(actor, incident, at)
    if grants and all(grant.source == Grant.Source.BREAK_GLASS for grant in grants):
        raise NotYourRight(_("You have this open by break-glass, to look at and no more."), right=right)


def require(
    actor: Actor,
    action: str,
    obj: Guarded | Opened | Department | None = None,
    *,
    at: datetime | None = None,
) -> Decision:
    """As `decide`, but raises: `Unseen` (404) where hidden, `NotYourRight` (403, ``right``) where not allowed."""
    decision = decide(actor, action, obj, at=at)
    if not decision.seen:
        raise Unseen
    if not decision.allow:
        raise NotYourRight(
            _("Your posts, or your department's part in this, do not give you the right to do that."),
            right=action,
        )
    return decision


def may(
    actor: Actor,
    action: str,
    obj: Guarded | Opened | Department | None = None,
    *,
    at: datetime | None = None,
) -> bool:
    """Whether `require` would pass."""
    return decide(actor, action, obj, at=at).allow

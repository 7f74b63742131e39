"""How is an incident opened to one person for an emergency, and how do such grants last longer or end?

Called inside an action of the catalogue, in its transaction; that action has asked whether the actor may, and
records it. A dataset is opened by `sharing.access.actions.opening`, with a person as its holder.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from coordination.events.actor import Actor
from sharing.access.actions import grants
from sharing.access.actions.opening import Holder, scopes_of
from sharing.access.models import Grant, Scope, VisIncident
from sharing.access.queries.decisions import INCIDENT

REACH, MAX_CLASS = 3, 3
"""An emergency opens all of an incident but what is for named posts (class 4)."""


def open_incident(
    *, incident_id: int, opened_at: datetime, person_id: int, because: str, now: datetime, valid_to: datetime
) -> Grant:
    """Let one person look at an incident until ``valid_to``: the grant and its row of the table of visibility."""
    holder = Holder(Scope.Kind.PERSON, str(person_id))
    policy = grants.intern_policies({(REACH, MAX_CLASS)})[REACH, MAX_CLASS]
    grant = Grant.objects.create(
        scope_id=scopes_of([holder])[holder], object_type=INCIDENT, object_id=incident_id, incident_id=incident_id,
        actions=["view"], policy_id=policy, source=Grant.Source.BREAK_GLASS, because=because, valid_from=now,
        valid_to=valid_to,
    )
    VisIncident.objects.create(
        scope_id=grant.scope_id, incident_id=incident_id, grant_id=grant.pk, opened_at=opened_at, policy_id=policy,
        reach=REACH, max_class=MAX_CLASS, valid_to=valid_to,
    )
    return grant


def lengthen(*, grant_ids: Sequence[int], until: datetime) -> int:
    """Let grants of break-glass that still stand last until then; how many."""
    standing = _standing(grant_ids)
    VisIncident.objects.filter(grant__in=standing).update(valid_to=until)
    return standing.update(valid_to=until)


def take_back(*, actor: Actor, grant_ids: Sequence[int], why: str, now: datetime) -> int:
    """End grants of break-glass at once, in truth and table together; how many were still standing."""
    standing = _standing(grant_ids)
    VisIncident.objects.filter(grant__in=standing, valid_to__gt=now).update(valid_to=now)
    return standing.update(revoked_at=now, revoked_by=actor.key, revoked_why=why[:200])


def _standing(grant_ids: Sequence[int]) -> QuerySet[Grant]:
    return Grant.objects.filter(pk__in=list(grant_ids), source=Grant.Source.BREAK_GLASS, revoked_at=None)

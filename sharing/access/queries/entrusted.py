"""Which confidential datasets are entrusted to a post that the actor holds, or to the actor by name?"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from coordination.events import clock
from coordination.events.actor import Actor
from sharing.access.models import Grant, Scope
from sharing.access.queries.records import DATASET
from sharing.access.queries.scopes import scope_ids

CONFIDENTIAL = 4
_NAMED = (Scope.Kind.POST, Scope.Kind.PERSON)


def datasets_entrusted(actor: Actor) -> QuerySet[Grant, Any]:
    """Ids of the datasets that a grant in force, made for class 4, opens to a post or person of the actor's.

    To be used inside other questions. Class 4 goes to named posts alone: a grant to a whole department, or one made
    before the data became confidential, is none of these.
    """
    now = clock.inside()
    rows = Grant.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=now), Q(revoked_at=None) | Q(revoked_at__gt=now),
        scope__in=scope_ids(actor), scope__kind__in=_NAMED, object_type=DATASET,
        policy__max_class__gte=CONFIDENTIAL, valid_from__lte=now,
    )  # fmt: skip
    return rows.values("object_id")

"""How is a dataset opened to somebody, and how is that taken back?

Called inside an action of the catalogue, in its transaction; that action has asked whether the actor may, checked what
is opened against the dataset's schema, and records it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from coordination.events.actor import Actor
from sharing.access import fields, filters
from sharing.access.actions import grants
from sharing.access.models import FieldPolicy, Grant, Scope
from sharing.access.queries.records import DATASET

WHOLE_REACH = 3
"""The reach of a policy says nothing of a dataset; it is the widest."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who is to hold a grant: ``kind`` of `Scope.Kind` and ``key`` as there (a department's id, ``<id>/<post>`` …)."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What is opened, from when to when (to exclusive; None: without end), and why.

    ``fields`` and ``filter`` as `sharing.access.fields` and `sharing.access.filters` let them pass; ``because``: key of
    what the grant rests on (``agreement:<id>``, ``department:<id>``).
    """

    fields: fields.Fields
    max_class: int
    source: str
    valid_from: datetime
    valid_to: datetime | None = None
    filter: filters.Tree = field(default_factory=dict)
    purpose: str = ""
    incident_id: int | None = None
    because: str = ""
    pseudonym_key: str = ""


def open_dataset(*, dataset_id: int, holders: Sequence[Holder], terms: Terms) -> list[Grant]:
    """Let the holders view records of a dataset on these terms."""
    policy = grants.intern_policies({(WHOLE_REACH, terms.max_class)})[WHOLE_REACH, terms.max_class]
    shown = intern_fields(terms.fields)
    scopes = scopes_of(holders)
    return Grant.objects.bulk_create(
        Grant(
            scope_id=scopes[holder], object_type=DATASET, object_id=dataset_id, actions=["view"],
            policy_id=policy, fields=shown, filter=dict(terms.filter), pseudonym_key=terms.pseudonym_key,
            purpose=terms.purpose, incident_id=terms.incident_id, source=terms.source, because=terms.because,
            valid_from=terms.valid_from, valid_to=terms.valid_to,
        )
        for holder in holders
    )


def close_dataset(*, actor: Actor, grant_ids: Sequence[int], why: str, now: datetime) -> int:
    """Take grants on datasets back at once; how many were still standing."""
    standing = Grant.objects.filter(pk__in=grant_ids, object_type=DATASET, revoked_at=None)
    return standing.update(revoked_at=now, revoked_by=actor.key, revoked_why=why)


def close_given(*, actor: Actor, dataset_id: int, source: str, why: str, now: datetime) -> int:
    """Take back at once all that was given of a dataset in one way (``source``); how many grants still stood."""
    standing = Grant.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=now), object_type=DATASET, object_id=dataset_id, source=source,
        revoked_at=None,
    )  # fmt: skip
    return standing.update(revoked_at=now, revoked_by=actor.key, revoked_why=why[:200])


def lock_like(grant_id: int, *, all_of_holder: bool) -> list[Grant]:
    """The grant on a dataset, locked, with its scope; ``all_of_holder``: with all that its holder has of that dataset.

    In the order of their ids, so that no two transactions wait for each other. Empty where there is none; what the
    department that keeps the dataset has itself is never among them.
    """
    rows = Grant.objects.filter(object_type=DATASET).exclude(source=Grant.Source.OWNER)
    wanted = rows.filter(pk=grant_id)
    if all_of_holder:
        wanted = rows.filter(scope__in=wanted.values("scope"), object_id__in=wanted.values("object_id"))
    return list(wanted.select_related("scope").select_for_update(no_key=True, of=("self",)).order_by("pk"))


def intern_fields(given: fields.Fields) -> FieldPolicy:
    """The field policy of this content, made where it is new."""
    content = dict(given)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    FieldPolicy.objects.bulk_create([FieldPolicy(digest=digest, fields=content)], ignore_conflicts=True)
    return FieldPolicy.objects.get(digest=digest)


def scopes_of(holders: Sequence[Holder]) -> dict[Holder, int]:
    """Scope id of each holder, made where it is new; in one order, so that no two transactions wait for each other."""
    wanted = sorted(set(holders), key=lambda holder: (holder.kind, holder.key))
    found: dict[Holder, int] = {}
    for _try in range(grants.TRIES):
        Scope.objects.bulk_create([Scope(kind=one.kind, key=one.key) for one in wanted], ignore_conflicts=True)
        rows = Scope.objects.filter(kind__in={one.kind for one in wanted}, key__in={one.key for one in wanted})
        there = {Holder(kind, key): pk for kind, key, pk in rows.values_list("kind", "key", "pk")}
        found = {one: there[one] for one in wanted if one in there}
        if len(found) == len(wanted):
            break
    return found

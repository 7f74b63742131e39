"""How are grants written and ended, together with the table that makes them fast?"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Least

from accounts.queries import departments
from coordination.events.at_once import at_once
from coordination.events.kept import Texts, kept
from sharing.access.models import Grant, Policy, Scope, VisIncident
from sharing.access.queries.decisions import INCIDENT

# "Without end", in a column that is never empty.
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
# How long a department that leaves, or whose incident closes, still reads; class 3 and above ends at once.
GRACE = timedelta(hours=24)
TRIES = 5
"""A scope may be retired between making it and reading its id; that many times in a row it is not."""
GRACE_CLASS = 2
REACHES, CLASSES = (1, 2, 3), (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One grant to be written. ``because`` names the department whose taking part it rests on."""

    department_id: int
    source: str
    role: str
    reach: int
    max_class: int
    because: str
    actions: tuple[str, ...] = ("view",)
    valid_to: datetime | None = None
    purpose: str = ""

    @property
    def likeness(self) -> tuple[object, ...]:
        """What two grants must share to be the same."""
        return (str(self.department_id), self.source, self.role, self.reach, self.max_class, self.actions)


def because(department_id: int) -> str:
    """Key of the department whose taking part a grant rests on."""
    return f"department:{department_id}"


def live(incident_id: int, now: datetime) -> QuerySet[Grant]:
    """Grants on an incident that are neither over nor revoked."""
    return Grant.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=now),
        object_type=INCIDENT,
        object_id=incident_id,
        revoked_at=None,
    )


def write(incident_id: int, wanted: Sequence[Wanted], opened_at: datetime, now: datetime) -> list[Grant]:
    """Write grants and their visibility rows; six statements, whatever their number."""
    scopes = department_scopes({one.department_id for one in wanted})
    policies = intern_policies({(one.reach, one.max_class) for one in wanted})
    grants = Grant.objects.bulk_create(
        Grant(
            scope_id=scopes[one.department_id],
            object_type=INCIDENT,
            object_id=incident_id,
            actions=list(one.actions),
            policy_id=policies[one.reach, one.max_class],
            incident_id=incident_id,
            source=one.source,
            role=one.role,
            because=one.because,
            purpose=one.purpose,
            valid_from=now,
            valid_to=one.valid_to,
        )
        for one in wanted
    )
    VisIncident.objects.bulk_create(
        VisIncident(
            scope_id=grant.scope_id,
            incident_id=incident_id,
            grant_id=grant.pk,
            opened_at=opened_at,
            policy_id=grant.policy_id,
            reach=one.reach,
            max_class=one.max_class,
            valid_to=one.valid_to or FOREVER,
        )
        for one, grant in zip(wanted, grants, strict=True)
    )
    return grants


def end(grants: QuerySet[Grant], until: datetime) -> int:
    """Let grants end at ``until`` at the latest, in truth and table together."""
    ids = list(grants.values_list("pk", flat=True))
    VisIncident.objects.filter(grant_id__in=ids).update(valid_to=Least(F("valid_to"), Value(until)))
    # least() of PostgreSQL passes over what is empty: an open end becomes this one
    return Grant.objects.filter(pk__in=ids).update(valid_to=Least(F("valid_to"), Value(until)))


def lapse(grants: QuerySet[Grant], now: datetime) -> int:
    """Let grants run out after the grace: from now on they only view, and nothing above class 2. Four statements."""
    leaving = list(grants.values_list("pk", "policy__reach", "policy__max_class"))
    ids = [pk for pk, _reach, _ceiling in leaving]
    above: dict[int, list[int]] = {}
    for pk, reach, ceiling in leaving:
        if ceiling > GRACE_CLASS:
            above.setdefault(reach, []).append(pk)
    policies = intern_policies({(reach, GRACE_CLASS) for reach in above}) if above else {}
    lower = {policies[reach, GRACE_CLASS]: pks for reach, pks in above.items()}
    until = now + GRACE
    VisIncident.objects.filter(grant_id__in=ids).update(
        policy_id=_chosen("grant_id", lower), max_class=Least(F("max_class"), Value(GRACE_CLASS)),
        valid_to=Least(F("valid_to"), Value(until)),
    )  # fmt: skip
    # least() of PostgreSQL passes over what is empty: an open end becomes this one
    return Grant.objects.filter(pk__in=ids).update(
        actions=["view"], policy_id=_chosen("pk", lower), valid_to=Least(F("valid_to"), Value(until))
    )


def _chosen(name: str, policies: Mapping[int, Sequence[int]]) -> Case | F:
    """Another policy for some rows, by their ids; the others keep theirs."""
    cases = [When(**{f"{name}__in": pks}, then=Value(policy)) for policy, pks in policies.items()]
    return Case(*cases, default=F("policy_id"), output_field=BigIntegerField()) if cases else F("policy_id")


def stop_lapsing(rule_ids: Iterable[int], now: datetime) -> list[int]:
    """End at once what rules opened and what was only running out; the departments that held it."""
    late = Grant.objects.filter(rule_id__in=list(rule_ids), let_go_at__isnull=False, revoked_at=None, valid_to__gt=now)
    keys = [int(key.partition("~")[0]) for key in late.values_list("scope__key", flat=True).distinct()]
    late.update(valid_to=now)
    return keys


def set_policy(grants: QuerySet[Grant], reach: int, max_class: int) -> int:
    """Give grants another policy, in truth and table together."""
    ids = list(grants.values_list("pk", flat=True))
    if not ids:
        return 0
    policy = intern_policies({(reach, max_class)})[reach, max_class]
    VisIncident.objects.filter(grant_id__in=ids).update(policy_id=policy, reach=reach, max_class=max_class)
    return Grant.objects.filter(pk__in=ids).update(policy_id=policy)


def department_scopes(department_ids: Iterable[int]) -> dict[int, int]:
    """Scope id of each department, made where it is new.

    Whoever finds one missing makes those of all departments, in one statement and one order: a transaction that opened
    several incidents or departments after each other would else hold one new scope and wait for another's.
    """
    keys = {str(pk): pk for pk in sorted(set(department_ids))}
    found = _scopes(keys)
    for _try in range(TRIES):
        if found.keys() == keys.keys():
            break
        every = sorted({*(str(row.pk) for row in departments(active=None)), *keys})
        Scope.objects.bulk_create([Scope(kind=Scope.Kind.DEPARTMENT, key=key) for key in every], ignore_conflicts=True)
        found = _scopes(keys)
    return {keys[key]: pk for key, pk in found.items()}


def _scopes(keys: Iterable[str]) -> dict[str, int]:
    (rows,) = at_once(kept(_scopes_of, Texts(tuple(keys))))
    return dict(rows)


def _scopes_of(keys: Texts) -> QuerySet[Scope, Any]:
    return Scope.objects.filter(kind=Scope.Kind.DEPARTMENT, key__in=keys.given).values_list("key", "pk")


def intern_policies(wanted: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Policy id of each (reach, max_class), made where it is new: then all there can be, in one order (see above)."""

    found = _policies(wanted)
    if wanted - found.keys():
        every = sorted({*itertools.product(REACHES, CLASSES), *wanted})
        Policy.objects.bulk_create(
            [Policy(reach=reach, max_class=ceiling) for reach, ceiling in every], ignore_conflicts=True
        )
        found = _policies(wanted)
    return found


def _policies(wanted: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    (rows,) = at_once(kept(_plain_policies))
    return {(reach, ceiling): pk for reach, ceiling, pk in rows if (reach, ceiling) in wanted}


def _plain_policies() -> QuerySet[Policy, Any]:
    return Policy.objects.filter(fields={}).values_list("reach", "max_class", "pk")

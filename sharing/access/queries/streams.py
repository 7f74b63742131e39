"""Which streams of the log may an actor follow?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.queries import shown_on
from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer
from coordination.events.kept import kept
from sharing.access.models import Grant, VisIncident
from sharing.access.queries.paging import visible_incident_ids
from sharing.access.queries.records import standing
from sharing.access.queries.scopes import scope_ids
from sharing.access.rights import right

_DATASET = re.compile(r"dataset:([1-9]\d{0,17})")
_INCIDENT = re.compile(r"incident:([1-9]\d{0,17})(:brief)?")
# Who needs to see how the platform itself does.
_SYSTEM_POSTS = frozenset({"administrator", "duty_officer", "commander", "head", "auditor"})


def may_read_stream(actor: Actor, stream: str, now: datetime) -> bool:
    """Whether the actor may follow one stream now; unknown names are refused like hidden ones."""
    return stream in readable(actor, [stream], now)


def readable(actor: Actor, names: Iterable[str], now: datetime) -> set[str]:
    """Those of the streams that the actor may follow now; three queries at most, whatever their number.

    ``incident:<id>`` needs reach 3 of that incident, ``incident:<id>:brief`` any reach; ``dataset:<id>`` a grant on
    that dataset.
    """
    return answer(readable_steps(actor, names, now))


def readable_steps(actor: Actor, names: Iterable[str], now: datetime) -> Steps[set[str]]:
    """`readable`, to be asked beside other questions; one step for incidents, one for datasets."""
    asked = set(names)
    if actor.kind == "system":
        return asked
    allowed = asked & _plain(actor)
    wanted = {name: match for name in asked if (match := _INCIDENT.fullmatch(name))}
    if wanted:
        ids = {int(match[1]) for match in wanted.values()}
        reach = yield from _reach_steps(actor, ids, now)
        allowed |= {
            name for name, match in wanted.items() if reach.get(int(match[1]), 0) >= (1 if match[2] else 3)
        }
    datasets = {name: int(match[1]) for name in asked if (match := _DATASET.fullmatch(name))}
    # a wall has no page of data
    if datasets and actor.kind != "display" and right("view").open_to(actor):
        (held,) = yield [kept(_held, actor, sorted(datasets.values()), now)]
        allowed |= {name for name, pk in datasets.items() if pk in set(held)}
    return allowed


def _held(actor: Actor, dataset_ids: list[int], now: datetime) -> QuerySet[Grant, Any]:
    return standing(actor, now).filter(object_id__in=dataset_ids).values_list("object_id", flat=True)


def streams_of(actor: Actor, now: datetime, *, limit: int = 500) -> list[str]:
    """Every stream the actor may follow now, with those of the newest ``limit`` incidents they see."""
    ids = visible_incident_ids(actor, at=now, limit=limit) if actor.kind != "system" else []
    reach = _reach(actor, set(ids), now)
    found = sorted(_plain(actor))
    for pk in ids:
        if reach.get(pk, 0) >= 3:
            found.append(streams.incident(pk))
        if reach.get(pk, 0) >= 1:
            found.append(streams.brief(pk))
    return found


def _plain(actor: Actor) -> set[str]:
    """Streams that hang on no incident: one's own, one's department's, the platform's."""
    if actor.department_id is None or actor.id is None:
        return set()
    found = set()
    if actor.is_person:
        found.add(streams.user(actor.id))
        if actor.posts:
            found.add(streams.department(actor.department_id))
        if actor.posts & _SYSTEM_POSTS:
            found.add(streams.SYSTEM)
    elif actor.kind == "client":
        found.add(streams.department(actor.department_id))
    elif actor.kind == "display" and shown_on(actor.id, actor.department_id).exists():
        found |= {streams.department(actor.department_id), streams.SYSTEM}
    return found


def _reach(actor: Actor, incident_ids: set[int], now: datetime) -> dict[int, int]:
    """The widest reach on each of some incidents."""
    return answer(_reach_steps(actor, incident_ids, now))


def _reach_steps(actor: Actor, incident_ids: set[int], now: datetime) -> Steps[dict[int, int]]:
    if not incident_ids or not right("view").open_to(actor):
        return {}
    if actor.kind == "display":
        wall = shown_on(actor.id, actor.department_id).first()
        if wall is None:
            return {}
        if wall.incident_id is not None:
            incident_ids = incident_ids & {wall.incident_id}
    (pairs,) = yield [kept(_reaches, actor, incident_ids, now)]
    found: dict[int, int] = {}
    for incident_id, reach in pairs:
        found[incident_id] = max(found.get(incident_id, 0), reach)
    return found


def _reaches(actor: Actor, incident_ids: set[int], now: datetime) -> QuerySet[VisIncident, Any]:
    rows = VisIncident.objects.filter(incident_id__in=incident_ids, scope__in=scope_ids(actor), valid_to__gt=now)
    return rows.values_list("incident_id", "reach")


def readers_of(incident_id: int, now: datetime) -> dict[int, int]:
    """Departments that see an incident now, with the widest reach of each."""
    rows = VisIncident.objects.filter(
        incident_id=incident_id, valid_to__gt=now, scope__kind="department", scope__retired_at=None
    )
    found: dict[int, int] = {}
    for key, reach in rows.values_list("scope__key", "reach"):
        found[int(key)] = max(found.get(int(key), 0), reach)
    return found


def shares_of(incident_id: int, now: datetime) -> list[Grant]:
    """Grants on an incident in force now, with scope and policy: who sees this, and why."""
    rows = Grant.objects.filter(object_type="incidents.incident", object_id=incident_id, revoked_at=None)
    return [
        grant
        for grant in rows.select_related("scope", "policy").order_by("source", "pk")
        if grant.valid_to is None or grant.valid_to > now
    ]

"""Would every step of every ladder now in use find somebody, at each change of shift in the week to come?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db.models import Q

from accounts import queries as accounts
from accounts.models import Membership, Shift
from accounts.queries import Reachable
from coordination.deadlines import queries as clocks
from coordination.deadlines import steps
from coordination.deadlines.handlers import Parties
from coordination.deadlines.models import Deadline
from coordination.deadlines.roster import Roster
from coordination.instructions.models import Assignment, Instruction
from coordination.instructions.queries import cases
from coordination.instructions.queries.chain import ENDED
from coordination.instructions.states import TERMINAL
from sharing import access

AHEAD = timedelta(days=7)
MOST_MOMENTS = 300
_WHY = "whether a ladder would reach somebody is asked of all open work"
_EXECUTING = ("acknowledge", "start", "progress", "complete")
_ISSUING = ("approve", "confirm", "evaluate")
#: whom it finds is a matter of responsibilities, whose gaps are shown by themselves
_ELSEWHERE = frozenset({"propose_owner"})
_AROUND = (
    "incident__commander_department_id", "incident__lead_department_id", "incident__policy_set",
    "incident__response_level", "ladder__ladders",
)


@dataclass(frozen=True, slots=True)
class Hole:
    """A step that finds nobody (or nobody with a number or address) in ``department_id`` from ``at`` on."""

    department_id: int
    step: str
    why: str
    at: datetime
    command: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One way that ladders climb: who is around, from which department up, by which steps."""

    issuer: int
    executing: int
    above: int | None
    command: tuple[int, ...]
    climbs_from: int
    steps: frozenset[str]

    @property
    def parties(self) -> Parties:
        """As the steps ask for them."""
        return Parties(issuer=self.issuer, executing=self.executing, above=self.above, command=self.command)

    @property
    def concerned(self) -> set[int]:
        """Departments whose people may stand on it."""
        return {self.climbs_from, self.issuer, *self.command} | ({self.above} if self.above is not None else set())


def holes(now: datetime, department_ids: Collection[int] | None = None) -> tuple[list[Hole], set[int]]:
    """Holes of the week, the earliest of each department and step, and the departments that were looked at.

    ``department_ids``: only these departments' people. Queries by number of changes of shift, not of open work.
    """
    found = [line for line in set(_lines()) if department_ids is None or _touches(line, department_ids)]
    parents = {
        pk: row.parent_id for pk, row in accounts.departments_by_id({line.climbs_from for line in found}).items()
    }
    asked = {pk for line in found for pk in line.concerned} | {pk for pk in parents.values() if pk is not None}
    asked = asked if department_ids is None else asked & set(department_ids)
    first: dict[tuple[int, str], Hole] = {}
    for at in _moments(asked, now):
        roster = Roster([(line.parties, line.climbs_from) for line in found], at)
        for line in found:
            for hole in _at(line, roster, at):
                if hole.department_id in asked:
                    known = first.get((hole.department_id, hole.step))
                    first[hole.department_id, hole.step] = _earlier(known, hole)
    return sorted(first.values(), key=lambda hole: (hole.department_id, hole.step)), asked


def _earlier(known: Hole | None, hole: Hole) -> Hole:
    if known is None:
        return hole
    both = tuple(sorted({*known.command, *hole.command}))
    return replace(known, command=both)


def _at(line: Line, roster: Roster, at: datetime) -> Iterator[Hole]:
    for step in line.steps:
        context = steps.Context(None, Deadline(kind="acknowledge"), line.parties, line.climbs_from, roster, at)
        result = steps.run(step, context)
        why = _hole(result.people)
        if why and result.department_id is not None:
            yield Hole(result.department_id, step, why, at, line.command)


def _hole(people: Collection[Reachable]) -> str:
    if not people:
        return "nobody"
    return "" if any(one.phone or one.email for one in people) else "no_contact"


def _touches(line: Line, department_ids: Collection[int]) -> bool:
    """Whether these departments' people stand on it; the parent of the line is asked for by the steps themselves."""
    return bool(line.concerned & set(department_ids)) or "department_above" in line.steps


def _lines() -> Iterator[Line]:
    """Every way that a ladder now in use climbs; two queries for all the open work there is."""
    known = cases.centres()
    parts = access.unscoped(Assignment, reason=_WHY).exclude(state__in=TERMINAL).order_by()
    executing = parts.values_list(
        "instruction__issuer_id", "department_id", "instruction__parent_id",
        *(f"instruction__{name}" for name in _AROUND),
    )
    orders = access.unscoped(Instruction, reason=_WHY).filter(~Q(state__in=[*ENDED, "draft"])).order_by()
    rows = [(issuer, pk, parent is not None, _EXECUTING, *rest) for issuer, pk, parent, *rest in executing.distinct()]
    issuing = orders.values_list("issuer_id", *_AROUND).distinct()
    rows += [(issuer, issuer, False, _ISSUING, *rest) for issuer, *rest in issuing]
    leads = accounts.departments_by_id({row[5] for row in rows})
    by_policy = cache(lambda name, level: clocks.policy(name, level).ladders)
    for issuer, pk, delegated, kinds, commander, lead, policy_set, level, frozen in rows:
        centre = known.of(leads[lead]) if lead in leads else None
        command = tuple(sorted({one for one in (commander, centre) if one is not None}))
        named = _steps(frozen or by_policy(policy_set, level), kinds)
        yield Line(issuer, pk, issuer if delegated else None, command, pk, named)


def _steps(ladders: Mapping[str, Any], kinds: Iterable[str]) -> frozenset[str]:
    entries = [entry for kind in kinds for entry in ladders.get(kind, ladders.get("default", []))]
    return frozenset(entry[1] for entry in entries) - _ELSEWHERE


def _moments(department_ids: Collection[int], now: datetime) -> list[datetime]:
    """Now, and each time at which somebody comes or goes within the week."""
    if not department_ids:
        return []
    until = now + AHEAD
    shifts = Shift.objects.filter(department_id__in=department_ids, starts__lt=until, ends__gt=now)
    found: dict[datetime, int] = defaultdict(int)
    found[now] = 1
    ends = Membership.objects.filter(post__department_id__in=department_ids, valid_to__gt=now, valid_to__lt=until)
    for pair in (*shifts.values_list("starts", "ends"), *ends.values_list("valid_to", "valid_to")):
        for at in pair:
            if at is not None and now <= at < until:
                found[at] += 1
    return sorted(found)[:MOST_MOMENTS]

"""What does taking part in an incident open, for how long, and to whom beside the department itself?

Called inside an action of the room that changes the participation, in its transaction; that action records
``access.changed`` to the departments concerned. What standing rules open of datasets follows here as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import F, QuerySet

from accounts.models import Department
from accounts.queries import line_above_steps
from coordination.events.actor import Actor
from coordination.events.at_once import Steps, together
from coordination.events.kept import kept
from sharing.access.actions import deriving, grants
from sharing.access.actions.grants import Wanted
from sharing.access.models import Grant

LEAD, SUPPORT, INFORMED, REPORTER = "lead", "support", "informed", "reporter"
ROLES = (LEAD, SUPPORT, INFORMED, REPORTER)
# Grants that rest on a department taking part; what was shared by hand, or is owned, stays apart.
_DERIVED = (Grant.Source.PARTICIPATION, Grant.Source.ABOVE, Grant.Source.COMMAND)
# The reporter, and whoever took part once an incident is closed: its own part and the report.
_OWN_PART = (2, 1)


def policy_of(role: str, response_level: int | None) -> tuple[int, int]:
    """(reach, class ceiling) of a role at a response level (1 = I, the highest; None = none declared yet).

    lead: all, 3. support: all, 2, from level II on 3. informed: headline and sitreps, 1, from II on 2, at I all.
    """
    level = response_level or 4
    if role == LEAD:
        return (3, 3)
    if role == SUPPORT:
        return (3, 3 if level <= 2 else 2)
    if role == REPORTER:
        return _OWN_PART
    return (3 if level == 1 else 1, 2 if level <= 2 else 1)


def join(
    *,
    actor: Actor,
    incident_id: int,
    department_id: int,
    role: str,
    response_level: int | None,
    opened_at: datetime,
    now: datetime,
) -> list[Grant]:
    """Open an incident to a department that takes part, to those above it, and to the command centre.

    ``role``: lead, support or informed; ``reporter`` for who reported or opened it without taking part. Joining
    again with another role replaces the earlier role at once; with the same it changes nothing. ``opened_at``:
    the incident's, by which lists are sorted. The departments above become informed. The nearest command centre
    above a lead gets what the lead gets; other command centres up the line are informed.
    """
    if role not in ROLES:
        raise ValueError(f"unknown role {role}")
    sources = (Grant.Source.OWNER,) if role == REPORTER else _DERIVED
    line, present = together(
        line_above_steps(department_id), _present_steps(incident_id, department_id, sources, now)
    )
    wanted = _wanted(department_id, role, response_level, *line)
    written: list[Grant] = []
    if {_likeness(grant) for grant in present if grant.valid_to is None} != {one.likeness for one in wanted}:
        if present:
            grants.end(_present(incident_id, department_id, sources, now), now)
        written = grants.write(incident_id, wanted, opened_at, now)
    if role != REPORTER:  # who only reported gets no data by it
        deriving.follow_incidents([incident_id], now, grants.because(department_id))
    return written


def _present_steps(
    incident_id: int, department_id: int, sources: tuple[str, ...], now: datetime
) -> Steps[list[Grant]]:
    (rows,) = yield [kept(_present, incident_id, department_id, sources, now)]
    return rows


def _present(incident_id: int, department_id: int, sources: tuple[str, ...], now: datetime) -> QuerySet[Grant]:
    rows = grants.live(incident_id, now).filter(because=grants.because(department_id), source__in=sources)
    return rows.select_related("scope", "policy")


def _wanted(
    department_id: int, role: str, response_level: int | None, ancestors: Sequence[int], line: Sequence[Department]
) -> list[Wanted]:
    because = grants.because(department_id)
    reach, ceiling = policy_of(role, response_level)
    if role == REPORTER:
        return [Wanted(department_id, Grant.Source.OWNER, role, reach, ceiling, because)]
    may = ("view", "command") if role == LEAD else ("view",)
    wanted = [Wanted(department_id, Grant.Source.PARTICIPATION, role, reach, ceiling, because, may)]
    lead = policy_of(LEAD, response_level)
    informed = policy_of(INFORMED, response_level)
    centres = [centre.pk for centre in line]
    if role == LEAD and centres and centres[0] != department_id:
        wanted.append(Wanted(centres[0], Grant.Source.COMMAND, LEAD, *lead, because, ("view", "command")))
    told = dict.fromkeys([*ancestors, *(centres[1:] if role == LEAD else centres)])
    wanted += [
        Wanted(above, Grant.Source.ABOVE, INFORMED, *informed, because)
        for above in told
        if above != department_id
    ]
    return wanted


def _likeness(grant: Grant) -> tuple[object, ...]:
    return (
        grant.scope.key,
        grant.source,
        grant.role,
        grant.policy.reach,
        grant.policy.max_class,
        tuple(grant.actions),
    )


def leave(*, incident_id: int, department_id: int, now: datetime, actor: Actor | None = None) -> int:
    """A department no longer takes part: it, and those above on its account, read on for 24 h (class 3: not)."""
    because = grants.because(department_id)
    leaving = grants.live(incident_id, now).filter(because=because, source__in=_DERIVED)
    ended = grants.lapse(leaving, now)
    deriving.follow_incidents([incident_id], now, because)
    return ended


def relevel(
    *,
    incident_id: int,
    response_level: int | None,
    now: datetime,
    participations: Mapping[int, str] | None = None,
) -> int:
    """Derive every standing grant again for a new response level: fields open with it, and a fall narrows at once.

    Roles are read from the grants; ``participations`` (department → role) may repeat them and changes nothing.
    """
    standing = grants.live(incident_id, now).filter(valid_to=None, source__in=_DERIVED)
    changed = 0
    for role in (LEAD, SUPPORT, INFORMED):
        changed += grants.set_policy(standing.filter(role=role), *policy_of(role, response_level))
    deriving.follow_incidents([incident_id], now)
    return changed


def follow_head(*, incident_ids: Sequence[int], now: datetime) -> list[int]:
    """What an incident is, or that it was merged, has changed: datasets follow; the departments concerned."""
    return deriving.follow_incidents(incident_ids, now)


def close(*, incident_id: int, now: datetime) -> int:
    """The incident is closed: after 24 h only its lead and command centre still read it all.

    They keep the record, and may reopen it. Whoever took part keeps its own contributions and the report;
    whoever was only above, or was shared with, reads no more. What is open for an emergency has its own end.
    """
    present = grants.live(incident_id, now)
    took_part = present.filter(source=Grant.Source.PARTICIPATION, valid_to=None, scope__retired_at=None)
    took_part = took_part.exclude(role=LEAD)
    keepers = {int(key) for key in took_part.values_list("scope__key", flat=True)}
    opened_at = _opened_at(present)
    ending = present.exclude(role=LEAD).exclude(source__in=(Grant.Source.OWNER, Grant.Source.BREAK_GLASS))
    ended = grants.lapse(ending, now)
    if keepers and opened_at is not None:
        wanted = [
            Wanted(pk, Grant.Source.OWNER, "took_part", *_OWN_PART, grants.because(pk)) for pk in sorted(keepers)
        ]
        grants.write(incident_id, wanted, opened_at, now)
    deriving.follow_incidents([incident_id], now)
    return ended


def _opened_at(present: object) -> datetime | None:
    found: datetime | None = present.values_list(  # type: ignore[attr-defined]
        F("visincident__opened_at"), flat=True
    ).first()
    return found

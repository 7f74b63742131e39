"""Who is on duty now, who is next, and which shifts stand empty?"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from accounts.models import Shift
from accounts.queries.people import Reachable, holders_many, holders_steps, may_read_notes, reachable
from coordination.events.actor import SYSTEM, Actor
from coordination.events.at_once import Steps, answer, at_once
from coordination.events.kept import kept

# How far ahead "the next on duty" is looked for.
LOOK_AHEAD = timedelta(days=3)


def on_duty(department_id: int, at: datetime) -> list[Reachable]:
    """Who answers for a department now; see `on_duty_many`."""
    return on_duty_many([department_id], at)[department_id]


def on_duty_many(department_ids: Iterable[int], at: datetime) -> dict[int, list[Reachable]]:
    """Who answers for each department now; two queries, an entry for each department asked.

    The person of the shift that covers ``at`` (start inclusive, end exclusive); their deputy when they are
    absent, missing or no longer active; the standing duty officers where no shift is planned for the moment.
    A shift with neither gives an empty list, and the caller raises its alarm.
    """
    wanted = list(dict.fromkeys(department_ids))
    return _now(wanted, _covering(wanted, at), at)


def _now(wanted: Collection[int], current: dict[int, Shift], at: datetime) -> dict[int, list[Reachable]]:
    standing = holders_many([pk for pk in wanted if pk not in current], "duty_officer", at)
    return {pk: _in_charge(current[pk]) if pk in current else standing[pk] for pk in wanted}


def next_on_duty(department_id: int, at: datetime) -> list[Reachable]:
    """Who comes next; see `next_on_duty_many`."""
    return next_on_duty_many([department_id], at)[department_id]


def next_on_duty_many(department_ids: Iterable[int], at: datetime) -> dict[int, list[Reachable]]:
    """The deputy of the current shift where the person has it, else the person of the next shift by somebody else.

    Looks three days ahead; where no shifts are planned at all, the list is empty. Two queries.
    """
    wanted = list(dict.fromkeys(department_ids))
    return _following(wanted, _covering(wanted, at), at)


def _following(wanted: Collection[int], current: dict[int, Shift], at: datetime) -> dict[int, list[Reachable]]:
    coming: dict[int, list[Shift]] = {pk: [] for pk in wanted}
    (shifts,) = at_once(kept(_shifts_between, wanted, at, at + LOOK_AHEAD))
    for shift in shifts:
        coming[shift.department_id].append(shift)
    return {pk: _next(current.get(pk), coming[pk]) for pk in wanted}


def _next(current: Shift | None, coming: list[Shift]) -> list[Reachable]:
    now_there = {one.person_id for one in _in_charge(current)} if current else set()
    deputy = current.deputy if current else None
    if deputy is not None and deputy.is_active and deputy.pk not in now_there:
        return [reachable(deputy, "deputy")]
    for shift in coming:
        for one in _in_charge(shift):
            if one.person_id not in now_there:
                return [Reachable(one.person_id, one.name_zh, one.name_en, one.phone, one.email, "next_shift")]
    return []


def _covering(department_ids: Collection[int], at: datetime) -> dict[int, Shift]:
    (shifts,) = at_once(kept(_shifts_at, list(department_ids), at))
    return {shift.department_id: shift for shift in shifts}


def _shifts_at(department_ids: Collection[int], at: datetime) -> QuerySet[Shift]:
    """Shifts that cover a moment (start inclusive, end exclusive)."""
    rows = Shift.objects.filter(department_id__in=department_ids, starts__lte=at, ends__gt=at)
    return rows.select_related("person", "deputy")


def _shifts_between(department_ids: Collection[int], at: datetime, until: datetime) -> QuerySet[Shift]:
    """Shifts that begin in a stretch of time (start exclusive, end inclusive), the next first."""
    rows = Shift.objects.filter(department_id__in=department_ids, starts__gt=at, starts__lte=until)
    return rows.select_related("person", "deputy").order_by("starts")


def _in_charge(shift: Shift) -> list[Reachable]:
    if shift.person is not None and shift.person.is_active and not shift.absent:
        return [reachable(shift.person, "shift")]
    if shift.deputy is not None and shift.deputy.is_active:
        return [reachable(shift.deputy, "deputy")]
    return []


@dataclass(frozen=True, slots=True)
class Watch:
    """Who answers for a department now, who comes next, and the shift that runs, if one is planned."""

    shift: Shift | None
    people: list[Reachable]
    following: list[Reachable]


def watch(department_id: int, at: datetime) -> Watch:
    """`on_duty` and `next_on_duty` of one department with the shift itself; three queries at most."""
    return answer(watch_steps(department_id, at))


def watch_steps(department_id: int, at: datetime) -> Steps[Watch]:
    """`watch`, to be asked beside other questions; one step, a second where no shift runs."""
    covering, coming = yield [
        kept(_shifts_at, [department_id], at),
        kept(_shifts_between, [department_id], at, at + LOOK_AHEAD),
    ]
    shift = next(iter(covering), None)
    if shift is not None:
        people = _in_charge(shift)
    else:
        standing = yield from holders_steps([department_id], "duty_officer", at)
        people = standing[department_id]
    return Watch(shift, people, _next(shift, coming))


def roster(actor: Actor, department_id: int, frm: datetime, to: datetime) -> list[Shift]:
    """Shifts of a department that touch the period, oldest first, with person and deputy.

    Who is on duty is open to everybody; the note for the next turn is empty to those it does not concern.
    """
    rows = Shift.objects.filter(department_id=department_id, starts__lt=to, ends__gt=frm)
    found = list(rows.select_related("person", "deputy").order_by("starts"))
    if not may_read_notes(actor, department_id):
        for shift in found:
            shift.note = ""
    return found


def empty_shifts(
    frm: datetime, to: datetime, department_ids: Collection[int] | None = None
) -> list[Shift]:
    """Shifts in the period in which nobody can be reached: no active person present and no active deputy."""
    nobody = Q(person=None) | Q(person__is_active=False) | Q(absent=True)
    no_deputy = Q(deputy=None) | Q(deputy__is_active=False)
    rows = Shift.objects.filter(nobody, no_deputy, starts__lt=to, ends__gt=frm)
    if department_ids is not None:
        rows = rows.filter(department_id__in=department_ids)
    return list(rows.select_related("department", "person").order_by("starts", "department_id"))


def uncovered(department_id: int, frm: datetime, to: datetime) -> list[tuple[datetime, datetime]]:
    """Stretches of the period for which no shift is planned, oldest first."""
    holes: list[tuple[datetime, datetime]] = []
    reached = frm
    for shift in roster(SYSTEM, department_id, frm, to):
        if shift.starts > reached:
            holes.append((reached, shift.starts))
        reached = max(reached, shift.ends)
    if reached < to:
        holes.append((reached, to))
    return holes

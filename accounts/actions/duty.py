"""How is duty planned, handed over and covered when somebody is away?"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from accounts.actions.may import check_version, lock_department, require_planner
from accounts.models import Membership, Shift
from accounts.queries.people import may_plan_duty, valid
from coordination.events import command, streams
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Forbidden, Invalid, NotFound

LONGEST = timedelta(hours=72)
# Duty is for those who may act: duty officers, commanders and heads of the department.
FIT_FOR_DUTY = ("duty_officer", "commander", "head")


class NoSuchShift(NotFound):
    """There is no such shift."""


class ShiftOverlaps(Conflict):
    """Another shift of the department covers part of this time. ``shift``: its id."""

    code = "shift_overlaps"


class ShiftOver(Conflict):
    """The shift has ended."""

    code = "shift_over"


class NotFitForDuty(Invalid):
    """The person holds no post in this department that may be on duty."""

    code = "not_fit_for_duty"


class NotYourShift(Forbidden):
    """Only the person of the shift, their deputy, or whoever plans it may do this."""


def _lock_shift(shift_id: int) -> Shift:
    found = Shift.objects.filter(pk=shift_id).values_list("department_id", flat=True).first()
    if found is not None:
        lock_department(found)
        shift = Shift.objects.select_for_update(no_key=True).filter(pk=shift_id).first()
        if shift is not None:
            return shift
    raise NoSuchShift(_("There is no such shift."))


def _check_people(department_id: int, starts: datetime, **people: int | None) -> None:
    for name, person_id in people.items():
        if person_id is None:
            continue
        fit = Membership.objects.filter(
            valid(starts),
            person_id=person_id,
            person__is_active=True,
            post__department_id=department_id,
            post__kind__in=FIT_FOR_DUTY,
        )
        if not fit.exists():
            raise NotFitForDuty(
                _("This person is not a duty officer, commander or head of the department at that time."),
                errors=[{"pointer": f"/{name}", "code": "not_fit_for_duty"}],
            )
    if people.get("person") is not None and people.get("person") == people.get("deputy"):
        raise Invalid(_("A deputy must be somebody else."), errors=[{"pointer": "/deputy", "code": "same_person"}])


@command.action("shift.plan")
def plan_shift(
    *,
    actor: Actor,
    now: datetime,
    department_id: int,
    starts: datetime,
    ends: datetime,
    person_id: int | None = None,
    deputy_id: int | None = None,
) -> Shift:
    """Plan a turn of duty. Shifts of one department never overlap: the department is locked, then checked.

    Without a person it is an empty shift, which the roster shows as an alarm. At most 72 h long.
    """
    lock_department(department_id)
    require_planner(actor, department_id)
    if not starts < ends <= starts + LONGEST:
        raise Invalid(_("A shift ends after it begins, at most 72 hours later."), errors=[{"pointer": "/ends"}])
    other = Shift.objects.filter(department_id=department_id, starts__lt=ends, ends__gt=starts).first()
    if other is not None:
        raise ShiftOverlaps(_("Another shift of this department covers part of this time."), shift=other.pk)
    _check_people(department_id, starts, person=person_id, deputy=deputy_id)
    shift = Shift.objects.create(
        department_id=department_id, starts=starts, ends=ends, person_id=person_id, deputy_id=deputy_id
    )
    _record("shift.planned", shift)
    return shift


@command.action("shift.assign")
def assign_shift(
    *,
    actor: Actor,
    now: datetime,
    shift_id: int,
    person_id: int | None,
    deputy_id: int | None = None,
    if_version: int | None = None,
) -> Shift:
    """Say who does a planned shift, and who stands in."""
    shift = _lock_shift(shift_id)
    require_planner(actor, shift.department_id)
    _check_current(shift, now, if_version)
    _check_people(shift.department_id, shift.starts, person=person_id, deputy=deputy_id)
    shift.person_id, shift.deputy_id, shift.absent = person_id, deputy_id, False
    _save(shift, "person", "deputy", "absent")
    _record("shift.assigned", shift)
    return shift


@command.action("shift.set_deputy")
def set_deputy(
    *, actor: Actor, now: datetime, shift_id: int, deputy_id: int | None, if_version: int | None = None
) -> Shift:
    """Name who stands in when the person of the shift cannot be reached."""
    shift = _lock_shift(shift_id)
    require_planner(actor, shift.department_id)
    _check_current(shift, now, if_version)
    _check_people(shift.department_id, shift.starts, person=shift.person_id, deputy=deputy_id)
    shift.deputy_id = deputy_id
    _save(shift, "deputy")
    _record("shift.deputy_set", shift)
    return shift


@command.action("shift.mark_absent")
def mark_absent(
    *, actor: Actor, now: datetime, shift_id: int, absent: bool = True, if_version: int | None = None
) -> Shift:
    """Say that the person of the shift cannot be reached (or again can): from now on the deputy answers."""
    shift = _lock_shift(shift_id)
    _require_part(actor, shift)
    _check_current(shift, now, if_version)
    shift.absent = absent
    _save(shift, "absent")
    _record("shift.absent" if absent else "shift.present", shift)
    return shift


@command.action("shift.take_over")
def take_over(
    *, actor: Actor, now: datetime, shift_id: int, note: str = "", if_version: int | None = None
) -> Shift:
    """The person of the shift, or the deputy, begins their turn.

    ``note`` is what the one before handed over; it is kept on the shift that ends, as its note for the next one,
    unless that shift left a note of its own. A deputy who takes over marks the person absent.
    """
    shift = _lock_shift(shift_id)
    if not actor.is_person or actor.id not in (shift.person_id, shift.deputy_id):
        raise NotYourShift(_("Only the person of this shift or the deputy can take it over."))
    _check_current(shift, now, if_version)
    if shift.taken_over_at is not None and actor.id == shift.person_id and not shift.absent:
        raise Conflict(_("This shift has been taken over already."), code="already_taken_over")
    shift.taken_over_at = now
    shift.absent = actor.id == shift.deputy_id
    _save(shift, "taken_over_at", "absent")
    before = (
        Shift.objects.select_for_update(no_key=True)
        .filter(department_id=shift.department_id, starts__lt=shift.starts)
        .order_by("-starts")
        .first()
    )
    if note and before is not None and not before.note:
        before.note = note
        _save(before, "note")
    _record("shift.taken_over", shift)
    return shift


@command.action("shift.leave_note")
def leave_note(
    *, actor: Actor, now: datetime, shift_id: int, note: str, if_version: int | None = None
) -> Shift:
    """Write down for the next one what they must know; also for some hours after the shift has ended."""
    shift = _lock_shift(shift_id)
    _require_part(actor, shift)
    check_version(shift.version, if_version)
    if shift.ends + timedelta(hours=12) < now:
        raise ShiftOver(_("This shift ended too long ago to hand it over."))
    shift.note = note
    _save(shift, "note")
    _record("shift.note_left", shift)
    return shift


@command.action("shift.remove")
def remove_shift(*, actor: Actor, now: datetime, shift_id: int, if_version: int | None = None) -> None:
    """Take a shift that has not begun off the roster."""
    shift = _lock_shift(shift_id)
    require_planner(actor, shift.department_id)
    check_version(shift.version, if_version)
    if shift.starts <= now:
        raise ShiftOver(_("This shift has begun; it stays on the record."))
    _record("shift.removed", shift)
    shift.delete()


def _require_part(actor: Actor, shift: Shift) -> None:
    own = actor.is_person and actor.id in (shift.person_id, shift.deputy_id)
    if not own and not may_plan_duty(actor, shift.department_id):
        raise NotYourShift(_("Only the person of this shift, the deputy or whoever plans it can do that."))


def _check_current(shift: Shift, now: datetime, if_version: int | None) -> None:
    check_version(shift.version, if_version)
    if shift.ends <= now:
        raise ShiftOver(_("This shift is over."))


def _save(shift: Shift, *fields: str) -> None:
    shift.version += 1
    shift.save(update_fields=[*fields, "version"])


def _record(what: str, shift: Shift) -> None:
    tell = [{"person": pk} for pk in (shift.person_id, shift.deputy_id) if pk]
    command.record(
        type=what,
        subject=shift,
        streams=[streams.department(shift.department_id)],
        payload={"department": shift.department_id, "person": shift.person_id, "deputy": shift.deputy_id},
        tell=tell if what in ("shift.assigned", "shift.deputy_set") else (),
    )



"""How does a department come to lead or support a duty?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.actions.may import lock_department, require_administrator
from accounts.models import Duty, Responsibility
from coordination.events import command, streams
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Invalid, NotFound


class NoSuchResponsibility(NotFound):
    """There is no such responsibility."""


class ResponsibilityHeld(Conflict):
    """The department has this responsibility already."""

    code = "already_responsible"


@command.action("responsibility.give")
def give_responsibility(
    *,
    actor: Actor,
    now: datetime,
    department_id: int,
    duty: str,
    role: str,
    incident_type: str = "",
    grade: int | None = None,
    area: str = "",
) -> Responsibility:
    """Make a department lead or support a duty (empty type, grade or area = any)."""
    department = lock_department(department_id)
    require_administrator(actor, department.parent_id or department.pk)
    wrong = []
    if role not in Responsibility.Role.values:
        wrong.append({"pointer": "/role", "code": "unknown"})
    if grade is not None and grade not in (1, 2, 3, 4):
        wrong.append({"pointer": "/grade", "code": "unknown"})
    if not Duty.objects.filter(pk=duty).exists():
        wrong.append({"pointer": "/duty", "code": "unknown"})
    if wrong:
        raise Invalid(_("This responsibility cannot be understood."), errors=wrong)
    row, made = Responsibility.objects.get_or_create(
        department=department,
        duty_id=duty,
        incident_type=incident_type,
        grade=grade,
        area=area,
        defaults={"role": role},
    )
    if not made:
        raise ResponsibilityHeld(_("The department has this responsibility already."))
    command.record(
        type="responsibility.given",
        subject=row,
        streams=[streams.department(department.pk)],
        payload={"duty": duty, "role": role},
    )
    return row


@command.action("responsibility.take")
def take_responsibility(*, actor: Actor, now: datetime, responsibility_id: int) -> None:
    """Take a responsibility from a department; a gap may show afterwards."""
    row = Responsibility.objects.select_for_update(no_key=True).filter(pk=responsibility_id).first()
    if row is None:
        raise NoSuchResponsibility(_("There is no such responsibility."))
    department = lock_department(row.department_id)
    require_administrator(actor, department.parent_id or department.pk)
    command.record(
        type="responsibility.taken", subject=row, streams=[streams.department(department.pk)],
        payload={"duty": row.duty_id},
    )
    row.delete()

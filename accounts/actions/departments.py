"""How does the tree of departments grow and change?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Substr
from django.utils.translation import gettext_lazy as _

from accounts import duties
from accounts.actions.may import check_version, lock_department, require_administrator
from accounts.models import Department
from coordination.events import command, streams
from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Forbidden, Invalid

EDITABLE = ("name_zh", "name_en", "short_zh", "short_en", "region_code", "phone", "email")


class CodeTaken(Conflict):
    """Another department has this code."""

    code = "code_taken"


class LoopInTree(Invalid):
    """A department cannot stand below itself."""

    code = "loop_in_tree"


class OnlyThePlatform(Forbidden):
    """Departments without one above are made by the operators alone."""


class StillInUse(Conflict):
    """A department with active ones below it cannot be closed."""

    code = "departments_below"


class StillOnDuty(Conflict):
    """Orders are open with it, or it answers for an open incident; ``extra``: waiting, how many."""

    code = "still_on_duty"


@command.action("department.add")
def add_department(
    *,
    actor: Actor,
    now: datetime,
    code: str,
    kind: str,
    name_zh: str,
    name_en: str,
    short_zh: str,
    short_en: str,
    parent_id: int | None = None,
    region_code: str = "",
    phone: str = "",
    email: str = "",
) -> Department:
    """Add a department below another (by an administrator there or above) or a root (by the platform alone)."""
    if parent_id is None:
        if actor.kind != "system":
            raise OnlyThePlatform(_("A department without one above it is made by the operators."))
        parent = None
    else:
        parent = lock_department(parent_id)
        require_administrator(actor, parent.pk)
    if kind not in Department.Kind.values:
        raise Invalid(_("Unknown kind of department."), errors=[{"pointer": "/kind", "code": "unknown"}])
    made = Department(
        code=code,
        kind=kind,
        name_zh=name_zh,
        name_en=name_en,
        short_zh=short_zh,
        short_en=short_en,
        parent=parent,
        region_code=region_code,
        phone=phone,
        email=email,
    )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError:
        raise CodeTaken(_("Another department has this code."), errors=[{"pointer": "/code"}]) from None
    made.path = f"{parent.path if parent else '/'}{made.pk}/"
    made.save(update_fields=["path"])
    command.record(type="department.added", subject=made, streams=_streams(made))
    return made


@command.action("department.edit")
def edit_department(
    *, actor: Actor, now: datetime, department_id: int, if_version: int | None = None, **fields: Any
) -> Department:
    """Change names, region or contact of a department; fields: `EDITABLE`."""
    row = lock_department(department_id)
    require_administrator(actor, row.pk)
    check_version(row.version, if_version)
    unknown = sorted(set(fields) - set(EDITABLE))
    if unknown:
        raise Invalid(_("This cannot be changed here."), errors=[{"pointer": f"/{name}"} for name in unknown])
    for name, value in fields.items():
        setattr(row, name, value)
    row.version += 1
    row.save(update_fields=[*fields, "version"])
    command.record(type="department.changed", subject=row, streams=_streams(row), payload={"fields": sorted(fields)})
    return row


@command.action("department.move")
def move_department(
    *, actor: Actor, now: datetime, department_id: int, parent_id: int, if_version: int | None = None
) -> Department:
    """Put a department, with all below it, under another; needs administration of the old and the new place.

    What incidents are open to whom does not change by it: grants were written when departments joined.
    """
    # both rows in the order of their ids, so that two moves cannot wait for each other
    locked = {pk: lock_department(pk) for pk in sorted({department_id, parent_id})}
    row, parent = locked[department_id], locked[parent_id]
    require_administrator(actor, row.parent_id or row.pk)
    require_administrator(actor, parent.pk)
    check_version(row.version, if_version)
    if parent.path.startswith(row.path):
        raise LoopInTree(_("A department cannot stand below itself."), errors=[{"pointer": "/parent"}])
    old, new = row.path, f"{parent.path}{row.pk}/"
    below = Department.objects.filter(path__startswith=old)
    list(below.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    below.update(path=Concat(Value(new), Substr(F("path"), len(old) + 1)))
    Department.objects.filter(pk=row.pk).update(parent=parent, version=F("version") + 1)
    row.refresh_from_db()
    command.record(
        type="department.moved",
        subject=row,
        streams=[*_streams(row), streams.department(parent.pk)],
        payload={"from": old, "to": new},
    )
    return row


@command.action("department.close")
def close_department(
    *, actor: Actor, now: datetime, department_id: int, if_version: int | None = None
) -> Department:
    """Take a department out of use; its people can no longer act for it. Not while anything waits for it."""
    row = lock_department(department_id)
    require_administrator(actor, row.parent_id or row.pk)
    check_version(row.version, if_version)
    if Department.objects.filter(path__startswith=row.path, is_active=True).exclude(pk=row.pk).exists():
        raise StillInUse(_("There are departments in use below this one."))
    waiting = duties.waiting(row.pk)
    if waiting:
        raise StillOnDuty(
            _("Orders or incidents are open with this department. Hand them on first."), waiting=waiting
        )
    row.is_active = False
    row.version += 1
    row.save(update_fields=["is_active", "version"])
    command.record(type="department.closed", subject=row, streams=_streams(row))
    return row


def _streams(row: Department) -> list[str]:
    return [streams.department(row.pk), *([streams.department(row.parent_id)] if row.parent_id else [])]

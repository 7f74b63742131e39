"""Who may change who is who?

This room stands below `sharing.access`, so these are plain checks against the posts table.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.models import Department
from accounts.queries.people import ADMINISTERING, may_administer, may_plan_duty
from accounts.queries.tree import DepartmentNotFound
from coordination.events.actor import Actor
from coordination.events.refused import Forbidden, VersionConflict


class NotAdministrator(Forbidden):
    """Only an administrator of this department, or of one above it, may do this (``right``: org_admin)."""


class NotRosterPlanner(Forbidden):
    """Only a head or administrator of this department, or of one above, may do this (``right``: roster_admin)."""


class SomebodyChangedIt(VersionConflict):
    """The caller decided on an older version."""


def lock_department(department_id: int) -> Department:
    """The department, locked for this transaction; 404 where there is none."""
    found = Department.objects.select_for_update(no_key=True, of=("self",)).filter(pk=department_id).first()
    if found is None:
        raise DepartmentNotFound(_("There is no such department."))
    return found


def require_administrator(actor: Actor, department_id: int) -> None:
    """Pass an administrator of the department or of one above; refuse everybody else."""
    if not may_administer(actor, department_id):
        raise NotAdministrator(
            _("Only an administrator of this department, or of one above it, may do that."), right="org_admin"
        )


def require_administering(actor: Actor) -> None:
    """Refuse whoever administers nothing before anything is looked up: what is there and what is not sound alike."""
    if actor.kind != "system" and not (actor.is_person and actor.posts & ADMINISTERING):
        raise NotAdministrator(
            _("Only an administrator of this department, or of one above it, may do that."), right="org_admin"
        )


def require_planner(actor: Actor, department_id: int) -> None:
    """Pass whoever may plan this department's duty; refuse everybody else."""
    if not may_plan_duty(actor, department_id):
        raise NotRosterPlanner(
            _("Only the head or an administrator of this department, or of one above it, may plan its duty."),
            right="roster_admin",
        )


def check_version(current: int, if_version: int | None) -> None:
    """Refuse (412) when the caller saw another version than the current one; None = does not care."""
    if if_version is not None and if_version != current:
        raise SomebodyChangedIt(
            _("Somebody changed this in the meantime. Look at it again, then decide."), version=current
        )

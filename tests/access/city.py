"""A small city for tests: a tree, incidents, and actors of its departments."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from accounts.models import Department
from coordination.events.actor import Actor
from incidents.models import Incident

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
_number = itertools.count(1)


def department(code: str, parent: Department | None = None, kind: str = "bureau") -> Department:
    """Make a department below ``parent`` with a right path."""
    made = Department.objects.create(
        code=code, kind=kind, name_zh=code, name_en=code, short_zh=code[:6], short_en=code[:14], parent=parent
    )
    made.path = f"{parent.path if parent else '/'}{made.pk}/"
    made.save(update_fields=["path"])
    return made


def incident(lead: Department, opened_at: datetime = T0, pk: int | None = None) -> Incident:
    """Make an incident that nobody takes part in yet."""
    return Incident.everything.create(
        pk=pk, number=f"T-{next(_number)}", type="accident.fire", lead_department=lead, opened_at=opened_at
    )


def person(department: Department, *posts: str, pk: int = 1) -> Actor:
    """Somebody who acts for the department with these posts (commander where none are named)."""
    return Actor("person", pk, department.pk, frozenset(posts or ("commander",)))

"""Who leads what, where is nobody in charge, and where are two?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from django.db.models import Q

from accounts.models import Duty, Responsibility

GRADES = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Case:
    """One combination that somebody should lead. ``departments``: ids of those who do."""

    duty: str
    incident_type: str
    grade: int | None
    area: str
    departments: tuple[int, ...] = ()


def leads_for(
    duty: str | None, incident_type: str, grade: int | None, area: str
) -> list[Responsibility]:
    """Responsibilities to lead that match, the most specific first, with department and duty.

    ``incident_type`` is a full type path, ``grade`` 1 to 4 or None (only rows for any grade match), ``area`` a
    division code. ``duty`` None = any duty.
    """
    rows = Responsibility.objects.filter(
        Q(grade=None) | Q(grade=grade) if grade is not None else Q(grade=None),
        role=Responsibility.Role.LEAD,
        incident_type__in=_prefixes(incident_type),
        area__in=[area[:n] for n in range(len(area) + 1)],
        department__is_active=True,
    )
    if duty is not None:
        rows = rows.filter(duty_id=duty)
    return sorted(rows.select_related("department", "duty"), key=lambda row: (*_weight(row), row.pk))


def responsibilities_of(department_id: int) -> list[Responsibility]:
    """What a department is responsible for."""
    rows = Responsibility.objects.filter(department_id=department_id).select_related("duty")
    return list(rows.order_by("duty__sort", "duty_id", "incident_type", "grade", "area"))


def duties() -> list[Duty]:
    """The code table of duties."""
    return list(Duty.objects.order_by("sort", "code"))


def gaps(
    incident_types: Iterable[str],
    *,
    duties: Iterable[str] | None = None,
    grades: Iterable[int] = GRADES,
    areas: Iterable[str] = ("",),
) -> list[Case]:
    """Combinations that nobody leads. Three queries at most, whatever the number of combinations."""
    return [case for case, rows in _cases(incident_types, duties, grades, areas) if not rows]


def overlaps(
    incident_types: Iterable[str],
    *,
    duties: Iterable[str] | None = None,
    grades: Iterable[int] = GRADES,
    areas: Iterable[str] = ("",),
) -> list[Case]:
    """Combinations that two or more departments lead with equal right.

    A more specific responsibility (type, then grade, then area) goes before a general one, so a district's own
    lead beside the city's general one is no overlap.
    """
    found = []
    for case, rows in _cases(incident_types, duties, grades, areas):
        if not rows:
            continue
        best = min(_weight(row) for row in rows)
        leaders = tuple(sorted({row.department_id for row in rows if _weight(row) == best}))
        if len(leaders) > 1:
            found.append(Case(case.duty, case.incident_type, case.grade, case.area, leaders))
    return found


def _cases(
    incident_types: Iterable[str],
    wanted: Iterable[str] | None,
    grades: Iterable[int],
    areas: Iterable[str],
) -> list[tuple[Case, list[Responsibility]]]:
    codes = list(wanted) if wanted is not None else [duty.code for duty in duties()]
    rows = list(
        Responsibility.objects.filter(
            role=Responsibility.Role.LEAD, duty_id__in=codes, department__is_active=True
        )
    )
    by_duty: dict[str, list[Responsibility]] = {code: [] for code in codes}
    for row in rows:
        by_duty[row.duty_id].append(row)
    return [
        (Case(*cell), [row for row in by_duty[cell[0]] if _matches(row, *cell[1:])])
        for cell in product(codes, list(incident_types), list(grades), list(areas))
    ]


def _matches(row: Responsibility, incident_type: str, grade: int | None, area: str) -> bool:
    return (
        row.incident_type in _prefixes(incident_type)
        and row.grade in (None, grade)
        and area.startswith(row.area)
    )


def _prefixes(path: str) -> list[str]:
    """Every prefix of a dotted path, from the empty one to itself."""
    parts = path.split(".") if path else []
    return ["", *(".".join(parts[: n + 1]) for n in range(len(parts)))]


def _weight(row: Responsibility) -> tuple[int, int, int]:
    """Sort key: the more specific, the smaller."""
    depth = row.incident_type.count(".") + 1 if row.incident_type else 0
    return (-depth, 0 if row.grade is not None else 1, -len(row.area))

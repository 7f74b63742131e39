"""Which departments are there, who stands above whom, and which command centre is theirs?"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Department
from coordination.events.at_once import Steps
from coordination.events.kept import kept
from coordination.events.refused import NotFound


class DepartmentNotFound(NotFound):
    """There is no such department."""


def department(department_id: int) -> Department:
    """One department; 404 where there is none."""
    found = Department.objects.filter(pk=department_id).first()
    if found is None:
        raise DepartmentNotFound(_("There is no such department."))
    return found


def departments(
    *,
    ids: Collection[int] | None = None,
    kind: str | None = None,
    under: int | None = None,
    text: str = "",
    active: bool | None = True,
) -> list[Department]:
    """Departments in tree order (by path, then code).

    ``under``: this department and all below it; ``text``: in a name, short name or code; ``active`` None = all.
    """
    rows = Department.objects.all()
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    if kind:
        rows = rows.filter(kind=kind)
    if under is not None:
        rows = rows.filter(path__contains=f"/{under}/")
    if active is not None:
        rows = rows.filter(is_active=active)
    if text:
        rows = rows.filter(
            Q(name_zh__icontains=text)
            | Q(name_en__icontains=text)
            | Q(short_zh__icontains=text)
            | Q(short_en__icontains=text)
            | Q(code__icontains=text)
        )
    return list(rows.order_by("path", "code"))


def departments_steps() -> Steps[list[Department]]:
    """Every active department in tree order, to be asked beside other questions; one step."""
    (rows,) = yield [kept(_active)]
    return rows


def _active() -> QuerySet[Department]:
    return Department.objects.filter(is_active=True).order_by("path", "code")


def departments_by_id(ids: Iterable[int]) -> dict[int, Department]:
    """Departments by id, active or not; one query."""
    return Department.objects.in_bulk(set(ids))


def department_by_code(code: str) -> Department | None:
    """The department with this code."""
    return Department.objects.filter(code=code).first()


def subtree_ids(department_id: int) -> set[int]:
    """Ids of a department and of all below it."""
    return set(Department.objects.filter(path__contains=f"/{department_id}/").values_list("pk", flat=True))


def ancestor_ids(department_id: int) -> list[int]:
    """Ids of the departments above, nearest first, without itself."""
    found = Department.objects.filter(pk=department_id).only("path").first()
    return list(reversed(found.ancestor_ids)) if found else []


def line_above_steps(department_id: int) -> Steps[tuple[list[int], list[Department]]]:
    """`ancestor_ids` and `command_centres_above` of a department together; two steps."""
    (paths,) = yield [kept(_path_of, department_id)]
    if not paths:
        return [], []
    chain = _ids(paths[0])[::-1]
    (centres,) = yield [kept(_centres_near, chain, [department_id])]
    return [pk for pk in chain if pk != department_id], _centres_on(department_id, chain, centres)


def _path_of(department_id: int) -> QuerySet[Department, Any]:
    return Department.objects.filter(pk=department_id).values_list("path", flat=True)


def is_above_or_same(upper: int, lower: int) -> bool:
    """Whether ``upper`` is ``lower`` itself or stands above it."""
    return Department.objects.filter(pk=lower, path__contains=f"/{upper}/").exists()


def command_centre_of(department_id: int) -> Department | None:
    """The nearest command centre: itself, or a child of itself or of one above; None where there is none."""
    line = command_centres_above(department_id)
    return line[0] if line else None


def command_centres_above(department_id: int) -> list[Department]:
    """All command centres on the line from a department to the root, nearest first; two queries."""
    return command_centres_of([department_id]).get(department_id, [])


def command_centres_of(department_ids: Iterable[int]) -> dict[int, list[Department]]:
    """For each department the command centres up its line, nearest first; two queries, whatever their number."""
    paths = dict(Department.objects.filter(pk__in=set(department_ids)).values_list("pk", "path"))
    return _centres({pk: _ids(path)[::-1] for pk, path in paths.items()})


def _centres(chains: dict[int, list[int]]) -> dict[int, list[Department]]:
    parents = sorted({step for chain in chains.values() for step in chain})
    centres = list(_centres_near(parents, sorted(chains)))
    return {pk: _centres_on(pk, chain, centres) for pk, chain in chains.items()}


def _centres_near(parents: list[int], own: list[int]) -> QuerySet[Department]:
    near = Q(parent_id__in=parents) | Q(pk__in=own)
    return Department.objects.filter(near, kind=Department.Kind.COMMAND_CENTRE, is_active=True).order_by("code")


def _centres_on(pk: int, chain: list[int], centres: list[Department]) -> list[Department]:
    own = [centre for centre in centres if centre.pk == pk]
    above = [centre for step in chain for centre in centres if centre.parent_id == step and centre.pk != pk]
    return own + above


def lowest_common_superior(a: int, b: int) -> Department | None:
    """The lowest department that is both or stands above both; None where their lines never meet."""
    paths = dict(Department.objects.filter(pk__in=(a, b)).values_list("pk", "path"))
    if a not in paths or b not in paths:
        return None
    common = [x for x, y in zip(_ids(paths[a]), _ids(paths[b]), strict=False) if x == y]
    return Department.objects.get(pk=common[-1]) if common else None


def _ids(path: str) -> list[int]:
    return [int(part) for part in path.strip("/").split("/") if part]

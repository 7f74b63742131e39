"""Who stands above whom, and how does the tree change?"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from accounts import actions, queries
from accounts.actions.departments import CodeTaken, LoopInTree, OnlyThePlatform, StillInUse
from accounts.actions.may import NotAdministrator, SomebodyChangedIt
from accounts.models import Department
from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import StreamEntry
from tests.accounts.people import T0, department, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> SimpleNamespace:
    """City, its centre, a district with a centre and a bureau, a town; and a ministry apart."""
    root = department("city", kind="district")
    district = department("district", root, "district")
    return SimpleNamespace(
        root=root,
        centre=department("centre", root, "command_centre"),
        fire=department("fire", root),
        district=district,
        dcentre=department("dcentre", district, "command_centre"),
        dfire=department("dfire", district),
        town=department("town", district, "town"),
        ministry=department("ministry", None, "ministry"),
    )


def test_lines_up_and_down(city: SimpleNamespace) -> None:
    assert queries.ancestor_ids(city.dfire.pk) == [city.district.pk, city.root.pk]
    assert queries.subtree_ids(city.district.pk) == {d.pk for d in (city.district, city.dcentre, city.dfire, city.town)}
    assert queries.is_above_or_same(city.root.pk, city.town.pk)
    assert queries.is_above_or_same(city.town.pk, city.town.pk)
    assert not queries.is_above_or_same(city.town.pk, city.root.pk)
    assert queries.ancestor_ids(10**9) == []


def test_command_centres(city: SimpleNamespace, django_assert_num_queries) -> None:
    nearest = {d.code: queries.command_centre_of(d.pk) for d in vars(city).values()}
    assert {code: found.code if found else None for code, found in nearest.items()} == {
        "city": "centre", "centre": "centre", "fire": "centre", "district": "dcentre", "dcentre": "dcentre",
        "dfire": "dcentre", "town": "dcentre", "ministry": None,
    }
    assert [c.code for c in queries.command_centres_above(city.town.pk)] == ["dcentre", "centre"]
    with django_assert_num_queries(2):
        queries.command_centres_of([d.pk for d in vars(city).values()])


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [("dfire", "fire", "city"), ("dfire", "town", "district"), ("district", "dfire", "district"),
     ("town", "town", "town"), ("fire", "ministry", None)],
)
def test_lowest_common_superior(city: SimpleNamespace, a: str, b: str, wanted: str | None) -> None:
    found = queries.lowest_common_superior(getattr(city, a).pk, getattr(city, b).pk)
    assert (found.code if found else None) == wanted


def test_filters(city: SimpleNamespace) -> None:
    assert [d.code for d in queries.departments(under=city.district.pk)] == ["district", "dcentre", "dfire", "town"]
    assert [d.code for d in queries.departments(kind="town")] == ["town"]
    assert [d.code for d in queries.departments(text="DFI")] == ["dfire"]
    assert queries.departments(ids=[]) == []
    with pytest.raises(queries.DepartmentNotFound):
        queries.department(10**9)


def test_a_move_takes_all_below_along(city: SimpleNamespace) -> None:
    other = department("other", city.root, "district")
    moved = actions.move_department(actor=SYSTEM, now=T0, department_id=city.district.pk, parent_id=other.pk)
    assert moved.version == 2
    assert queries.ancestor_ids(city.town.pk) == [city.district.pk, other.pk, city.root.pk]
    for row in Department.objects.exclude(parent=None).select_related("parent"):
        assert row.path == f"{row.parent.path}{row.pk}/"
    with pytest.raises(LoopInTree):
        actions.move_department(actor=SYSTEM, now=T0, department_id=other.pk, parent_id=city.town.pk)
    with pytest.raises(LoopInTree):
        actions.move_department(actor=SYSTEM, now=T0, department_id=other.pk, parent_id=other.pk)


def administrator(where: Department) -> Actor:
    """An administrator of a department."""
    who = person(f"{where.code}-m", (where, "administrator"))
    return Actor("person", who.pk, where.pk, frozenset({"administrator"}))


def test_administrators_reach_down_and_never_up_or_across(city: SimpleNamespace) -> None:
    district = administrator(city.district)
    fields = {"kind": "bureau", "name_zh": "新", "name_en": "New", "short_zh": "新", "short_en": "New"}
    made = actions.add_department(actor=district, now=T0, code="new", parent_id=city.town.pk, **fields)
    assert queries.ancestor_ids(made.pk)[0] == city.town.pk
    assert StreamEntry.objects.filter(stream=f"department:{city.town.pk}").count() == 1
    with pytest.raises(CodeTaken):
        actions.add_department(actor=district, now=T0, code="new", parent_id=city.town.pk, **fields)
    for parent in (city.root, city.fire, city.ministry):
        with pytest.raises(NotAdministrator):
            actions.add_department(actor=district, now=T0, code="n2", parent_id=parent.pk, **fields)
    with pytest.raises(OnlyThePlatform):
        actions.add_department(actor=district, now=T0, code="n2", **fields)
    with pytest.raises(NotAdministrator):
        actions.move_department(actor=district, now=T0, department_id=city.town.pk, parent_id=city.root.pk)
    head = Actor("person", district.id, city.district.pk, frozenset({"head", "commander"}))
    with pytest.raises(NotAdministrator):
        actions.edit_department(actor=head, now=T0, department_id=city.town.pk, phone="1")
    for actor in (Actor("client", 1, city.district.pk), Actor("display", 1, city.district.pk), Actor("anonymous")):
        with pytest.raises(NotAdministrator):
            actions.edit_department(actor=actor, now=T0, department_id=city.town.pk, phone="1")


def test_edits_carry_versions_and_close_from_below(city: SimpleNamespace) -> None:
    edited = actions.edit_department(actor=SYSTEM, now=T0, department_id=city.town.pk, phone="1", if_version=1)
    assert edited.version == 2
    with pytest.raises(SomebodyChangedIt):
        actions.edit_department(actor=SYSTEM, now=T0, department_id=city.town.pk, phone="2", if_version=1)
    with pytest.raises(StillInUse):
        actions.close_department(actor=SYSTEM, now=T0, department_id=city.district.pk)
    assert not actions.close_department(actor=SYSTEM, now=T0, department_id=city.town.pk).is_active

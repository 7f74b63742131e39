"""Who leads what, where is a gap, where an overlap?"""

from __future__ import annotations

import pytest

from accounts import actions, queries
from accounts.actions.responsibilities import ResponsibilityHeld
from accounts.models import Department, Duty
from coordination.events.actor import SYSTEM
from coordination.events.refused import Invalid
from tests.accounts.people import T0, department

pytestmark = pytest.mark.django_db
CHEMICAL = "accident.chemical.explosion"


@pytest.fixture
def places() -> dict[str, Department]:
    """Departments and two duties."""
    Duty.objects.create(code="rescue", name_zh="救援", name_en="Rescue", sort=1)
    Duty.objects.create(code="traffic", name_zh="交通", name_en="Traffic", sort=2)
    return {code: department(code) for code in ("fire", "chem", "police", "district")}


def give(where: Department, duty: str, **more: object) -> None:
    """Make a department responsible."""
    actions.give_responsibility(
        actor=SYSTEM, now=T0, department_id=where.pk, duty=duty, **{"role": "lead", **more}
    )


def leads(*args: object) -> list[str]:
    """Codes of those who lead."""
    return [row.department.code for row in queries.leads_for(*args)]


def test_the_most_specific_leads_first(places: dict[str, Department]) -> None:
    give(places["fire"], "rescue")
    give(places["chem"], "rescue", incident_type="accident.chemical")
    give(places["district"], "rescue", incident_type="accident.chemical", area="310116")
    give(places["police"], "rescue", incident_type=CHEMICAL, grade=1)
    give(places["police"], "traffic", role="support")
    assert leads("rescue", CHEMICAL, 2, "310116000000") == ["district", "chem", "fire"]
    assert leads("rescue", CHEMICAL, 1, "310115000000") == ["police", "chem", "fire"]
    assert leads("rescue", "accident.chemicals", 1, "") == ["fire"]
    assert leads("rescue", "", None, "") == ["fire"]
    assert leads(None, "natural.flood", 4, "") == ["fire"]
    assert leads("traffic", CHEMICAL, 1, "") == []


def test_gaps_and_overlaps(places: dict[str, Department]) -> None:
    give(places["fire"], "rescue")
    give(places["police"], "traffic", grade=1)
    give(places["chem"], "traffic", grade=1)
    give(places["chem"], "rescue", incident_type="accident.chemical")
    types = [CHEMICAL, "natural.flood"]
    assert {(c.duty, c.incident_type, c.grade) for c in queries.gaps(types)} == {
        ("traffic", t, g) for t in types for g in (2, 3, 4)
    }
    found = queries.overlaps(types)
    assert {(c.duty, c.incident_type, c.grade) for c in found} == {("traffic", t, 1) for t in types}
    assert set(found[0].departments) == {places["police"].pk, places["chem"].pk}
    places["police"].is_active = False
    places["police"].save()
    assert queries.overlaps(types) == []


@pytest.mark.parametrize("size", [1, 30])
def test_gaps_cost_the_same_at_any_size(places, size: int, django_assert_num_queries) -> None:
    with django_assert_num_queries(2):
        assert len(queries.gaps([f"t.{n}" for n in range(size)])) == size * 8


def test_what_is_wrong_is_said(places: dict[str, Department]) -> None:
    give(places["fire"], "rescue")
    with pytest.raises(ResponsibilityHeld):
        give(places["fire"], "rescue", role="support")
    with pytest.raises(Invalid) as refused:
        give(places["fire"], "none", role="boss", grade=9)
    assert {error["pointer"] for error in refused.value.errors} == {"/role", "/grade", "/duty"}
    row = queries.responsibilities_of(places["fire"].pk)[0]
    actions.take_responsibility(actor=SYSTEM, now=T0, responsibility_id=row.pk)
    assert queries.responsibilities_of(places["fire"].pk) == []

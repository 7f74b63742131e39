"""Does an order in force always have exactly one department that leads, however its parts change hands?"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from coordination.deadlines.engine.sweep import sweep
from coordination.deadlines.models import Deadline
from coordination.events.refused import Invalid, MoveNotAllowed
from coordination.instructions.models import ApprovalRule, Assignment, Instruction
from coordination.instructions.states import TERMINAL
from tests.instructions.world import World, minutes

pytestmark = pytest.mark.django_db


def leading(order: Instruction) -> list[str]:
    """Who leads: open leading parts that are not waiting to be taken over."""
    rows = Assignment.everything.filter(instruction=order, role="lead").exclude(state__in=[*TERMINAL, "declined"])
    return [row.department.short_en for row in rows.order_by("pk")]


def declined(order: Instruction) -> list[str]:
    """Whose leading part is declined and open."""
    rows = Assignment.everything.filter(instruction=order, role="lead", state="declined")
    return [row.department.short_en for row in rows.order_by("pk")]


def armed(row: Any) -> set[str]:
    """Kinds of clocks that run for a row."""
    rows = Deadline.objects.filter(subject_type=row._meta.label_lower, subject_id=row.pk, state="armed")
    return set(rows.values_list("kind", flat=True))


def handed_on(world: World, *, touched: bool = False) -> tuple[Instruction, Assignment, Assignment]:
    """The fire bureau has declined, the health bureau is to take over, the police supports."""
    order = world.issued()
    fire = world.acknowledged(order, "fire") if touched else world.on(order, "fire")
    fire = world.act("decline", fire, "fire", reason="Not ours")
    return order, fire, world.act("reassign", fire, "centre", department=world.id("health"))


@pytest.mark.parametrize("touched", [False, True])
def test_taking_the_decliner_back_leaves_the_successor_leading(world: World, touched: bool) -> None:
    order, fire, health = handed_on(world, touched=touched)
    with pytest.raises(Invalid) as other:
        world.act("cancel_assignment", fire, "centre", reason="No use", successor=world.id("police"))
    assert other.value.code == "successor_leads"
    fire = world.act("cancel_assignment", fire, "centre", reason="No use")
    assert (fire.state, fire.cancel_owed) == (("declined", True) if touched else ("cancelled", False))
    assert leading(order) == ["health"]
    world.act("acknowledge", health, "health", version=1)
    assert world.fresh(fire).state == "cancelled"
    assert leading(order) == ["health"]


def test_taking_the_successor_back_gives_the_lead_back_with_the_decline(world: World) -> None:
    order, fire, health = handed_on(world)
    world.act("cancel_assignment", health, "centre", reason="Wrong one")
    assert (leading(order), declined(order)) == ([], ["fire"])
    assert armed(fire) == {"confirm"}
    world.act("overrule", fire, "centre", reason="It is yours")
    assert leading(order) == ["fire"]


def test_naming_another_lead_when_the_successor_is_taken_back_makes_the_decliner_a_supporter(world: World) -> None:
    order, fire, health = handed_on(world)
    world.act("cancel_assignment", health, "centre", reason="Wrong one", successor=world.id("police"))
    assert (leading(order), declined(order)) == (["police"], [])
    fire = world.act("overrule", fire, "centre", reason="Help them")
    assert (fire.role, leading(order)) == ("support", ["police"])


def test_who_has_declined_cannot_become_the_lead_by_a_cancel(world: World) -> None:
    order = world.issued()
    police = world.act("decline", world.on(order, "police"), "police", reason="Not ours")
    with pytest.raises(Invalid) as unfit:
        world.act("cancel_assignment", world.on(order, "fire"), "centre", reason="x", successor=world.id("police"))
    assert unfit.value.code == "successor_needed"
    health = world.act("reassign", police, "centre", department=world.id("health"))
    world.act("cancel_assignment", world.on(order, "fire"), "centre", reason="x", successor=world.id("health"))
    assert leading(order) == ["health"]
    world.act("cancel_assignment", health, "centre", reason="x")
    assert (leading(order), declined(order)) == ([], ["police"]), "the lead goes back where the work goes back"


def test_a_lead_that_comes_back_by_ruling_leads_again(world: World) -> None:
    order = world.issued(by="district", targets=world.targets("dpolice", "dfire"))
    dfire = world.act("decline", world.on(order, "dfire"), "dfire", reason="Not ours")
    town = world.act("reassign", dfire, "district", department=world.id("town"))
    lead = world.on(order, "dpolice")
    world.act("cancel_assignment", lead, "district", reason="Elsewhere", successor=world.id("town"))
    town = world.act("decline", town, "town", reason="Nor ours")
    assert leading(order) == []
    ruled = world.act("arbitrate", town, "centre.commander", owner=world.id("dfire"), reason="By the table")
    assert (ruled.pk, leading(order)) == (dfire.pk, ["dfire"])
    world.act("acknowledge", ruled, "dfire", version=1)
    assert leading(order) == ["dfire"]
    assert world.fresh(town).state == "cancelled"


def third_takes_over(world: World) -> tuple[Instruction, Assignment, Assignment, Assignment]:
    """Two have declined, the arbiter has named a third."""
    order = world.issued(by="district", targets=world.targets("dfire"))
    first = world.act("decline", world.on(order, "dfire"), "dfire", reason="Not ours")
    second = world.act("reassign", first, "district", department=world.id("town"))
    second = world.act("decline", second, "town", reason="Nor ours")
    third = world.act("arbitrate", second, "centre.commander", owner=world.id("dpolice"), reason="By the table")
    return order, first, second, third


def test_when_the_third_takes_over_everybody_before_is_free(world: World) -> None:
    order, first, second, third = third_takes_over(world)
    assert leading(order) == ["dpolice"]
    world.act("acknowledge", third, "dpolice", version=1)
    assert [world.fresh(row).state for row in (first, second)] == ["cancelled", "cancelled"]
    world.act("feedback", third, "dpolice", version=1, percent=100, text="Done", final=True)
    world.act("evaluate", third, "district", accepted=True, outcome="good")
    assert world.fresh(order).state == "closed"


def test_taking_the_middle_one_back_leaves_the_third_to_take_over_from_the_first(world: World) -> None:
    order, first, second, third = third_takes_over(world)
    world.act("cancel_assignment", second, "district", reason="Out")
    assert (world.fresh(second).state, world.fresh(third).successor_of_id) == ("cancelled", first.pk)
    assert (leading(order), armed(first)) == (["dpolice"], set())
    with pytest.raises(MoveNotAllowed):
        world.act("overrule", first, "district", reason="Yours")
    world.act("acknowledge", third, "dpolice", version=1)
    assert world.fresh(first).state == "cancelled"


def test_taking_the_third_back_goes_back_to_the_second_who_declined(world: World) -> None:
    order, first, second, third = third_takes_over(world)
    world.act("cancel_assignment", third, "district", reason="Out")
    assert (world.fresh(third).state, armed(second), armed(first)) == ("cancelled", {"confirm"}, set())
    assert declined(order) == ["dfire", "town"]


def test_no_ruling_in_time_leaves_one_lead(world: World) -> None:
    order = world.issued(targets=world.targets("police"))
    row = world.act("decline", world.on(order, "police"), "police", reason="Not ours")
    for _ in range(2):
        due = Deadline.objects.get(subject_id=row.pk, kind="confirm", state="armed").base_due
        sweep(due)
        sweep(due + minutes(5))
    assert leading(order) == ["fire"]
    world.act("acknowledge", world.on(order, "fire"), "fire", version=1)
    assert (leading(order), world.fresh(row).state) == (["fire"], "cancelled")


def test_what_was_handed_down_ends_when_another_takes_the_work_over(world: World) -> None:
    ApprovalRule.objects.create(basis="line", approvals=0)
    order = world.issued(targets=world.targets("district"))
    top = world.acknowledged(order, "district")
    child = world.act("delegate", top, "district", targets=world.targets("dfire"))
    top = world.act("decline", top, "district", reason="Unable")
    assert world.fresh(child).state == "issued", "the work goes on until somebody else has it"
    health = world.act("reassign", top, "centre", department=world.id("health"))
    assert world.fresh(child).state == "issued"
    world.act("acknowledge", health, "health", version=1)
    assert (world.fresh(top).state, world.fresh(child).state) == ("cancelled", "cancelled")
    assert world.on(child, "dfire").state == "cancelled"
    assert leading(order) == ["health"]


def test_what_was_handed_down_ends_with_the_part_it_came_from(world: World) -> None:
    ApprovalRule.objects.create(basis="line", approvals=0)
    order = world.issued(targets=world.targets("fire", "district"))
    part = world.acknowledged(order, "district")
    child = world.act("delegate", part, "district", targets=world.targets("dfire"))
    world.act("cancel_assignment", part, "centre", reason="Not needed")
    assert (world.fresh(child).state, world.on(child, "dfire").state) == ("cancelled", "cancelled")


def test_the_database_refuses_a_second_lead_and_a_second_part(world: World) -> None:
    order = world.issued()
    police = world.on(order, "police")
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.everything.filter(pk=police.pk).update(role="lead")
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.everything.filter(pk=police.pk).update(department_id=world.id("fire"))

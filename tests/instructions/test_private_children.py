"""Does what a department hands down stay its own until it is issued, also where the order above is shown?"""

from __future__ import annotations

import pytest

from coordination.instructions import queries
from coordination.instructions.models import Instruction
from tests.instructions.world import World

pytestmark = pytest.mark.django_db


def handed_down(world: World) -> Instruction:
    """An order to fire and police, of which fire hands a part down by a draft that nobody has approved."""
    order = world.issued()
    part = world.acknowledged(order, "fire")
    world.act("delegate", part, "fire", targets=world.targets("dfire"), headline_en="Secret half", urgency="routine")
    child = Instruction.everything.get(parent=part)
    assert child.issued_at is None
    return order


def test_a_child_not_issued_is_named_to_nobody_who_does_not_see_it(world: World) -> None:
    order = handed_down(world)
    for who, sees in (("fire", True), ("centre", True), ("police", False)):
        shown = queries.instruction(actor=world.who(who), instruction_id=order.pk, now=world.now)
        named = [one["headline"] for one in shown["children"]]
        named += [one["headline"] for part in shown["assignments"] for one in part["children"]]
        assert ("Secret half" in named) is sees, who


def test_of_a_child_issued_the_version_in_force_is_named(world: World) -> None:
    order = world.issued()
    part = world.acknowledged(order, "fire")
    world.act("delegate", part, "fire", targets=world.targets("dfire"), headline_en="First", urgency="routine")
    child = Instruction.everything.get(parent=part)
    if child.state == "in_approval":
        world.act("approve", child, "fire.approver")
    world.act("issue", child, "fire")
    world.act("amend", world.fresh(child), "fire", headline_en="Not yet", change_note="more")
    for who in ("fire", "centre", "police"):
        shown = queries.instruction(actor=world.who(who), instruction_id=order.pk, now=world.now)
        assert [one["headline"] for one in shown["children"]] == ["First"], who

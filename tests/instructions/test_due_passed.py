"""Can an order leave whose time has passed while it waited for approval?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from coordination.events.refused import Invalid
from coordination.instructions.models import Instruction
from tests.instructions.world import World, minutes

pytestmark = pytest.mark.django_db


def refused_as_past(world: World, move: str, order: Instruction, by: str, **fields: object) -> None:
    with pytest.raises(Invalid) as no:
        world.act(move, order, by, **fields)
    assert no.value.status == 422
    assert [(one["pointer"], one["code"]) for one in no.value.errors] == [("/due_at", "past")]
    if move != "amend":
        assert no.value.code == "due_passed"


def test_an_approved_order_whose_time_has_passed_stays_until_it_has_another(world: World) -> None:
    order = world.approved(due_at=world.now + minutes(30))
    world.later(minutes(30))
    refused_as_past(world, "issue", order, "centre")
    world.act("return_draft", order, "centre.approver", reason="Its time has passed")
    world.act("edit", order, "centre", due_at=world.now + minutes(30))
    world.act("submit", order, "centre")
    world.act("approve", order, "centre.approver")
    assert world.act("issue", order, "centre").state == Instruction.State.ISSUED


def test_an_order_leaves_up_to_its_time(world: World) -> None:
    order = world.approved(due_at=world.now + minutes(30))
    world.later(minutes(29))
    assert world.act("issue", order, "centre").state == Instruction.State.ISSUED


def test_a_length_of_time_never_passes_while_it_waits(world: World) -> None:
    order = world.approved(due_at=None, due_in=600)
    world.later(timedelta(hours=2))
    assert world.act("issue", order, "centre").state == Instruction.State.ISSUED


def test_issuing_first_is_refused_as_well(world: World) -> None:
    order = world.draft(urgency="immediate", due_at=world.now + minutes(30))
    world.later(minutes(31))
    refused_as_past(world, "issue_first", order, "centre.commander", reason="No approver here")
    assert world.fresh(order).state == Instruction.State.DRAFT


def test_an_amendment_names_no_new_time_that_has_passed(world: World) -> None:
    order = world.issued(due_at=world.now + minutes(30))
    refused_as_past(world, "amend", order, "centre", change_note="Sooner", due_at=world.now - minutes(1))
    world.act("amend", order, "centre", change_note="Sooner", due_at=world.now + minutes(10))
    world.act("approve", order, "centre.approver")
    world.later(minutes(11))
    refused_as_past(world, "issue", order, "centre")
    world.act("withdraw", order, "centre")
    world.act("edit", order, "centre", due_at=world.now + minutes(10))
    world.act("submit", order, "centre")
    world.act("approve", order, "centre.approver")
    assert world.act("issue", order, "centre").current == 2


def test_an_amendment_of_other_things_leaves_late(world: World) -> None:
    order = world.issued(due_at=world.now + minutes(30))
    world.later(minutes(31))
    world.act("amend", order, "centre", change_note="Elsewhere", place="Unit 5")
    world.act("approve", order, "centre.approver")
    assert world.act("issue", order, "centre").current == 2

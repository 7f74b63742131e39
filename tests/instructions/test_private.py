"""Does what was never issued stay with its issuer, whatever became of it?"""

from __future__ import annotations

import pytest

from coordination.events.refused import NotFound
from coordination.instructions import queries
from tests.instructions.world import World

pytestmark = pytest.mark.django_db


def seen_by(world: World, who: str, pk: int) -> bool:
    try:
        queries.instruction(actor=world.who(who), instruction_id=pk, now=world.now)
    except NotFound:
        return False
    return True


def test_a_draft_and_a_draft_cancelled_are_their_issuers_alone(world: World) -> None:
    order = world.draft()
    assert (seen_by(world, "centre", order.pk), seen_by(world, "police", order.pk)) == (True, False)
    world.act("cancel", order, "centre", reason="Not needed")
    assert (seen_by(world, "centre", order.pk), seen_by(world, "police", order.pk)) == (True, False)
    listed, _next = queries.instructions(actor=world.who("police"), now=world.now, incident_id=order.incident_id)
    assert order.pk not in {row["id"] for row in listed}


def test_what_was_issued_and_cancelled_stays_open_to_those_it_went_to(world: World) -> None:
    order = world.issued()
    assert seen_by(world, "police", order.pk)
    world.act("cancel", order, "centre", reason="Over")
    assert seen_by(world, "police", order.pk)


"""Can a department be closed while somebody waits for it?"""

from __future__ import annotations

import pytest

from accounts import actions as accounts
from accounts.actions.departments import StillOnDuty
from coordination.events.actor import SYSTEM
from incidents import actions as incidents
from tests.instructions.world import World

pytestmark = pytest.mark.django_db


def close(world: World, code: str) -> bool:
    return not accounts.close_department(actor=SYSTEM, now=world.now, department_id=world.id(code)).is_active


def test_not_while_an_order_is_open_with_it(world: World) -> None:
    order = world.issued()
    with pytest.raises(StillOnDuty) as no:
        close(world, "police")
    assert (no.value.code, no.value.extra) == ("still_on_duty", {"waiting": 1})
    world.act("cancel_assignment", world.on(order, "police"), "centre", reason="Not needed")
    assert close(world, "police")


def test_not_while_its_own_order_is_open(world: World) -> None:
    fire = world.acknowledged(world.issued(), "fire")
    child = world.act("delegate", fire, "fire", what="Tank 3", targets=world.targets("dfire"))
    assert child.issuer_id == world.id("fire")
    with pytest.raises(StillOnDuty):
        close(world, "fire")


def test_not_while_it_answers_for_an_open_incident(world: World) -> None:
    for code in ("fire", "centre"):
        with pytest.raises(StillOnDuty):
            close(world, code)
    for to in ("verify", "respond", "control", "close"):
        incidents.move(actor=world.who("centre.commander"), now=world.now, incident_id=world.incident.pk, to=to)
    assert close(world, "fire")
    assert close(world, "centre")


def test_one_that_nobody_waits_for_closes(world: World) -> None:
    world.draft(targets=world.targets("health"))
    assert close(world, "health")

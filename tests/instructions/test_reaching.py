"""From the commit of an order to the people: does each message leave once, and stop once it is pointless?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from coordination.events import clock, relay
from coordination.instructions import queries
from coordination.instructions.deadlines import still_wanted
from coordination.notify import delivery
from coordination.notify.models import Delivery, Notice
from tests.instructions.world import World, build, minutes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    made = build()
    made.now = clock.now() + minutes(1)
    return made


def test_the_people_on_duty_get_a_notice_and_the_time_is_theirs(world: World) -> None:
    order = world.issued()
    while relay.run_once():
        pass
    assert world.on(order, "fire").ball == "platform"
    delivery.run_once(world.now)
    row = world.on(order, "fire")
    notice = Notice.objects.get(person_id=world.who("fire").id, object_type="instructions.assignment", object_id=row.pk)
    assert notice.text_key == "assignment.issue"
    assert notice.args["headline_en"] == "Cool the glycol tanks"
    assert "voice_code" not in notice.args
    told = Delivery.objects.filter(object_type="instructions.assignment", object_id=row.pk)
    assert set(told.values_list("person_id", flat=True)) == {world.who("fire").id}
    assert (row.state, row.ball) == ("issued", str(world.id("fire")))
    ledger = queries.ledger(actor=world.who("centre"), assignment_id=row.pk, now=world.now + timedelta(hours=1))
    assert sum(part["seconds"] for part in ledger) == pytest.approx(3600, abs=0.001)


def test_a_message_about_work_that_has_ended_is_not_wanted(world: World) -> None:
    order = world.issued()
    row = world.on(order, "fire")
    assert still_wanted(row.pk, {})
    assert still_wanted(row.pk, {"client_silent": True, "version": 1})
    world.act("receive", row, "fire.client", version=1)
    assert still_wanted(row.pk, {})
    assert not still_wanted(row.pk, {"client_silent": True, "version": 1})
    world.act("cancel", order, "centre", reason="Over")
    assert not still_wanted(row.pk, {})
    assert not still_wanted(2**40, {})

"""From the commit of an order to the people: does each message leave once, and stop once it is pointless?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from coordination.events import clock, relay
from coordination.events.refused import VersionConflict
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


def test_who_opened_the_page_before_the_message_left_decides_on_what_they_see(world: World) -> None:
    order = world.issued()
    police, fire = world.on(order, "police"), world.on(order, "fire")
    shown = {row.pk: row.version for row in (police, fire)}
    while relay.run_once():
        pass
    delivery.run_once(world.now)
    assert world.fresh(fire).version > shown[fire.pk], "the platform has moved it on"
    fire = world.act("decline", fire, "fire", reason="Not ours", if_version=shown[fire.pk])
    assert fire.state == "declined"
    world.act("receive", police, "police.client", version=1)
    world.act("urge", police, "centre", note="Now, please")
    police = world.act("decline", police, "police", reason="Not ours", if_version=shown[police.pk])
    assert police.state == "declined"


def test_whoever_has_not_seen_what_a_person_did_decides_again(world: World) -> None:
    order = world.issued()
    fire = world.on(order, "fire")
    shown = fire.version
    world.act("receive", fire, "fire", version=1)
    world.act("acknowledge", fire, "fire", version=1)
    world.act("urge", fire, "centre")
    with pytest.raises(VersionConflict):
        world.act("decline", fire, "fire.head", reason="Not ours", if_version=shown)
    with pytest.raises(VersionConflict):
        world.act("decline", fire, "fire.head", reason="Not ours", if_version=world.fresh(fire).version + 1)
    assert world.act("decline", fire, "fire.head", reason="No", if_version=world.fresh(fire).version - 1)

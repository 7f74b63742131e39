"""By when is a part due after its order, or its time, was changed?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from coordination.deadlines.models import Deadline
from coordination.events.refused import Invalid
from coordination.instructions import actions as do
from coordination.instructions.models import Instruction
from tests.instructions.test_amend_cancel import amended
from tests.instructions.world import World, minutes

pytestmark = pytest.mark.django_db


def completes(row) -> list[tuple]:
    rows = Deadline.objects.filter(subject_type=row._meta.label_lower, subject_id=row.pk, kind="complete")
    return list(rows.order_by("pk").values_list("pk", "state", "level", "generation"))


def extended(world: World, order: Instruction, by: timedelta):
    fire = world.acknowledged(order, "fire")
    until = world.now + by
    world.act("ask", fire, "fire", kind="extension", reason="No foam yet", wanted_until=until)
    ask = fire.asks.get()
    world.act("grant", ask, "centre", until=until)
    return world.on(order, "fire"), until


def test_a_granted_extension_outlives_a_change_of_other_things(world: World) -> None:
    order = world.issued()
    fire, until = extended(world, order, timedelta(hours=5))
    assert fire.due_at == until
    before = completes(fire)
    world.later(minutes(1))
    amended(world, order, place="Unit 5")
    assert world.on(order, "fire").due_at == until
    assert completes(fire) == before


def test_a_new_time_counts_for_whoever_had_an_extension_too(world: World) -> None:
    order = world.issued()
    extended(world, order, timedelta(hours=5))
    sooner = world.now + timedelta(hours=1)
    amended(world, order, due_at=sooner)
    assert world.on(order, "fire").due_at == sooner


def test_a_new_time_ahead_ends_being_overdue(world: World) -> None:
    order = world.issued(due_at=world.now + minutes(30))
    fire = world.acknowledged(order, "fire")
    world.later(minutes(31))
    type(fire).everything.filter(pk=fire.pk).update(overdue_since=world.now, escalated_level=1)
    amended(world, order, due_at=world.now + timedelta(hours=1))
    fire = world.on(order, "fire")
    assert (fire.overdue_since, fire.escalated_level) == (None, 0)


def test_a_change_of_other_things_leaves_the_overdue_where_they_are(world: World) -> None:
    order = world.issued(due_at=world.now + minutes(30))
    fire = world.acknowledged(order, "fire")
    late = world.later(minutes(31))
    type(fire).everything.filter(pk=fire.pk).update(overdue_since=late, escalated_level=2)
    before = completes(fire)
    amended(world, order, place="Unit 5")
    fire = world.on(order, "fire")
    assert (fire.overdue_since, fire.escalated_level) == (late, 2)
    assert completes(fire) == before


def test_a_length_of_time_replaces_a_time_and_the_other_way_round(world: World) -> None:
    order = world.draft()
    do.edit(actor=world.who("centre"), now=world.now, instruction_id=order.pk, due_in=600)
    version = order.versions.get()
    assert (version.due_at, version.due_in) == (None, 600)
    at = world.now + timedelta(hours=3)
    do.edit(actor=world.who("centre"), now=world.now, instruction_id=order.pk, due_at=at)
    version.refresh_from_db()
    assert (version.due_at, version.due_in) == (at, None)


def test_a_time_and_a_length_of_time_are_not_taken_together(world: World) -> None:
    with pytest.raises(Invalid) as no:
        world.draft(due_in=600)  # beside the time that every draft here has
    assert no.value.errors[0]["pointer"] == "/due_in"
    assert world.draft(due_in=None).pk


def test_nothing_begins_after_it_is_due(world: World) -> None:
    for more in (
        {"starts_at": world.now + timedelta(hours=3)},
        {"starts_at": world.now + timedelta(hours=3), "due_at": None, "due_in": 600},
    ):
        order = world.draft(**more)
        with pytest.raises(Invalid) as no:
            do.submit(actor=world.who("centre"), now=world.now, instruction_id=order.pk)
        assert no.value.errors[0]["pointer"] == "/starts_at"


def test_progress_is_owed_once_a_minute_at_most(world: World) -> None:
    with pytest.raises(Invalid) as no:
        world.draft(progress_every=59)
    assert no.value.errors[0]["pointer"] == "/progress_every"
    assert world.draft(progress_every=60).pk

"""Does what nobody answers climb by itself: each step once, in order, to the people of that moment?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Shift
from coordination.deadlines.engine.sweep import sweep
from coordination.deadlines.models import Alarm, Deadline, Policy
from coordination.events.models import Event
from coordination.instructions import queries
from coordination.instructions.deadlines import AssignmentHandler, InstructionHandler
from coordination.instructions.models import ApprovalRule
from coordination.instructions.on_event import reached
from tests.instructions.world import T0, World, minutes

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def fired(row) -> list[tuple[str, list[int]]]:
    """Steps that have run for a subject, with the people told."""
    rows = Event.objects.filter(type="deadline.fired", object_id=row.pk, object_type=row._meta.label_lower).order_by(
        "pk"
    )
    return [
        (event.payload["step"], event.payload["people"]) for event in rows if event.payload["kind"] == "acknowledge"
    ]


def test_the_ladder_climbs_on_both_sides_of_each_boundary(world: World) -> None:
    Shift.objects.create(
        department=world.departments["dfire"],
        starts=T0,
        ends=T0 + timedelta(hours=12),
        person_id=world.who("dfire").id,
        deputy_id=world.who("dfire.observer").id,
    )
    order = world.issued(targets=world.targets("dfire"))
    row = world.on(order, "dfire")
    due = world.now + minutes(10)
    expected = [
        ("remind_duty", ["dfire.duty_officer"]),
        ("next_on_duty", ["dfire.observer"]),
        ("head", ["dfire.head"]),
        ("department_above", ["district.duty_officer", "district.head"]),
        ("supervise", ["centre.duty_officer"]),
    ]
    for n, (step, people) in enumerate(expected):
        at = due + minutes(5 * n)
        sweep(at - SECOND)
        before = [name for name, _ in fired(row)]
        assert step not in before
        sweep(at)
        name, told = fired(row)[-1]
        assert name == step
        assert {world.who(who).id for who in people} <= set(told)
    names = [name for name, _ in fired(row)]
    assert len(names) == len(set(names))
    row = world.fresh(row)
    assert row.overdue_since == due
    assert row.escalated_level >= 4
    world.now = due + minutes(21)
    row = world.act("acknowledge", row, "dfire", version=1)
    assert (row.overdue_since, row.escalated_level) == (None, 0)
    sweep(due + minutes(60 * 3))
    assert [name for name, _ in fired(row)] == names


def test_an_empty_step_is_passed_at_once_with_an_alarm(world: World) -> None:
    order = world.issued()
    row = world.on(order, "fire")
    sweep(world.now + minutes(10))
    sweep(world.now + minutes(15))
    names = [name for name, _ in fired(row)]
    assert names == ["remind_duty", "head"]
    assert Alarm.objects.filter(kind="step_empty", department_id=world.id("fire")).exists()


def test_the_ladder_of_an_issued_order_does_not_change_with_the_policy(world: World) -> None:
    order = world.issued()
    row = world.on(order, "fire")
    Policy.objects.filter(response_level=2).update(
        within={"acknowledge": 1, "start": 1, "complete": 1, "progress": 1}, wait=1
    )
    world.act("acknowledge", row, "fire", version=1)
    clock = Deadline.objects.get(subject_id=row.pk, subject_type="instructions.assignment", kind="start", state="armed")
    assert clock.base_due == world.now + minutes(20)
    assert clock.ladder[1][0] == 300


def test_an_unconfirmed_order_escalates_and_never_lapses(world: World) -> None:
    order = world.act("issue_first", world.draft(urgency="immediate"), "centre.commander", reason="Gas")
    due = world.now + minutes(20)
    sweep(due)
    sweep(due + minutes(5))
    rows = Event.objects.filter(type="deadline.fired", object_type="instructions.instruction", object_id=order.pk)
    assert [event.payload["kind"] for event in rows][:1] == ["confirm"]
    assert world.fresh(order).state == "issued"
    assert Deadline.objects.filter(subject_type="instructions.instruction", subject_id=order.pk, state="armed").exists()


def test_progress_keeps_its_grid(world: World) -> None:
    order = world.issued(due_at=world.now + timedelta(hours=9))
    row = world.act("start", world.acknowledged(order, "fire"), "fire", who_goes="Team")
    began = world.now
    world.later(minutes(50))
    world.act("feedback", row, "fire", version=1, percent=10, text="Begun")
    clock = Deadline.objects.get(
        subject_id=row.pk, subject_type="instructions.assignment", kind="progress", state="armed"
    )
    assert clock.base_due == began + minutes(120)


def test_delegated_work_reaches_the_delegator_first(world: World) -> None:
    ApprovalRule.objects.create(basis="line", approvals=0)
    order = world.issued(targets=world.targets("district"))
    top = world.acknowledged(order, "district")
    child = world.act("delegate", top, "district", targets=world.targets("town"))
    rungs = queries.ladder_of(actor=world.who("centre"), instruction_id=child.pk, now=world.now)
    above = next(rung for rung in rungs if rung["step"] == "department_above")
    assert {person["id"] for person in above["people"]} >= {world.who("district").id}
    assert world.who("dfire").id not in {person["id"] for person in above["people"]}


def test_until_something_was_sent_the_time_is_the_platforms(world: World) -> None:
    order = world.issued()
    row = world.on(order, "fire")
    world.later(minutes(2))
    reached(row.pk, world.now)
    reached(row.pk, world.now)
    row = world.fresh(row)
    assert (row.state, row.ball) == ("issued", str(world.id("fire")))
    assert row.version == 2
    world.later(minutes(3))
    ledger = queries.ledger(actor=world.who("centre"), assignment_id=row.pk, now=world.now)
    assert [
        (part["party"] if part["party"] == "platform" else part["party"]["id"], part["seconds"]) for part in ledger
    ] == [
        ("platform", 120.0),
        (world.id("fire"), 180.0),
    ]


def test_what_lost_its_clock_gets_it_back(world: World) -> None:
    order = world.issued()
    fire = world.acknowledged(order, "fire")
    draft = world.act("submit", world.draft(), "centre")
    Deadline.objects.filter(subject_type__startswith="instructions.").delete()
    for handler, rows in (
        (AssignmentHandler(), {fire.pk, world.on(order, "police").pk}),
        (InstructionHandler(), {draft.pk}),
    ):
        assert set(handler.without_deadline(world.now, 10)) == rows
        assert handler.rearm(rows, world.now) == len(rows)
        assert handler.without_deadline(world.now, 10) == []
    kinds = Deadline.objects.filter(state="armed", subject_type__startswith="instructions.").values_list(
        "kind", flat=True
    )
    assert sorted(kinds) == ["acknowledge", "approve", "start"]

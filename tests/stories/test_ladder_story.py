"""An order nobody answers: who hears of it, when, until somebody does?

One story with a moved clock through the engine's own turns (relay, sweep, delivery): each step once, in order, to
exactly the people on duty at that moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from accounts.models import Membership, Person, Shift
from coordination.deadlines import policies
from coordination.deadlines.engine import loop
from coordination.deadlines.models import Alarm, Deadline, Policy
from coordination.events import clock
from coordination.instructions.models import Assignment
from coordination.notify.models import Delivery, Notice
from tests.instructions.test_ladder import fired
from tests.instructions.world import T0, World, build, minutes

SHORTLY = timedelta(seconds=30)
"""The clock runs on while a test works; so much is left before and after each boundary."""
pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> Iterator[World]:
    """The city at its own time; the district's fire bureau works in shifts."""
    at(T0)
    built = build()
    Person.objects.filter(username__contains="-").update(email="duty@city.test")
    yield built
    clock.travel(None)


def at(moment: datetime) -> datetime:
    """Set the clock."""
    clock.travel(moment - clock.now())
    return moment


def next_step(row: Assignment) -> datetime:
    """When the ladder goes on."""
    live = Deadline.objects.get(
        subject_type="instructions.assignment", subject_id=row.pk, kind="acknowledge", state="armed"
    )
    return live.due_at


def turn() -> None:
    """What the engine does at this moment: events to subscribers, deadlines, events again, messages."""
    while loop.relay_turn() == 0.0:
        pass
    loop.sweep(clock.now())
    while loop.relay_turn() == 0.0:
        pass
    while loop.delivery.run_once(clock.now(), limit=3) >= 3:
        pass


def shift(world: World, code: str, frm: datetime, to: datetime, person: str | None, deputy: str = "") -> Shift:
    """One shift; people as "dfire.head"."""
    return Shift.objects.create(
        department=world.departments[code], starts=frm, ends=to,
        person_id=world.who(person).id if person else None, deputy_id=world.who(deputy).id if deputy else None,
    )  # fmt: skip


def names(world: World, people: list[int]) -> set[str]:
    """Who they are."""
    by_id = {actor.id: name for name, actor in world.actors.items() if actor.kind == "person"}
    return {by_id[pk] for pk in people}


def rung(world: World, row: Assignment) -> list[tuple[str, set[str]]]:
    """The steps so far with the people told."""
    return [(step, names(world, people)) for step, people in fired(row)]


def told(world: World, row: Assignment, step: str) -> set[str]:
    """Who holds a notice of this step."""
    rows = Notice.objects.filter(object_type="instructions.assignment", object_id=row.pk, text_key=f"deadline.{step}")
    people = list(rows.values_list("person_id", flat=True))
    assert len(people) == len(set(people)), f"{step} was told twice"
    return names(world, people)


def sent(world: World, row: Assignment, step: str) -> dict[str, set[str]]:
    """Messages of this step by channel; each has left."""
    rows = Delivery.objects.filter(
        object_type="instructions.assignment", object_id=row.pk, text_key=f"deadline.{step}"
    )
    found: dict[str, set[str]] = {}
    for one in rows:
        assert one.state == "sent", (one.dedupe_key, one.state, one.error)
        assert one.person_id is not None
        found.setdefault(one.channel, set()).update(names(world, [one.person_id]))
    return found


def test_nobody_answers_and_each_hears_once_in_order(world: World) -> None:
    """Reminder, next on duty, head, department above, supervision; the roster of the moment counts."""
    began = world.now
    shift(world, "dfire", T0, began + minutes(12), "dfire.duty_officer", deputy="dfire.observer")
    shift(world, "dfire", began + minutes(12), began + minutes(60), "dfire.commander", deputy="dfire.approver")
    shift(world, "district", T0, began + minutes(18), "district.duty_officer")
    shift(world, "district", began + minutes(18), began + minutes(60), "district.commander")
    shift(world, "centre", T0, began + minutes(60), "centre.commander")
    at(began)
    order = world.issued(targets=world.targets("dfire"))
    row = world.on(order, "dfire")
    turn()
    assert world.fresh(row).ball == str(world.id("dfire"))
    due = began + minutes(10)
    story = [
        ("remind_duty", 0, {"dfire.duty_officer"}),
        ("next_on_duty", 5, {"dfire.approver"}),  # the watch changed at minute 12
        ("head", 10, {"dfire.head"}),
        ("department_above", 15, {"district.commander", "district.head"}),  # there at minute 18
        ("supervise", 20, {"centre.commander"}),
    ]
    for count, (step, after, people) in enumerate(story, 1):
        moment = next_step(row)
        assert timedelta() <= moment - due - minutes(after) < SHORTLY
        at(moment - SHORTLY)
        turn()
        assert len(rung(world, row)) == count - 1, f"{step} came early"
        at(moment)
        turn()
        turn()
        assert rung(world, row)[count - 1 :] == [(step, people)]
        assert told(world, row, step) == people
        channels = sent(world, row, step)
        assert channels["in_app"] == people
        assert all(who <= people for who in channels.values())
    assert [step for step, _people in rung(world, row)] == [step for step, _after, _people in story]
    late = world.fresh(row)
    assert late.overdue_since is not None and abs(late.overdue_since - due) < minutes(1)
    assert not Alarm.objects.filter(kind="step_empty", department_id=world.id("dfire")).exists()
    world.now = clock.now()
    world.act("acknowledge", row, "dfire", version=1)
    before = rung(world, row)
    at(due + minutes(19 * 60))
    turn()
    assert rung(world, row) == before, "an answered order went on climbing"


def test_an_unstaffed_step_is_passed_at_once_with_an_alarm(world: World) -> None:
    """Nobody on shift, no deputy, no next watch: the head hears in the very turn, department and command are warned."""
    began = world.now
    shift(world, "dfire", T0, began + minutes(90), None)
    at(began)
    order = world.issued(targets=world.targets("dfire"))
    row = world.on(order, "dfire")
    turn()
    at(next_step(row))
    turn()
    assert rung(world, row) == [("head", {"dfire.head"})]
    alarms = Alarm.objects.filter(kind="step_empty", department_id=world.id("dfire"))
    assert sorted(alarm.detail["step"] for alarm in alarms) == ["next_on_duty", "remind_duty"]
    assert told(world, row, "head") == {"dfire.head"}
    notices = Notice.objects.filter(text_key="alarm.raised", args__alarm="step_empty")
    warned = names(world, list(notices.values_list("person_id", flat=True)))
    assert {"centre.duty_officer"} <= warned
    at(next_step(row))
    Membership.objects.filter(person_id=world.who("district.head").id).delete()
    turn()
    step, people = rung(world, row)[-1]
    assert (step, people) == ("department_above", {"district.duty_officer"}), "the ladder goes on at its own pace"


def test_a_policy_changed_meanwhile_changes_no_order_that_is_out(world: World) -> None:
    """Steps, waits and times are those of the hour of issue; the next order has the new ones."""
    at(world.now)
    order = world.issued(targets=world.targets("dfire"))
    row = world.on(order, "dfire")
    due = world.now + minutes(10)
    within = dict.fromkeys(Policy.objects.get(set="standard", response_level=2).within, 30)
    policies.load(
        {"ladders": {"default": [[0, "supervise"], ["w", "board"]]},
         "sets": {"standard": {2: {"wait": 60, "within": within}}}}
    )  # fmt: skip
    assert Policy.objects.get(set="standard", response_level=2).wait == 60
    at(due - SHORTLY)
    turn()
    assert rung(world, row) == []
    for after, step in ((0, "remind_duty"), (5, "head"), (10, "department_above"), (15, "supervise")):
        moment = next_step(row)
        assert timedelta() <= moment - due - minutes(after) < SHORTLY
        at(moment)
        turn()
        assert rung(world, row)[-1][0] == step
    world.now = clock.now()
    later = world.on(world.issued(targets=world.targets("dpolice")), "dpolice")
    fresh = Deadline.objects.get(
        subject_type="instructions.assignment", subject_id=later.pk, kind="acknowledge", state="armed"
    )
    assert fresh.base_due == world.now + timedelta(seconds=30)
    at(world.now + timedelta(seconds=31))
    turn()
    assert [step for step, _people in rung(world, later)] == ["supervise"]
    assert [step for step, _people in rung(world, row)].count("supervise") == 1

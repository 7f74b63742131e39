"""May whoever a ruling names be heard once more, and does the work wait for nobody meanwhile?"""

from __future__ import annotations

from typing import Any

import pytest

from coordination.deadlines.engine.sweep import sweep
from coordination.deadlines.models import Deadline
from coordination.events.models import Event
from coordination.events.refused import Conflict, Forbidden, Invalid, MoveNotAllowed
from coordination.instructions import queries
from coordination.instructions.models import Ask, Assignment, Instruction
from coordination.instructions.states import SamePerson
from tests.instructions.world import World, minutes

pytestmark = pytest.mark.django_db


def armed(row: Any) -> set[str]:
    """Kinds of clocks that run for a row."""
    rows = Deadline.objects.filter(subject_type=row._meta.label_lower, subject_id=row.pk, state="armed")
    return set(rows.values_list("kind", flat=True))


def ruled(world: World, owner: str = "town") -> tuple[Instruction, Assignment]:
    """Two have declined; the centre's commander has named an owner."""
    order = world.issued("district", targets=world.targets("dfire"))
    first = world.act("decline", world.on(order, "dfire"), "dfire", reason="Not ours")
    second = world.act("reassign", first, "district", department=world.id("town"))
    second = world.act("decline", second, "town", reason="Nor ours")
    return order, world.act("arbitrate", second, "centre.commander", owner=world.id(owner), reason="By the table")


def may(world: World, row: Assignment, who: str) -> set[str]:
    shown = queries.assignment(actor=world.who(who), assignment_id=row.pk, now=world.now)
    asked = shown["open_ask"]["allowed_actions"] if shown["open_ask"] else []
    return {one["action"] for one in [*shown["allowed_actions"], *asked]}


@pytest.mark.parametrize("owner", ["town", "dfire", "dpolice"])
def test_whoever_a_ruling_names_may_appeal_not_decline(world: World, owner: str) -> None:
    _order, row = ruled(world, owner)
    assert "appeal" in may(world, row, owner)
    assert "decline" not in may(world, row, owner)
    with pytest.raises(MoveNotAllowed):
        world.act("decline", row, owner, reason="No")
    before = (world.fresh(row).state, world.fresh(row).ball, armed(row))
    appeal = world.act("appeal", row, owner, reason="It lies outside our border")
    assert (appeal.kind, appeal.decider_id, armed(appeal)) == ("appeal", world.id("city"), {"confirm"})
    assert (world.fresh(row).state, world.fresh(row).ball, armed(row)) == before, "the work is theirs meanwhile"
    assert "appeal" not in may(world, row, owner)
    with pytest.raises(Conflict):
        world.act("ask", row, owner, kind="clarify", reason="Where?")


def test_only_a_ruling_can_be_appealed_against(world: World) -> None:
    order = world.issued()
    with pytest.raises(MoveNotAllowed):
        world.act("appeal", world.on(order, "fire"), "fire", reason="No")
    _order, row = ruled(world)
    with pytest.raises(Forbidden):
        world.act("appeal", row, "district", reason="No")


def test_the_department_above_the_arbiter_hears_it(world: World) -> None:
    _order, row = ruled(world)
    appeal = world.act("appeal", row, "town", reason="Not in our area")
    for who in ("district", "centre.commander", "centre", "town", "dfire"):
        with pytest.raises(Forbidden):
            world.act("refuse", appeal, who, answer="No")
    assert {"grant", "refuse"} <= may(world, row, "city.head")
    assert not {"grant", "refuse"} & may(world, row, "centre.commander")
    needs = queries.desk(actor=world.who("city"), now=world.now)["needs"]
    assert [(need["why"], need["ask"]["id"]) for need in needs] == [("ask", appeal.pk)]
    world.act("refuse", appeal, "city.head", answer="The ruling stands")
    row = world.fresh(row)
    assert (row.state, armed(row), armed(appeal)) == ("delivered", {"acknowledge", "complete"}, set())
    with pytest.raises(MoveNotAllowed):
        world.act("appeal", row, "town", reason="Once more")


def test_an_appeal_that_is_heard_names_another_owner(world: World) -> None:
    order, row = ruled(world)
    row = world.act("acknowledge", row, "town", version=1)
    appeal = world.act("appeal", row, "town", reason="Not in our area")
    with pytest.raises(Invalid) as nobody:
        world.act("grant", appeal, "city.head", answer="Right")
    assert [one["pointer"] for one in nobody.value.errors] == ["/owner"]
    with pytest.raises(Invalid):
        world.act("grant", appeal, "city.head", answer="Right", owner=world.id("town"))
    world.act("grant", appeal, "city.head", answer="It is the police's", owner=world.id("dpolice"))
    row = world.fresh(row)
    heir = world.on(order, "dpolice")
    assert (row.state, row.ball, armed(row)) == ("declined", str(heir.department_id), set())
    assert (heir.successor_of_id, heir.role, heir.may_decline) == (row.pk, "lead", False)
    assert (armed(heir), armed(appeal)) == ({"acknowledge", "complete"}, set())
    world.act("acknowledge", heir, "dpolice", version=1)
    assert world.fresh(row).state == "cancelled"


def test_an_appeal_may_give_it_back_to_who_declined_first(world: World) -> None:
    order, row = ruled(world, "dpolice")
    first, second = world.on(order, "dfire"), world.on(order, "town")
    appeal = world.act("appeal", row, "dpolice", reason="No engines")
    world.act("grant", appeal, "city.head", answer="Engines needed", owner=world.id("dfire"))
    first, second, row = (world.fresh(one) for one in (first, second, row))
    assert (first.state, first.role, first.successor_of_id) == ("delivered", "lead", row.pk)
    assert (row.state, second.state, second.successor_of_id) == ("declined", "declined", None)
    assert row.successor_of_id == second.pk
    world.act("acknowledge", first, "dfire", version=1)
    assert [world.fresh(one).state for one in (second, row)] == ["cancelled", "cancelled"]
    world.act("feedback", first, "dfire", version=1, percent=100, text="Done", final=True)
    world.act("evaluate", first, "district", accepted=True, outcome="good")
    assert world.fresh(order).state == "closed"


def test_where_nobody_stands_above_another_person_of_the_arbiter_hears_it(world: World) -> None:
    order = world.issued(targets=world.targets("fire"))
    fire = world.act("decline", world.on(order, "fire"), "fire", reason="Not ours")
    health = world.act("reassign", fire, "centre", department=world.id("health"))
    health = world.act("decline", health, "health", reason="Nor ours")
    assert health.arbiter_department_id == world.id("city")
    health = world.act("arbitrate", health, "city.head", owner=world.id("health"), reason="Yours")
    appeal = world.act("appeal", health, "health", reason="No")
    assert appeal.decider_id == world.id("city")
    with pytest.raises(SamePerson):
        world.act("refuse", appeal, "city.head", answer="No")
    assert world.act("refuse", appeal, "city.commander", answer="No").state == "refused"


def test_what_the_platform_ruled_is_heard_by_the_arbiter_who_was_silent(world: World) -> None:
    order = world.issued("district", targets=world.targets("dfire"))
    row = world.act("decline", world.on(order, "dfire"), "dfire", reason="Not ours")
    for _ in range(2):
        due = Deadline.objects.get(subject_id=row.pk, kind="confirm", state="armed").base_due
        sweep(due)
        world.now = due + minutes(5)
        sweep(world.now)
    heir = Assignment.everything.get(successor_of=row)
    appeal = world.act("appeal", heir, "fire", reason="It is the district's")
    assert appeal.decider_id == world.id("centre")
    assert world.act("withdraw_ask", appeal, "fire").state == "withdrawn"
    assert "appeal" in may(world, heir, "fire")


def test_an_appeal_nobody_answers_climbs_the_line_of_who_hears_it(world: World) -> None:
    _order, row = ruled(world)
    appeal = world.act("appeal", row, "town", reason="Not in our area")
    due = Deadline.objects.get(subject_type="instructions.ask", subject_id=appeal.pk, state="armed")
    sweep(due.base_due)
    fired = Event.objects.get(type="deadline.fired", object_type="instructions.ask", object_id=appeal.pk)
    assert (fired.payload["step"], fired.payload["people"]) == ("remind_duty", [world.who("city").id])
    assert Ask.everything.get(pk=appeal.pk).state == "open"

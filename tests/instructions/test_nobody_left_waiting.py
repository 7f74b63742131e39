"""Does every decline, confirmation and question keep somebody who must answer it, and the right one?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from coordination.deadlines.models import Deadline
from coordination.events.refused import Forbidden
from coordination.instructions.models import ApprovalRule, Ask
from tests.instructions.world import World, minutes

pytestmark = pytest.mark.django_db


def armed(row: Any) -> set[str]:
    """Kinds of clocks that run for a row."""
    rows = Deadline.objects.filter(subject_type=row._meta.label_lower, subject_id=row.pk, state="armed")
    return set(rows.values_list("kind", flat=True))


def test_a_successor_taken_back_before_it_acknowledged_leaves_the_decline_to_answer(world: World) -> None:
    order = world.issued()
    police = world.act("decline", world.on(order, "police"), "police", reason="Not ours")
    health = world.act("reassign", police, "centre", department=world.id("health"))
    assert armed(police) == set()
    world.act("cancel_assignment", health, "centre", reason="Wrong one")
    police = world.fresh(police)
    assert (police.state, police.ball) == ("declined", str(world.id("centre")))
    assert armed(police) == {"confirm"}
    world.act("reassign", police, "centre", department=world.id("district"))


def test_the_arbiter_may_rule_for_the_first_decliner(world: World) -> None:
    order = world.issued(by="district", targets=world.targets("dfire"))
    first = world.act("decline", world.on(order, "dfire"), "dfire", reason="Not ours")
    second = world.act("reassign", first, "district", department=world.id("dpolice"))
    second = world.act("decline", second, "dpolice", reason="Not ours either")
    ruled = world.act("arbitrate", second, "centre", owner=world.id("dfire"), reason="By the table")
    assert (ruled.pk, ruled.state, ruled.may_decline) == (first.pk, "delivered", False)
    assert armed(ruled) == {"acknowledge", "complete"}
    second = world.fresh(second)
    assert (second.state, second.ball) == ("declined", str(world.id("dfire"))), "it keeps the work until then"
    world.act("acknowledge", ruled, "dfire", version=1)
    assert world.fresh(second).state == "cancelled"


def test_who_sends_a_later_version_first_does_not_confirm_it(world: World) -> None:
    order = world.draft("district", urgency="immediate", targets=world.targets("dfire"))
    order = world.act("issue_first", order, "district.head", reason="Gas")
    world.act("confirm", order, "district.approver", yes=True)
    world.act("amend", order, "district", change_note="Wind")
    order = world.act("issue_first", order, "centre.commander", reason="More gas")
    order = world.fresh(order)
    assert (order.current, order.confirmed_at, order.issuer_person_id) == (2, None, world.who("centre.commander").id)
    assert armed(order) == {"confirm"}
    world.act("amend", order, "district", change_note="Again")
    world.act("issue_first", order, "district.head", reason="Still gas")
    with pytest.raises(Forbidden):
        world.act("confirm", order, "district.head", yes=True)
    world.act("confirm", order, "district.approver", yes=True)
    assert armed(world.fresh(order)) == set()


def test_work_handed_in_lets_its_question_fall(world: World) -> None:
    order = world.issued(targets=world.targets("fire"))
    row = world.acknowledged(order, "fire")
    until = world.now + timedelta(minutes=30)
    question = world.act("ask", row, "fire", kind="hold", reason="Storm", wanted_until=until)
    world.act("feedback", row, "fire", version=1, percent=100, text="Done", final=True)
    question = Ask.everything.get(pk=question.pk)
    assert (question.state, armed(question)) == ("withdrawn", set())
    world.later(minutes(1))
    closed = world.act("evaluate", row, "centre", accepted=True, outcome="good")
    assert (closed.state, armed(closed)) == ("closed", set())


def test_one_clock_to_confirm_serves_both_who_wait_for_it(world: World) -> None:
    order = world.issued(targets=world.targets("district"), urgency="immediate")
    top = world.acknowledged(order, "district")
    child = world.act("delegate", top, "district", targets=world.targets("dfire"))
    world.act("issue_first", child, "district.head", reason="Gas")
    world.act("amend", order, "centre", change_note="Wind")
    world.act("approve", order, "centre.approver")
    world.act("issue", order, "centre")
    child = world.fresh(child)
    assert child.keep_owed and child.confirmed_at is None
    world.act("confirm", child, "district.approver", yes=True)
    assert armed(world.fresh(child)) == {"confirm"}, "whether it is kept has not been said"
    world.act("keep", child, "district")
    assert armed(world.fresh(child)) == set()


@pytest.mark.parametrize("state", ["issued", "delivered", "on_hold", "delegated"])
def test_while_a_question_is_open_the_time_stays_the_issuers(world: World, state: str) -> None:
    ApprovalRule.objects.create(basis="line", approvals=0)
    order = world.issued(targets=world.targets("district"))
    row = world.on(order, "district")
    if state == "delivered":
        row = world.act("receive", row, "district", version=1)
    elif state in ("on_hold", "delegated"):
        row = world.act("acknowledge", row, "district", version=1)
    if state == "on_hold":
        until = world.now + timedelta(minutes=30)
        pause = world.act("ask", row, "district", kind="hold", reason="Storm", wanted_until=until)
        world.act("grant", pause, "centre", until=until)
    question = world.act("ask", row, "district", kind="clarify", reason="Which tank?")
    centre = str(world.id("centre"))
    assert world.fresh(row).ball == centre
    if state == "issued":
        assert world.act("receive", row, "district", version=1).ball == centre
    if state in ("issued", "delivered"):
        assert world.act("acknowledge", row, "district", version=1).ball == centre
    elif state == "on_hold":
        assert world.act("resume", row, "district").ball == centre
    else:
        child = world.act("delegate", row, "district", targets=world.targets("dfire"))
        assert world.fresh(row).ball == centre
        world.act("cancel", child, "district", reason="Ourselves")
        assert world.fresh(row).ball == centre
    world.act("grant", question, "centre", answer="The left one")
    assert world.fresh(row).ball == str(world.id("district"))

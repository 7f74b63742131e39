"""What happens when an order changes or ends while it is being carried out?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from coordination.deadlines.models import Deadline
from coordination.events.refused import Conflict, Forbidden, Invalid, MoveNotAllowed
from coordination.instructions import queries
from coordination.instructions.models import ApprovalRule, Assignment, Instruction
from tests.instructions.world import World, minutes

pytestmark = pytest.mark.django_db


def live(row) -> set[str]:
    """Kinds of a subject's armed deadlines."""
    rows = Deadline.objects.filter(subject_type=row._meta.label_lower, subject_id=row.pk, state="armed")
    return set(rows.values_list("kind", flat=True))


def amended(world: World, order: Instruction, **given) -> Instruction:
    """Version n + 1 in force."""
    world.act("amend", order, "centre", change_note="Wind has turned", **given)
    world.act("approve", order, "centre.approver")
    return world.act("issue", order, "centre")


def test_work_goes_on_while_a_version_is_on_its_way(world: World) -> None:
    order = world.issued()
    fire = world.acknowledged(order, "fire")
    order = world.act("amend", order, "centre", change_note="Wind has turned", place="Unit 5")
    assert (order.state, order.current) == ("issued", 1)
    assert live(order) == {"approve"}
    with pytest.raises(MoveNotAllowed):
        world.act("amend", order, "centre", change_note="Again")
    world.act("feedback", fire, "fire", version=1, percent=10, text="Begun")
    world.act("approve", order, "centre.approver")
    order = world.act("issue", order, "centre")
    assert (order.state, order.current) == ("issued", 2)
    fire, police = world.on(order, "fire"), world.on(order, "police")
    assert (fire.state, fire.acknowledged_version) == ("in_progress", 1)
    assert live(fire) == {"acknowledge", "complete", "progress"}
    shown = queries.instruction(actor=world.who("centre"), instruction_id=order.pk, now=world.now)
    assert [(row["n"], [d["id"] for d in row["departments"]]) for row in shown["who_acts_on_which"]] == [
        (1, [world.id("fire")]),
        (None, [world.id("police")]),
    ]
    assert shown["place"] == "Unit 5"
    with pytest.raises(Conflict) as stale:
        world.act("acknowledge", police, "police", version=1)
    assert (stale.value.code, stale.value.extra["current"]) == ("stale_version", 2)
    with pytest.raises(Conflict):
        world.act("feedback", fire, "fire", version=2, percent=100, text="Done", final=True)
    fire = world.act("acknowledge", fire, "fire", version=2)
    assert (fire.state, fire.acknowledged_version) == ("in_progress", 2)
    assert live(fire) == {"complete", "progress"}
    assert (
        world.act(
            "feedback", fire, "fire", version=2, percent=100, text="Done", final=True, early_reason="Police last"
        ).state
        == "feedback_submitted"
    )


def test_a_new_due_time_moves_the_clock(world: World) -> None:
    order = world.issued()
    later = world.now + timedelta(hours=5)
    amended(world, order, due_at=later)
    fire = world.on(order, "fire")
    assert fire.due_at == later
    assert (
        Deadline.objects.get(
            subject_type="instructions.assignment", subject_id=fire.pk, kind="complete", state="armed"
        ).base_due
        == later
    )


def test_a_returned_version_can_be_edited_and_handed_in_again(world: World) -> None:
    order = world.issued()
    world.act("amend", order, "centre", change_note="Wind", place="Unit 5")
    world.act("return_draft", order, "centre.approver", reason="Which wind?")
    assert live(order) == set()
    world.act("edit", order, "centre", place="Unit 6", change_note="North wind")
    world.act("submit", order, "centre")
    world.act("approve", order, "centre.head")
    order = world.act("issue", order, "centre")
    version = order.versions.get(n=2)
    assert (order.current, version.place, version.change_note) == (2, "Unit 6", "North wind")


def test_withdraw_is_the_drafters(world: World) -> None:
    order = world.approved()
    with pytest.raises(Forbidden):
        world.act("withdraw", order, "centre.head")
    order = world.act("withdraw", order, "centre")
    assert (order.state, live(order)) == ("draft", set())
    world.act("submit", order, "centre")
    assert world.act("approve", order, "centre.approver").state == "approved"


def test_cancel_ends_untouched_at_once_and_others_when_they_acknowledge(world: World) -> None:
    order = world.issued(targets=world.targets("fire", "police", "health"))
    world.acknowledged(order, "fire")
    world.act("receive", world.on(order, "police"), "police", version=1)
    order = world.act("cancel", order, "centre.commander", reason="False alarm")
    assert (order.state, order.current, live(order)) == ("cancelled", 2, set())
    assert world.on(order, "police").state == "cancelled"
    assert world.on(order, "health").state == "cancelled"
    fire = world.on(order, "fire")
    assert (fire.state, fire.cancel_owed, live(fire)) == ("acknowledged", True, {"acknowledge"})
    with pytest.raises(MoveNotAllowed):
        world.act("start", fire, "fire", who_goes="Team 1")
    with pytest.raises(Conflict):
        world.act("acknowledge", fire, "fire", version=1)
    fire = world.act("acknowledge", fire, "fire", version=2)
    assert (fire.state, fire.ball, live(fire)) == ("cancelled", "", set())
    with pytest.raises(MoveNotAllowed):
        world.act("cancel", order, "centre", reason="Again")


def test_a_draft_can_be_cancelled(world: World) -> None:
    order = world.draft()
    assert world.act("cancel", order, "centre", reason="Not needed").state == "cancelled"
    with pytest.raises(MoveNotAllowed):
        world.act("submit", order, "centre")


def test_a_successor_supersedes(world: World) -> None:
    old = world.issued()
    world.acknowledged(old, "fire")
    new = world.issued(supersedes_id=old.pk)
    old = world.fresh(old)
    assert (new.state, old.state) == ("issued", "superseded")
    assert world.on(old, "police").state == "superseded"
    fire = world.act("acknowledge", world.on(old, "fire"), "fire", version=2)
    assert fire.state == "superseded"
    assert world.on(new, "fire").state == "issued"


def test_one_part_is_taken_back_and_a_lead_needs_a_successor(world: World) -> None:
    order = world.issued()
    fire = world.acknowledged(order, "fire")
    with pytest.raises(Invalid) as refused:
        world.act("cancel_assignment", fire, "centre", reason="Enough")
    assert refused.value.code == "successor_needed"
    fire = world.act("cancel_assignment", fire, "centre", reason="Police lead now", successor=world.id("police"))
    assert (fire.role, fire.cancel_owed) == ("support", True)
    assert world.on(order, "police").role == "lead"
    police = world.handed_in(order, "police", early_reason="Fire has left")
    world.act("evaluate", police, "centre", accepted=True, outcome="good")
    assert world.fresh(order).state == "issued"
    assert world.act("acknowledge", fire, "fire", version=1).state == "cancelled"
    assert world.fresh(order).state == "closed"


def test_support_added_later(world: World) -> None:
    order = world.issued()
    row = world.act("assign", order, "centre", department=world.id("health"), reason="Casualties")
    assert (row.role, row.state, live(row)) == ("support", "issued", {"acknowledge", "complete"})
    with pytest.raises(Conflict) as refused:
        world.act("assign", order, "centre", department=world.id("health"))
    assert refused.value.code == "already_assigned"


def test_issue_first_needs_emergency_reason_and_confirmation_by_another(world: World) -> None:
    order = world.draft(urgency="routine")
    with pytest.raises(MoveNotAllowed):
        world.act("issue_first", order, "centre.commander", reason="Fire spreads")
    order = world.draft(urgency="immediate")
    with pytest.raises(Forbidden):
        world.act("issue_first", order, "centre", reason="Fire spreads")
    with pytest.raises(Invalid):
        world.act("issue_first", order, "centre.commander", reason="")
    order = world.act("issue_first", order, "centre.commander", reason="Fire spreads")
    assert (order.state, live(order)) == ("issued", {"confirm"})
    assert world.on(order, "fire").state == "issued"
    with pytest.raises(Forbidden) as same:
        world.act("confirm", order, "centre.commander", yes=True)
    assert same.value.code == "same_person"
    order = world.act("confirm", order, "centre.head", yes=True)
    assert order.confirmed_at == world.now
    assert live(order) == set()


def test_an_order_issued_first_and_refused_is_for_command_to_mend(world: World) -> None:
    order = world.act(
        "issue_first",
        world.draft("district", urgency="immediate", targets=world.targets("dfire", "dpolice")),
        "district.head",
        reason="Gas",
    )
    assert order.basis == "line"
    with pytest.raises(Invalid):
        world.act("confirm", order, "district.approver", yes=False)
    order = world.act("confirm", order, "district.approver", yes=False, reason="Too far")
    assert (order.state, order.confirm_refused, live(order)) == ("issued", "Too far", {"confirm"})
    with pytest.raises(MoveNotAllowed):
        world.act("confirm", order, "district.approver", yes=True)
    assert world.act("cancel", order, "centre.commander", reason="Refused").state == "cancelled"


def test_lateral_requests_are_always_approved_and_need_both_on_the_incident(world: World) -> None:
    ApprovalRule.objects.create(approvals=0)
    order = world.draft("fire", targets=world.targets("police"), urgency="immediate")
    assert order.basis == "lateral"
    with pytest.raises(MoveNotAllowed):
        world.act("issue_first", order, "fire.head", reason="Now")
    assert world.act("submit", order, "fire").state == "in_approval"
    other = world.draft("fire", targets=world.targets("health"))
    with pytest.raises(Invalid) as refused:
        world.act("submit", other, "fire")
    assert refused.value.code == "not_on_incident"
    line = world.draft("district", targets=world.targets("dfire"))
    assert (line.basis, world.act("submit", line, "district").state) == ("line", "approved")


def test_late_parts_are_late_and_orders_close_by_their_lead(world: World) -> None:
    order = world.issued(targets=world.targets("fire"))
    row = world.on(order, "fire")
    world.later(minutes(200))
    row = world.handed_in(order, "fire")
    row = world.act("evaluate", row, "centre", accepted=True, outcome="sufficient")
    assert row.evaluations.get().timeliness == "very_late"
    assert world.fresh(order).state == "closed"
    assert Assignment.everything.filter(instruction=order).count() == 1

"""Declines, rulings, asks, holds, delegation, urging: does work never hang in limbo?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from coordination.deadlines.engine.sweep import sweep
from coordination.deadlines.models import Deadline
from coordination.events.models import Event
from coordination.events.refused import Conflict, Forbidden, Invalid, MoveNotAllowed, TooSoon
from coordination.instructions.models import ApprovalRule, Ask, Assignment
from tests.instructions.world import World, minutes

pytestmark = pytest.mark.django_db


def live(row) -> set[str]:
    """Kinds of a subject's armed deadlines."""
    rows = Deadline.objects.filter(subject_type=row._meta.label_lower, subject_id=row.pk, state="armed")
    return set(rows.values_list("kind", flat=True))


def held(row) -> set[str]:
    """Kinds of a subject's held deadlines."""
    rows = Deadline.objects.filter(subject_type=row._meta.label_lower, subject_id=row.pk, state="held")
    return set(rows.values_list("kind", flat=True))


def test_a_decliner_stays_keeper_until_a_successor_acknowledges(world: World) -> None:
    order = world.issued()
    fire = world.on(order, "fire")
    fire = world.act("decline", fire, "fire", reason="Chemistry", code="no_equipment", suggested=world.id("health"))
    assert (fire.state, fire.ball, fire.suggested_id) == ("declined", str(world.id("centre")), world.id("health"))
    assert (live(fire), held(fire)) == ({"confirm"}, {"acknowledge", "complete"})
    with pytest.raises(Invalid):
        world.act("reassign", fire, "centre", department=world.id("fire"))
    with pytest.raises(Conflict):
        world.act("reassign", fire, "centre", department=world.id("police"))
    heir = world.act("reassign", fire, "centre", department=world.id("health"))
    fire = world.fresh(fire)
    assert (heir.role, heir.successor_of_id, fire.state, fire.ball) == (
        "lead",
        fire.pk,
        "declined",
        str(world.id("health")),
    )
    assert live(fire) | held(fire) == set()
    with pytest.raises(MoveNotAllowed):
        world.act("overrule", fire, "centre", reason="No")
    world.act("acknowledge", heir, "health", version=1)
    assert world.fresh(fire).state == "cancelled"


def test_overruling_sends_it_back(world: World) -> None:
    order = world.issued()
    fire = world.act("decline", world.acknowledged(order, "fire"), "fire", reason="Not ours")
    fire = world.act("overrule", fire, "centre.commander", reason="It is yours")
    assert (fire.state, live(fire), held(fire)) == ("delivered", {"acknowledge", "complete"}, set())
    fire = world.act("acknowledge", fire, "fire", version=1)
    assert fire.state == "acknowledged"


def test_the_second_decline_calls_the_arbiter_whose_owner_cannot_decline(world: World) -> None:
    order = world.issued("district", targets=world.targets("dfire", "dpolice"))
    first = world.act("decline", world.on(order, "dfire"), "dfire", reason="Not ours")
    heir = world.act("reassign", first, "district", department=world.id("town"))
    heir = world.act("decline", heir, "town", reason="Nor ours")
    assert (heir.arbiter, heir.arbiter_department_id, heir.ball) == (True, world.id("centre"), str(world.id("centre")))
    with pytest.raises(MoveNotAllowed):
        world.act("overrule", heir, "district", reason="Yours")
    with pytest.raises(Forbidden):
        world.act("arbitrate", heir, "district", owner=world.id("town"), reason="Yours")
    ruled = world.act("arbitrate", heir, "centre.commander", owner=world.id("town"), reason="It lies in the town")
    assert (ruled.pk, ruled.state, ruled.may_decline) == (heir.pk, "delivered", False)
    with pytest.raises(MoveNotAllowed):
        world.act("decline", ruled, "town", reason="Still not")
    world.act("acknowledge", ruled, "town", version=1)
    assert world.fresh(first).state == "cancelled"


def test_no_ruling_in_time_and_the_platform_names_the_owner(world: World) -> None:
    order = world.issued(targets=world.targets("police"))
    row = world.act("decline", world.on(order, "police"), "police", reason="Not ours")
    due = Deadline.objects.get(subject_id=row.pk, kind="confirm", state="armed").base_due
    sweep(due)
    assert not world.fresh(row).arbiter
    sweep(due + minutes(5) - timedelta(seconds=1))
    assert not world.fresh(row).arbiter
    sweep(due + minutes(5))
    row = world.fresh(row)
    assert row.arbiter
    again = Deadline.objects.get(subject_id=row.pk, kind="confirm", state="armed")
    sweep(again.base_due)
    sweep(again.base_due + minutes(5))
    heir = Assignment.everything.get(successor_of=row)
    assert (heir.department_id, heir.may_decline, heir.role) == (world.id("fire"), False, "lead")
    assert live(world.fresh(row)) == set()


def test_extension_moves_the_due_time_and_the_third_needs_command(world: World) -> None:
    order = world.issued("district", targets=world.targets("dfire"))
    row = world.acknowledged(order, "dfire")
    for hours in (3, 4):
        ask = world.act(
            "ask", row, "dfire", kind="extension", reason="Roads", wanted_until=world.now + timedelta(hours=hours)
        )
        assert live(ask) == {"confirm"}
        with pytest.raises(Conflict) as busy:
            world.act("ask", row, "dfire", kind="clarify", reason="Where?")
        assert busy.value.code == "ask_open"
        world.act("grant", ask, "district")
        row = world.fresh(row)
        assert row.due_at == world.now + timedelta(hours=hours)
        assert live(ask) == set()
    third = world.act(
        "ask", row, "dfire", kind="extension", reason="Roads", wanted_until=world.now + timedelta(hours=6)
    )
    with pytest.raises(Forbidden):
        world.act("grant", third, "district")
    world.act("grant", third, "centre", until=world.now + timedelta(hours=5))
    assert world.fresh(row).due_at == world.now + timedelta(hours=5)


def test_clarify_is_the_issuers_time_and_withdrawn_asks_leave_no_clock(world: World) -> None:
    order = world.issued()
    row = world.acknowledged(order, "fire")
    ask = world.act("ask", row, "fire", kind="clarify", reason="Which tank?")
    assert world.fresh(row).ball == str(world.id("centre"))
    with pytest.raises(Invalid):
        world.act("grant", ask, "centre")
    world.act("grant", ask, "centre", answer="The left one")
    assert world.fresh(row).ball == str(world.id("fire"))
    ask = world.act("ask", row, "fire", kind="clarify", reason="From where?")
    with pytest.raises(Forbidden):
        world.act("withdraw_ask", ask, "centre")
    assert world.act("withdraw_ask", ask, "fire").state == "withdrawn"
    assert live(ask) == set()
    refused = world.act(
        "refuse", world.act("ask", row, "fire", kind="clarify", reason="And now?"), "centre", answer="Read it"
    )
    assert (refused.state, world.fresh(row).ball) == ("refused", str(world.id("fire")))


def test_hold_stops_the_clocks_lapses_by_itself_and_gives_back_the_time_left(world: World) -> None:
    order = world.issued()
    row = world.acknowledged(order, "fire")
    left = row.due_at - world.now
    with pytest.raises(Invalid):
        world.act("ask", row, "fire", kind="hold", reason="Storm")
    ask = world.act("ask", row, "fire", kind="hold", reason="Storm", wanted_until=world.now + timedelta(hours=9))
    with pytest.raises(Invalid):
        world.act("grant", ask, "centre")
    until = world.now + timedelta(hours=4)
    world.act("grant", ask, "centre", until=until)
    row = world.fresh(row)
    assert (row.state, row.revisit_at, live(row), held(row)) == ("on_hold", until, {"revisit"}, {"start", "complete"})
    sweep(until - timedelta(seconds=1))
    assert world.fresh(row).state == "on_hold"
    sweep(until)
    row = world.fresh(row)
    assert (row.state, row.due_at, row.ball) == ("acknowledged", until + left, str(world.id("fire")))
    assert (live(row), held(row)) == ({"start", "complete"}, set())


def test_hold_can_be_charged_to_who_consents_and_ended_by_hand(world: World) -> None:
    order = world.issued()
    row = world.acknowledged(order, "fire")
    ask = world.act("ask", row, "fire", kind="hold", reason="Waiting for you", wanted_until=world.now + minutes(60))
    world.act("grant", ask, "centre", consented=True)
    assert world.fresh(row).ball == str(world.id("centre"))
    world.later(minutes(10))
    row = world.act("resume", row, "fire")
    assert (row.state, row.ball) == ("acknowledged", str(world.id("fire")))


def test_delegation_down_the_chain(world: World) -> None:
    ApprovalRule.objects.create(basis="line", approvals=0)
    order = world.issued(targets=world.targets("district"))
    top = world.acknowledged(order, "district")
    with pytest.raises(Invalid) as late:
        world.act("delegate", top, "district", targets=world.targets("dfire"), due_at=top.due_at + minutes(1))
    assert late.value.code == "past_parent_due"
    child = world.act("delegate", top, "district", targets=[{"department": world.id("dfire")}])
    assert (child.state, child.basis, child.parent_id) == ("issued", "line", top.pk)
    assert world.fresh(top).ball == str(world.id("dfire"))
    assert world.fresh(top).state == "acknowledged"
    line = [world.acknowledged(child, "dfire")]
    for code in ("town", "village"):
        child = world.act("delegate", line[-1], {"town": "dfire", "village": "town"}[code], targets=world.targets(code))
        line.append(world.acknowledged(child, code))
    with pytest.raises(Invalid) as deep:
        world.act("delegate", line[-1], "village", targets=world.targets("hamlet"))
    assert deep.value.code == "too_deep"
    with pytest.raises(Invalid) as early:
        world.act("feedback", top, "district", version=1, percent=100, text="Done", final=True)
    assert early.value.code == "early_reason_needed"
    for code, issuer in (("village", "town"), ("town", "dfire"), ("dfire", "district")):
        row = Assignment.everything.filter(department=world.id(code)).latest("pk")
        row = world.act("feedback", row, code, version=1, percent=100, text="Done", final=True)
        world.act("evaluate", row, issuer, accepted=True, outcome="good")
    assert world.fresh(top).ball == str(world.id("district"))
    assert (
        world.act("feedback", top, "district", version=1, percent=100, text="Done", final=True).state
        == "feedback_submitted"
    )


def test_no_department_twice_in_a_chain_and_cancel_cascades(world: World) -> None:
    ApprovalRule.objects.create(basis="line", approvals=0)
    order = world.issued(targets=world.targets("district"))
    top = world.acknowledged(order, "district")
    child = world.act("delegate", top, "district", targets=world.targets("dfire"))
    row = world.acknowledged(child, "dfire")
    with pytest.raises(Invalid) as twice:
        world.act("delegate", row, "dfire", targets=world.targets("dfire"))
    assert twice.value.code == "twice_in_chain"
    grandchild = world.act("delegate", row, "dfire", targets=world.targets("town"))
    world.act("cancel", order, "centre", reason="Over")
    assert world.fresh(child).state == "cancelled"
    assert world.fresh(grandchild).state == "cancelled"
    assert world.on(grandchild, "town").state == "cancelled"
    assert world.on(child, "dfire").cancel_owed
    assert world.on(order, "district").cancel_owed


def test_who_delegated_must_follow_a_change_above(world: World) -> None:
    ApprovalRule.objects.create(basis="line", approvals=0)
    order = world.issued(targets=world.targets("district"))
    top = world.acknowledged(order, "district")
    child = world.act("delegate", top, "district", targets=world.targets("dfire"))
    world.act("amend", order, "centre", change_note="Wind")
    world.act("approve", order, "centre.approver")
    world.act("issue", order, "centre")
    child = world.fresh(child)
    assert (child.keep_owed, live(child)) == (True, {"confirm"})
    child = world.act("keep", child, "district", reason="Same for us")
    assert (child.keep_owed, live(child)) == (False, set())
    with pytest.raises(MoveNotAllowed):
        world.act("keep", child, "district")


def test_urging_is_limited_per_urger(world: World) -> None:
    order = world.issued()
    row = world.on(order, "police")
    world.act("urge", row, "centre", note="Now, please")
    world.later(minutes(10) - timedelta(seconds=1))
    with pytest.raises(TooSoon) as soon:
        world.act("urge", row, "centre")
    assert soon.value.extra["retry_after"] == 2
    world.act("urge", row, "fire", note="We wait for you")
    with pytest.raises(Forbidden):
        world.act("urge", world.on(order, "fire"), "police")
    world.later(timedelta(seconds=1))
    world.act("urge", row, "centre")
    assert row.urges.count() == 3
    assert Event.objects.filter(type="assignment.urge").count() == 3


def test_supervision_shortens_the_rhythm_until_it_is_lifted(world: World) -> None:
    order = world.issued()
    row = world.act("start", world.acknowledged(order, "fire"), "fire", who_goes="Team 1")
    with pytest.raises(Forbidden):
        world.act("supervise", row, "fire", note="Ourselves")
    row = world.act("supervise", row, "centre", note="Watched", progress_every=300)
    assert row.supervised_since == world.now
    clock = Deadline.objects.get(subject_id=row.pk, kind="progress", state="armed")
    assert (clock.base_due, clock.every) == (world.now + minutes(5), 300)
    with pytest.raises(MoveNotAllowed):
        world.act("supervise", row, "centre", note="Again")
    row = world.act("lift", row, "centre")
    assert row.supervised_since is None


def test_acknowledged_by_telephone(world: World) -> None:
    order = world.issued()
    row = world.on(order, "fire")
    call = {"speaker": "Wang", "number": "+86138", "spoken_at": world.now}
    world.later(minutes(3))
    assumed = world.act("acknowledge_for", row, "centre", version=1, **call)
    assert (assumed.state, live(assumed)) == ("issued", {"acknowledge", "complete"})
    wrong = world.act("acknowledge_for", row, "centre", version=1, voice_code="xxxx", **call)
    assert wrong.state == "issued"
    with pytest.raises(Invalid):
        world.act("acknowledge_for", row, "centre", version=1, **{**call, "spoken_at": world.now + minutes(1)})
    code = order.versions.get(n=1).voice_code
    spoken = world.act("acknowledge_for", row, "centre", version=1, voice_code=code, **call)
    assert (spoken.state, spoken.evidence_grade, live(spoken)) == ("acknowledged", "voice", {"start", "complete"})
    police = world.act("acknowledge_for", world.on(order, "police"), "centre", version=1, voice_code=code, **call)
    assert police.effective_at == call["spoken_at"] < police.moved_at
    row = world.act("contest", spoken, "fire", reason="Wang is on leave")
    assert row.acknowledgements.filter(contested_why="Wang is on leave").count() == 3
    assert row.state == "acknowledged"


def test_read_back_compares_and_a_second_mistake_asks(world: World) -> None:
    order = world.issued(
        read_back=True,
        quantity="1.5",
        unit="km",
        objects_named=[{"kind": "road", "code": "G15"}],
        verb="close",
    )
    row = world.on(order, "fire")
    due = order.versions.get(n=1).due_at
    right = {"place": "unit 3", "object": "g15", "quantity": 1500, "unit": "m", "due_at": due + timedelta(seconds=20)}
    with pytest.raises(Invalid) as wanted:
        world.act("acknowledge", row, "fire", version=1)
    assert wanted.value.code == "read_back_wanted"
    row = world.act(
        "acknowledge", row, "fire", version=1, read_back={**right, "quantity": 15, "due_at": due + minutes(1)}
    )
    assert (row.state, row.misread) == ("delivered", 1)
    assert set(row.acknowledgements.get().mismatch) == {"quantity", "due_at"}
    assert Event.objects.filter(type="assignment.misunderstood").count() == 1
    assert "acknowledge" in live(row)
    row = world.act("acknowledge", row, "fire", version=1, read_back={**right, "place": "Unit 8"})
    assert Ask.everything.get(assignment=row, state="open").kind == "clarify"
    row = world.act("acknowledge", row, "fire", version=1, read_back=right)
    assert row.state == "acknowledged"
    assert not Ask.everything.filter(assignment=row, state="open").exists()


def test_recheck_rests_with_command_and_the_third_return_tells_it(world: World) -> None:
    order = world.issued(targets=world.targets("fire"), recheck=True)
    row = world.handed_in(order, "fire")
    for turn in range(3):
        row = world.act("evaluate", row, "centre", accepted=False, reason="Not yet")
        assert row.returns == turn + 1
        row = world.act("feedback", row, "fire", version=1, percent=100, text="Done", final=True)
    told = Event.objects.filter(type="assignment.evaluate").order_by("-pk")[0].tell
    assert {entry["department"] for entry in told} == {world.id("fire"), world.id("centre")}
    row = world.act("evaluate", row, "centre", accepted=True, outcome="good")
    assert (row.state, live(row)) == ("evaluated", {"confirm"})
    row = world.act("recheck", row, "centre", passed=False, remark="Still hot")
    assert (row.state, live(row)) == ("in_progress", {"complete", "progress"})
    row = world.act("feedback", row, "fire", version=1, percent=100, text="Done", final=True)
    row = world.act("evaluate", row, "centre", accepted=True, outcome="good")
    row = world.act("recheck", row, "centre", passed=True)
    assert row.state == "closed"
    assert world.fresh(order).state == "closed"


def test_an_order_to_oneself_is_judged_above(world: World) -> None:
    order = world.issued("district", targets=world.targets("district"))
    row = world.handed_in(order, "district")
    assert row.ball == str(world.id("city"))
    with pytest.raises(Forbidden):
        world.act("evaluate", row, "district.head", accepted=True, outcome="good")
    assert world.act("evaluate", row, "city.head", accepted=True, outcome="good").state == "closed"

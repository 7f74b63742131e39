"""When two act on the same thing at the same instant: one winner, no unexpected error, nothing in between?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from coordination.deadlines.engine.sweep import sweep
from coordination.deadlines.models import Deadline
from coordination.events.refused import Refused
from coordination.instructions import queries
from coordination.instructions.models import Approval, ApprovalRule, Assignment, Instruction, Transition
from coordination.instructions.states import TERMINAL
from tests.instructions.world import World, build, minutes

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 4


def race(*calls: Callable[[], Any]) -> list[Any]:
    """Run all at a barrier; each answer is a result or the `Refused` it raised. Anything else fails the test."""
    barrier = threading.Barrier(len(calls))
    answers: list[Any] = [None] * len(calls)
    surprises: list[BaseException] = []

    def run(index: int, call: Callable[[], Any]) -> None:
        try:
            barrier.wait(10)
            answers[index] = call()
        except Refused as refused:
            answers[index] = refused
        except BaseException as surprise:
            surprises.append(surprise)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert surprises == []
    return answers


def won(answers: list[Any]) -> int:
    """How many were not refused."""
    return sum(1 for answer in answers if not isinstance(answer, Refused))


def consistent(world: World, order: Instruction) -> None:
    """Every path is unbroken, every open part has a clock or an heir, every ledger sums to the whole."""
    for row in Assignment.everything.filter(instruction=order):
        moves = list(Transition.everything.filter(subject_type="assignment", subject_id=row.pk).order_by("version"))
        assert [move.version for move in moves] == list(range(1, row.version + 1))
        assert all(a.after == b.before for a, b in zip(moves, moves[1:], strict=False))
        assert moves[-1].after == row.state
        live = Deadline.objects.filter(
            subject_type="instructions.assignment", subject_id=row.pk, state__in=["armed", "held"]
        )
        heir = Assignment.everything.filter(successor_of=row).exclude(state__in=TERMINAL).exists()
        assert live.exists() == (row.state not in TERMINAL) or heir
        parts = queries.ledger(actor=world.who("centre"), assignment_id=row.pk, now=world.now)
        assert all(a["end"] == b["start"] for a, b in zip(parts, parts[1:], strict=False))


def test_double_approve_and_double_issue() -> None:
    world = build()
    for _ in range(ROUNDS):
        order = world.draft()
        world.act("submit", order, "centre")
        answers = race(
            lambda o=order: world.act("approve", o, "centre.approver"),
            lambda o=order: world.act("approve", o, "centre.head"),
        )
        assert won(answers) == 1
        assert Approval.everything.filter(version__instruction=order).count() == 1
        answers = race(*[lambda o=order: world.act("issue", o, "centre") for _ in range(3)])
        assert won(answers) == 1
        assert Assignment.everything.filter(instruction=order).count() == 2
        consistent(world, order)


def test_drafts_get_numbers_of_their_own() -> None:
    world = build()
    answers = race(*[world.draft for _ in range(4)])
    assert won(answers) == 4
    assert sorted(row.number for row in answers) == [1, 2, 3, 4]


def test_acknowledge_and_fire() -> None:
    world = build()
    for _ in range(ROUNDS):
        order = world.issued(targets=world.targets("fire"))
        row = world.on(order, "fire")
        due = world.later(minutes(10))
        answers = race(lambda r=row: world.act("acknowledge", r, "fire", version=1), lambda at=due: sweep(at))
        assert won(answers) == 2
        row = world.fresh(row)
        assert row.state == "acknowledged"
        sweep(due)
        live = Deadline.objects.filter(subject_type="instructions.assignment", subject_id=row.pk, state="armed")
        assert set(live.values_list("kind", flat=True)) == {"start", "complete"}
        fired = Deadline.objects.filter(subject_type="instructions.assignment", subject_id=row.pk, kind="acknowledge")
        assert fired.filter(state="fired").count() <= 1
        consistent(world, order)


def test_amend_and_acknowledge() -> None:
    world = build()
    for _ in range(ROUNDS):
        order = world.issued()
        row = world.on(order, "fire")
        world.act("amend", order, "centre", change_note="Wind")
        world.act("approve", order, "centre.approver")
        answers = race(
            lambda r=row: world.act("acknowledge", r, "fire", version=1),
            lambda o=order: world.act("issue", o, "centre"),
        )
        assert not isinstance(answers[1], Refused)
        row = world.fresh(row)
        if isinstance(answers[0], Refused):
            assert answers[0].code == "stale_version"
            assert row.acknowledged_version is None
        else:
            assert row.acknowledged_version == 1
        assert Deadline.objects.filter(
            subject_type="instructions.assignment", subject_id=row.pk, kind="acknowledge", state="armed"
        ).exists()
        consistent(world, order)


def test_evaluate_and_cancel() -> None:
    world = build()
    for _ in range(ROUNDS):
        order = world.issued(targets=world.targets("fire"))
        row = world.handed_in(order, "fire")
        answers = race(
            lambda r=row: world.act("evaluate", r, "centre", accepted=True, outcome="good"),
            lambda o=order: world.act("cancel", o, "centre.commander", reason="Over"),
        )
        assert won(answers) == 1
        order, row = world.fresh(order), world.fresh(row)
        assert (order.state, row.state) in {("closed", "closed"), ("cancelled", "feedback_submitted")}
        consistent(world, order)


def test_child_and_cancel() -> None:
    world = build()
    ApprovalRule.objects.create(basis="line", approvals=0)
    for _ in range(ROUNDS):
        order = world.issued(targets=world.targets("district"))
        row = world.acknowledged(order, "district")
        answers = race(
            lambda r=row: world.act("delegate", r, "district", targets=world.targets("dfire")),
            lambda o=order: world.act("cancel", o, "centre", reason="Over"),
        )
        assert not isinstance(answers[1], Refused)
        children = Instruction.everything.filter(parent=row)
        assert {child.state for child in children} <= {"cancelled"}
        assert (
            not Assignment.everything.filter(instruction__in=children, cancel_owed=False)
            .exclude(state__in=TERMINAL)
            .exists()
        )
        consistent(world, order)


def test_reassign_arbitrate_and_two_evaluations() -> None:
    world = build()
    for _ in range(ROUNDS):
        order = world.issued(targets=world.targets("fire", "police"))
        row = world.act("decline", world.on(order, "fire"), "fire", reason="Not ours")
        answers = race(
            lambda r=row: world.act("reassign", r, "centre", department=world.id("health")),
            lambda r=row: world.act("overrule", r, "centre.commander", reason="Yours"),
        )
        assert won(answers) == 1
        police = world.handed_in(order, "police")
        answers = race(
            lambda r=police: world.act("evaluate", r, "centre", accepted=True, outcome="good"),
            lambda r=police: world.act("evaluate", r, "centre.head", accepted=False, reason="No"),
        )
        assert won(answers) == 1
        assert police.evaluations.count() == 1
        consistent(world, order)

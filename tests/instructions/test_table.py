"""Does every move, tried from every state by everyone, do what the table says?"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from coordination.events.actor import SYSTEM, Actor
from coordination.events.refused import Conflict, Forbidden, MoveNotAllowed, NotFound, Refused
from coordination.instructions import actions as do
from coordination.instructions import states
from coordination.instructions.models import Assignment, Feedback, Instruction, InstructionVersion
from coordination.instructions.queries import cases
from sharing import access
from tests.instructions.world import World

pytestmark = pytest.mark.django_db
CALLED = {("assignment", "cancel"): "cancel_assignment"}
ACTORS = (
    "centre.commander",
    "district",
    "district.approver",
    "dfire",
    "dfire.observer",
    "dfire.client",
    "stranger",
)


class _Undo(Exception):
    """Rolls one try back."""


def fields(world: World, move: states.Move, row: Any) -> dict[str, Any]:
    """Good input for a move."""
    good: dict[str, Any] = {
        "version": row.instruction.current if isinstance(row, Assignment) else 1,
        "reader": "Li Lei",
        "speaker": "Wang",
        "number": "+86138",
        "spoken_at": world.now,
        "reason": "Because",
        "who_goes": "Team 1",
        "percent": 50,
        "text": "So far",
        "accepted": True,
        "outcome": "good",
        "passed": True,
        "department": world.id("health"),
        "owner": world.id("health"),
        "kind": "clarify",
        "note": "Watched",
        "targets": world.targets("town"),
        "yes": True,
        "change_note": "Wind",
        "successor": None,
    }
    wanted = {field.name for field in move.fields if field.required} | {"reader", "targets", "outcome"}
    return {field.name: good[field.name] for field in move.fields if field.name in wanted and field.name in good}


def attempt(world: World, move: states.Move, row: Any, actor: Actor, expected: bool, visible: bool) -> bool:
    """Try one move, compare with the table and return whether it was made; everything is undone."""
    name = CALLED.get((move.subject, move.action), move.action)
    key = f"{move.subject}_id"
    outcome: Refused | None = None
    try:
        with transaction.atomic():
            try:
                getattr(do, name)(actor=actor, now=world.now, **{key: row.pk}, **fields(world, move, row))
            except Refused as refused:
                outcome = refused
            raise _Undo
    except _Undo:
        pass
    what = f"{move.subject}.{move.action} from {row.state} by {actor.key} {sorted(actor.posts)}"
    if expected:
        assert outcome is None, f"{what}: {outcome and outcome.code} {outcome and outcome.message}"
    elif not visible:
        assert isinstance(outcome, NotFound), what
    else:
        assert isinstance(outcome, Forbidden | MoveNotAllowed | Conflict), f"{what}: {outcome!r}"
    return outcome is None


def prepared(world: World, state: str) -> Assignment:
    """A supporting part forced into a state with what belongs to it."""
    order = world.issued("district", targets=world.targets("dpolice", "dfire"))
    row = world.on(order, "dfire")
    touched = state not in states.UNTOUCHED
    row.state = state
    row.ball = str(row.department_id)
    row.acknowledged_version = 1 if touched else None
    row.state_before = "acknowledged" if state in ("on_hold", "declined") else ""
    row.ended_at = world.now if state in states.TERMINAL else None
    row.save()
    if state in ("feedback_submitted", "evaluated"):
        Feedback.everything.create(
            assignment=row, n=1, final=True, percent=100, text="Done", actor_key=world.who("dfire").key, at=world.now
        )
    return row


@pytest.mark.parametrize("state", sorted(states.OPEN | states.TERMINAL))
def test_every_assignment_move_from_every_state_by_everyone(world: World, state: str) -> None:
    """S6, S32: every assignment move from every state by everyone."""
    row = prepared(world, state)
    fresh = cases.assignment_rows(Assignment.everything.filter(pk=row.pk)).get()
    case = cases.assignment_case(fresh, cases.centres())
    for name in ACTORS:
        actor = world.who(name)
        visible = access.scope(actor, type(fresh), at=world.now).filter(pk=fresh.pk).exists()
        offered = {move.action for move in states.allowed(actor, case)}
        for move in states.MOVES:
            if move.subject == "assignment" and not move.system_only and move.action != "ask":
                made = attempt(world, move, fresh, actor, move.action in offered, visible)
                assert made == (move.action in offered)


@pytest.mark.parametrize("state", ["draft", "in_approval", "approved", "issued", "closed", "cancelled", "superseded"])
def test_every_instruction_move_from_every_state_by_everyone(world: World, state: str) -> None:
    """S6, S32: every instruction move from every state by everyone."""
    order = world.draft("district", urgency="immediate", targets=world.targets("dfire"))
    if state == "issued":
        order = world.issued("district", urgency="immediate", targets=world.targets("dfire"))
    elif state != "draft":
        Instruction.everything.filter(pk=order.pk).update(
            state=state, ended_at=world.now if state in ("closed", "cancelled", "superseded") else None
        )
        kept = state if state in ("in_approval", "approved") else "withdrawn"
        InstructionVersion.everything.filter(instruction=order).update(state=kept, approvals_needed=1)
    fresh = cases.instruction_rows(Instruction.everything.filter(pk=order.pk)).get()
    case = cases.instruction_case(fresh, cases.centres())
    for name in ACTORS:
        actor = world.who(name)
        visible = access.scope(actor, type(fresh), at=world.now).filter(pk=fresh.pk).exists()
        offered = {move.action for move in states.allowed(actor, case)}
        for move in states.MOVES:
            if move.subject == "instruction" and not move.system_only and move.action != "draft":
                made = attempt(world, move, fresh, actor, move.action in offered, visible)
                assert made == (move.action in offered)


def test_the_table_is_whole() -> None:
    keys = [(move.subject, move.action) for move in states.MOVES]
    assert len(keys) == len(set(keys))
    for move in states.MOVES:
        assert move.who, move.action
        if not move.system_only:
            assert hasattr(
                do,
                {("assignment", "cancel"): "cancel_assignment", ("ask", "withdraw"): "withdraw_ask"}.get(
                    (move.subject, move.action), move.action
                ),
            )
    assert set(Assignment.State.values) == states.OPEN | states.TERMINAL
    never = {"approve", "issue", "issue_first", "confirm", "evaluate", "cancel", "submit", "decline", "grant"}
    assert not any(move.client for move in states.MOVES if move.action in never)


def test_the_platform_makes_only_its_own_moves(world: World) -> None:
    row = prepared(world, "declined")
    fresh = cases.assignment_rows(Assignment.everything.filter(pk=row.pk)).get()
    case = cases.assignment_case(fresh, cases.centres())
    assert {move.action for move in states.allowed(SYSTEM, case)} == {
        "call_arbiter",
        "reassign",
        "hand_over",
        "take_back",
        "lead",
        "supersede",
        "owe",
    }

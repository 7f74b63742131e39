"""Does the loop agree with a small model of it, whoever tries whatever whenever?

The model is written by hand from the words of the design and knows nothing of the table of moves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordination.deadlines.engine.sweep import sweep
from coordination.deadlines.models import Deadline
from coordination.events.refused import Forbidden, MoveNotAllowed, Refused
from coordination.instructions import queries
from coordination.instructions.models import Assignment, Transition
from coordination.instructions.states import TERMINAL
from tests import drawing
from tests.instructions.world import World

pytestmark = pytest.mark.django_db

EXECUTING, COMMANDING = {"fire", "fire.head"}, {"centre", "centre.head", "centre.commander"}
ISSUING = COMMANDING  # the centre gives the order and commands the incident
# move: (who, from states, to state or None = unchanged)
MODEL: dict[str, tuple[set[str], set[str], str | None]] = {
    "receive": (EXECUTING | {"fire.observer", "fire.client"}, {"issued"}, "delivered"),
    "acknowledge": (EXECUTING | {"fire.client"}, {"issued", "delivered"}, "acknowledged"),
    "start": (EXECUTING, {"acknowledged"}, "in_progress"),
    "feedback": (EXECUTING | {"fire.client"}, {"acknowledged", "in_progress"}, "in_progress"),
    "final": (EXECUTING | {"fire.client"}, {"acknowledged", "in_progress"}, "feedback_submitted"),
    "accept": (ISSUING, {"feedback_submitted"}, "closed"),
    "return": (ISSUING, {"feedback_submitted"}, "in_progress"),
    "decline": (EXECUTING, {"issued", "delivered", "acknowledged", "in_progress"}, "declined"),
    "overrule": (ISSUING, {"declined"}, "delivered"),
    "hold": (EXECUTING, {"issued", "delivered", "acknowledged", "in_progress"}, "on_hold"),
    "resume": (EXECUTING | ISSUING, {"on_hold"}, "before"),
    "supervise": (COMMANDING, set(), None),
    "cancel": (ISSUING, set(), "cancelled"),
}
PEOPLE = sorted(
    {"fire", "fire.head", "fire.observer", "fire.client", "centre", "centre.head", "centre.commander", "police"}
)
steps = st.lists(
    st.tuples(st.sampled_from(sorted(MODEL)), st.sampled_from(PEOPLE), st.sampled_from([0, 7, 61, 900, 5000])),
    min_size=1,
    max_size=25,
)


@dataclass
class Model:
    """State of one part, as simply as can be said."""

    state: str = "issued"
    before: str = "issued"
    declines: int = 0
    touched: bool = False
    supervised: bool = False
    cancelling: bool = False
    ended: bool = False
    trail: list[str] = field(default_factory=list)

    def answer(self, move: str, who: str) -> str:
        """done, forbidden or not_now."""
        parties, sources, _after = MODEL[move]
        if who not in parties:
            return "forbidden"
        if self.state in ("closed", "cancelled"):
            return "not_now"
        if move == "supervise":
            return "not_now" if self.supervised else "done"
        if move == "acknowledge" and self.cancelling:
            return "done"
        if self.cancelling and move != "receive":
            return "not_now"
        if move == "cancel":
            return "done"
        if move == "overrule" and self.declines >= 2:
            return "not_now"
        return "done" if self.state in sources else "not_now"

    def apply(self, move: str) -> None:
        """Carry a move that may be made."""
        after = MODEL[move][2]
        self.trail.append(move)
        if move == "supervise":
            self.supervised = True
        elif move == "acknowledge" and self.cancelling:
            self.state = "cancelled"
        elif move == "cancel":
            gone = self.state in ("issued", "delivered") or (self.state == "declined" and not self.touched)
            self.state = "cancelled" if gone else self.state
            self.cancelling = not gone
        else:
            if move == "acknowledge":
                self.touched = True
            if move == "decline":
                self.declines += 1
            if move == "hold":
                self.before = self.state
            self.state = self.before if after == "before" else str(after)


class _Undo(Exception):
    """Rolls one walk back."""


def carry(world: World, order: Any, row: Assignment, move: str, who: str) -> None:
    """Make the model's move through the actions."""
    n = world.fresh(order).current
    calls = {
        "receive": ("receive", {"version": n}),
        "acknowledge": ("acknowledge", {"version": n, "reader": "Li Lei"}),
        "start": ("start", {"who_goes": "Team"}),
        "feedback": ("feedback", {"version": n, "percent": 10, "text": "On"}),
        "final": ("feedback", {"version": n, "percent": 100, "text": "Done", "final": True}),
        "accept": ("evaluate", {"accepted": True, "outcome": "good"}),
        "return": ("evaluate", {"accepted": False, "reason": "More"}),
        "decline": ("decline", {"reason": "Not ours"}),
        "overrule": ("overrule", {"reason": "Yours"}),
        "resume": ("resume", {}),
        "supervise": ("supervise", {"note": "Look"}),
    }
    if move == "hold":
        ask = world.act("ask", row, who, kind="hold", reason="Storm", wanted_until=world.now + timedelta(minutes=30))
        world.act("grant", ask, "centre")
    elif move == "cancel":
        world.act("cancel", order, who, reason="Over")
    else:
        name, given_fields = calls[move]
        world.act(name, row, who, **given_fields)


def sound(world: World, order: Any, row: Assignment, model: Model) -> None:
    """What must hold after every step, whatever it was."""
    row = world.fresh(row)
    assert row.state == model.state, model.trail
    moves = list(Transition.everything.filter(subject_type="assignment", subject_id=row.pk).order_by("version"))
    assert [move.version for move in moves] == list(range(1, row.version + 1))
    assert all(a.after == b.before for a, b in zip(moves, moves[1:], strict=False))
    assert all(
        a.at <= b.at and a.effective_at <= b.effective_at <= b.at for a, b in zip(moves, moves[1:], strict=False)
    )
    live = Deadline.objects.filter(subject_type="instructions.assignment", subject_id=row.pk, state="armed")
    assert live.exists() == (row.state not in TERMINAL), model.trail
    assert bool(row.ball) == (row.state not in TERMINAL)
    parts = queries.ledger(actor=world.who("centre"), assignment_id=row.pk, now=world.now)
    assert all(a["end"] == b["start"] for a, b in zip(parts, parts[1:], strict=False))
    if parts:
        whole = (parts[-1]["end"] - parts[0]["start"]).total_seconds()
        assert sum(part["seconds"] for part in parts) == pytest.approx(whole, abs=1e-6)


@settings(
    max_examples=drawing.examples(25, 80),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
def test_random_walks_agree_with_the_model(world: World, steps: list[tuple[str, str, int]]) -> None:
    began = world.now
    try:
        with transaction.atomic():
            version = walk(world, steps)
            raise _Undo
    except _Undo:
        world.now = began
    assert version >= 1


def walk(world: World, steps: list[tuple[str, str, int]]) -> int:
    """Try every step, compare answer and state; return the part's version at the end."""
    order = world.issued(targets=world.targets("fire"), due_at=world.now + timedelta(days=2))
    row, model = world.on(order, "fire"), Model()
    for move, who, seconds in steps:
        world.later(timedelta(seconds=seconds))
        expected = model.answer(move, who)
        try:
            carry(world, order, row, move, who)
            answer = "done"
        except Forbidden:
            answer = "forbidden"
        except MoveNotAllowed:
            answer = "not_now"
        except Refused as other:
            answer = f"{other.code}: {other.message} {other.errors}"
        assert answer == expected, (model.trail, move, who, model.state)
        if answer == "done":
            model.apply(move)
        sound(world, order, row, model)
    sweep(world.now)
    return world.fresh(row).version

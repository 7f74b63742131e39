"""Is what is stored and shown what the plain model says?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

import pytest

from coordination.deadlines.models import Deadline
from coordination.instructions.models import Assignment, Instruction, Transition
from tests.model import effects, plain
from tests.model.ground import Ground, Voice
from tests.model.plain import Order


class Compared(ABC):
    """The comparing half of a walk."""

    ground: Ground
    order: Order
    trail: list[str]
    names: dict[int, str]

    @abstractmethod
    def seen(self, who: str, on: Any) -> bool:
        """Whether who can see it; the walk knows who is on the incident."""

    def sound(self) -> None:
        """What is stored is what the model says; nothing waits for nobody; the moves on record lead to it."""
        parts = {part.pk: part for part in effects.everything(self.order)}
        orders = {order.pk: order for order in effects.orders(self.order)}
        rows = {row.pk: row for row in Assignment.everything.filter(instruction__in=orders)}
        assert set(rows) == set(parts), self.trail
        armed = set(
            Deadline.objects.filter(subject_type="instructions.assignment", state="armed", subject_id__in=rows)
            .values_list("subject_id", flat=True)
        )  # fmt: skip
        for pk, part in parts.items():
            row = rows[pk]
            stored = (row.state, row.cancel_owed, row.acknowledged_version, row.role)
            said = (part.state, part.cancelling, part.acknowledged, part.role)
            assert stored == said, (pk, part.department, self.trail)
            assert (pk in armed) == part.open or (part.heir is not None and part.heir.pk in armed), (pk, self.trail)
            ball = self.names.get(int(row.ball), "?") if row.ball.isdigit() else row.ball
            assert ball in plain.charged(part) if part.open else ball == "", (pk, ball, plain.charged(part), self.trail)
        self.orders_sound(orders)
        self.recorded({"assignment": rows, "instruction": Instruction.everything.in_bulk(list(orders))})

    def orders_sound(self, orders: dict[int, Order]) -> None:
        """Orders and the versions on their way."""
        clocks = Deadline.objects.filter(subject_type="instructions.instruction", state="armed", subject_id__in=orders)
        kinds: dict[int, set[str]] = {}
        for pk, kind in clocks.values_list("subject_id", "kind"):
            kinds.setdefault(pk, set()).add(kind)
        for row in Instruction.everything.filter(pk__in=orders).prefetch_related("versions"):
            order = orders[row.pk]
            on_way = [one.state for one in row.versions.all() if one.state in ("draft", "in_approval", "approved")]
            assert (row.state, row.current, on_way) == (
                order.state, order.current, [order.pending] if order.pending else []
            ), self.trail  # fmt: skip
            wanted = {"in_approval": {"approve"}, "approved": {"start"}}.get(order.pending, set())
            if order.state == "issued" and (order.unconfirmed or order.refused or order.keep_owed):
                wanted = wanted | {"confirm"}
            assert kinds.get(row.pk, set()) == wanted, (row.pk, self.trail)
            waits = any(part.open for part in order.parts)
            assert order.state != "issued" or waits, f"an order that nobody works on stays open: {self.trail}"

    def recorded(self, rows: dict[str, dict[int, Any]]) -> None:
        """Old state and moves make the new state; each move is one version."""
        for kind, found in rows.items():
            moves: dict[int, list[Transition]] = {}
            kept = Transition.everything.filter(subject_type=kind, subject_id__in=found).order_by("version")
            for move in kept:
                moves.setdefault(move.subject_id, []).append(move)
            for pk, row in found.items():
                line = moves[pk]
                assert [move.version for move in line] == list(range(1, row.version + 1)), (kind, pk, self.trail)
                assert line[0].before == ""
                assert all(a.after == b.before for a, b in zip(line, line[1:], strict=False)), (kind, pk, self.trail)
                assert (line[-1].after, line[-1].ball) == (row.state, row.ball), (kind, pk, self.trail)

    def look(self, voice: Voice) -> None:
        """What one of them is shown, and offered."""
        for order in effects.orders(self.order):
            answer = voice.get(f"/instructions/{order.pk}")
            if not self.seen(voice.name, order):
                assert answer.status_code == 404, (voice.name, answer.content[:300], self.trail)
                continue
            assert answer.status_code == 200, (voice.name, answer.content[:300], self.trail)
            shown = answer.json()
            assert shown["state"] == order.state, self.trail
            assert offered(shown) == plain.order_allowed(order, voice.name), (voice.name, order.pk, self.trail)
            rows = {one["id"]: one for one in shown["assignments"]}
            for part in order.parts:
                row = rows[part.pk]
                assert row["state"] == part.state
                assert offered(row) == plain.part_allowed(part, voice.name), (voice.name, part.pk, self.trail)
                question = row["open_ask"]
                assert (question is not None) == (part.asking is not None), (part.pk, self.trail)
                if question is not None:
                    assert offered(question) == plain.ask_allowed(part, voice.name), (voice.name, part.pk, self.trail)

    def settle(self) -> None:
        """Every second is charged to one party, from the draft to the end or to now."""
        reader = self.ground.voice("centre.commander")
        for part in effects.everything(self.order):
            answer = reader.get(f"/assignments/{part.pk}/ledger")
            assert answer.status_code == 200, (answer.content[:300], self.trail)
            rows = answer.json()["items"]
            assert all(a["end"] == b["start"] for a, b in zip(rows, rows[1:], strict=False)), self.trail
            if rows:
                whole = _moment(rows[-1]["end"]) - _moment(rows[0]["start"])
                assert sum(row["seconds"] for row in rows) == pytest.approx(whole.total_seconds(), abs=1e-5)


def offered(shown: dict[str, Any]) -> set[str]:
    """The actions a representation offers."""
    return {one["action"] for one in shown["allowed_actions"]}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)

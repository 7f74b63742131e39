"""What does one move look like on the wire, and what would be wrong with it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from coordination.instructions.models import Ask, Assignment, Instruction, InstructionVersion, Transition
from tests.instructions.world import T0
from tests.model import plain
from tests.model.ground import Ground
from tests.model.plain import Order, Part

DECIDING = {
    *plain.ORDER_MOVES, "evaluate", "recheck", "decline", "overrule", "reassign", "arbitrate", "cancel", "grant",
    "refuse",
}  # fmt: skip
QUIET = ("reach", "receive", "urge")
DUE = T0 + timedelta(days=2)
SPARE = ("health", "police")
BELOW = {"dfire": "town"}


@dataclass
class Try:
    """One attempt: who tries which move on what, with which words (``body`` for the model, ``wire`` for the API)."""

    who: str
    action: str
    on: Order | Part
    ask: bool
    body: dict[str, Any]
    wire: dict[str, Any]

    @property
    def path(self) -> str:
        """Where it is sent."""
        if isinstance(self.on, Order):
            base = f"/instructions/{self.on.pk}"
        elif self.ask:
            base = f"/asks/{self.on.question.pk if self.on.question else 0}"
        else:
            base = f"/assignments/{self.on.pk}"
        return base if self.action == "edit" else f"{base}/{self.action.replace('_', '-')}"

    @property
    def method(self) -> str:
        """Its verb."""
        return "PATCH" if self.action == "edit" else "POST"

    @property
    def order(self) -> Order:
        """The order it is about."""
        return self.on if isinstance(self.on, Order) else self.on.order

    def version(self) -> int:
        """The version that stands."""
        row: Any
        if isinstance(self.on, Order):
            row = Instruction.everything
        else:
            row = Ask.everything if self.ask else Assignment.everything
        pk = self.on.question.pk if self.ask and isinstance(self.on, Part) and self.on.question else self.on.pk
        return int(row.values_list("version", flat=True).get(pk=pk))

    def last_decided(self) -> int:
        """The version of the last move that changes what anybody decides on."""
        if self.ask:
            return self.version()
        kind = "instruction" if isinstance(self.on, Order) else "assignment"
        moves = Transition.everything.filter(subject_type=kind, subject_id=self.on.pk).exclude(move__in=QUIET)
        return int(moves.latest("version").version)


def attempt(ground: Ground, who: str, action: str, on: Order | Part, ask: bool, dice: int, now: datetime) -> Try:
    """Fill in the words of a move; ``dice`` chooses among its kinds."""
    body = _order_body(action, dice) if isinstance(on, Order) else _part_body(who, action, on, ask, dice, now)
    wire = {name: value for name, value in body.items() if name != "to"}
    for name in ("department", "owner", "successor"):
        if name in wire:
            wire[name] = ground.id(wire[name])
    if action == "delegate":
        wire["targets"] = [{"department": ground.id(body["to"]), "role": "lead"}]
    return Try(who, action, on, ask, body, wire)


def _order_body(action: str, dice: int) -> dict[str, Any]:
    return {
        "edit": {"place": f"Gate {dice}"},
        "withdraw": {"reason": "Once more"},
        "return_draft": {"reason": "Say where"},
        "approve": {"remark": "Go"},
        "issue_first": {"reason": "Gas"},
        "confirm": {"yes": True} if dice % 3 else {"yes": False, "reason": "Too far"},
        "amend": {"change_note": "The wind has turned"},
        "assign": {"department": SPARE[dice % 2]},
        "cancel": {"reason": "Over"},
    }.get(action, {})


def _part_body(who: str, action: str, part: Part, ask: bool, dice: int, now: datetime) -> dict[str, Any]:
    current = part.order.current
    if ask:
        later = {"until": (now + timedelta(minutes=30)).isoformat()}
        hold = part.question is not None and part.question.kind == "hold"
        if part.question is not None and part.question.kind == "appeal" and action == "grant":
            return {"answer": "It is theirs", "owner": _owner(part, dice)}
        return {"grant": {"answer": "Yes", **(later if hold else {})}, "refuse": {"answer": "No"}}.get(action, {})
    return {
        "receive": {"version": current},
        "acknowledge": {"version": current, **({"reader": "Li Lei"} if dice % 3 else {})},
        "acknowledge_for": _voice(part, dice, now),
        "contest": {"reason": "Nobody called"},
        "start": {"who_goes": "Team 1"},
        "feedback": {
            "version": current, "percent": 100 if dice % 2 else 40, "text": "Seen to", "final": bool(dice % 2),
            "early_reason": "Our part is whole",
        },
        "evaluate": {"accepted": True, "outcome": "good"} if dice % 3 else {"accepted": False, "reason": "More"},
        "recheck": {"passed": True} if dice % 2 else {"passed": False, "remark": "Still warm"},
        "decline": {"reason": "Not ours"},
        "overrule": {"reason": "It is yours"},
        "reassign": {"department": SPARE[dice % 2]},
        "arbitrate": {"owner": _owner(part, dice), "reason": "By the table"},
        "ask": _question(part, dice, now),
        "appeal": {"reason": "It lies elsewhere"},
        "delegate": {"to": BELOW.get(part.department, "hamlet"), "what": "Cool tank 3"},
        "supervise": {"note": "Look closely"},
        "cancel": {"reason": "Not needed", **_successor(part, dice)},
    }.get(action, {})


def _voice(part: Part, dice: int, now: datetime) -> dict[str, Any]:
    said = {
        "version": part.order.current, "speaker": "Wang", "number": "+8613800000001", "spoken_at": now.isoformat()
    }
    if dice % 3 == 0:
        return said
    row = InstructionVersion.everything.get(instruction_id=part.order.pk, n=part.order.current)
    return said | {"voice_code": row.voice_code}


def _owner(part: Part, dice: int) -> str:
    before = part.heir_of.department if part.heir_of is not None else part.department
    return (part.department, before, "health", "police")[dice % 4]


def _question(part: Part, dice: int, now: datetime) -> dict[str, Any]:
    kinds = ("hold", "clarify", "extension")
    kind = kinds[dice % 3]
    if kind == "extension" and (part.order.parent is not None or part.order.children):
        kind = "hold"
    if kind == "clarify":
        return {"kind": kind, "reason": "Which gate?"}
    until = now + timedelta(minutes=30) if kind == "hold" else DUE + timedelta(hours=1 + part.extensions)
    return {"kind": kind, "reason": "Storm", "wanted_until": until.isoformat()}


def _successor(part: Part, dice: int) -> dict[str, Any]:
    others = [one.department for one in part.order.parts if one is not part and one.open]
    chosen = [*others, ""][dice % (len(others) + 1)]
    return {"successor": chosen} if part.role == "lead" and chosen else {}


def makes_sense(part: Part, action: str) -> bool:
    """Leave out what the small city has no place for."""
    if action == "delegate":
        return part.department in BELOW and not part.order.children and not part.extensions
    return True


def refusal(attempted: Try, now: datetime) -> str:
    """What is wrong with the words of a move that is open to who tries it: a code, or nothing."""
    part, body, action = attempted.on, attempted.body, attempted.action
    if isinstance(part, Order):
        return "already_assigned" if action == "assign" and _taken(part, body["department"]) else ""
    if attempted.ask and "owner" in body:
        return "same_department" if body["owner"] == part.department else _third_taken(part, body["owner"])
    if attempted.ask:
        return ""
    if action == "feedback" and body["final"] and part.acknowledged != part.order.current:
        return "stale_version"
    if action == "reassign" and body["department"] == part.department:
        return "same_department"
    if action == "reassign":
        return "already_assigned" if _taken(part.order, body["department"]) else ""
    if action == "arbitrate":
        return _third_taken(part, body["owner"])
    if action == "urge":
        last = part.urged.get(attempted.who)
        return "too_soon" if last is not None and now - last < timedelta(minutes=10) else ""
    if action == "cancel" and part.role == "lead":
        return _lead_lost(part, body.get("successor"))
    return ""


def _lead_lost(part: Part, named: str | None) -> str:
    """Who leads when this leading part is taken back: who is to take it over, who had it before, or who is named."""
    if part.heir is not None:
        line = {one.department for one in part.order.parts if one.open and part in one.before_it}
        return "" if named is None or named in line else "successor_leads"
    back = part.goes_back_to
    if back is not None and named in (None, back.department):
        return ""
    fit = any(
        one.department == named and one is not part and one.open and not one.cancelling and one.state != "declined"
        for one in part.order.parts
    )
    return "" if fit else "successor_needed"


def _third_taken(part: Part, owner: str) -> str:
    third = owner not in (part.department, *(one.department for one in part.before_it if one.open))
    return "already_assigned" if third and _taken(part.order, owner) else ""


def _taken(order: Order, department: str) -> bool:
    return any(part.department == department and part.open for part in order.parts)

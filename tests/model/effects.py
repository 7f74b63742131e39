"""What does a move change in the plain model?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.model.plain import COMMAND, CONFIRM, ENDED, STEP, UNTOUCHED, WORKING, Order, Part, Question

# ---- orders -------------------------------------------------------------------------------------------------------


def on_order(order: Order, action: str, who: str, body: dict[str, Any], now: datetime) -> None:
    """Carry a move of an order."""
    if action == "edit":
        _hand_in_it(order, who)
    elif action == "submit":
        _hand_in_it(order, who)
        _version(order, "in_approval")
        order.approvers.clear()
    elif action in ("withdraw", "return_draft"):
        _version(order, "draft")
        order.approvers.clear()
    elif action == "approve":
        order.approvers.add(who)
        _version(order, "approved")
    elif action in ("issue", "issue_first"):
        _issue(order, who, first=action == "issue_first")
    elif action == "confirm":
        order.unconfirmed = False
        order.refused = not body["yes"]
    elif action == "amend":
        order.newest += 1
        order.pending, order.keep_owed = "in_approval", False
        order.drafter, order.authors, order.approvers = who, {who}, set()
    elif action == "keep":
        order.keep_owed = False
    elif action == "assign":
        order.parts.append(Part(order, body["department"], "support"))
    else:
        cancel_order(order)


def _hand_in_it(order: Order, who: str) -> None:
    """A hand in it: cannot approve it."""
    if who.endswith(".client"):
        return
    order.authors.add(who)
    order.drafter = order.drafter or who


def _version(order: Order, state: str) -> None:
    """A version moves; with the first the order does."""
    order.pending = state
    if order.state != "issued":
        order.state = state


def _issue(order: Order, who: str, *, first: bool) -> None:
    order.pending = ""
    if first:
        order.issued_by, order.unconfirmed, order.refused = who, True, False
    if order.state != "issued":
        order.state, order.left = "issued", True
        order.issued_by = who
        order.parts = [Part(order, department, role) for department, role in order.targets]
        return
    order.current = order.newest
    order.refused = False
    for part in order.parts:
        if part.open:
            for child in order.open_below(part):
                child.keep_owed = child.keep_owed or child.state == "issued"


def cancel_order(order: Order) -> None:
    """The order and what hangs below it end."""
    if order.state in ENDED:
        return
    if order.state == "issued":
        order.newest += 1
        order.current = order.newest
    order.state, order.pending, order.keep_owed = "cancelled", "", False
    for part in order.parts:
        if part.open:
            _end(part)
    for child in order.children:
        cancel_order(child)


def _end(part: Part) -> None:
    """Who has not taken it in hand is free at once; who has, once they have acknowledged the end."""
    if part.asking is not None:
        part.asking.state = "withdrawn"
    if part.state in UNTOUCHED or (part.state == "declined" and part.acknowledged is None):
        part.state = "cancelled"
    else:
        part.cancelling = True


def close_if_done(order: Order) -> None:
    """The lead has closed, everybody else has ended."""
    lead = any(part.role == "lead" and part.state == "closed" for part in order.parts)
    if order.state == "issued" and lead and not any(part.open for part in order.parts):
        order.state, order.pending, order.keep_owed = "closed", "", False


# ---- parts --------------------------------------------------------------------------------------------------------


def on_part(part: Part, action: str, who: str, body: dict[str, Any], now: datetime) -> None:
    """Carry a move of a part that has nothing wrong with it."""
    getattr(Moves, action)(part, who, body, now)


class Moves:
    """One function for each move of a part."""

    @staticmethod
    def receive(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """It is on somebody's screen."""
        part.state = "delivered"

    @staticmethod
    def acknowledge(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """It is in the department's hands; a system that names no reader has only received it."""
        if who.endswith(".client") and not body.get("reader"):
            part.state = "delivered" if part.state == "issued" else part.state
            return
        part.acknowledged = part.order.current
        if part.cancelling:
            part.state, part.cancelling = "cancelled", False
            close_if_done(part.order)
            return
        if part.state in UNTOUCHED:
            part.state = "acknowledged"
            for old in part.before_it:
                if old.open:
                    old.state, old.cancelling = "cancelled", False
                    for child in old.order.open_below(old):
                        cancel_order(child)

    @staticmethod
    def acknowledge_for(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """With the code it counts, without it nothing changes; it may be contested either way."""
        part.spoken_for = True
        if body.get("voice_code"):
            Moves.acknowledge(part, f"{part.department}.duty_officer", body, now)

    @staticmethod
    def contest(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """Disputed."""
        part.spoken_for = False

    @staticmethod
    def start(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """Under way."""
        part.state = "in_progress"

    @staticmethod
    def feedback(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """Handed in when final."""
        part.state = "feedback_submitted" if body["final"] else "in_progress"
        if body["final"] and part.asking is not None:
            part.asking.state = "withdrawn"
        part.submitter = who if body["final"] else part.submitter

    @staticmethod
    def evaluate(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """Accepted (and looked at again where wanted) or returned."""
        if not body["accepted"]:
            part.state = "in_progress"
        elif part.order.recheck:
            part.state = "evaluated"
        else:
            part.state = "closed"
            close_if_done(part.order)

    @staticmethod
    def recheck(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """It holds or it does not."""
        part.state = "closed" if body["passed"] else "in_progress"
        close_if_done(part.order)

    @staticmethod
    def decline(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """Not ours; the second time the arbiter rules."""
        if part.asking is not None:
            part.asking.state = "withdrawn"
        part.state = "declined"
        part.declines += 1
        part.arbiter = part.declines >= 2
        _await_ruling(part, now)

    @staticmethod
    def overrule(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """It is yours."""
        part.state, part.arbiter, part.ruled_at = "delivered", False, None

    @staticmethod
    def reassign(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """Another has it."""
        hand_on(part, body["department"], final=False)

    @staticmethod
    def arbitrate(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """The ruling; whose it is now cannot decline."""
        rule_for(part, body["owner"], who)

    @staticmethod
    def ask(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """One question."""
        until = datetime.fromisoformat(body["wanted_until"]) if "wanted_until" in body else None
        part.question = Question(body["kind"], until)

    @staticmethod
    def appeal(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """Heard above whoever ruled; by the arbiter where it was silent."""
        ruler = part.ruled_by.partition(".")[0]
        part.question = Question("appeal", None, heard_by="city" if ruler else COMMAND, not_by=part.ruled_by)

    @staticmethod
    def resume(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """The state before the hold."""
        part.state, part.revisit = part.before, None

    @staticmethod
    def delegate(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """A child, handed in."""
        child = Order(part.department, ((body["to"], "lead"),), parent=part)
        child.state = child.pending = "in_approval"
        child.drafter, child.authors, child.urgency = who, {who}, part.order.urgency
        part.order.children.append(child)

    @staticmethod
    def urge(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """Once in ten minutes."""
        part.urged[who] = now

    @staticmethod
    def supervise(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """Watched."""
        part.supervised = True

    @staticmethod
    def lift(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """No longer."""
        part.supervised = False

    @staticmethod
    def cancel(part: Part, who: str, body: dict[str, Any], now: datetime) -> None:
        """This part alone, with what it handed down; somebody else leads from now on."""
        back, heir, named = part.goes_back_to, part.heir, body.get("successor")
        if part.role == "lead" and heir is None and (back is None or named not in (None, back.department)):
            for one in part.order.parts:
                one.role = "support" if one.open else one.role
            next(one for one in part.order.parts if one.department == named and one.open).role = "lead"
        below = part.order.open_below(part)
        _end(part)
        if heir is not None and not part.open:
            heir.heir_of = part.heir_of
        if back is not None:
            back.role = part.role
            _await_ruling(back, now)
        for child in below:
            cancel_order(child)
        close_if_done(part.order)


def _await_ruling(part: Part, now: datetime) -> None:
    part.ruled_at, part.ruled_step = now + CONFIRM, 0


def hand_on(part: Part, department: str, *, final: bool) -> Part:
    """Another department gets the work; the decliner keeps it until that one acknowledges."""
    heir = Part(part.order, department, part.role, declines=part.declines, final_word=final, heir_of=part)
    part.order.parts.append(heir)
    part.ruled_at = None
    return heir


def rule_for(part: Part, owner: str, who: str) -> None:
    """Back to the decliner, to whoever declined before, or to a third; whose it is cannot decline any more."""
    if owner == part.department:
        back = part
    else:
        earlier = [one for one in part.before_it if one.open and one.department == owner]
        if not earlier:
            hand_on(part, owner, final=True).ruled_by = who
            return
        back = earlier[0]
        next(one for one in (part, *part.before_it) if one.heir_of is back).heir_of = back.heir_of
        back.heir_of, back.role, part.ruled_at = part, part.role, None
    back.final_word, back.arbiter, back.state, back.ruled_at = True, False, "delivered", None
    back.ruled_by = who


def on_ask(part: Part, action: str, who: str, body: dict[str, Any]) -> None:
    """The question is answered or taken back."""
    question = part.question
    assert question is not None
    question.state = {"grant": "granted", "refuse": "refused", "withdraw": "withdrawn"}[action]
    part.appealed = part.appealed or (question.kind == "appeal" and action != "withdraw")
    if action != "grant":
        return
    if question.kind == "appeal":
        part.state, part.revisit = "declined", None
        rule_for(part, body["owner"], who)
    elif question.kind == "hold":
        if part.state != "on_hold":
            part.before = part.state
        part.state, part.revisit = "on_hold", question.until
    elif question.kind == "extension":
        part.extensions += 1


# ---- what the clock does ------------------------------------------------------------------------------------------


def sweep(parts: Iterator[Part], now: datetime, lead_department: str) -> None:
    """Holds lapse; declines nobody has answered go to the arbiter, then by the table."""
    for part in list(parts):
        if not part.live:
            continue
        if part.state == "on_hold" and part.revisit is not None and now >= part.revisit:
            Moves.resume(part, "", {}, now)
        elif part.state == "declined" and part.heir is None and part.ruled_at is not None and now >= part.ruled_at:
            _rule_by_clock(part, now, lead_department)


def _rule_by_clock(part: Part, now: datetime, lead_department: str) -> None:
    part.ruled_step += 1
    if part.ruled_step == 1:
        part.ruled_at = now + STEP
    elif not part.arbiter:
        part.arbiter = True
        _await_ruling(part, now)
    else:
        taken = {one.department for one in part.order.parts if one.open and one is not part}
        rule_for(part, part.department if lead_department in taken else lead_department, "")


def moments(parts: Iterator[Part]) -> list[datetime]:
    """When the clock will do something."""
    return [moment for part in parts for moment in (part.revisit, part.ruled_at) if moment is not None]


def everything(order: Order) -> Iterator[Part]:
    """The parts of an order and of all below it."""
    yield from order.parts
    for child in order.children:
        yield from everything(child)


def orders(order: Order) -> Iterator[Order]:
    """The order and all below it."""
    yield order
    for child in order.children:
        yield from orders(child)


__all__ = ["ENDED", "WORKING", "close_if_done", "everything", "moments", "on_ask", "on_order", "on_part", "orders"]

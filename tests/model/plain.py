"""What should the closed loop do? A plain model, written from the words of the design.

It knows nothing of the table of moves: orders, their versions, one part per department, one question at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

COMMANDING = {"duty_officer", "commander", "head"}
APPROVING = {"approver", "commander", "head"}
ABOVE = {
    "centre": ("city",), "fire": ("city",), "police": ("city",), "health": ("city",), "district": ("city",),
    "dfire": ("district", "city"), "dpolice": ("district", "city"), "town": ("dfire", "district", "city"),
    "village": ("town", "dfire", "district", "city"),
}
COMMAND, LEADS = "centre", "fire"
ENDED = {"closed", "cancelled"}
UNTOUCHED = {"issued", "delivered"}
WORKING = {"acknowledged", "in_progress"}
CONFIRM, STEP = timedelta(minutes=20), timedelta(minutes=5)


@dataclass
class Question:
    """An ask."""

    kind: str
    until: datetime | None
    third: bool = False
    pk: int = 0
    state: str = "open"
    heard_by: str = ""
    not_by: str = ""


@dataclass(eq=False)
class Part:
    """What one department has to do."""

    order: Order
    department: str
    role: str
    state: str = "issued"
    before: str = ""
    acknowledged: int | None = None
    cancelling: bool = False
    declines: int = 0
    final_word: bool = False
    ruled_by: str = ""
    appealed: bool = False
    arbiter: bool = False
    heir_of: Part | None = None
    submitter: str = ""
    spoken_for: bool = False
    supervised: bool = False
    extensions: int = 0
    question: Question | None = None
    revisit: datetime | None = None
    ruled_at: datetime | None = None
    ruled_step: int = 0
    urged: dict[str, datetime] = field(default_factory=dict)
    pk: int = 0

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.state not in ENDED

    @property
    def live(self) -> bool:
        """Whether the work is wanted still."""
        return self.order.state == "issued" and not self.cancelling

    @property
    def owes(self) -> bool:
        """Whether the department has yet to acknowledge what stands."""
        if not self.open:
            return False
        if self.cancelling or self.state in UNTOUCHED:
            return True
        return self.acknowledged is not None and self.acknowledged < self.order.current

    @property
    def heir(self) -> Part | None:
        """Who has it in hand instead, if anybody has."""
        return next((one for one in self.order.parts if one.heir_of is self and one.open), None)

    @property
    def before_it(self) -> list[Part]:
        """Whose work this one was given, nearest first."""
        found: list[Part] = []
        one = self.heir_of
        while one is not None:
            found.append(one)
            one = one.heir_of
        return found

    @property
    def goes_back_to(self) -> Part | None:
        """Whose the work is again when this part is taken back before anybody has it in hand."""
        untouched = self.state in UNTOUCHED or (self.state == "declined" and self.acknowledged is None)
        old = self.heir_of
        waits = old is not None and old.state == "declined" and not old.cancelling
        return old if waits and untouched and self.heir is None else None

    @property
    def asking(self) -> Question | None:
        """The open question."""
        return self.question if self.question is not None and self.question.state == "open" else None


@dataclass(eq=False)
class Order:
    """An instruction."""

    issuer: str
    targets: tuple[tuple[str, str], ...]
    urgency: str = "urgent"
    parent: Part | None = None
    state: str = "draft"
    current: int = 1
    pending: str = "draft"
    newest: int = 1
    drafter: str = ""
    authors: set[str] = field(default_factory=set)
    approvers: set[str] = field(default_factory=set)
    recheck: bool = False
    left: bool = False
    issued_by: str = ""
    unconfirmed: bool = False
    refused: bool = False
    keep_owed: bool = False
    parts: list[Part] = field(default_factory=list)
    children: list[Order] = field(default_factory=list)
    pk: int = 0

    def seen_by(self, department: str) -> bool:
        """Until it leaves, if ever: its department, those above, who commands or leads the incident. Then all on it."""
        insiders = {self.issuer, *ABOVE[self.issuer], COMMAND, LEADS}
        return department in insiders or self.left

    def open_below(self, part: Part) -> list[Order]:
        """What this part has handed down and is under way."""
        return [child for child in self.children if child.parent is part and child.state not in ENDED]


@dataclass
class Outcome:
    """What an answer should be: done, forbidden, same_person, not_now, or another refusal's code."""

    said: str
    state: str = ""


def _posts(who: str, department: str, posts: set[str]) -> bool:
    code, _dot, post = who.partition(".")
    return code == department and post in posts


def _is_client(who: str, department: str) -> bool:
    return who == f"{department}.client"


def _above(who: str, department: str, posts: set[str]) -> bool:
    return any(_posts(who, above, posts) for above in ABOVE[department])


# ---- who, and when: orders ----------------------------------------------------------------------------------------


def order_party(order: Order, who: str, action: str) -> bool:
    """Whether this move belongs to who at all."""
    issuer = _posts(who, order.issuer, COMMANDING)
    if action == "edit":
        return issuer or _is_client(who, order.issuer)
    if action in ("submit", "issue", "keep"):
        return issuer
    if action == "withdraw":
        return who == order.drafter and who.partition(".")[2] in COMMANDING
    if action in ("approve", "return_draft"):
        return _posts(who, order.issuer, APPROVING)
    if action == "issue_first":
        return who == f"{COMMAND}.commander" or who == f"{order.issuer}.head"
    if action == "confirm":
        return _posts(who, order.issuer, APPROVING) or _above(who, order.issuer, APPROVING)
    if action == "amend":
        return issuer or (order.refused and who == f"{COMMAND}.commander")
    if action == "assign":
        return issuer or _posts(who, COMMAND, COMMANDING)
    return issuer or who == f"{COMMAND}.commander"  # cancel


def order_now(order: Order, action: str) -> bool:
    """Whether its time is now."""
    if order.state in ENDED:
        return False
    issued = order.state == "issued"
    return {
        "edit": order.pending == "draft",
        "submit": order.pending == "draft",
        "withdraw": order.pending in ("in_approval", "approved"),
        "return_draft": order.pending in ("in_approval", "approved"),
        "approve": order.pending == "in_approval",
        "issue": order.pending == "approved",
        "issue_first": order.pending in ("draft", "in_approval") and order.urgency == "immediate",
        "confirm": issued and order.unconfirmed,
        "amend": issued and not order.pending,
        "keep": issued and order.keep_owed,
        "assign": issued,
        "cancel": True,
    }[action]


ORDER_MOVES = (
    "edit", "submit", "withdraw", "return_draft", "approve", "issue", "issue_first", "confirm", "amend", "keep",
    "assign", "cancel",
)
VERSION_MOVES = {"edit", "submit", "withdraw", "return_draft", "approve", "issue", "issue_first"}


def four_eyes(order: Order, who: str, action: str) -> bool:
    """Whether this very person may not, though the department may."""
    if action == "approve":
        return who in order.authors | order.approvers
    return action == "confirm" and who == order.issued_by


# ---- who, and when: parts -----------------------------------------------------------------------------------------


def part_party(part: Part, who: str, action: str) -> bool:
    """Whether this move belongs to who at all."""
    executing = _posts(who, part.department, COMMANDING)
    issuer = _posts(who, part.order.issuer, COMMANDING)
    command = _posts(who, COMMAND, COMMANDING)
    if action == "receive":
        return who.partition(".")[0] == part.department
    if action in ("acknowledge", "feedback"):
        return executing or _is_client(who, part.department)
    if action in ("start", "decline", "ask", "appeal", "delegate", "contest"):
        return executing
    if action == "resume":
        return executing or issuer
    if action in ("evaluate", "reassign"):
        return issuer
    if action in ("overrule", "cancel"):
        return issuer or who == f"{COMMAND}.commander"
    if action == "arbitrate":
        return part.arbiter and command
    if action == "urge":
        leads = [one for one in part.order.parts if one.role == "lead" and one.state != "cancelled"]
        leads = [one for one in leads if one.state != "declined"] or leads  # who has declined it, until another leads
        lead = part.role == "support" and any(_posts(who, one.department, COMMANDING) for one in leads[-1:])
        return issuer or command or lead
    if action == "acknowledge_for":
        return issuer or command
    return command  # supervise, lift, recheck


def part_now(part: Part, action: str) -> bool:
    """Whether its time is now."""
    if not part.open:
        return False
    state, live = part.state, part.live
    ruling = state == "declined" and live and part.heir is None
    return {
        "receive": state == "issued",
        "acknowledge": part.owes,
        "acknowledge_for": part.owes,
        "contest": part.spoken_for,
        "start": live and state == "acknowledged",
        "feedback": live and state in WORKING,
        "evaluate": live and state == "feedback_submitted",
        "recheck": live and state == "evaluated",
        "decline": live and state in UNTOUCHED | WORKING and not part.final_word,
        "overrule": ruling and not part.arbiter,
        "reassign": ruling and not part.arbiter,
        "arbitrate": ruling and part.arbiter,
        "ask": live and state in UNTOUCHED | WORKING | {"on_hold"} and part.asking is None,
        "appeal": live and part.final_word and not part.appealed and part.asking is None
        and state in UNTOUCHED | WORKING | {"on_hold"},
        "resume": live and state == "on_hold",
        "delegate": live and state in WORKING,
        "urge": True,
        "supervise": not part.supervised,
        "lift": part.supervised,
        "cancel": live,
    }[action]


PART_MOVES = (
    "receive", "acknowledge", "acknowledge_for", "contest", "start", "feedback", "evaluate", "recheck", "decline",
    "overrule", "reassign", "arbitrate", "ask", "appeal", "resume", "delegate", "urge", "supervise", "lift", "cancel",
)
ASK_MOVES = ("grant", "refuse", "withdraw")


def ask_party(part: Part, who: str, action: str) -> bool:
    """The issuer answers, from the third extension on command (either may refuse it); the department withdraws."""
    issuer, command = _posts(who, part.order.issuer, COMMANDING), _posts(who, COMMAND, COMMANDING)
    question = part.question
    third = question is not None and question.kind == "extension" and part.extensions >= 2
    if action == "withdraw":
        return _posts(who, part.department, COMMANDING)
    if question is not None and question.kind == "appeal":
        return _posts(who, question.heard_by, COMMANDING)
    if action == "grant":
        return command if third else issuer
    return issuer or (third and command)


def heard_before(part: Part, who: str, action: str) -> bool:
    """Whether it is this very person's ruling that is appealed against."""
    return part.question is not None and part.question.kind == "appeal" and action != "withdraw" and (
        who == part.question.not_by
    )


# ---- what anybody may do now --------------------------------------------------------------------------------------


def order_allowed(order: Order, who: str) -> set[str]:
    """Moves of an order open to who."""
    return {
        action for action in ORDER_MOVES
        if order_now(order, action) and order_party(order, who, action) and not four_eyes(order, who, action)
    }


def part_allowed(part: Part, who: str) -> set[str]:
    """Moves of a part open to who."""
    return {
        action for action in PART_MOVES
        if part_now(part, action) and part_party(part, who, action)
        and not (action == "evaluate" and who == part.submitter)
    }


def ask_allowed(part: Part, who: str) -> set[str]:
    """Moves of a part's question open to who."""
    if part.asking is None:
        return set()
    return {
        action for action in ASK_MOVES
        if ask_party(part, who, action) and not heard_before(part, who, action)
    }


def charged(part: Part) -> set[str]:
    """Whose move it may be: one of these."""
    question = part.asking
    if question is not None and question.kind == "clarify":
        return {part.order.issuer}
    if part.cancelling:
        return {part.department}
    return {
        "issued": {"platform", part.department},
        "declined": {part.heir.department} if part.heir else {COMMAND if part.arbiter else part.order.issuer},
        "feedback_submitted": {part.order.issuer},
        "evaluated": {COMMAND},
    }.get(part.state, {part.department, *(
        one.department for child in part.order.children if child.parent is part for one in child.parts if one.open
    )})

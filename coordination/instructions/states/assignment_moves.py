"""Which moves do an assignment and an ask know?"""

from __future__ import annotations

from coordination.instructions.states.instruction_moves import CONTENT
from coordination.instructions.states.table import (
    ANY_POST,
    COMMAND,
    EXECUTING,
    ISSUER,
    ISSUER_OR_COMMANDER,
    NOTE,
    REASON,
    SYS,
    VERSION,
    Field,
    Move,
    Who,
)

_S = frozenset
TERMINAL = _S({"closed", "superseded", "cancelled"})
OPEN = _S({
    "issued", "delivered", "acknowledged", "in_progress", "feedback_submitted", "evaluated", "on_hold", "declined",
})
UNTOUCHED = _S({"issued", "delivered"})
WORKING = _S({"acknowledged", "in_progress"})
_TO_WORK = UNTOUCHED | WORKING
_LIVE = ("live",)
_FIGURES = (
    Field("figures", "list", required=False),
    Field("place", required=False),
    Field("latitude", "number", required=False),
    Field("longitude", "number", required=False),
    Field("attachments", "list", required=False),
)

ASSIGNMENT_MOVES: tuple[Move, ...] = (
    Move(
        "issue", "assignment", _S({""}), "issued", (SYS,), ball="platform", arms=("acknowledge", "complete"),
        note="made by issue, assign, reassign or arbitrate",
    ),
    Move("reach", "assignment", _S({"issued"}), "issued", (SYS,), quiet=True, ball="executing"),
    Move(
        "receive", "assignment", _S({"issued"}), "delivered", (Who("executing", ANY_POST),), (VERSION,),
        client=True, quiet=True, ball="executing",
    ),
    Move(
        "acknowledge", "assignment", OPEN, None, (EXECUTING,),
        (VERSION, Field("reader", required=False), Field("read_back", "object", required=False)),
        needs=("owes_acknowledgement",), client=True, ball="executing", stops=("acknowledge",), arms=("start",),
        note="issued, delivered → acknowledged; a newer version: the state stays; a cancellation → cancelled",
    ),
    Move(
        "misunderstood", "assignment", OPEN, None, (SYS,), needs=("owes_acknowledgement",), ball="executing",
        note="an acknowledgement whose read-back differs; written by acknowledge, never asked for by itself",
    ),
    Move(
        "acknowledge_for", "assignment", OPEN, None, (ISSUER, COMMAND),
        (
            VERSION, Field("speaker"), Field("number"), Field("spoken_at", "datetime"),
            Field("voice_code", required=False),
        ),
        needs=("owes_acknowledgement",), ball="executing", stops=("acknowledge",), arms=("start",),
        note="as acknowledge with the version's voice code; without it assumed: nothing changes, nothing stops",
    ),
    Move(
        "contest", "assignment", OPEN, None, (EXECUTING,), (REASON,), needs=("spoken_for",),
        note="the evidence given by telephone is disputed; the record stays",
    ),
    Move(
        "start", "assignment", _S({"acknowledged"}), "in_progress", (EXECUTING,),
        (Field("who_goes"), Field("eta", "datetime", required=False)), needs=_LIVE,
        ball="executing", stops=("start",), arms=("progress",),
    ),
    Move(
        "feedback", "assignment", WORKING, None, (EXECUTING,),
        (
            VERSION, Field("percent", "integer"), Field("text"), Field("final", "boolean", required=False),
            *_FIGURES, Field("early_reason", required=False), Field("reader", required=False),
        ),
        needs=_LIVE, client=True, stops=("start", "progress", "complete", "confirm"), arms=("progress", "evaluate"),
        note="in_progress; final → feedback_submitted",
    ),
    Move(
        "evaluate", "assignment", _S({"feedback_submitted"}), None,
        (Who("issuer", when="!own_order"), Who("above", when="own_order")),
        (
            Field("accepted", "boolean"), Field("outcome", required=False), Field("timeliness", required=False),
            Field("remark", required=False), Field("reason", required=False),
            Field("new_due", "datetime", required=False),
        ),
        needs=_LIVE, not_by=("submitter",), deciding=True, stops=("evaluate",),
        arms=("confirm", "complete", "progress"),
        note="accepted → closed, or evaluated where a recheck is wanted; returned → in_progress",
    ),
    Move(
        "recheck", "assignment", _S({"evaluated"}), None, (COMMAND,),
        (
            Field("passed", "boolean"), Field("remark", required=False), Field("place", required=False),
            Field("attachments", "list", required=False),
        ),
        needs=_LIVE, deciding=True, stops=("confirm",), arms=("complete", "progress"),
        note="passed → closed; failed → in_progress",
    ),
    Move(
        "decline", "assignment", _TO_WORK, "declined", (EXECUTING,),
        (Field("code", required=False), REASON, Field("suggested", "department", required=False)),
        needs=("live", "may_decline"), deciding=True, ball="issuer", arms=("confirm",),
        note="other deadlines are held; the ball is the arbiter's from the second decline of the same work",
    ),
    Move(
        "call_arbiter", "assignment", _S({"declined"}), "declined", (SYS,), needs=("live", "!arbiter", "!handed_on"),
        ball="arbiter", note="nobody has answered the decline in time",
    ),
    Move(
        "overrule", "assignment", _S({"declined"}), "delivered", ISSUER_OR_COMMANDER, (REASON,),
        needs=("live", "!arbiter", "!handed_on"), deciding=True, ball="executing", stops=("confirm",),
        arms=("acknowledge", "complete"),
    ),
    Move(
        "reassign", "assignment", _S({"declined"}), "declined", (ISSUER, SYS),
        (Field("department", "department"), Field("post", required=False), Field("reason", required=False)),
        needs=("live", "!arbiter", "!handed_on"), deciding=True, stops=("confirm",),
    ),
    Move(
        "arbitrate", "assignment", _S({"declined"}), None, (Who("arbiter"), SYS),
        (Field("owner", "department"), REASON), needs=("live", "arbiter", "!handed_on"), deciding=True,
        stops=("confirm",), note="the decliner itself: as overrule; another: as reassign",
    ),
    Move("hand_over", "assignment", _S({"declined"}), "cancelled", (SYS,), ball="nobody", stops=("*",)),
    Move(
        "ask", "assignment", _TO_WORK | {"on_hold"}, None, (EXECUTING,),
        (
            Field("kind", "choice", choices=("extension", "hold", "clarify")), REASON,
            Field("wanted_until", "datetime", required=False),
        ),
        needs=("live", "!ask_open"), note="clarify: the ball is the issuer's",
    ),
    Move(
        "appeal", "assignment", _TO_WORK | {"on_hold"}, None, (EXECUTING,), (REASON,),
        needs=("live", "ruled", "!ask_open", "!appealed"),
        note="against a ruling, once; the work and its clocks are the department's until the appeal is heard",
    ),
    Move(
        "resume", "assignment", _S({"on_hold"}), None, (EXECUTING, ISSUER, SYS), needs=_LIVE, stops=("revisit",),
        ball="executing", note="the state before the hold; held deadlines go on with the time left",
    ),
    Move(
        "delegate", "assignment", WORKING, None, (EXECUTING,), CONTENT, needs=_LIVE,
        note="a child instruction; this department stays accountable",
    ),
    Move("hand_down", "assignment", WORKING, None, (SYS,), needs=_LIVE, note="the child holds the work"),
    Move(
        "take_back", "assignment", OPEN, None, (SYS,),
        note="the child, or who was to take a declined part over, has ended; the work is back",
    ),
    Move(
        "urge", "assignment", OPEN, None,
        (ISSUER, COMMAND, Who("lead", when="support")), (NOTE,), quiet=True,
        note="once in ten minutes per urger",
    ),
    Move(
        "supervise", "assignment", OPEN, None, (COMMAND,),
        (Field("note"), Field("progress_every", "integer", required=False)), needs=("!supervised",),
    ),
    Move("lift", "assignment", OPEN, None, (COMMAND,), (NOTE,), needs=("supervised",)),
    Move(
        "cancel", "assignment", OPEN, None, ISSUER_OR_COMMANDER,
        (REASON, Field("successor", "department", required=False)), needs=_LIVE, deciding=True,
        note="untouched → cancelled at once; others when they acknowledge; a lead whose work does not go back to "
        "who had it before, nor has been handed on, needs a successor",
    ),
    Move("lead", "assignment", OPEN, None, (SYS,), note="leads from now on: the leading part was taken back"),
    Move("supersede", "assignment", OPEN, None, (SYS,), note="as cancel, when a successor instruction is issued"),
    Move(
        "owe", "assignment", OPEN, None, (SYS,), ball="keep", arms=("acknowledge",),
        note="a newer version is issued: its acknowledgement is owed",
    ),
)

_ASK_STATES = _S({"open"})
ASK_MOVES: tuple[Move, ...] = (
    Move(
        "grant", "ask", _ASK_STATES, "granted",
        (Who("issuer", when="issuers"), Who("command", when="third_extension"), Who("decider", when="appeal")),
        (
            Field("until", "datetime", required=False), Field("answer", required=False),
            Field("consented", "boolean", required=False), Field("owner", "department", required=False),
        ),
        not_by=("ruler",), deciding=True, stops=("confirm",), note="an appeal: owner says whose the work is instead",
    ),
    Move("refuse", "ask", _ASK_STATES, "refused",
         (Who("issuer", when="!appeal"), Who("command", when="third_extension"), Who("decider", when="appeal")),
         (Field("answer"),), not_by=("ruler",), deciding=True, stops=("confirm",)),
    Move("withdraw", "ask", _ASK_STATES, "withdrawn", (EXECUTING,), stops=("confirm",)),
)

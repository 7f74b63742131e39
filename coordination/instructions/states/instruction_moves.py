"""Which moves does an instruction know?"""

from __future__ import annotations

from coordination.instructions.states.table import (
    APPROVING,
    COMMAND,
    COMMANDER,
    HEAD,
    ISSUER,
    ISSUER_OR_COMMANDER,
    REASON,
    SYS,
    Field,
    Move,
    Who,
)

_S = frozenset

CONTENT: tuple[Field, ...] = (
    Field("text", required=False),
    Field("headline_zh", required=False),
    Field("headline_en", required=False),
    Field("type", required=False),
    Field("verb", required=False),
    Field("what", required=False),
    Field("place", required=False),
    Field("latitude", "number", required=False),
    Field("longitude", "number", required=False),
    Field("quantity", "number", required=False),
    Field("unit", required=False),
    Field("objects_named", "list", required=False),
    Field("starts_at", "datetime", required=False),
    Field("due_at", "datetime", required=False),
    Field("due_in", "integer", required=False),
    Field("urgency", "choice", required=False, choices=("immediate", "urgent", "routine")),
    Field("evidence", "list", required=False),
    Field("read_back", "boolean", required=False),
    Field("recheck", "boolean", required=False),
    Field("progress_every", "integer", required=False),
    Field("targets", "list", required=False),
)

INSTRUCTION_MOVES: tuple[Move, ...] = (
    Move(
        "draft", "instruction", _S({""}), "draft", (ISSUER,), (Field("incident_id", "integer"), *CONTENT),
        needs=("incident_open",), client=True, ball="issuer",
    ),
    Move(
        "edit", "instruction", _S({"draft"}), "draft", (ISSUER,), CONTENT,
        needs=("incident_open",), client=True, deciding=True, ball="issuer",
    ),
    Move(
        "submit", "instruction", _S({"draft"}), "in_approval", (ISSUER,),
        needs=("incident_open",), deciding=True, ball="issuer", arms=("approve",),
        note="reaches approved at once where the approval rule asks for none",
    ),
    Move(
        "withdraw", "instruction", _S({"in_approval", "approved"}), "draft", (Who("drafter"),),
        (Field("reason", required=False),), deciding=True, ball="issuer", stops=("approve", "start"),
    ),
    Move(
        "return_draft", "instruction", _S({"in_approval", "approved"}), "draft", (Who("issuer", APPROVING),),
        (REASON,), deciding=True, ball="issuer", stops=("approve", "start"),
    ),
    Move(
        "approve", "instruction", _S({"in_approval"}), "approved", (Who("issuer", APPROVING),),
        (Field("remark", required=False), Field("signed_conflicts", "list", required=False)),
        not_by=("author", "approver"), deciding=True, ball="issuer", arms=("start",), stops=("approve",),
        note="stays in approval while the rule asks for a further person",
    ),
    Move(
        "issue", "instruction", _S({"approved"}), "issued", (ISSUER,),
        needs=("incident_open",), deciding=True, ball="executing", stops=("start",),
        arms=("acknowledge", "complete"),
    ),
    Move(
        "issue_first", "instruction", _S({"draft", "in_approval"}), "issued",
        (Who("command", COMMANDER), Who("issuer", HEAD)), (REASON,),
        needs=("incident_open", "immediate", "!lateral"), deciding=True, ball="executing",
        stops=("approve",), arms=("acknowledge", "complete", "confirm"),
    ),
    Move(
        "confirm", "instruction", _S({"issued"}), "issued",
        (Who("issuer", APPROVING), Who("above_issuer", APPROVING)),
        (Field("yes", "boolean"), Field("reason", required=False)),
        needs=("unconfirmed",), not_by=("issuer_person",), deciding=True, stops=("confirm",),
    ),
    Move(
        "amend", "instruction", _S({"issued"}), "issued", (ISSUER, Who("command", COMMANDER, "confirm_refused")),
        (Field("change_note"), *CONTENT), needs=("incident_open", "!pending", "standing"), deciding=True,
        arms=("approve",),
    ),
    Move(
        "keep_owed", "instruction", _S({"issued"}), "issued", (SYS,), arms=("confirm",),
        note="the order above has changed: its delegator amends this one or keeps it",
    ),
    Move(
        "keep", "instruction", _S({"issued"}), "issued", (ISSUER,), (Field("reason", required=False),),
        needs=("keep_owed",), deciding=True, stops=("confirm",),
    ),
    Move(
        "assign", "instruction", _S({"issued"}), "issued", (ISSUER, COMMAND),
        (Field("department", "department"), Field("post", required=False), Field("reason", required=False)),
        needs=("incident_open", "standing"), deciding=True, arms=("acknowledge", "complete"),
    ),
    Move(
        "cancel", "instruction", _S({"draft", "in_approval", "approved", "issued"}), "cancelled",
        ISSUER_OR_COMMANDER, (REASON,), needs=("standing",), deciding=True, ball="nobody", stops=("*",),
    ),
    Move(
        "supersede", "instruction", _S({"issued"}), "superseded", (SYS,),
        needs=("standing",), ball="nobody", stops=("*",),
    ),
    Move("close", "instruction", _S({"issued"}), "closed", (SYS,), needs=("standing",), ball="nobody", stops=("*",)),
)


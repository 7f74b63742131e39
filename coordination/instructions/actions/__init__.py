"""How does the closed loop move? Every move of the table that a person, a client or the platform makes."""

from coordination.instructions.actions.acknowledging import (
    StaleVersion,
    acknowledge,
    acknowledge_for,
    contest,
    receive,
)
from coordination.instructions.actions.amending import amend, keep
from coordination.instructions.actions.asking import AskOpen, appeal, ask, grant, refuse, resume, withdraw_ask
from coordination.instructions.actions.declining import arbitrate, decline, overrule, reassign
from coordination.instructions.actions.delegating import delegate
from coordination.instructions.actions.discarding import discard, restore
from coordination.instructions.actions.drafting import (
    ConflictsUnsigned,
    NotOnIncident,
    PastParentDue,
    approve,
    draft,
    edit,
    return_draft,
    submit,
    withdraw,
)
from coordination.instructions.actions.ending import cancel, cancel_assignment
from coordination.instructions.actions.evaluating import evaluate, recheck
from coordination.instructions.actions.executing import feedback, start
from coordination.instructions.actions.issuing import assign, confirm, issue, issue_first
from coordination.instructions.actions.supervising import lift, supervise, urge

__all__ = [
    "AskOpen", "ConflictsUnsigned", "NotOnIncident", "PastParentDue", "StaleVersion", "acknowledge",
    "acknowledge_for", "amend", "appeal", "approve", "arbitrate", "ask", "assign", "cancel",
    "cancel_assignment", "confirm", "contest", "decline", "delegate", "discard", "draft", "edit", "evaluate",
    "feedback", "grant", "issue", "issue_first", "keep", "lift", "overrule", "reassign", "receive", "recheck",
    "refuse", "restore", "resume", "return_draft", "start", "submit", "supervise", "urge", "withdraw",
    "withdraw_ask",
]

"""Which form, words and action belong to each act that a page offers?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.instructions import actions
from coordination.instructions.forms import acts
from sharing.access.forms import ActForm


@dataclass(frozen=True, slots=True)
class Act:
    """One act: its form, the action it calls, and its words. ``tap``: one button, no fields, no question."""

    form: type[ActForm]
    action: Callable[..., Any]
    label: Any
    button: Any
    said: Any
    tap: bool = False
    primary: bool = False
    danger: bool = False


SUBJECT_ARGUMENT = {"instruction": "instruction_id", "assignment": "assignment_id", "ask": "ask_id"}

INSTRUCTION: dict[str, Act] = {
    "submit": Act(
        acts.PlainForm,
        actions.submit,
        _("Send for approval"),
        _("Send for approval"),
        _("Sent for approval"),
        tap=True,
        primary=True,
    ),
    "approve": Act(acts.ApproveForm, actions.approve, _("Approve"), _("Approve"), _("Approved"), primary=True),
    "return_draft": Act(
        acts.ReasonForm, actions.return_draft, _("Return to the drafter…"), _("Return"), _("Returned to the drafter")
    ),
    "withdraw": Act(acts.WhyForm, actions.withdraw, _("Withdraw…"), _("Withdraw"), _("Withdrawn")),
    "issue": Act(acts.PlainForm, actions.issue, _("Issue"), _("Issue now"), _("Issued"), tap=True, primary=True),
    "issue_first": Act(
        acts.ReasonForm,
        actions.issue_first,
        _("Issue now, have it confirmed later…"),
        _("Issue now"),
        _("Issued first, to be confirmed"),
    ),
    "confirm": Act(
        acts.ConfirmForm,
        actions.confirm,
        _("Confirm the order issued first…"),
        _("Record"),
        _("Recorded"),
        primary=True,
    ),
    "keep": Act(acts.WhyForm, actions.keep, _("Keep as it is after the change above…"), _("Keep"), _("Kept")),
    "assign": Act(acts.AssignForm, actions.assign, _("Add a supporting department…"), _("Add"), _("Added")),
    "cancel": Act(
        acts.ReasonForm,
        actions.cancel,
        _("Cancel the instruction…"),
        _("Cancel the instruction"),
        _("Cancelled"),
        danger=True,
    ),
}

DISCARD = Act(acts.PlainForm, actions.discard, _("Discard the draft"), _("Discard the draft"), _("Discarded"), tap=True)
"""A draft of one's own is discarded, not cancelled: no reason, and ten seconds to undo it."""

ASSIGNMENT: dict[str, Act] = {
    "acknowledge": Act(
        acts.AcknowledgeForm,
        actions.acknowledge,
        _("Acknowledge"),
        _("Acknowledge: received, ours"),
        _("Acknowledged"),
        tap=True,
        primary=True,
    ),
    "start": Act(acts.StartForm, actions.start, _("Start: who goes…"), _("Start"), _("Started")),
    "feedback": Act(
        acts.FeedbackForm, actions.feedback, _("Feedback…"), _("Send feedback"), _("Feedback sent"), primary=True
    ),
    "evaluate": Act(
        acts.EvaluateForm, actions.evaluate, _("Evaluate…"), _("Record the verdict"), _("Evaluated"), primary=True
    ),
    "recheck": Act(
        acts.RecheckForm, actions.recheck, _("Check on the spot…"), _("Record the check"), _("Checked"), primary=True
    ),
    "arbitrate": Act(
        acts.ArbitrateForm, actions.arbitrate, _("Rule whose it is…"), _("Rule"), _("Ruled"), primary=True
    ),
    "reassign": Act(
        acts.SuccessorForm,
        actions.reassign,
        _("Give it to another department…"),
        _("Reassign"),
        _("Reassigned"),
        primary=True,
    ),
    "overrule": Act(acts.ReasonForm, actions.overrule, _("Overrule: it stays theirs…"), _("Overrule"), _("Overruled")),
    "resume": Act(acts.PlainForm, actions.resume, _("Resume"), _("Resume work"), _("Resumed"), tap=True, primary=True),
    "ask": Act(acts.AskForm, actions.ask, _("Ask for time, a pause or an answer…"), _("Ask"), _("Asked")),
    "appeal": Act(
        acts.ReasonForm, actions.appeal, _("Appeal against the ruling…"), _("Appeal"), _("Your appeal is on its way")
    ),
    "delegate": Act(
        acts.DelegateForm, actions.delegate, _("Hand part of it down…"), _("Prepare the instruction"), _("Handed down")
    ),
    "decline": Act(
        acts.DeclineForm, actions.decline, _("Decline: not ours…"), _("Decline"), _("Declined"), danger=True
    ),
    "urge": Act(acts.NoteForm, actions.urge, _("Urge…"), _("Urge"), _("Urged")),
    "supervise": Act(
        acts.SuperviseForm, actions.supervise, _("Supervise…"), _("Put under supervision"), _("Under supervision")
    ),
    "lift": Act(acts.NoteForm, actions.lift, _("Lift the supervision…"), _("Lift"), _("Supervision lifted")),
    "acknowledge_for": Act(
        acts.AcknowledgeForForm,
        actions.acknowledge_for,
        _("Acknowledged by telephone…"),
        _("Record the call"),
        _("Recorded"),
    ),
    "contest": Act(acts.ReasonForm, actions.contest, _("We never acknowledged this…"), _("Contest"), _("Contested")),
    "cancel": Act(
        acts.CancelAssignmentForm,
        actions.cancel_assignment,
        _("Cancel this part…"),
        _("Cancel this part"),
        _("Cancelled"),
        danger=True,
    ),
}

ASK: dict[str, Act] = {
    "grant": Act(acts.GrantForm, actions.grant, _("Grant…"), _("Grant"), _("Granted"), primary=True),
    "refuse": Act(acts.RefuseForm, actions.refuse, _("Refuse…"), _("Refuse"), _("Refused")),
    "withdraw": Act(
        acts.PlainForm, actions.withdraw_ask, _("Take the question back"), _("Take it back"), _("Taken back"), tap=True
    ),
}

ACTS: dict[str, dict[str, Act]] = {"instruction": INSTRUCTION, "assignment": ASSIGNMENT, "ask": ASK}

READ_BACK = Act(
    acts.ReadBackForm,
    actions.acknowledge,
    _("Acknowledge and read back…"),
    _("Acknowledge"),
    _("Acknowledged"),
    primary=True,
)


HEAR = Act(
    acts.HearForm, actions.grant, _("The appeal is right: name the owner…"), _("Decide"), _("Decided"), primary=True
)


def act_for(subject: str, name: str, *, read_back: bool = False, kind: str = "") -> Act | None:
    """The act, or None where a page offers none of that name. ``kind``: of the ask it is about."""
    if subject == "ask" and name == "grant" and kind == "appeal":
        return HEAR
    if subject == "assignment" and name == "acknowledge" and read_back:
        return READ_BACK
    return ACTS.get(subject, {}).get(name)


def move_label(subject: str, name: str) -> str:
    """The words for a move, for "what you can do now"."""
    act = act_for(subject, name)
    extra = {"edit": _("Edit"), "amend": _("Amend")}
    return str(act.label if act else extra.get(name, name)).rstrip("…")

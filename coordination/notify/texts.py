"""What do messages say, in the reader's language?

Each text key has a short line (notice, SMS, subject of a mail) and may have a longer body. Arguments come in pairs
``headline_zh``/``headline_en``; a text names ``%(headline)s`` and gets the one of its language.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from coordination.events.text import localized

LANGUAGES = ("zh-hans", "en")
WITHHELD = "withheld"
"""The text of a message that says nothing of its subject."""
DEFAULT_LANGUAGE = "zh-hans"

KINDS = {
    "approve": _("approval"),
    "acknowledge": _("acknowledgement"),
    "start": _("start"),
    "progress": _("progress report"),
    "complete": _("completion"),
    "evaluate": _("evaluation"),
    "revisit": _("revisit of the hold"),
    "confirm": _("confirmation"),
    "screen": _("screening"),
    "answer": _("answer"),
    "deliver": _("first delivery"),
    "sign": _("signature"),
    "review": _("review"),
}

TEXTS: dict[str, Any] = {
    # ladder steps
    "deadline.remind_duty": _("Reminder: %(kind)s of %(number)s “%(headline)s” was due at %(due)s."),
    "deadline.remind_duty.before": _("Soon due: %(kind)s of %(number)s “%(headline)s” at %(due)s."),
    "deadline.next_on_duty": _(
        "You are next on duty: %(kind)s of %(number)s “%(headline)s” was due at %(due)s and has not come."
    ),
    "deadline.head": _("To the head: %(kind)s of %(number)s “%(headline)s” is overdue since %(due)s."),
    "deadline.department_above": _(
        "From a department below yours: %(kind)s of %(number)s “%(headline)s” is overdue since %(due)s."
    ),
    "deadline.supervise": _(
        "For supervision: %(kind)s of %(number)s “%(headline)s” is overdue since %(due)s."
    ),
    "deadline.propose_owner": _(
        "%(number)s “%(headline)s” gets no %(kind)s. The responsibilities name another owner: %(proposed)s."
    ),
    "deadline.board": _("Still open: %(kind)s of %(number)s “%(headline)s”, overdue since %(due)s."),
    "deadline.remind_steward": _("To the data steward: %(kind)s of %(number)s “%(headline)s” was due at %(due)s."),
    "deadline.remind_steward.before": _("Soon due: %(kind)s of %(number)s “%(headline)s” at %(due)s."),
    "deadline.head.before": _("Soon due: %(kind)s of %(number)s “%(headline)s” at %(due)s."),
    "deadline.data_authority": _(
        "To the data authority: %(kind)s of %(number)s “%(headline)s” is overdue since %(due)s. You may decide."
    ),
    "deadline.other": _("%(kind)s of %(number)s “%(headline)s” was due at %(due)s."),
    "deadline.auditor": _("To the auditor: nobody gives the %(kind)s of %(number)s “%(headline)s”, due at %(due)s."),
    # what happened
    "glass.started": _(
        "Break-glass %(number)s: %(department)s has opened data of your department until %(due)s. See who and why."
    ),
    "glass.renewed": _("Break-glass %(number)s: %(department)s keeps data of your department open until %(due)s."),
    "glass.ended": _("Your break-glass %(number)s was ended by the department whose data it is."),
    "glass.reviewed": _("Break-glass %(number)s of %(department)s was reviewed."),
    "rule.proposed": _("Glass was broken again and again for the same data. Should it be a rule?"),
    "instruction.submit": _("For approval: %(number)s “%(headline)s”."),
    "instruction.approve": _("Approved, may be issued: %(number)s “%(headline)s”."),
    "instruction.return_draft": _("Returned to draft: %(number)s “%(headline)s”."),
    "instruction.issue": _("New instruction %(number)s “%(headline)s”. Please acknowledge."),
    "instruction.issue_first": _("Issued first, to be confirmed: %(number)s “%(headline)s”."),
    "instruction.confirm": _("Confirmation decided: %(number)s “%(headline)s”."),
    "instruction.amend": _("New version of %(number)s “%(headline)s”. Please acknowledge it."),
    "instruction.assign": _("New instruction %(number)s “%(headline)s”. Please acknowledge."),
    "instruction.cancel": _("Cancelled: %(number)s “%(headline)s”."),
    "instruction.close": _("Closed: %(number)s “%(headline)s”."),
    "assignment.issue": _("New instruction %(number)s “%(headline)s”. Please acknowledge."),
    "assignment.acknowledge": _("Acknowledged: %(number)s “%(headline)s”."),
    "assignment.acknowledge_for": _("Acknowledged on your behalf: %(number)s “%(headline)s”."),
    "assignment.misunderstood": _("Read back differently: %(number)s “%(headline)s”."),
    "assignment.start": _("Work has begun: %(number)s “%(headline)s”."),
    "assignment.feedback": _("Feedback on %(number)s “%(headline)s”."),
    "assignment.evaluate": _("Evaluated: %(number)s “%(headline)s”."),
    "assignment.return": _("Returned for rework: %(number)s “%(headline)s”."),
    "assignment.recheck": _("Rechecked: %(number)s “%(headline)s”."),
    "assignment.decline": _("Declined: %(number)s “%(headline)s”."),
    "assignment.overrule": _("The decline was overruled: %(number)s “%(headline)s”."),
    "assignment.reassign": _("Given to another department: %(number)s “%(headline)s”."),
    "assignment.arbitrate": _("The arbiter has decided: %(number)s “%(headline)s”."),
    "assignment.appeal": _("A department appeals against a ruling: %(number)s “%(headline)s”."),
    "assignment.ask": _("A department asks about %(number)s “%(headline)s”."),
    "ask.ask": _("A department asks about %(number)s “%(headline)s”."),
    "ask.grant": _("Granted: %(number)s “%(headline)s”."),
    "ask.refuse": _("Refused: %(number)s “%(headline)s”."),
    "assignment.grant": _("Granted: %(number)s “%(headline)s”."),
    "assignment.refuse": _("Refused: %(number)s “%(headline)s”."),
    "assignment.resume": _("Work goes on: %(number)s “%(headline)s”."),
    "assignment.delegate": _("Delegated: %(number)s “%(headline)s”."),
    "assignment.urge": _("You are urged on: %(number)s “%(headline)s”."),
    "assignment.supervise": _("Under supervision: %(number)s “%(headline)s”."),
    "assignment.lift": _("Supervision has ended: %(number)s “%(headline)s”."),
    "assignment.cancel": _("Cancelled for your department: %(number)s “%(headline)s”."),
    "assignment.contest": _("An acknowledgement is contested: %(number)s “%(headline)s”."),
    "assignment.owe": _("New version of %(number)s “%(headline)s”. Please acknowledge it."),
    "assignment.keep_owed": _("The order above changed; amend or keep: %(number)s “%(headline)s”."),
    "instruction.keep_owed": _("The order above changed; amend or keep: %(number)s “%(headline)s”."),
    "assignment.call_arbiter": _("Please rule whose it is: %(number)s “%(headline)s”."),
    "assignment.lead": _("Your department leads from now on: %(number)s “%(headline)s”."),
    "assignment.take_back": _("The work came back to your department: %(number)s “%(headline)s”."),
    "report.received": _("New report %(number)s “%(headline)s”."),
    "report.verified": _("Your report was verified: %(number)s “%(headline)s”."),
    "report.refuted": _("Your report was refuted: %(number)s “%(headline)s”."),
    "incident.opened": _("New incident %(number)s “%(headline)s”."),
    "incident.verified": _("Verified: incident %(number)s “%(headline)s”."),
    "incident.responding": _("Response has begun: incident %(number)s “%(headline)s”."),
    "incident.controlled": _("Under control: incident %(number)s “%(headline)s”."),
    "incident.recovering": _("Recovery has begun: incident %(number)s “%(headline)s”."),
    "incident.relapsed": _("Out of control again: incident %(number)s “%(headline)s”."),
    "incident.closed": _("Closed: incident %(number)s “%(headline)s”."),
    "incident.rejected": _("Rejected: incident %(number)s “%(headline)s”."),
    "incident.reopened": _("Reopened: incident %(number)s “%(headline)s”."),
    "incident.merged": _("Merged into another incident: %(number)s “%(headline)s”."),
    "incident.shared": _("Shared with your department: incident %(number)s “%(headline)s”."),
    "incident.scale_changed": _("Level changed: %(number)s “%(headline)s”."),
    "incident.command_transferred": _("Command has changed hands: %(number)s “%(headline)s”."),
    "participation.changed": _("%(department)s, part changed: %(number)s “%(headline)s”."),
    "participation.alerted": _("%(department)s is alerted: %(number)s “%(headline)s”."),
    "participation.standing_by": _("%(department)s is standing by: %(number)s “%(headline)s”."),
    "participation.active": _("%(department)s is active: %(number)s “%(headline)s”."),
    "participation.unable": _("%(department)s is unable to take part: %(number)s “%(headline)s”."),
    "participation.stood_down": _("%(department)s has stood down: %(number)s “%(headline)s”."),
    "participation.left": _("%(department)s no longer takes part: %(number)s “%(headline)s”."),
    "identity.linked": _(
        "Another identity may now sign in as %(number)s “%(headline)s”, who keeps data or audits for your department."
        " Ask them whether it is theirs."
    ),
    "dataset.lowered": _(
        "The class of data of your department was lowered: %(number)s “%(headline)s”. For thirty days two persons"
        " decide what is given of it."
    ),
    "request.submitted": _("A department asks for data: %(number)s “%(headline)s”."),
    "request.withdrawn": _("The request for data was withdrawn: %(number)s “%(headline)s”."),
    "request.granted": _("Granted: your request for data %(number)s “%(headline)s”."),
    "request.partly_granted": _("Granted in part: your request for data %(number)s “%(headline)s”."),
    "request.refused": _("Refused: your request for data %(number)s “%(headline)s”."),
    "agreement.made": _("Please sign the agreement %(number)s “%(headline)s”."),
    "agreement.signed": _("Signed by one side: agreement %(number)s “%(headline)s”."),
    "agreement.ended": _("Ended: agreement %(number)s “%(headline)s”."),
    "grant.revoked": _("A grant to read data was taken back. Number %(number)s; what and why stands on screen."),
    "emergency.entered": _("The emergency account %(account)s has just been used to sign in."),
    "alarm.raised": _("Alarm of the platform: %(alarm)s. %(number)s %(headline)s"),
    "bundle": _("%(count)s messages wait for you. First: %(first)s"),
    "withheld": _("There is something new for you that may be read on screen only."),
    "other": _("Something concerns you: %(number)s “%(headline)s”."),
}

ALARMS = {
    "step_empty": _("nobody stands in a step of the ladder"),
    "unreached": _("nobody could be reached"),
    "poison": _("a deadline or a task cannot be worked off"),
    "clock_jump": _("the clock jumped"),
    "overdue": _("deadlines are not being watched"),
    "engine_silent": _("no engine is running"),
    "no_deadline": _("something open has no deadline"),
    "relay_behind": _("events are handed on late"),
    "delivery_stuck": _("messages are stuck"),
    "ladder_hole": _("a ladder would reach nobody"),
    "canary_silent": _("background work stands still"),
    "disk_low": _("the disk is nearly full"),
    "backup_old": _("the backup is too old"),
    "lock_outs": _("many sign-ins are locked: somebody guesses passwords"),
    "emergency_account": _("an emergency account is in use"),
    "log_unsealed": _("the log is not being sealed"),
    "log_broken": _("an entry of the log is missing"),
    "visibility_drift": _("what is open to whom does not follow from the grants"),
    "broker_away": _("Redis does not answer; screens follow every 15 seconds"),
}


def known(text_key: str) -> bool:
    """Whether there is a text of this key."""
    return text_key in TEXTS


def render(text_key: str, args: Mapping[str, Any], language: str = "") -> str:
    """One line in ``language`` (empty: the active one); unknown keys and missing arguments give a plain text."""
    with translation.override(language or translation.get_language() or DEFAULT_LANGUAGE):
        return str(TEXTS[_key(text_key, args)]) % _Filled(_arguments(args))


def _key(text_key: str, args: Mapping[str, Any]) -> str:
    if args.get("before_due") and f"{text_key}.before" in TEXTS:
        return f"{text_key}.before"
    if text_key in TEXTS:
        return text_key
    return "deadline.other" if text_key.startswith("deadline.") else "other"


class _Filled(defaultdict[str, str]):
    """Arguments of which a missing one is empty: a message without a headline is better than none."""

    def __init__(self, args: Mapping[str, str]) -> None:
        super().__init__(str, args)


def _arguments(args: Mapping[str, Any]) -> dict[str, str]:
    """Arguments in the active language: pairs resolved, kinds named, moments in local time."""
    found = {key: str(value) for key, value in args.items() if value is not None}
    for key in [key[:-3] for key in args if key.endswith("_zh")]:
        found[key] = localized(str(args.get(f"{key}_zh") or ""), str(args.get(f"{key}_en") or ""))
    if "kind" in found:
        found["kind"] = str(KINDS.get(found["kind"], found["kind"]))
    if "alarm" in found:
        found["alarm"] = str(ALARMS.get(found["alarm"], found["alarm"]))
    if "due" in found:
        found["due"] = moment(found["due"])
    return found


def moment(iso: str) -> str:
    """A moment as people read it: month, day and local time; what is no moment stays as it is."""
    try:
        at = timezone.localtime(datetime.fromisoformat(iso))
    except ValueError:
        return iso
    return localized(f"{at.month}月{at.day}日 {at:%H:%M}", f"{at.day} {at:%b} {at:%H:%M}")

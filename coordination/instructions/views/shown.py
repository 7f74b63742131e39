"""How is what the queries answer laid out on the instruction page: path, whose time, what happened, marks and words?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

PATH = ("issued", "acknowledged", "in_progress", "feedback_submitted", "closed")
PATH_NAMES = {
    "issued": _("Issued"),
    "acknowledged": _("Acknowledged"),
    "in_progress": _("In progress"),
    "feedback_submitted": _("Feedback"),
    "closed": _("Accepted"),
    "declined": _("Declined"),
    "on_hold": _("On hold"),
    "cancelled": _("Cancelled"),
    "superseded": _("Superseded"),
}
REACHED = {
    "issued": 0,
    "delivered": 0,
    "acknowledged": 1,
    "in_progress": 2,
    "feedback_submitted": 3,
    "evaluated": 3,
    "closed": 5,
}
URGENCY_NAMES = {"immediate": _("Immediate"), "urgent": _("Urgent"), "routine": _("Routine")}
BASIS_NAMES = {"command": _("Command"), "line": _("Line of authority"), "lateral": _("Lateral request")}
EVIDENCE_NAMES = {"text": _("Text"), "photo": _("Photo"), "figures": _("Figures"), "place": _("Place")}
GRADE_NAMES = {
    "system": _("the department's own hand"),
    "api": _("its system"),
    "voice": _("telephone"),
    "assumed": _("assumption"),
}
DEADLINE_NAMES = {
    "approve": _("approve by"),
    "acknowledge": _("acknowledge by"),
    "start": _("start by"),
    "progress": _("next report"),
    "complete": _("done by"),
    "evaluate": _("evaluate by"),
    "revisit": _("resume at"),
    "confirm": _("settle by"),
}
STEP_NAMES = {
    "remind_duty": _("duty officer reminded"),
    "next_on_duty": _("next on duty"),
    "head": _("head of the department"),
    "department_above": _("department above"),
    "supervise": _("command supervises"),
    "propose_owner": _("another owner proposed"),
    "board": _("command centre's board"),
}
ASK_NAMES = {
    "extension": _("Asks for more time"),
    "hold": _("Asks to pause"),
    "clarify": _("Asks a question"),
    "appeal": _("Appeals against the ruling"),
}
POST_NAMES = {
    "duty_officer": _("Duty officer"),
    "commander": _("Commander"),
    "head": _("Head"),
    "approver": _("Approver"),
}
MOVE_NAMES = {
    "draft": _("Drafted"),
    "edit": _("Draft changed"),
    "submit": _("Sent for approval"),
    "withdraw": _("Withdrawn"),
    "return_draft": _("Returned to the drafter"),
    "approve": _("Approved"),
    "issue": _("Issued"),
    "issue_first": _("Issued first, to be confirmed"),
    "confirm": _("Order issued first: answered"),
    "amend": _("New version begun"),
    "keep": _("Kept after a change above"),
    "assign": _("Department added"),
    "cancel": _("Cancelled"),
    "restore": _("Discarding undone"),
    "supersede": _("Superseded"),
    "close": _("Closed"),
    "reach": _("Reached the people on duty"),
    "receive": _("Delivered"),
    "acknowledge": _("Acknowledged"),
    "acknowledge_for": _("Acknowledged by telephone"),
    "misunderstood": _("Read back differently"),
    "contest": _("Acknowledgement contested"),
    "start": _("Work started"),
    "feedback": _("Feedback"),
    "evaluate": _("Evaluated"),
    "recheck": _("Checked on the spot"),
    "decline": _("Declined"),
    "overrule": _("Declining overruled"),
    "reassign": _("Given to another department"),
    "arbitrate": _("Ruled by the arbiter"),
    "hand_over": _("Handed over"),
    "ask": _("Asked"),
    "appeal": _("Appealed against the ruling"),
    "grant": _("Granted"),
    "refuse": _("Refused"),
    "resume": _("Resumed"),
    "delegate": _("Handed down"),
    "hand_down": _("The department below holds it"),
    "take_back": _("Taken back from below"),
    "urge": _("Urged"),
    "supervise": _("Put under supervision"),
    "lift": _("Supervision lifted"),
    "owe": _("New version to acknowledge"),
    "version": _("New version issued"),
}
MOVE_MARKS = {
    "acknowledge": "acknowledged",
    "acknowledge_for": "voice",
    "start": "in_progress",
    "feedback": "feedback_submitted",
    "evaluate": "accepted",
    "decline": "declined",
    "issue": "issued",
    "issue_first": "issued",
    "approve": "approved",
    "cancel": "cancelled",
    "close": "closed",
    "delegate": "delegated",
    "hand_down": "delegated",
    "urge": "message",
    "supervise": "soon",
    "misunderstood": "overdue",
    "resume": "in_progress",
    "draft": "draft",
    "submit": "in_approval",
    "supersede": "superseded",
    "return_draft": "returned",
    "ask": "message",
}
FIELD_NAMES = {"place": _("where"), "object": _("what"), "quantity": _("how much"), "due_at": _("by when")}
STATE_NAMES = {
    "draft": _("Draft"),
    "in_approval": _("In approval"),
    "approved": _("Approved"),
    "issued": _("Issued"),
    "delivered": _("Delivered"),
    "acknowledged": _("Acknowledged"),
    "in_progress": _("In progress"),
    "feedback_submitted": _("Feedback submitted"),
    "evaluated": _("Evaluated"),
    "on_hold": _("On hold"),
    "declined": _("Declined"),
    "closed": _("Closed"),
    "superseded": _("Superseded"),
    "cancelled": _("Cancelled"),
    "open": _("Open"),
    "granted": _("Granted"),
    "refused": _("Refused"),
    "withdrawn": _("Withdrawn"),
}
COLOURS = 6


def state_name(code: str) -> str:
    """The word for a state."""
    return str(STATE_NAMES.get(code, code))


def path_of(state: str, moments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The five stations of an assignment with when each was first reached; a side state is added at the end."""
    reached = REACHED.get(state)
    steps = []
    for n, name in enumerate(PATH):
        if reached is None and moments.get(name) is None:
            continue  # a side state: what was never reached is not drawn
        done = moments.get(name) is not None if reached is None else n <= reached
        steps.append(
            {
                "name": PATH_NAMES[name],
                "mark": "accepted" if name == "closed" else name,
                "at": moments.get(name),
                "done": done,
                "current": reached == n,
            }
        )
    if reached is None:
        steps.append(
            {
                "name": PATH_NAMES.get(state, state),
                "mark": state,
                "at": moments.get(state),
                "done": True,
                "current": True,
            }
        )
    if state == "closed":
        steps[-1]["current"] = True
    return steps


def moments_by_part(transitions: Iterable[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """When each assignment, by id, last entered each state."""
    found: dict[int, dict[str, Any]] = {}
    for row in transitions:
        if row["subject_type"] == "assignment" and row["before"] != row["after"]:
            found.setdefault(row["subject_id"], {})[row["after"]] = row["effective_at"]
    return found


def party_name(party: Any) -> str:
    """The name of who holds the ball; the platform is one of them."""
    if not party:
        return ""
    return str(_("Platform")) if party == "platform" else str(party["short"])


def bar_of(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The ledger as a bar of 1,000 units: parts with place, width and colour, and each party's sum."""
    total = sum(part["seconds"] for part in parts)
    if total <= 0:
        return None
    colours: dict[str, int] = {}
    sums: dict[str, float] = {}
    shown, x = [], 0.0
    for part in parts:
        name = party_name(part["party"])
        if part["party"] == "platform":
            colours.setdefault(name, COLOURS + 1)
        else:
            colours.setdefault(name, 1 + len([c for c in colours.values() if c <= COLOURS]) % COLOURS)
        width = 1000 * part["seconds"] / total
        shown.append({"x": f"{x:.2f}", "width": f"{width:.2f}", "colour": colours[name]})
        sums[name] = sums.get(name, 0) + part["seconds"]
        x += width
    parties = [{"name": name, "seconds": seconds, "colour": colours[name]} for name, seconds in sums.items()]
    return {"total": total, "parts": shown, "parties": sorted(parties, key=lambda p: -p["seconds"])}


def handed_in(a: Mapping[str, Any]) -> dict[str, Any] | None:
    """When the last final feedback came in, when it was due, and by how many seconds it was early or late."""
    final = next((row for row in reversed(a["feedback"]) if row["final"]), None)
    if final is None or a["due_at"] is None:
        return None
    seconds = (final["at"] - a["due_at"]).total_seconds()
    return {"at": final["at"], "due_at": a["due_at"], "late": seconds if seconds > 0 else 0, "early": max(0, -seconds)}


def timeline_of(transitions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What happened, newest first, in words."""
    rows = []
    for row in transitions:
        title = str(MOVE_NAMES.get(row["move"], row["move"]))
        if row["move"] == "evaluate":
            title = str(_("Returned for rework") if row["after"] == "in_progress" else _("Accepted"))
        if row["move"] == "feedback" and row["data"].get("percent") is not None:
            title = f"{title} {row['data']['percent']} %"
        rows.append(
            {
                "at": row["at"],
                "effective_at": row["effective_at"],
                "late": row["effective_at"] < row["at"],
                "title": title,
                "department": row["department"],
                "by": by_of(row),
                "reason": row["reason"],
                "mark": "returned"
                if row["move"] == "evaluate" and row["after"] == "in_progress"
                else MOVE_MARKS.get(row["move"], "event"),
            }
        )
    return rows[::-1]


def by_of(row: Mapping[str, Any]) -> str:
    """Who did it, from where, in which post; the clock and the platform are named as such."""
    actor = row["actor"]
    if row["cause"] == "deadline":
        return str(_("by the clock"))
    if actor["kind"] == "system":
        return str(_("by the platform"))
    parts = [
        actor.get("name") or "",
        (actor.get("department") or {}).get("short", ""),
        str(POST_NAMES.get(actor.get("post") or "", "")),
    ]
    return " · ".join(part for part in parts if part)


def add_next(a: dict[str, Any]) -> None:
    """The deadline of an assignment that comes first, with its kind in words."""
    live = [d for d in a["deadlines"] if d["state"] == "armed"]
    first = min(live, key=lambda d: d["base_due"], default=None)
    a["next_due"] = first["base_due"] if first else None
    a["next_kind"] = str(DEADLINE_NAMES.get(first["kind"], first["kind"])) if first else ""

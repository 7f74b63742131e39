"""Is it done: accepted, returned for rework, looked at again on the spot?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.deadlines import actions as deadlines
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.instructions.actions import arming, content, ending, moving
from coordination.instructions.models import Assignment, Evaluation
from coordination.instructions.queries import cases
from incidents.actions import hang
from incidents.entered import Entered, row_id

VERY_LATE = timedelta(hours=1)


@action("assignment.evaluate")
def evaluate(
    *, actor: Actor, now: datetime, assignment_id: int, accepted: bool, outcome: str = "", timeliness: str = "",
    remark: str = "", reason: str = "", new_due: datetime | None = None, if_version: int | None = None,
) -> Assignment:
    """Accept with an outcome grade, or return for rework with a reason and, where wanted, a new due time."""
    row = _take(actor, now, assignment_id, "evaluate", if_version)
    final = row.feedback.filter(final=True).order_by("-id")[0]
    entered = Entered()
    yes = content.flag(entered, "accepted", accepted)
    judged = Evaluation(
        assignment=row, feedback=final, accepted=yes, actor_key=actor.key, at=now,
        outcome=entered.code("outcome", "outcome_grade", outcome, needed=yes),
        timeliness=entered.code("timeliness", "timeliness", timeliness, needed=False) or _timeliness(row, final.at),
        remark=entered.text("remark", remark, 2000),
        new_due=entered.moment("new_due", new_due),
    )
    why = entered.text("reason", reason, 300, needed=not yes)
    _check_new_due(entered, row, judged.new_due, now=now)
    entered.done()
    if not yes:
        judged.remark = why if not judged.remark else judged.remark
    judged.save()
    deadlines.cancel(subject=row, kinds=["evaluate"], now=now)
    if not yes:
        _return(row, "evaluate", why, judged.new_due, actor=actor, now=now)
    elif cases.version_of(row.instruction, row.instruction.current).recheck:
        _to_recheck(row, judged, actor=actor, now=now)
    else:
        _close(row, "evaluate", {"outcome": judged.outcome, "accepted": True}, actor=actor, now=now)
    return row


def _take(actor: Actor, now: datetime, assignment_id: int, move: str, if_version: int | None) -> Assignment:
    return moving.take_assignment(
        actor=actor, now=now, assignment_id=assignment_id, action=move, if_version=if_version, with_instruction=True
    )


def _timeliness(row: Assignment, done_at: datetime) -> str:
    if done_at <= row.due_at:
        return "on_time"
    return "late" if done_at <= row.due_at + VERY_LATE else "very_late"


def _check_new_due(entered: Entered, row: Assignment, new_due: datetime | None, *, now: datetime) -> None:
    if new_due is None:
        return
    if new_due <= now:
        entered.fault("new_due", "past", _("This time has passed already."))
    parent = row.instruction.parent
    if parent is not None and new_due > parent.due_at:
        entered.fault("new_due", "past_parent_due", _("A delegated part cannot be due after the whole."))


def _close(row: Assignment, move: str, data: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    row.percent = max(row.percent, 100)
    moving.carry(
        row, move, actor=actor, now=now, after="closed", data=data, tell=[moving.duty(row.department_id, row.post)]
    )
    deadlines.cancel(subject=row, now=now)
    ending.roll_up(row.instruction, now=now)


def _command_of(row: Assignment) -> list[int]:
    return sorted(cases.command_ids(row.instruction.incident, cases.centres()))


def _to_recheck(row: Assignment, judged: Evaluation, *, actor: Actor, now: datetime) -> None:
    command = _command_of(row)
    first = row.instruction.incident.commander_department_id or next(iter(command), row.instruction.issuer_id)
    moving.carry(
        row, "evaluate", actor=actor, now=now, after="evaluated", ball=first,
        data={"outcome": judged.outcome, "accepted": True, "recheck": True}, tell=[moving.duty(first)],
    )
    arming.arm(row, row.instruction, "confirm", now=now)


def _return(
    row: Assignment, move: str, why: str, new_due: datetime | None, *, actor: Actor, now: datetime
) -> None:
    row.returns += 1
    row.due_at = new_due or (row.due_at if row.due_at > now else now + arming.allowed_time(row.instruction, "complete"))
    row.overdue_since = None
    tell = [moving.duty(row.department_id, row.post, "assignment.return")]
    if row.returns >= 3:
        tell += [moving.duty(pk, text="assignment.return") for pk in _command_of(row)]
    moving.carry(
        row, move, actor=actor, now=now, after="in_progress", ball=row.department_id, reason=why,
        data={"accepted": False, "returns": row.returns}, tell=tell,
    )
    arming.arm_work(row, now=now)


@action("assignment.recheck")
def recheck(
    *, actor: Actor, now: datetime, assignment_id: int, passed: bool, remark: str = "", place: str = "",
    attachments: Sequence[int] = (), if_version: int | None = None,
) -> Assignment:
    """Command looks again on the spot: it holds and is closed, or it does not and goes back."""
    row = _take(actor, now, assignment_id, "recheck", if_version)
    entered = Entered()
    holds = content.flag(entered, "passed", passed)
    note = entered.text("remark", remark, 300, needed=not holds)
    where = entered.text("place", place, 200)
    ids = [row_id(pk) for pk in attachments] if isinstance(attachments, list | tuple) else [None]
    if None in ids:
        entered.fault("attachments", "unknown", _("One of these files is unknown."))
    entered.done()
    if ids:
        hang(
            actor=actor, now=now, attachment_ids=[pk for pk in ids if pk], subject=row,
            incident_id=row.instruction.incident_id, readers=[row.department_id, row.instruction.issuer_id],
        )
    deadlines.cancel(subject=row, kinds=["confirm"], now=now)
    if holds:
        _close(row, "recheck", {"passed": True, "place": where}, actor=actor, now=now)
    else:
        _return(row, "recheck", note, None, actor=actor, now=now)
    return row

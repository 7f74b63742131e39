"""How does the executing department work and report?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.deadlines import actions as deadlines
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Invalid
from coordination.instructions.actions import arming, content, ending, moving
from coordination.instructions.actions.acknowledging import StaleVersion, settle_overdue
from coordination.instructions.models import Assignment, Feedback, InstructionVersion
from coordination.instructions.queries import cases, chain
from coordination.instructions.states import TERMINAL
from incidents.actions import hang
from incidents.entered import Entered, row_id
from incidents.models import Attachment


class EvidenceMissing(Invalid):
    """The order wants evidence that the final feedback does not bring. ``extra``: missing."""

    code = "evidence_missing"


class EarlyReasonNeeded(Invalid):
    """A part is still open below or beside; say why the whole is done. ``extra``: open."""

    code = "early_reason_needed"


@action("assignment.start")
def start(
    *, actor: Actor, now: datetime, assignment_id: int, who_goes: str, eta: datetime | None = None
) -> Assignment:
    """Somebody is on the way: who, and when they are there."""
    row = moving.take_assignment(actor=actor, now=now, assignment_id=assignment_id, action="start")
    entered = Entered()
    row.who_goes = entered.text("who_goes", who_goes, 200, needed=True)
    row.eta = entered.moment("eta", eta)
    entered.done()
    _begin_work(row, now=now)
    row.state = "in_progress"
    settle_overdue(row, now=now)
    row.state = "acknowledged"
    moving.carry(row, "start", actor=actor, now=now, after="in_progress", data={"who_goes": row.who_goes})
    return row


def _begin_work(row: Assignment, *, now: datetime) -> None:
    deadlines.cancel(subject=row, kinds=["start"], now=now)
    arming.arm_progress(row, now=now)


@action("assignment.feedback")
def feedback(
    *, actor: Actor, now: datetime, assignment_id: int, version: int, percent: int, text: str,
    final: bool = False, figures: Any = (), place: str = "", latitude: float | None = None,
    longitude: float | None = None, early_reason: str = "", reader: str = "", attachments: Sequence[int] = (),
) -> Assignment:
    """Report how far the work is; ``final`` hands it in for evaluation, with the evidence the order wants."""
    row = moving.take_assignment(actor=actor, now=now, assignment_id=assignment_id, action="feedback")
    report, ids = _entered(
        row, actor, now, version=version, percent=percent, text=text, final=final, figures=figures, place=place,
        latitude=latitude, longitude=longitude, early_reason=early_reason, reader=reader, attachments=attachments,
    )
    if report.final:
        _check_final(row, report)
    report.save()
    files = _hang(row, report, ids, actor=actor, now=now)
    if report.final:
        _check_evidence(cases.version_of(row.instruction, report.n), report, files)
    row.percent = report.percent
    if report.final:
        _hand_in(row, report, actor=actor, now=now)
    else:
        _go_on(row, report, actor=actor, now=now)
    return row


def _entered(row: Assignment, actor: Actor, now: datetime, **given: Any) -> tuple[Feedback, list[int]]:
    entered = Entered()
    n = content.whole(entered, "version", given["version"], 1, 10_000)
    done = content.whole(entered, "percent", given["percent"], 0, 100)
    if n is None and not entered.errors:
        entered.fault("version", "required", _("Name the version you work on."))
    if done is None and not entered.errors:
        entered.fault("percent", "required", _("How much is done, from 0 to 100?"))
    lat, lon = entered.place(given["latitude"], given["longitude"])
    report = Feedback(
        assignment=row, n=n or 0, percent=done or 0, final=content.flag(entered, "final", given["final"]),
        text=entered.text("text", given["text"], 4000, needed=True), figures=_figures(entered, given["figures"]),
        place=entered.text("place", given["place"], 200), latitude=lat, longitude=lon,
        early_reason=entered.text("early_reason", given["early_reason"], 300),
        reader=entered.text("reader", given["reader"], 80), actor_key=actor.key, at=now,
    )
    files = given["attachments"] if isinstance(given["attachments"], list | tuple) else [None]
    ids = [row_id(value) for value in files]
    if None in ids:
        entered.fault("attachments", "unknown", _("One of these files is unknown."))
    entered.done()
    if report.n > row.instruction.current or (report.final and report.n != row.instruction.current):
        raise StaleVersion(_("Another version stands now; read it first."), current=row.instruction.current)
    return report, [pk for pk in ids if pk is not None]


def _figures(entered: Entered, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list | tuple) or len(value) > 50 or not all(isinstance(row, dict) for row in value):
        entered.fault("figures", "not_list", _("This must be a list of at most 50 figures."))
        return []
    kept = []
    for index, row in enumerate(value):
        amount = content.quantity(entered, f"figures/{index}/value", row.get("value"))
        if amount is None:
            entered.fault(f"figures/{index}/value", "required", _("This must be a number."))
        kept.append({
            "name": entered.text(f"figures/{index}/name", row.get("name"), 80, needed=True),
            "value": None if amount is None else str(amount),
            "unit": entered.text(f"figures/{index}/unit", row.get("unit"), 20),
        })
    return kept


def _check_final(row: Assignment, report: Feedback) -> None:
    if row.acknowledged_version != row.instruction.current:
        raise StaleVersion(
            _("Acknowledge the version that stands before you hand the work in."), current=row.instruction.current
        )
    still_open = [f"instruction:{child.pk}" for child in chain.open_children([row.pk])]
    if row.role == Assignment.Role.LEAD:
        support = moving.assignments(instruction=row.instruction, role="support").exclude(
            state__in=[*TERMINAL, "feedback_submitted", "evaluated"]
        )
        still_open += [f"assignment:{pk}" for pk in support.values_list("pk", flat=True)]
    if still_open and not report.early_reason:
        raise EarlyReasonNeeded(
            _("Parts of it are still open. Say why the whole is done all the same."), open=still_open,
            errors=[{"pointer": "/early_reason", "code": "required", "detail": _("Say why.")}],
        )


def _hang(row: Assignment, report: Feedback, ids: list[int], *, actor: Actor, now: datetime) -> list[Attachment]:
    if not ids:
        return []
    files: list[Attachment] = hang(
        actor=actor, now=now, attachment_ids=ids, subject=report, incident_id=row.instruction.incident_id,
        readers=[row.department_id, row.instruction.issuer_id],
    )
    return files


def _check_evidence(version: InstructionVersion, report: Feedback, files: list[Attachment]) -> None:
    brought = {"text"}
    if any(file.content_type.startswith("image/") for file in files):
        brought.add("photo")
    if report.figures:
        brought.add("figures")
    if report.place or report.latitude is not None:
        brought.add("place")
    missing = [name for name in version.evidence if name not in brought]
    if missing:
        raise EvidenceMissing(_("The order wants evidence that is missing here."), missing=missing)


def _go_on(row: Assignment, report: Feedback, *, actor: Actor, now: datetime) -> None:
    if row.state == "acknowledged":
        _begin_work(row, now=now)
    elif deadlines.rearm(subject=row, kind="progress", now=now) is None:
        arming.arm_progress(row, now=now)
    before = row.state
    row.state = "in_progress"
    settle_overdue(row, now=now)
    row.state = before
    moving.carry(
        row, "feedback", actor=actor, now=now, after="in_progress",
        data={"percent": report.percent, "feedback": report.pk}, tell=[moving.duty(row.instruction.issuer_id)],
    )


def _hand_in(row: Assignment, report: Feedback, *, actor: Actor, now: datetime) -> None:
    deadlines.cancel(subject=row, kinds=["start", "progress", "complete", "confirm"], now=now)
    ending.withdraw_ask_of(row, now=now)  # more time, a pause or an answer is of no use to work that is done
    row.overdue_since, row.escalated_level = None, 0
    judge = evaluator(row)
    moving.carry(
        row, "feedback", actor=actor, now=now, after="feedback_submitted", ball=judge,
        data={"percent": report.percent, "feedback": report.pk, "final": True, "late": now > row.due_at},
        tell=[moving.duty(judge)],
    )
    arming.arm(row, row.instruction, "evaluate", now=now)


def evaluator(row: Assignment) -> int:
    """Who judges: the issuer; for an order to itself the department above."""
    issuer = row.instruction.issuer_id
    if issuer != row.department_id or row.department.parent_id is None:
        return issuer
    return row.department.parent_id

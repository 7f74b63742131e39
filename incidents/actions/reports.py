"""What happens to a report: received, verified or refuted, joined to an incident, split off again?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from accounts.models import Department
from coordination.events import streams
from coordination.events.actor import SYSTEM, Actor
from coordination.events.command import action, record
from coordination.events.refused import Conflict, Forbidden, MoveNotAllowed
from coordination.events.words import words_of
from incidents import states
from incidents.actions import acting
from incidents.actions.attaching import follow_report, hang_on
from incidents.entered import Entered, reason
from incidents.models import Incident, Report
from sharing import access


class NotTheIntake(Forbidden):
    """Only a department that takes the report in may judge it."""


class AlreadyJoined(Conflict):
    """The report belongs to an incident already (``incident``: its id)."""

    code = "already_joined"


@action("report.receive")
def receive_report(
    *,
    actor: Actor,
    now: datetime,
    channel: str,
    text: str,
    type: str = "",
    place: str = "",
    region_code: str = "",
    latitude: float | None = None,
    longitude: float | None = None,
    occurred_at: datetime | None = None,
    reporter_name: str = "",
    reporter_phone: str = "",
    exercise: bool = False,
    attachment_ids: Sequence[int] = (),
) -> Report:
    """Take in something told to the actor's department; the centres up its line hear of it.

    ``channel`` and ``type`` are codes of ``report_channel`` and ``incident_type`` (type may be empty).
    """
    access.require(actor, "report")
    department = accounts.department(actor.department_id or 0)
    entered = Entered()
    values = _content(
        entered, now, channel=channel, text=text, type=type, place=place, region_code=region_code,
        latitude=latitude, longitude=longitude, occurred_at=occurred_at, reporter_name=reporter_name,
        reporter_phone=reporter_phone,
    )
    entered.done()
    number = acting.next_number("R", now)
    # not the reporter's name: whoever may search, a wall too, could ask for names that are not shown to them
    report: Report = Report.everything.create(
        **values, number=number, department=department, received_by=actor.key, received_at=now,
        exercise=bool(exercise), words=words_of(number, values["text"], values["place"]),
    )
    intakes = intakes_of(department)
    report.intakes.set(intakes)
    hang_on(actor, attachment_ids, report, incident=None, readers=[department.pk, *intakes], now=now)
    _note(report, "report.received", intakes=intakes, tell=acting.duty_officers(intakes, but=actor.department_id))
    return report


def _content(entered: Entered, now: datetime, **raw: Any) -> dict[str, Any]:
    latitude, longitude = entered.place(raw["latitude"], raw["longitude"])
    return {
        "channel": entered.code("channel", "report_channel", raw["channel"]),
        "text": entered.text("text", raw["text"], 5_000, needed=True),
        "type": entered.code("type", "incident_type", raw["type"], needed=False),
        "place": entered.text("place", raw["place"], 200),
        "region_code": entered.region(raw["region_code"]),
        "latitude": latitude,
        "longitude": longitude,
        "occurred_at": entered.moment("occurred_at", raw["occurred_at"], not_after=now),
        "reporter_name": entered.text("reporter_name", raw["reporter_name"], 80),
        "reporter_phone": entered.text("reporter_phone", raw["reporter_phone"], 40),
    }


def intakes_of(department: Department) -> list[int]:
    """The centres that take a department's reports in: command and monitoring centres on its line, or itself."""
    line = [*department.ancestor_ids, department.pk]
    kinds = [Department.Kind.COMMAND_CENTRE, Department.Kind.MONITORING_CENTRE]
    centres = Department.objects.filter(
        Q(parent_id__in=line) | Q(pk__in=line), kind__in=kinds, is_active=True
    ).order_by("pk")
    return list(centres.values_list("pk", flat=True)) or [department.pk]


@action("report.verify")
def verify_report(
    *, actor: Actor, now: datetime, report_id: int, note: str = "", if_version: int | None = None
) -> Report:
    """Say that a report is true (whether or not it is handled)."""
    return _judge(actor, now, report_id, "verify", reason("note", note, needed=False), if_version)


@action("report.refute")
def refute_report(
    *, actor: Actor, now: datetime, report_id: int, why: str, if_version: int | None = None
) -> Report:
    """Say that a report is not true, and why."""
    return _judge(actor, now, report_id, "refute", reason("why", why, needed=True), if_version)


def _judge(
    actor: Actor, now: datetime, report_id: int, move: str, note: str, if_version: int | None
) -> Report:
    report = access.lock(actor, Report, report_id, now=now)
    _require_intake(actor, report)
    acting.check_version(report, if_version)
    sources, target = states.REPORT_MOVES[move]
    if report.state not in sources:
        allowed = [name for name, (froms, _to) in states.REPORT_MOVES.items() if report.state in froms]
        raise MoveNotAllowed(_("This report has been judged so already."), state=report.state, allowed=allowed)
    report.state = target
    report.verified_by, report.verified_at, report.verify_note = actor.key, now, note
    report.version += 1
    report.save(update_fields=["state", "verified_by", "verified_at", "verify_note", "version"])
    tell = acting.duty_officers([report.department_id], but=actor.department_id)
    _note(report, "report.verified" if move == "verify" else "report.refuted", tell=tell)
    return report


def _require_intake(actor: Actor, report: Report) -> None:
    access.require(actor, "verify")
    if actor.kind != "system" and not report.intakes.filter(pk=actor.department_id or 0).exists():
        raise NotTheIntake(_("Only a department that takes this report in may do that."), right="verify")


@action("report.join")
def join_report(
    *, actor: Actor, now: datetime, report_id: int, incident_id: int, if_version: int | None = None
) -> Report:
    """Join a report to an incident; several reports may tell of one."""
    incident = acting.lock(actor, incident_id, now=now)
    report = access.lock(actor, Report, report_id, now=now)
    _require_intake(actor, report)
    acting.check_version(report, if_version)
    join(report, incident)
    return report


def join(report: Report, incident: Incident) -> None:
    """Join a locked report to a locked incident, or say why not."""
    if report.incident_id is not None:
        raise AlreadyJoined(_("This report belongs to an incident already."), incident=report.incident_id)
    acting.check_open(incident)
    if report.exercise != incident.exercise:
        raise Conflict(_("An exercise and a real emergency are kept apart."), code="exercise_mismatch")
    report.incident = incident
    report.version += 1
    report.save(update_fields=["incident", "version"])
    follow_report(report)
    _note(report, "report.joined")


@action("report.split")
def split_report(
    *, actor: Actor, now: datetime, report_id: int, why: str, if_version: int | None = None
) -> Report:
    """Take a report out of the incident it was joined to."""
    known = access.get(actor, Report, report_id, now=now)
    if known.incident_id is not None:
        acting.lock(SYSTEM, known.incident_id, now=now)
    report = access.lock(actor, Report, report_id, now=now)
    _require_intake(actor, report)
    acting.check_version(report, if_version)
    text = reason("why", why, needed=True)
    if report.incident_id is None:
        raise MoveNotAllowed(_("This report belongs to no incident."), state=report.state, allowed=["join"])
    was = report.incident_id
    report.incident = None
    report.version += 1
    report.save(update_fields=["incident", "version"])
    follow_report(report)
    _note(report, "report.split", incident_id=was, payload={"incident": was, "why": text})
    return report


def _note(
    report: Report,
    type: str,
    *,
    intakes: Sequence[int] | None = None,
    tell: Sequence[dict[str, Any]] = (),
    incident_id: int | None = None,
    payload: dict[str, Any] | None = None,
) -> None:
    incident_id = incident_id or report.incident_id
    centres = list(report.intakes.values_list("pk", flat=True)) if intakes is None else list(intakes)
    names = [streams.incident(incident_id)] if incident_id else []
    names += [streams.department(pk) for pk in dict.fromkeys([report.department_id, *centres])]
    record(
        type=type, subject=report, streams=names, payload={"number": report.number, **(payload or {})}, tell=tell,
        urgency="urgent" if type == "report.received" else "routine", incident_id=incident_id,
        exercise=report.exercise,
    )

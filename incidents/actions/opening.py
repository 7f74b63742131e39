"""How does an incident begin?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Forbidden
from incidents import areas
from incidents.actions import acting, granting
from incidents.actions.reports import AlreadyJoined, join
from incidents.entered import Entered, row_id
from incidents.models import Incident, Participation, Report, ScaleChange
from sharing import access

LEVELS = (1, 2, 3, 4)


class NotYourArea(Forbidden):
    """Only a command or monitoring centre, or a department opening under its own lead, may open an incident."""


@action("incident.open")
def open_incident(
    *,
    actor: Actor,
    now: datetime,
    type: str,
    headline_zh: str = "",
    headline_en: str = "",
    report_ids: Sequence[int] = (),
    description: str = "",
    place: str = "",
    region_code: str = "",
    latitude: float | None = None,
    longitude: float | None = None,
    occurred_at: datetime | None = None,
    grade: int | None = None,
    warning_level: str = "",
    response_level: int | None = None,
    lead_department_id: int | None = None,
    commander_department_id: int | None = None,
    parent_id: int | None = None,
    area: Any = None,
    end_condition: str = "",
    exercise: bool = False,
    policy_set: str = "standard",
    pace: float = 1,
) -> Incident:
    """Open an incident, out of reports or on one's own knowledge.

    ``type``: code of ``incident_type``; ``grade``, ``response_level`` 1 to 4. Led by ``lead_department_id`` (the
    opening department where none is named) and commanded by ``commander_department_id`` (else the command centre of
    the lead). ``area``: GeoJSON polygon or multipolygon, WGS-84.

    Begins as verified when one of its reports is. What a report already says (place, time) is taken over
    where nothing is entered.
    """
    access.require(actor, "open")
    parent = acting.lock(actor, parent_id, now=now) if parent_id is not None else None
    reports = _locked_reports(actor, report_ids, now)
    entered = Entered()
    values = _content(entered, now, locals())
    lead, command = _who(entered, actor, lead_department_id, commander_department_id)
    _take_over(values, reports)
    if parent is not None:
        acting.check_open(parent)
    values |= {"lead_department_id": lead, "commander_department_id": command, "parent": parent}
    incident = _made(values | {"exercise": bool(exercise)}, reports, now)
    _history(incident, actor, now)
    _announce(incident, [part.department_id for part in _participations(incident, actor, now)], actor)
    for report in reports:
        join(report, incident)
    return incident


def _made(values: dict[str, Any], reports: Sequence[Report], now: datetime) -> Incident:
    verified = any(report.state == Report.State.VERIFIED for report in reports)
    incident = Incident(
        **values,
        number=acting.next_number("", now),
        opened_at=now,
        state=Incident.State.VERIFIED if verified else Incident.State.REPORTED,
    )
    acting.index(incident)
    incident.save(force_insert=True)
    return incident


def _announce(incident: Incident, departments: Sequence[int], actor: Actor) -> None:
    acting.note(
        incident, "incident.opened", payload={"number": incident.number, "state": incident.state},
        departments=departments, tell=acting.duty_officers(departments, but=actor.department_id), urgency="urgent",
    )  # fmt: skip


def _locked_reports(actor: Actor, report_ids: Sequence[int], now: datetime) -> list[Report]:
    reports = [access.lock(actor, Report, pk, now=now) for pk in sorted({row_id(pk) or 0 for pk in report_ids})]
    for report in reports:
        if report.incident_id is not None:
            raise AlreadyJoined(_("This report belongs to an incident already."), incident=report.incident_id)
    return reports


def _content(entered: Entered, now: datetime, raw: dict[str, Any]) -> dict[str, Any]:
    headline_zh, headline_en = entered.headlines(raw["headline_zh"], raw["headline_en"], needed=True)
    latitude, longitude = entered.place(raw["latitude"], raw["longitude"])
    pace = raw["pace"]
    if isinstance(pace, bool) or not isinstance(pace, int | float) or not 0.1 <= pace <= 100:
        entered.fault("pace", "out_of_range", _("Between 0.1 and 100."))
    return {
        "type": entered.code("type", "incident_type", raw["type"]),
        "headline_zh": headline_zh,
        "headline_en": headline_en,
        "description": entered.text("description", raw["description"], 20_000),
        "place": entered.text("place", raw["place"], 200),
        "region_code": entered.region(raw["region_code"]),
        "area": areas.checked(entered, raw["area"]),
        "latitude": latitude,
        "longitude": longitude,
        "occurred_at": entered.moment("occurred_at", raw["occurred_at"], not_after=now),
        "grade": entered.choice("grade", raw["grade"], (None, *LEVELS)),
        "warning_level": entered.choice("warning_level", raw["warning_level"] or "", Incident.WarningLevel.values),
        "response_level": entered.choice("response_level", raw["response_level"], (None, *LEVELS)),
        "end_condition": entered.text("end_condition", raw["end_condition"], 2_000),
        "policy_set": entered.text("policy_set", raw["policy_set"], 40, needed=True),
        "pace": pace,
    }


def _who(entered: Entered, actor: Actor, lead_id: int | None, command_id: int | None) -> tuple[int, int]:
    """Lead and commanding department; only centres may name another lead than themselves. Ends what is entered."""
    own = accounts.departments_by_id([actor.department_id]).get(actor.department_id) if actor.department_id else None
    lead = row_id(lead_id) if lead_id is not None else (own.pk if own else None)
    active = {row.pk for row in accounts.departments(ids=[pk for pk in (lead, row_id(command_id)) if pk])}
    if lead not in active:
        entered.fault("lead_department", "unknown", _("There is no such department."))
    if command_id is not None and command_id not in active:
        entered.fault("commander_department", "unknown", _("There is no such department."))
    if own and lead != own.pk and own.kind not in ("command_centre", "monitoring_centre"):
        raise NotYourArea(_("Only a centre may open an incident under another department's lead."), right="open")
    entered.done()
    if lead is None:
        raise AssertionError("a missing lead was noted as a fault")
    line = [centre.pk for centre in accounts.command_centres_above(lead)]
    if command_id is not None and own and command_id not in (own.pk, *line):
        entered.fault("commander_department", "not_above", _("This department does not command the lead's area."))
    entered.done()
    return lead, command_id or (line[0] if line else lead)


def _take_over(values: dict[str, Any], reports: Sequence[Report]) -> None:
    """What is not entered comes from the first report that says it."""
    for name in ("place", "region_code", "occurred_at"):
        values[name] = values[name] or next((getattr(r, name) for r in reports if getattr(r, name)), values[name])
    if values["latitude"] is None:
        placed = next((report for report in reports if report.latitude is not None), None)
        if placed is not None:
            values["latitude"], values["longitude"] = placed.latitude, placed.longitude


def _history(incident: Incident, actor: Actor, now: datetime) -> None:
    """The scales' histories begin with what the incident was opened with."""
    begun = {
        ScaleChange.Scale.STATE: incident.state,
        ScaleChange.Scale.GRADE: incident.grade,
        ScaleChange.Scale.WARNING_LEVEL: incident.warning_level or None,
        ScaleChange.Scale.RESPONSE_LEVEL: incident.response_level,
        ScaleChange.Scale.COMMANDER: incident.commander_department_id,
        ScaleChange.Scale.LEAD: incident.lead_department_id,
    }
    for scale, value in begun.items():
        if value is not None:
            acting.change(incident, scale=scale, before=None, after=value, actor=actor, now=now, why="")


def _participations(incident: Incident, actor: Actor, now: datetime) -> list[Participation]:
    """The lead takes part at once, active; command and the opener support and are informed."""
    roles: dict[int, str] = {incident.lead_department_id: Participation.Role.LEAD}
    if incident.commander_department_id is not None:
        roles.setdefault(incident.commander_department_id, Participation.Role.SUPPORT)
    if actor.department_id is not None:
        roles.setdefault(actor.department_id, Participation.Role.INFORMED)
    parts = []
    for department_id, role in roles.items():
        here = department_id == actor.department_id
        part = Participation.everything.create(
            incident=incident,
            department_id=department_id,
            role=role,
            joined_at=now,
            state=Participation.State.ACTIVE if here else Participation.State.ALERTED,
        )
        granting.open_to(incident, part, actor=actor, now=now)
        parts.append(part)
    return parts

"""What does one incident look like to this actor?

Reach 1 opens headline, scales and state; reach 2 also who takes part; reach 3 everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer, side_by_side
from coordination.events.kept import kept
from incidents.entered import row_id
from incidents.models import Attachment, Incident, IncidentLink, Objective, Participation, Report, ScaleChange
from incidents.queries.allowed import Standing, allowed_actions
from incidents.queries.facts import merged_ids
from incidents.queries.files import visible
from incidents.queries.lists import part_order
from incidents.queries.shapes import (
    Names,
    Row,
    attachment_row,
    department,
    incident_row,
    named,
    objective_row,
    participation_row,
)
from sharing import access
from sharing.catalogue import queries as catalogue
from sharing.catalogue.models import Code

_SELECT = ("lead_department", "commander_department", "commander", "merged_into", "parent")
SHOWN = 200
"""Rows of one kind shown at once in a room."""


def incident(*, actor: Actor, incident_id: int, now: datetime) -> Row:
    """One incident with what may be done to it; 404 where the actor does not see it."""
    row = access.get(actor, Incident, incident_id, now=now, select=_SELECT)
    return _detail(actor, row, now, Standing(actor, row, now), catalogue.names("incident_type"))


def _detail(actor: Actor, row: Incident, now: datetime, standing: Standing, types: dict[str, Code]) -> Row:
    full = standing.reach >= 3
    commander = None
    if row.commander_department is not None:
        person = row.commander if full else None
        commander = {
            "department": department(row.commander_department),
            "person": {"id": person.pk, "name": person.name} if person is not None else None,
        }
    return {
        **incident_row(row, types),
        "commander": commander,
        "reach": standing.reach,
        "max_class": standing.max_class,
        "policy_set": row.policy_set,
        "pace": row.pace,
        "description": row.description if full else "",
        "end_condition": row.end_condition if full else "",
        "area": row.area if full else None,
        "allowed_actions": allowed_actions(actor, row, now, standing),
    }


def room(*, actor: Actor, incident_id: int, now: datetime) -> Row:
    """An incident with everything around it; the same number of queries at every size."""
    return answer(room_steps(actor=actor, incident_id=incident_id, now=now))


def room_steps(*, actor: Actor, incident_id: int, now: datetime) -> Steps[Row]:
    """`room`, to be asked beside other questions: what hangs on it, what is near it, who is named; three steps."""
    pk = row_id(incident_id)
    if pk is None:
        raise access.Unseen

    (rows, grants, parts, changes, objectives, reports, links_found, merged), types = yield from side_by_side(
        _rows(
            kept(_itself, actor, pk, now),
            kept(access.grants_on, actor, pk, now),
            kept(_taking_part, actor, pk, now),
            kept(_around, actor, ScaleChange, ("-at", "-pk"), pk, now),
            kept(_around, actor, Objective, ("pk",), pk, now),
            kept(_around, actor, Report, Report.guard_order, pk, now),
            kept(_links, pk),
            kept(merged_ids, pk),
        ),
        catalogue.names_steps("incident_type"),
    )
    if not rows:
        raise access.Unseen
    row = rows[0]
    standing = Standing(actor, row, now, grants)
    linked = _linked(pk, links_found) if standing.reach >= 3 else {}
    seen, files = yield [
        kept(_beside, actor, pk, [one for one in (row.parent_id, row.merged_into_id, *linked) if one is not None], now),
        kept(_files, actor, [pk, *merged], now),
    ]
    near = _near(row, seen, linked)
    family = [pk, *(other.pk for other in near["absorbed"])]
    files = [file for file in files if file.incident_id in family]
    names = yield from _names(changes, files)
    return {
        **_detail(actor, row, now, standing, types),
        "family": family,
        "participations": [participation_row(part) for part in sorted(parts, key=part_order)],
        "scale_changes": [change_row(change, names) for change in changes],
        "objectives": [objective_row(objective) for objective in objectives],
        "attachments": [attachment_row(file, names) for file in files],
        "reports": [_report_line(report) for report in reports],
        "parent": named(near["parent"]) if near["parent"] else None,
        "merged_into": named(near["survivor"]) if near["survivor"] else None,
        "cascades": [named(other) for other in near["cascades"]],
        "absorbed": [named(other) for other in near["absorbed"]],
        "links": [{**named(other), "why": why} for other, why in near["links"]],
    }


def _rows(*wanted: Any) -> Steps[list[list[Any]]]:
    return (yield wanted)


def _linked(pk: int, links: Iterable[IncidentLink]) -> dict[int, str]:
    """Why by the other side's id."""
    return {link.other_id if link.incident_id == pk else link.incident_id: link.why for link in links}


def _itself(actor: Actor, pk: int, now: datetime) -> QuerySet[Incident]:
    return access.scope(actor, Incident, at=now).filter(pk=pk).select_related(*_SELECT)


def _around(actor: Actor, model: Any, order: tuple[str, ...], pk: int, now: datetime) -> QuerySet[Any]:
    rows: QuerySet[Any] = access.scope(actor, model, at=now).filter(incident_id=pk)
    return rows.order_by(*order)[:SHOWN]


def _taking_part(actor: Actor, pk: int, now: datetime) -> QuerySet[Participation]:
    return access.scope(actor, Participation, at=now).filter(incident_id=pk).select_related("department")


def _links(pk: int) -> QuerySet[IncidentLink]:
    links = access.unscoped(IncidentLink, reason="either side's reader sees a link; its other side is scoped below")
    return links.filter(Q(incident_id=pk) | Q(other_id=pk)).order_by("pk")[:SHOWN]


def _files(actor: Actor, family: list[int], now: datetime) -> QuerySet[Attachment]:
    return visible(actor, now).filter(incident_id__in=family).order_by("-pk")[:SHOWN]


def _beside(actor: Actor, pk: int, others: list[int], now: datetime) -> QuerySet[Incident]:
    """Parent, survivor and linked incidents (``others``), cascades and merged ones, those the actor sees."""
    wanted = Q(pk__in=others) | Q(parent_id=pk) | Q(merged_into_id=pk)
    return access.scope(actor, Incident, at=now).filter(wanted).order_by("pk")[:SHOWN]


def _near(row: Incident, seen: Iterable[Incident], linked: dict[int, str]) -> dict[str, Any]:
    by_id = {other.pk: other for other in seen}
    return {
        "parent": by_id.get(row.parent_id or 0),
        "survivor": by_id.get(row.merged_into_id or 0),
        "cascades": [other for other in by_id.values() if other.parent_id == row.pk],
        "absorbed": [other for other in by_id.values() if other.merged_into_id == row.pk],
        "links": [(by_id[pk], why) for pk, why in linked.items() if pk in by_id],
    }


def _names(changes: Iterable[ScaleChange], files: Iterable[Attachment]) -> Steps[Names]:
    departments = [change.actor_department for change in changes] + [file.department_id for file in files]
    for change in changes:
        if change.scale in (ScaleChange.Scale.COMMANDER, ScaleChange.Scale.LEAD):
            departments += [_first_id(change.before), _first_id(change.after)]
    keys = [change.actor_key for change in changes] + [file.uploaded_by for file in files]
    keys += [
        f"person:{value.partition('/')[2]}"
        for change in changes
        if change.scale == ScaleChange.Scale.COMMANDER
        for value in (change.before, change.after)
    ]
    return (yield from Names.steps(departments=departments, keys=keys))


def _first_id(value: str) -> int | None:
    head = value.partition("/")[0]
    return int(head) if head.isdigit() else None


def change_row(change: ScaleChange, names: Names) -> Row:
    """One change of a scale; departments and persons by name in ``before_name`` and ``after_name``."""
    return {
        "id": change.pk,
        "scale": change.scale,
        "scale_name": change.get_scale_display(),
        "before": change.before,
        "after": change.after,
        "before_name": _value(change, change.before, names),
        "after_name": _value(change, change.after, names),
        "why": change.why,
        "by": names.by(change.actor_key, change.actor_department),
        "at": change.at,
    }


def _value(change: ScaleChange, value: str, names: Names) -> str:
    if not value:
        return ""
    if change.scale in (ScaleChange.Scale.COMMANDER, ScaleChange.Scale.LEAD):
        found = names.department(_first_id(value))
        person = names.person(f"person:{value.partition('/')[2]}")
        return " · ".join(part for part in (found["name"] if found else "", person) if part)
    if change.scale == ScaleChange.Scale.STATE:
        return str(Incident.State(value).label)
    if change.scale == ScaleChange.Scale.WARNING_LEVEL:
        return str(Incident.WarningLevel(value).label)
    return {"1": "I", "2": "II", "3": "III", "4": "IV"}.get(value, value)


def _report_line(report: Report) -> Row:
    return {
        "id": report.pk, "version": report.version, "number": report.number, "channel": report.channel,
        "text": report.text, "place": report.place, "received_at": report.received_at, "state": report.state,
    }

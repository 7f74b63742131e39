"""Which reports does this actor see, and what may they do with one?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from coordination.events.actor import Actor
from coordination.events.queries import changed_since
from incidents import states
from incidents.models import Incident, Report
from incidents.queries.files import attachments_of
from incidents.queries.lists import inside
from incidents.queries.shapes import Names, Row, department, named
from sharing import access
from sharing.catalogue import queries as catalogue
from sharing.catalogue.models import Code


def reports(
    *,
    actor: Actor,
    now: datetime,
    state: str = "",
    incident_id: int | None = None,
    joined: bool | None = None,
    bbox: Sequence[float] | None = None,
    since: datetime | None = None,
    q: str = "",
    after: Sequence[Any] | None = None,
    size: int = 50,
) -> tuple[list[Row], list[Any] | None]:
    """Reports, newest first; ``joined`` False: those that belong to no incident yet; ``since``: changed since then."""
    wanted = Q()
    if state:
        wanted &= Q(state=state)
    if incident_id is not None:
        wanted &= Q(incident_id=incident_id)
    if joined is not None:
        wanted &= Q(incident__isnull=not joined)
    if bbox is not None:
        wanted &= inside(bbox)
    if since is not None:
        wanted &= Q(changed_since(Report._meta.label_lower, since))
    if q:
        wanted &= Q(words__found=q)
    rows, following = access.page(
        actor, Report, queryset_filter=wanted, after=after, size=size, select=("department", "incident"), at=now
    )
    types, channels = catalogue.names("incident_type"), catalogue.names("report_channel")
    seen = _seen_incidents(actor, rows, now)
    intakes = _taken_in(actor, rows)
    found = [report_row(row, types, channels, seen, allowed(actor, row, row.pk in intakes)) for row in rows]
    return [_for(actor, row) for row in found], following


def report(*, actor: Actor, report_id: int, now: datetime) -> Row:
    """One report with its files; 404 where the actor does not see it."""
    row = access.get(actor, Report, report_id, now=now, select=("department", "incident"))
    types, channels = catalogue.names("incident_type"), catalogue.names("report_channel")
    names = Names(keys=[row.verified_by, row.received_by])
    found = report_row(
        row, types, channels, _seen_incidents(actor, [row], now), allowed(actor, row, row.pk in _taken_in(actor, [row]))
    )
    files = attachments_of(actor=actor, subject_type=Report._meta.label_lower, subject_ids=[row.pk], now=now)
    full = {
        **found,
        "verified_by": names.person(row.verified_by),
        "received_by": names.person(row.received_by),
        "attachments": files.get(row.pk, []),
    }
    return _for(actor, full)


_PEOPLE = ("reporter_name", "reporter_phone", "verified_by", "received_by")


def _for(actor: Actor, row: Row) -> Row:
    """The row as this actor may have it: on a wall nobody's name or telephone stands."""
    if actor.kind != "display":
        return row
    return {**row, **{name: "" for name in _PEOPLE if name in row}}


def report_row(
    row: Report, types: dict[str, Code], channels: dict[str, Code], seen: set[int], actions: list[Row]
) -> Row:
    """A report; its incident is named only to those who see it."""
    channel = channels.get(row.channel)
    return {
        "id": row.pk,
        "version": row.version,
        "number": row.number,
        "channel": row.channel,
        "channel_name": channel.name if channel else row.channel,
        "text": row.text,
        "type": row.type,
        "type_name": catalogue.path_name(types, row.type) if row.type else "",
        "place": row.place,
        "region_code": row.region_code,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "occurred_at": row.occurred_at,
        "received_at": row.received_at,
        "reporter_name": row.reporter_name,
        "reporter_phone": row.reporter_phone,
        "department": department(row.department),
        "state": row.state,
        "verify_note": row.verify_note,
        "verified_at": row.verified_at,
        "incident": named(row.incident) if row.incident is not None and row.incident_id in seen else None,
        "exercise": row.exercise,
        "allowed_actions": actions,
    }


def allowed(actor: Actor, row: Report, takes_in: bool) -> list[Row]:
    """What the actor may do with a report now; only those that take it in may do anything."""
    if not takes_in or not access.may(actor, "verify"):
        return []
    found = [name for name, (sources, _to) in states.REPORT_MOVES.items() if row.state in sources]
    found += ["split"] if row.incident_id is not None else ["join", "open"]
    needed = {"refute": ["why"], "split": ["why"], "join": ["incident"]}
    optional = {"verify": ["note"]}
    return [
        {
            "action": name,
            "href": f"/api/v1/reports/{row.pk}/{name}" if name != "open" else "/api/v1/incidents",
            "fields": [{"name": field, "required": True} for field in needed.get(name, [])]
            + [{"name": field, "required": False} for field in optional.get(name, [])],
            "if_match": name in ("verify", "refute", "split"),
        }
        for name in found
    ]


def _taken_in(actor: Actor, rows: Sequence[Report]) -> set[int]:
    """Which of these reports the actor's department takes in."""
    if actor.kind == "system":
        return {row.pk for row in rows}
    link = Report.intakes.through._default_manager
    wanted = link.filter(report_id__in=[row.pk for row in rows], department_id=actor.department_id or 0)
    return set(wanted.values_list("report_id", flat=True))


def _seen_incidents(actor: Actor, rows: Sequence[Report], now: datetime) -> set[int]:
    ids = {row.incident_id for row in rows if row.incident_id is not None}
    if not ids:
        return set()
    return set(access.scope(actor, Incident, at=now).filter(pk__in=ids).values_list("pk", flat=True))

"""Where do these words stand, among what this actor may see?"""

from __future__ import annotations

from datetime import datetime

from coordination.events.actor import Actor
from coordination.events.words import query_of
from incidents.models import Incident, LogEntry, Report
from incidents.queries.shapes import Row, incident_row, log_row, named
from sharing import access
from sharing.catalogue import queries as catalogue

MOST = 50


def search(*, actor: Actor, text: str, now: datetime, size: int = 20) -> dict[str, list[Row]]:
    """``{incidents, reports, log}``, newest first, at most ``size`` (50) of each; every word must be found.

    A text without a letter or digit finds nothing. Four queries, whatever is found.
    """
    size = max(1, min(size, MOST))
    if not query_of(text):
        return {"incidents": [], "reports": [], "log": []}
    incidents = _found(actor, Incident, text, now, size, "lead_department")
    reports = _found(actor, Report, text, now, size, "department")
    entries = _found(actor, LogEntry, text, now, size, "department", "person", "incident")
    types = catalogue.names("incident_type")
    return {
        "incidents": [incident_row(row, types) for row in incidents],
        "reports": [_report(row) for row in reports],
        "log": [{**log_row(row), "incident": named(row.incident)} for row in entries],
    }


def _found(actor: Actor, model: type, text: str, now: datetime, size: int, *select: str) -> list:  # type: ignore[type-arg]
    rows = access.scope(actor, model, at=now).filter(words__found=text)
    return list(rows.select_related(*select).order_by(*model.guard_order)[:size])  # type: ignore[attr-defined]


def _report(row: Report) -> Row:
    return {
        "id": row.pk, "number": row.number, "text": row.text, "place": row.place, "state": row.state,
        "received_at": row.received_at, "department": row.department_id,
    }

"""Where do these words stand, among what this actor may see?"""

from __future__ import annotations

from datetime import datetime

from coordination.events.actor import Actor
from coordination.events.words import query_of
from incidents.models import Incident, LogEntry, Report
from incidents.queries.shapes import Row, named
from sharing import access

MOST = 50


def search(*, actor: Actor, text: str, now: datetime, size: int = 20) -> list[Row]:
    """``{kind, id, number, headline, text, href, at, incident}``, newest first, at most ``size`` (50) of each kind.

    ``kind``: incident, report or log. Every word of the text must be found; a text without a letter or digit finds
    nothing. Four queries, whatever is found.
    """
    size = max(1, min(size, MOST))
    if not query_of(text):
        return []
    found = [_incident(row) for row in _found(actor, Incident, text, now, size)]
    found += [_report(row) for row in _found(actor, Report, text, now, size)]
    found += [_entry(row) for row in _found(actor, LogEntry, text, now, size, "incident")]
    return sorted(found, key=lambda row: row["at"], reverse=True)


def _found(actor: Actor, model: type, text: str, now: datetime, size: int, *select: str) -> list:  # type: ignore[type-arg]
    rows = access.scope(actor, model, at=now).filter(words__found=text)
    rows = rows.select_related(*select) if select else rows
    return list(rows.order_by(*model.guard_order)[:size])  # type: ignore[attr-defined]


def _incident(row: Incident) -> Row:
    return {
        "kind": "incident", "id": row.pk, "number": row.number, "headline": row.headline, "text": row.place,
        "href": f"/incidents/{row.pk}/", "at": row.opened_at, "incident": named(row),
    }


def _report(row: Report) -> Row:
    return {
        "kind": "report", "id": row.pk, "number": row.number, "headline": "", "text": row.text,
        "href": f"/reports/{row.pk}/", "at": row.received_at, "incident": None,
    }


def _entry(row: LogEntry) -> Row:
    return {
        "kind": "log", "id": row.pk, "number": row.incident.number, "headline": row.headline, "text": row.text,
        "href": f"/incidents/{row.incident_id}/#log-{row.pk}", "at": row.at, "incident": named(row.incident),
    }

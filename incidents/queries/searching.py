"""Where do these words stand, among what this actor may see?"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from django.db.models import Q

from coordination.events.actor import Actor
from coordination.events.words import query_of
from incidents.models import Incident, LogEntry, Report
from incidents.queries.lists import found as incidents_found
from incidents.queries.shapes import Row, named
from sharing import access
from sharing.access.guarded import Guarded

M = TypeVar("M", bound=Guarded)

MOST = 50


def search(*, actor: Actor, text: str, now: datetime, size: int = 20) -> list[Row]:
    """``{kind, id, number, headline, text, href, at, incident}``, newest first, at most ``size`` (50) of each kind.

    ``kind``: incident, report or log. Every word of the text must be found; a text without a letter or digit finds
    nothing. Four queries, whatever is found.
    """
    size = max(1, min(size, MOST))
    if not query_of(text):
        return []
    matching = Q(words__found=text)
    rows = [_incident(row) for row in _newest(actor, Incident, incidents_found(actor, text, now), now, size)]
    rows += [_report(row) for row in _newest(actor, Report, matching, now, size)]
    rows += [_entry(row) for row in _newest(actor, LogEntry, matching, now, size, "incident")]
    return sorted(rows, key=lambda row: row["at"], reverse=True)


def _newest(actor: Actor, model: type[M], matching: Q, now: datetime, size: int, *select: str) -> list[M]:
    rows = access.scope(actor, model, at=now).filter(matching)
    rows = rows.select_related(*select) if select else rows
    return list(rows.order_by(*model.guard_order)[:size])


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
        "classification": row.classification,
    }

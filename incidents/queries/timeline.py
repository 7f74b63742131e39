"""What happened on an incident, newest first?

Read from the incident's own streams, so it shows what the actor's reach opens and nothing else; what was merged into
the incident is shown with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.models import Event, StreamEntry
from coordination.events.refused import Invalid
from incidents.models import Incident, LogEntry, Objective
from incidents.queries.facts import family_ids
from incidents.queries.lists import corrections
from incidents.queries.sentences import headline_of
from incidents.queries.shapes import Names, Row
from sharing import access

_UNTOLD = ("access.changed",)


def timeline(
    *,
    actor: Actor,
    incident_id: int,
    now: datetime,
    after: Sequence[Any] | None = None,
    size: int = 50,
) -> tuple[list[Row], list[Any] | None]:
    """``{id, at, kind, headline, text, by, object, version, payload, corrects, corrected_by}`` and the next cursor.

    ``kind`` is the event's type; ``headline`` a sentence in the reader's language, empty for what rooms above tell
    themselves (``object`` says of what); ``text`` the line of the log.
    """
    incident = access.get(actor, Incident, incident_id, now=now)
    size = max(1, min(size, 200))
    rows = list(_events(actor, incident, now, _position(after))[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    entries = _entries(actor, rows, now)
    rows = [row for row in rows if row.object_type != LogEntry._meta.label_lower or row.object_id in entries]
    names = Names(
        departments=[pk for row in rows for pk in (row.actor_department, *_mentioned(row))],
        keys=[f"{row.actor_kind}:{row.actor_id}" for row in rows]
        + [f"person:{row.payload['person']}" for row in rows if row.payload.get("person")],
    )
    corrected = corrections(actor, entries, now) if entries else {}
    goals = _goals(actor, rows, now)
    found = [{**_row(row, entries, corrected, names), **_goal(row, goals)} for row in rows]
    return found, ([rows[-1].pk] if more and rows else None)


def _position(after: Sequence[Any] | None) -> int | None:
    if not after:
        return None
    value = after[0] if not isinstance(after, str) and len(after) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise Invalid(code="bad_cursor")
    return value


def _events(actor: Actor, incident: Incident, now: datetime, before: int | None) -> Any:
    ids = family_ids(incident.pk)
    named = [streams.incident(pk) for pk in ids] + [streams.brief(pk) for pk in ids]
    readable = access.readable(actor, named, now)
    rows = Event.objects.filter(
        Exists(StreamEntry.objects.filter(event=OuterRef("pk"), stream__in=readable)), incident_id__in=ids
    ).exclude(type__in=_UNTOLD)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return rows.order_by("-pk")


def _entries(actor: Actor, rows: Sequence[Event], now: datetime) -> dict[int, LogEntry]:
    wanted = [row.object_id for row in rows if row.object_type == LogEntry._meta.label_lower]
    return access.scope(actor, LogEntry, at=now).in_bulk(wanted) if wanted else {}


def _goals(actor: Actor, rows: Sequence[Event], now: datetime) -> dict[int, str]:
    """Texts of the objectives that events are about."""
    wanted = [row.object_id for row in rows if row.object_type == Objective._meta.label_lower]
    seen = access.scope(actor, Objective, at=now).filter(pk__in=wanted) if wanted else Objective.everything.none()
    return dict(seen.values_list("pk", "text"))


def _goal(row: Event, goals: dict[int, str]) -> Row:
    return {"text": goals.get(row.object_id, "")} if row.object_type == Objective._meta.label_lower else {}


def _mentioned(row: Event) -> list[int | None]:
    """Departments an event names: as its ``department``, and lead or command before and after."""
    return [row.payload.get("department"), row.payload.get("before") if row.type.endswith("transferred") else None]


def _row(row: Event, entries: dict[int, LogEntry], corrected: dict[int, int], names: Names) -> Row:
    entry = entries.get(row.object_id) if row.object_type == LogEntry._meta.label_lower else None
    return {
        "id": row.pk,
        "at": (entry.happened_at or entry.at) if entry else row.at,
        "kind": row.type,
        "log_kind": entry.kind if entry else "",
        "headline": entry.headline if entry else headline_of(row.type, row.payload, names),
        "text": entry.text if entry else "",
        "classification": entry.classification if entry else 1,
        "by": names.by(f"{row.actor_kind}:{row.actor_id}", row.actor_department),
        "object": [row.object_type, row.object_id],
        "version": row.version,
        "payload": row.payload,
        "corrects": entry.corrects_id if entry else None,
        "corrected_by": corrected.get(entry.pk) if entry else None,
    }

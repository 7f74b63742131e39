"""What happened on an incident, newest first?

Read from the incident's own streams, so it shows what the actor's reach opens and nothing else; what was merged into
the incident is shown with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer, side_by_side
from coordination.events.kept import Texts, kept
from coordination.events.models import Event, StreamEntry
from coordination.events.refused import Invalid
from incidents.entered import row_id
from incidents.models import Incident, LogEntry, Objective
from incidents.queries.facts import merged_ids
from incidents.queries.lists import correcting
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
    return answer(timeline_steps(actor=actor, incident_id=incident_id, now=now, after=after, size=size))


def timeline_steps(
    *, actor: Actor, incident_id: int, now: datetime, after: Sequence[Any] | None = None, size: int = 50
) -> Steps[tuple[list[Row], list[Any] | None]]:
    """`timeline`, to be asked beside other questions: is it seen, by which streams, what happened, what is named."""
    before = _position(after)
    pk = row_id(incident_id)
    if pk is None:
        raise access.Unseen
    seen, merged = yield [
        kept(_seen, actor, pk, now),
        kept(merged_ids, pk),
    ]
    if not seen:
        raise access.Unseen
    family = [pk, *merged]
    named = [streams.incident(pk) for pk in family] + [streams.brief(pk) for pk in family]
    own = [streams.department(actor.department_id)] if actor.department_id is not None else []
    readable = yield from access.readable_steps(actor, [*named, *own], now)
    size = max(1, min(size, 200))
    told, own_told = (Texts(tuple(sorted(readable & set(some)))) for some in (named, own))
    (rows,) = yield [kept(_events, family, told, own_told, Texts(tuple(named)), before, str(size + 1))]
    more, rows = len(rows) > size, rows[:size]
    entries, corrected, goals, names = yield from _named(actor, rows, now)
    rows = [row for row in rows if row.object_type != LogEntry._meta.label_lower or row.object_id in entries]
    found = [{**_row(row, entries, corrected, names), **_goal(row, goals)} for row in rows]
    return found, ([rows[-1].pk] if more and rows else None)


def _named(
    actor: Actor, rows: Sequence[Event], now: datetime
) -> Steps[tuple[dict[int, LogEntry], dict[int, int], dict[int, str], Names]]:
    """Log entries by id, their corrections, texts of objectives and names, all that events are about."""
    lines = [row.object_id for row in rows if row.object_type == LogEntry._meta.label_lower]
    aims = [row.object_id for row in rows if row.object_type == Objective._meta.label_lower]
    (entries, corrected, goals), names = yield from side_by_side(
        _about(actor, lines, aims, now),
        Names.steps(
            departments=[pk for row in rows for pk in (row.actor_department, *_mentioned(row))],
            keys=[f"{row.actor_kind}:{row.actor_id}" for row in rows]
            + [f"person:{row.payload['person']}" for row in rows if row.payload.get("person")],
        ),
    )
    return {one.pk: one for one in entries}, dict(corrected), dict(goals), names


def _about(actor: Actor, lines: list[int], aims: list[int], now: datetime) -> Steps[list[list[Any]]]:
    return (
        yield [
            kept(_lines, actor, lines, now),
            kept(correcting, actor, lines, now),
            kept(_aims, actor, aims, now),
        ]
    )


def _seen(actor: Actor, pk: int, now: datetime) -> QuerySet[Incident, Any]:
    return access.scope(actor, Incident, at=now).filter(pk=pk).values_list("pk", flat=True)


def _lines(actor: Actor, ids: list[int], now: datetime) -> QuerySet[LogEntry]:
    return access.scope(actor, LogEntry, at=now).filter(pk__in=ids)


def _aims(actor: Actor, ids: list[int], now: datetime) -> QuerySet[Objective, Any]:
    return access.scope(actor, Objective, at=now).filter(pk__in=ids).values_list("pk", "text")


def _position(after: Sequence[Any] | None) -> int | None:
    if not after:
        return None
    value = after[0] if not isinstance(after, str) and len(after) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise Invalid(code="bad_cursor")
    return value


def _events(
    family: Sequence[int], told: Texts, own: Texts, shared: Texts, before: int | None, size: str
) -> QuerySet[Event]:
    """What the incident's streams tell, and what the reader's own tells alone: drafts are no part of the incident's."""
    entries = StreamEntry.objects.filter(event=OuterRef("pk"))
    here, mine = entries.filter(stream__in=told.given), entries.filter(stream__in=own.given)
    alone = Exists(mine) & ~Exists(entries.filter(stream__in=shared.given))
    rows = Event.objects.filter(Exists(here) | alone, incident_id__in=family).exclude(type__in=_UNTOLD)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return rows.order_by("-pk")[: int(size)]


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

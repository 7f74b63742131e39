"""What does a wall show: by exception, worst first, nothing personal?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from accounts import queries as accounts
from coordination.deadlines import queries as deadlines
from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.text import localized
from coordination.instructions.queries import overview
from coordination.live import queries as live
from coordination.screens import sentences
from coordination.screens.room_facts import standout
from incidents import queries as incidents
from incidents.models import Incident

INCIDENTS = 20
STANDOUTS = 40
LOG = 12
BUDGET = 10
"""More rows than this that need attention are grouped by department."""
ROMAN = {1: "I", 2: "II", 3: "III", 4: "IV"}


def wall(*, actor: Actor, now: datetime) -> dict[str, Any]:
    """Everything one wall shows, in its language; the cursor is read before the data."""
    display = accounts.display(actor.id or 0)
    if display is None:
        raise LookupError("no such display")
    with translation.override(display.language):
        rows, more = incidents.incidents(actor=actor, now=now, state="open", size=INCIDENTS)
        pinned = display.incident_id
        shown = [row["id"] for row in rows] if pinned is None else [pinned]
        names = [streams.department(display.department_id or 0)]
        names += [name for pk in shown for name in (streams.incident(pk), streams.brief(pk))]
        cursor = live.cursor(actor, names, now)
        kept = {
            "name": display.name,
            "theme": display.theme,
            "language": display.language,
            "distance": display.seat_distance_m,
            "width": display.screen_width_m,
            "city": accounts.department(display.department_id).name if display.department_id else "",
            "cursor": cursor,
            "streams": " ".join(sorted(cursor)),
            "incident": None,
            "engine_down": deadlines.unwatched_since(now) is not None,
        }
        kept |= _standing(actor, shown, now)
        if pinned is not None:
            return kept | _incident(actor, pinned, now)
        return kept | _overview(rows, more is not None, kept["counts"], now)


def _standing(actor: Actor, ids: list[int], now: datetime) -> dict[str, Any]:
    counts = overview.counts(actor=actor, incident_ids=ids, now=now)
    total = overview.together(counts.values())
    found = [standout(row, now) for row in overview.standouts(actor=actor, incident_ids=ids, now=now, most=STANDOUTS)]
    history = overview.acknowledge_history(actor=actor, incident_ids=ids, now=now)
    return {
        "counts": counts,
        "figures": total,
        "standouts": grouped(found),
        "standouts_total": len(found),
        "normal": max(0, total.open - len(found)),
        **_history(history),
    }


def grouped(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as they are; above the alarm budget one a department and reason, the worst of each kept on top."""
    single = [{**row, "count": 1, "key": f"{row['assignment_id']}-{row['level']}"} for row in rows]
    if len(single) <= BUDGET:
        return single
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for row in single:
        kept = first.setdefault((row["department"], row["why"]), row)
        if kept is not row:
            kept["count"] += 1
    return list(first.values())


def _history(values: list[float | None]) -> dict[str, Any]:
    """Twelve bars of half an hour in a box of 120 × 24, scaled to the highest of them or twice the limit."""
    limit = 5.0
    top = max([value for value in values if value is not None], default=0) or limit
    top = max(top, 2 * limit)
    bars = []
    for place, value in enumerate(values):
        height = 1.0 if value is None else max(1.0, 24 * value / top)
        bars.append({"x": place * 10 + 1, "y": f"{24 - height:.1f}", "h": f"{height:.1f}", "none": value is None})
    last = next((value for value in reversed(values) if value is not None), None)
    said = ", ".join("–" if value is None else f"{value:.1f}" for value in values)
    return {
        "history": bars,
        "history_limit": f"{24 - 24 * limit / top:.1f}",
        "history_last": f"{last:.1f}" if last is not None else "",
        "history_text": _("Minutes to acknowledge per half hour: {values}").format(values=said),
    }


def _shown(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        **row,
        "headline": row["headline"] or row["type_name"],
        "state_name": Incident.State(row["state"]).label,
        "response_roman": ROMAN.get(row["response_level"], ""),
        "age": ((row["closed_at"] or now) - row["opened_at"]).total_seconds(),
    }


def _overview(
    rows: Iterable[dict[str, Any]], more: bool, counts: dict[int, overview.Counts], now: datetime
) -> dict[str, Any]:
    shown = []
    for row in rows:
        count = counts.get(row["id"], overview.Counts())
        shown.append(
            {
                **_shown(row, now),
                "lead": row["lead"]["short"],
                "overdue": count.overdue,
                "total": count.total,
                "acknowledged": count.acknowledged,
            }
        )
    shown.sort(key=lambda row: (-row["overdue"], row["response_level"] or 9, row["opened_at"]))
    return {"incidents": shown, "incidents_open": f"{len(shown)}{'+' if more else ''}", "incidents_more": 0}


def _incident(actor: Actor, incident_id: int, now: datetime) -> dict[str, Any]:
    row = incidents.incident(actor=actor, incident_id=incident_id, now=now)
    lines, _next = incidents.timeline(actor=actor, incident_id=incident_id, now=now, size=LOG)
    points = []
    if row["latitude"] is not None:
        name = row["headline"] or row["number"]
        points.append({"lat": row["latitude"], "lon": row["longitude"], "name": name, "kind": "incident"})
    points += [
        {
            "lat": place["latitude"],
            "lon": place["longitude"],
            "kind": "instruction",
            "name": f"{place['number']} {localized(place['headline_zh'], place['headline_en'])}",
        }
        for place in overview.places(actor=actor, incident_ids=[incident_id], now=now)
    ]
    return {
        "incident": _shown(row, now),
        "points": {"points": points, "areas": []},
        "log": sentences.lines(actor=actor, rows=lines, now=now),
    }

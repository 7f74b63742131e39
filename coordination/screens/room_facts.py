"""What does the incident room show?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from coordination.events import reads, streams
from coordination.events.actor import Actor
from coordination.events.at_once import Steps, side_by_side
from coordination.events.text import localized
from coordination.instructions import queries as instructions
from coordination.instructions.queries import overview
from coordination.live import queries as live
from coordination.screens import sentences
from incidents import queries as incidents
from incidents import states
from incidents.models import Incident, Participation
from sharing.catalogue import queries as catalogue

WHY = {
    "overdue": gettext_lazy("overdue"),
    "declined": gettext_lazy("declined"),
    "unacknowledged": gettext_lazy("not acknowledged"),
}
LATEST = 8


def up_to(*, actor: Actor, incident_id: int, now: datetime) -> dict[str, Any]:
    """Where the streams of the room stand; asked before anything else is read."""
    names = _streams(incident_id, actor)
    cursor = live.cursor(actor, names, now)
    return {"live": cursor, "live_streams": " ".join(sorted(cursor)) or " ".join(names)}


def base(*, actor: Actor, incident_id: int, now: datetime) -> Steps[dict[str, Any]]:
    """The incident with everything around it."""
    room = yield from incidents.room_steps(actor=actor, incident_id=incident_id, now=now)
    room["state_name"] = Incident.State(room["state"]).label
    room["warning_name"] = Incident.WarningLevel(room["warning_level"]).label
    room["age"] = ((room["closed_at"] or now) - room["opened_at"]).total_seconds()
    may = {row["action"] for row in room["allowed_actions"]}
    return {
        "room": room,
        "may": dict.fromkeys(may, True),
        "may_draft": room["state"] in states.OPEN and bool(actor.posts & {"duty_officer", "commander", "head"}),
        "exercise": room["exercise"],
    }


def _streams(incident_id: int, actor: Actor) -> list[str]:
    names = [streams.incident(incident_id), streams.brief(incident_id)]
    return [*names, streams.department(actor.department_id)] if actor.department_id else names


def standing(*, actor: Actor, room: dict[str, Any], now: datetime) -> Steps[dict[str, Any]]:
    """Counts and what needs a person."""
    family = room["family"]
    counts, rows = yield from side_by_side(
        overview.counts_steps(actor=actor, incident_ids=family, now=now),
        overview.standouts_steps(actor=actor, incident_ids=family, now=now, most=12),
    )
    total = overview.together(counts.values())
    return {"counts": total, "standouts": [standout(row, now) for row in rows]}


def data(*, actor: Actor, room: dict[str, Any], now: datetime) -> dict[str, list[dict[str, Any]]]:
    """What data is open through this incident: to the reader's department, and, for who commands, to the others."""
    commands = any(row["action"] == "set_scale" for row in room["allowed_actions"])
    return catalogue.opened_in(actor=actor, incident_ids=room["family"], commands=commands, now=now)


def standout(row: overview.Standout, now: datetime) -> dict[str, Any]:
    """One row that needs a person, in the reader's words."""
    return {
        "assignment_id": row.assignment_id,
        "instruction_id": row.instruction_id,
        "number": row.number,
        "headline": localized(row.headline_zh, row.headline_en),
        "department": localized(row.department_zh, row.department_en),
        "why": row.why,
        "why_name": WHY[row.why],
        "at": row.at,
        "age": max(0.0, (now - row.at).total_seconds()),
        "level": row.level,
    }


def timeline(
    *, actor: Actor, incident_id: int, now: datetime, after: list[Any] | None, size: int
) -> Steps[dict[str, Any]]:
    """Rows of the timeline and the cursor of the next page; ``noted``: lines whose reading is kept."""
    rows, following = yield from incidents.timeline_steps(
        actor=actor, incident_id=incident_id, now=now, after=after, size=size
    )
    lines = yield from sentences.lines_steps(actor=actor, rows=rows, now=now)
    noted = [row["object"][1] for row in rows if reads.is_kept(row)]
    return {"timeline": lines, "next": following[0] if following else None, "noted": noted}


def participations(*, actor: Actor, room: dict[str, Any], now: datetime) -> list[dict[str, Any]]:
    """Departments on the incident: who is on duty there, how much is open, what may be changed."""
    rows = [row for row in room["participations"] if row["left_at"] is None]
    ids = [row["department"]["id"] for row in rows]
    on_duty = accounts.on_duty_many(ids, now)
    load = instructions.burden(department_ids=ids, now=now)
    command = "invite" in {row["action"] for row in room["allowed_actions"]}
    acts = bool(actor.posts & {"duty_officer", "commander", "head"})
    return [
        {
            **row,
            "role_name": Participation.Role(row["role"]).label,
            "state_name": Participation.State(row["state"]).label,
            "on_duty": [
                {"name": localized(one.name_zh, one.name_en), "phone": one.phone}
                for one in on_duty[row["department"]["id"]]
            ],
            "open": load[row["department"]["id"]]["open_assignments"],
            "moves": _part_moves(row, own=acts and row["department"]["id"] == actor.department_id, command=command),
        }
        for row in rows
    ]


def _part_moves(row: dict[str, Any], *, own: bool, command: bool) -> list[dict[str, Any]]:
    mine = {name for name, held in (("own", own), ("command", command)) if held}
    return [
        {"state": move.target, "label": Participation.State(move.target).label, "reason": move.reason}
        for move in states.PARTICIPATION_MOVES
        if move.source == row["state"] and move.who & mine
    ]


def points(*, actor: Actor, room: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The incident's place and its instructions' places, WGS-84, for map and table alike."""
    found = []
    if room["latitude"] is not None:
        name = room["headline"] or room["number"]
        found.append({"lat": room["latitude"], "lon": room["longitude"], "name": name, "kind": "incident", "href": ""})
    found += [
        {
            "lat": row["latitude"],
            "lon": row["longitude"],
            "kind": "instruction",
            "name": f"{row['number']} {localized(row['headline_zh'], row['headline_en'])}",
            "href": reverse("instruction", args=[row["instruction_id"]]),
        }
        for row in overview.places(actor=actor, incident_ids=room["family"], now=now)
    ]
    areas = [{"geometry": room["area"], "name": _("Area")}] if room["area"] else []
    return {"points": found, "areas": areas}

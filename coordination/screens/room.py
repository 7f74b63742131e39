"""Which requests show an incident's room, and act in it?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from coordination.events import reads
from coordination.events.at_once import Steps, answer, side_by_side, together
from coordination.instructions import queries as instructions
from coordination.live import parts
from coordination.screens import room_facts as facts
from coordination.screens.acting import carry_out, offered, summary
from coordination.screens.incident_deeds import DEEDS, ELSEWHERE, RARE, choices, choices_steps
from sharing.access.pages import page

TABS = {
    "overview": _("Overview"),
    "instructions": _("Instructions"),
    "log": _("Log"),
    "map": _("Map"),
    "departments": _("Departments"),
    "data": _("Data"),
}
TAB_OF = {
    "room-head": "",  # on every tab, and needs none's facts
    "room-progress": "overview",
    "room-latest": "overview",
    "room-facts": "overview",
    "room-acts": "overview",
    "room-log": "log",
    "room-departments": "departments",
    "room-instructions": "instructions",
    "room-data": "data",
}
PARTS = {name: f"room/part_{name.removeprefix('room-')}.html" for name in TAB_OF}
PAGE = 50


@require_safe
@page()
def room(request: HttpRequest, pk: int, tab: str = "overview") -> HttpResponse:
    """One incident: overview, instructions, log, map, departments or data."""
    if tab not in TABS:
        raise Http404
    return _show(request, pk, tab)


@require_safe
@page()
def part(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One live part of the room, or several, again."""
    names = parts.names_of(name, PARTS)
    tabs = {TAB_OF[one] for one in names} - {""} or {""}
    kept: dict[str, Any] = {}
    for tab in sorted(tabs):
        kept |= _context(request, pk, tab, only=names)
    shown = request.GET.get("tab", "")
    return parts.answer(request, names, PARTS, kept | {"tab": shown if shown in TABS else "overview"})


@require_safe
@page()
def printed(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole room on paper."""
    kept = _context(request, pk, "overview")
    kept |= answer(facts.timeline(actor=request.actor, incident_id=pk, now=request.now, after=None, size=200))  # type: ignore[attr-defined]
    _note(request, "room-print", kept)
    kept["participations"] = facts.participations(actor=request.actor, room=kept["room"], now=request.now)  # type: ignore[attr-defined]
    kept["board"] = instructions.board(actor=request.actor, incident_id=pk, now=request.now)  # type: ignore[attr-defined]
    return render(request, "room/print.html", kept)


@require_POST
@page()
def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One act on the incident."""
    if name not in DEEDS:
        raise Http404
    deed = DEEDS[name]
    tab = "departments" if name == "change_participation" else "overview"
    home = reverse("room-tab", args=[pk, tab]) if tab != "overview" else reverse("room", args=[pk])
    return carry_out(
        request,
        deed,
        about={"incident_id": pk},
        choices=choices(actor=request.actor, now=request.now, deeds=[deed], but=pk),
        home=home,  # type: ignore[attr-defined]
        again=lambda r, bound, status: _show(r, pk, tab, bound, status),
    )


def _show(
    request: HttpRequest, pk: int, tab: str, bound: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    return render(request, f"room/{tab}.html", _context(request, pk, tab, bound), status=status)


def _context(
    request: HttpRequest, pk: int, tab: str, bound: dict[str, Any] | None = None, only: Collection[str] = PARTS
) -> dict[str, Any]:
    """What a tab shows; ``only``: what these parts of it need."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    kept: dict[str, Any] = {"tab": tab, "tabs": _tabs(pk), "errors": summary(bound)}
    kept |= facts.up_to(actor=actor, incident_id=pk, now=now)
    told: Any = _nothing()
    if tab == "log":
        told = facts.timeline(actor=actor, incident_id=pk, now=now, after=_after(request), size=PAGE)
        kept["after"] = request.GET.get("after", "")
    elif tab == "instructions":
        told = instructions.board_steps(actor=actor, incident_id=pk, now=now)
    elif tab == "overview" and "room-latest" in only:
        told = facts.timeline(actor=actor, incident_id=pk, now=now, after=None, size=facts.LATEST)
    shown, lines = together(_shown(request, pk, tab, bound, only), told)
    if tab in ("overview", "log"):
        _note(request, f"room-{tab}", lines)
    kept |= shown
    if tab == "overview":
        kept["latest"] = lines.get("timeline", [])
    elif tab == "log":
        kept |= lines
    if tab == "instructions":
        kept["view"] = "board" if request.GET.get("view") == "board" else "list"
        kept["board"] = lines
    return kept


def _note(request: HttpRequest, operation: str, lines: dict[str, Any]) -> None:
    """Keep that classified lines of the log are about to be shown."""
    reads.note(request.actor, operation, "log", lines.get("noted", []))  # type: ignore[attr-defined]


def _nothing() -> Steps[dict[str, Any]]:
    yield from ()
    return {}


def _shown(
    request: HttpRequest, pk: int, tab: str, bound: dict[str, Any] | None, only: Collection[str]
) -> Steps[dict[str, Any]]:
    """The incident itself, then what hangs on the tab; the timeline is asked beside it."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    kept = yield from facts.base(actor=actor, incident_id=pk, now=now)
    asked: list[Steps[dict[str, Any]]] = []
    if tab == "overview" and "room-progress" in only:
        asked.append(facts.standing(actor=actor, room=kept["room"], now=now))
    if tab == "log" or (tab == "overview" and "room-acts" in only):
        asked.append(_acts(request, kept, pk, bound))
    for found in (yield from side_by_side(*asked)):
        kept |= found
    if tab == "departments":
        kept["participations"] = facts.participations(actor=actor, room=kept["room"], now=now)
    elif tab == "data":
        kept["data"] = facts.data(actor=actor, room=kept["room"], now=now)
    elif tab == "map":
        kept["points"] = facts.points(actor=actor, room=kept["room"], now=now)
    return kept


def _acts(
    request: HttpRequest, kept: dict[str, Any], pk: int, bound: dict[str, Any] | None
) -> Steps[dict[str, Any]]:
    may = kept["may"]
    shown = [deed for name, deed in DEEDS.items() if name in may and name not in ELSEWHERE]
    if bound and bound["name"] not in may and bound["name"] not in ELSEWHERE:
        shown.insert(0, DEEDS[bound["name"]])  # refused just now: what was typed stays to be read and copied
    log = [DEEDS["add_log"]] if "add_log" in may else []
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    options = yield from choices_steps(actor=actor, now=now, deeds=[*shown, *log], but=pk)
    rows = offered(shown, options, bound, {"describe": kept["room"]}, RARE)
    usual, rare = [row for row in rows if not row["rare"]], [row for row in rows if row["rare"]]
    return {
        "acts": usual,
        "rare": rare,
        "rare_open": any(row["open"] for row in rare),
        "log_form": offered(log, options, bound)[0]["form"] if log else None,
    }


def _tabs(pk: int) -> list[tuple[str, Any, str]]:
    return [
        (key, name, reverse("room", args=[pk]) if key == "overview" else reverse("room-tab", args=[pk, key]))
        for key, name in TABS.items()
    ]


def _after(request: HttpRequest) -> list[int] | None:
    text = request.GET.get("after", "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise Http404
    return [int(text)]

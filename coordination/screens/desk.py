"""What needs my department now, what is in progress, and what have we asked others for?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts import queries as accounts
from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.at_once import Steps, together
from coordination.events.text import localized
from coordination.instructions import queries as instructions
from coordination.live import parts
from coordination.live.queries import cursor
from sharing.access.pages import page

PARTS = {name: f"desk/{name}.html" for name in ("needs", "progress", "waiting", "drafts", "duty")}
WHY = {
    "approve": (_("waits for our approval"), _("Look and approve…")),
    "approved": (_("approved, not issued yet"), _("Issue…")),
    "confirm": (_("issued first, waits to be confirmed"), _("Confirm…")),
    "refused": (_("not confirmed: amend or cancel it"), _("Open…")),
    "ask": (_("asks us"), _("Decide…")),
    "start": (_("acknowledged, not started"), _("Start…")),
    "evaluate": (_("handed in, waits for our verdict"), _("Evaluate…")),
    "declined": (_("declined, waits for a new owner"), _("Settle…")),
    "keep": (_("changed above, waits for our answer"), _("Answer…")),
    "recheck": (_("waits for a check on the spot"), _("Check…")),
}
ROW_KEYS = {"ask": "k", "assignment": "a", "instruction": "i"}
ON_DUTY_AS = {
    "shift": _("on shift"),
    "deputy": _("deputy"),
    "post": _("standing duty"),
    "standing": _("standing duty"),
    "next_shift": _("next shift"),
}


@require_safe
@page()
def desk(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    live = cursor(actor, followed(actor), request.now)  # type: ignore[attr-defined]
    return render(request, "desk/page.html", {**shown(request), "live": live, "discarded": _discarded(request)})


def _discarded(request: HttpRequest) -> dict[str, Any] | None:
    """The draft that the person came here from discarding, while that can be undone."""
    asked = request.GET.get("discarded", "")
    if not asked.isdecimal() or len(asked) > 18:
        return None
    return instructions.just_discarded(actor=request.actor, instruction_id=int(asked), now=request.now)  # type: ignore[attr-defined]


@require_safe
@page()
def part(request: HttpRequest, name: str) -> HttpResponse:
    """One part, or several, as a screen that heard of a change fetches them."""
    names = parts.names_of(name, PARTS)
    return parts.answer(request, names, PARTS, shown(request, names))


def followed(actor: Actor) -> list[str]:
    """The streams that make a desk old: what is the department's own, and the person's notices."""
    own = [streams.department(actor.department_id)] if actor.department_id else []
    return [*own, streams.user(actor.id)] if actor.id else own


def shown(request: HttpRequest, names: Collection[str] = PARTS) -> dict[str, Any]:
    """What the templates draw on; for the duty part alone the instructions are not read."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    context: dict[str, Any] = {"streams": " ".join(followed(actor)), "desk_url": reverse("desk")}
    watch, found = together(
        accounts.watch_steps(actor.department_id, now) if "duty" in names else _nothing(),
        instructions.desk_steps(actor=actor, now=now) if set(names) != {"duty"} else _nothing(),
    )
    if watch:
        context["duty"] = duty(watch)
    if found:
        for need in found["needs"]:
            dress(need)
        for row in found["in_progress"]:
            row["next_due"] = next_due(row["deadlines"])
        context["desk"] = found
    return context


def dress(need: dict[str, Any]) -> None:
    """Add to a need its row key, the version that tells two states apart, and its words."""
    kind, subject = next(
        (kind, need[kind]) for kind in ("ask", "assignment", "instruction") if need.get(kind) is not None
    )
    need["key"] = f"{ROW_KEYS[kind]}{subject['id']}"
    need["version"] = f"{subject.get('version', 1)}.{need['why']}"
    need["why_text"], need["button"] = WHY.get(need["why"], ("", _("Open…")))
    if need.get("instruction") is None:
        need["instruction"] = (need.get("assignment") or subject)["instruction"]


def next_due(deadlines: list[dict[str, Any]]) -> Any:
    """When the first live deadline of an assignment is due."""
    return min((row["base_due"] for row in deadlines if row["state"] == "armed"), default=None)


def _nothing() -> Steps[None]:
    yield from ()


def duty(watch: accounts.Watch) -> dict[str, Any]:
    """Who answers for us now, who comes next, and what the last shift left as a note."""
    return {
        "people": [
            {
                "name": localized(one.name_zh, one.name_en),
                "phone": one.phone,
                "via_text": ON_DUTY_AS.get(one.via, one.via),
            }
            for one in watch.people
        ],
        "next": [{"name": localized(one.name_zh, one.name_en)} for one in watch.following],
        "note": watch.shift.note if watch.shift else "",
    }

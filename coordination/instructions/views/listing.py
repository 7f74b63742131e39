"""Which instructions are there, and which of them does one look for?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from coordination.events import streams
from coordination.instructions import queries
from coordination.live.queries import cursor
from sharing.access.pages import page

SIZE = 50
FILTERS = (
    ("open", _("Open"), {"state": "open"}),
    ("overdue", _("Overdue"), {"overdue": True}),
    ("mine", _("Issued by us"), {"mine": True}),
    ("stale", _("Old version in use"), {"stale": True}),
    ("all", _("All"), {}),
)


@require_safe
@page()
def instructions(request: HttpRequest) -> HttpResponse:
    """The list, newest first, filtered by one word."""
    actor, now = request.actor, request.now
    own = [streams.department(actor.department_id)] if actor.department_id else []
    live = cursor(actor, own, now)
    chosen = request.GET.get("show", "open")
    wanted: dict[str, Any] = next((found for name, _label, found in FILTERS if name == chosen), FILTERS[0][2])
    rows, following = queries.instructions(
        actor=actor, now=now, after=request.GET.get("after") or None, size=SIZE, **wanted
    )
    context = {
        "rows": rows,
        "following": following,
        "chosen": chosen,
        "live": live,
        "streams": " ".join(own),
        "filters": [(name, label) for name, label, _found in FILTERS],
    }
    return render(request, "instructions/list.html", context)

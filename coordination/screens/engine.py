"""Are deadlines watched, and is anything stuck?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from coordination.deadlines import queries as deadlines
from coordination.events import queries as log
from coordination.notify import queries as notify
from sharing.access.pages import page


@require_safe
@page()
def engine(request: HttpRequest) -> HttpResponse:
    """Engine, outbox, relay and the open alarms of the reader's department."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    kept = {
        "status": deadlines.engine_status(now),
        "alarms": deadlines.open_alarms(department_ids=[actor.department_id]),
        "outbox": sorted(notify.outbox_counts().items()),
        "lag": log.lag(),
    }
    template = "engine/status.html" if request.headers.get("X-Part") else "engine/page.html"
    return render(request, template, kept)

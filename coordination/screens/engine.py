"""Are deadlines watched, and is anything stuck?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts import queries as accounts
from coordination.deadlines import queries as deadlines
from coordination.events import queries as log
from coordination.notify import queries as notify
from coordination.notify.texts import ALARMS
from sharing.access.pages import page

CHANNELS = {"email": _("Mail"), "sms": _("Text message"), "webhook": _("Other systems"), "in_app": _("Notices")}
STATES = {"pending": _("waiting"), "sending": _("being sent"), "unknown": _("outcome unknown")}


@require_safe
@page()
def engine(request: HttpRequest) -> HttpResponse:
    """Engine, outbox, relay and the open alarms of the reader's department."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    kept = {
        "status": deadlines.engine_status(now),
        "alarms": [
            (ALARMS.get(alarm.kind, alarm.kind), alarm.raised_at)
            for alarm in deadlines.open_alarms(department_ids=[actor.department_id])
        ],
        "outbox": [(_named(key), count) for key, count in sorted(notify.outbox_counts().items())],
        "lag": log.lag(),
        "not_apart": accounts.not_apart(now) if accounts.may_see_not_apart(actor) else (),
    }
    template = "engine/status.html" if request.headers.get("X-Part") else "engine/page.html"
    return render(request, template, kept)


def _named(key: str) -> str:
    """What ``channel:state`` is called."""
    channel, _dot, state = key.partition(":")
    return f"{CHANNELS.get(channel, channel)}: {STATES.get(state, state)}"

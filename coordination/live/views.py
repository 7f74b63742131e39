"""What does a screen get that polls?"""

from __future__ import annotations

from datetime import UTC

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from coordination.live import frames, queries


@require_GET
@never_cache
def since(request: HttpRequest) -> HttpResponse:
    """``?after=stream=epoch.seq,…`` → {now, build, heads, events, resets}; 401 when signed out, 400 when unreadable."""
    try:
        cursors = frames.read_after(request.GET.get("after", ""))
    except frames.BadFrame:
        return _json({"code": "malformed", "detail": _("The cursors cannot be read.")}, 400)
    if request.actor.kind == "anonymous":  # type: ignore[attr-defined]
        return _json({"code": "unauthenticated", "detail": _("Sign in first.")}, 401)
    now = request.now.astimezone(UTC)  # type: ignore[attr-defined]
    return _json(queries.since(request.actor, cursors, now), 200)  # type: ignore[attr-defined]


def _json(body: object, status: int) -> HttpResponse:
    text = orjson.dumps(body, default=str)
    return HttpResponse(text, status=status, content_type="application/json")

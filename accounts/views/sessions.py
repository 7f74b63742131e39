"""Where am I signed in, and in which language and dress do I see things?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import actions, queries
from accounts.actions.people import LANGUAGES
from accounts.views.answers import next_of, note, show, signed_in, speak
from coordination.events.refused import Refused


@require_safe
@signed_in
def sessions(request: HttpRequest) -> HttpResponse:
    """One's own open sessions."""
    return _list(request)


def _list(request: HttpRequest, problem: object = "", status: int = 200) -> HttpResponse:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    return show(
        request,
        "accounts/sessions.html",
        status=status,
        sessions=queries.sessions_of(actor.id, now),
        here=request.session.session_key,
        has_factor=queries.has_factor(actor.id),
        codes_left=queries.recovery_codes_left(actor.id),
        problem=problem,
    )


@require_POST
@signed_in
def end(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of them."""
    try:
        actions.end_session(actor=request.actor, now=request.now, session_id=session_id)  # type: ignore[attr-defined]
    except Refused as refused:
        note(request, refused)
        return _list(request, refused.message, refused.status)
    return HttpResponseRedirect(reverse("sessions"), status=303)


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Go on in another language, on the same page."""
    wanted = request.POST.get("language", "")
    answer = HttpResponseRedirect(next_of(request), status=303)
    if wanted not in LANGUAGES:
        return answer
    if request.actor.is_person:  # type: ignore[attr-defined]
        actions.set_preferences(actor=request.actor, now=request.now, language=wanted)  # type: ignore[attr-defined]
    return speak(answer, wanted)


@require_POST
@signed_in
def set_theme(request: HttpRequest) -> HttpResponse:
    """Light, dark or as the device; rows close or wide; keys on or off. On the same page."""
    wanted: dict[str, object] = {}
    if "theme" in request.POST:
        wanted["theme"] = request.POST["theme"]
    for name in ("compact", "keys_off"):
        if name in request.POST:
            wanted[name] = request.POST[name] in ("1", "true", "on")
    try:
        if wanted:
            actions.set_preferences(actor=request.actor, now=request.now, **wanted)  # type: ignore[attr-defined]
    except Refused as refused:
        note(request, refused)
    return HttpResponseRedirect(next_of(request), status=303)

"""Which requests show a wall?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import actions as accounts
from coordination.live import parts
from coordination.screens import wall_facts
from sharing.access.pages import actor_of, now_of

PARTS = {
    "wall-title": "wall/part_title.html",
    "wall-figures": "wall/part_figures.html",
    "wall-incidents": "wall/part_incidents.html",
    "wall-standouts": "wall/part_standouts.html",
    "wall-log": "wall/part_log.html",
}
COOKIE = "muster_wall"
CLAIM = "muster_wall_claim"


@never_cache
@require_GET
def wall(request: HttpRequest) -> HttpResponse:
    """The wall with its token; without one a pairing code that an administrator enters."""
    if actor_of(request).kind != "display":
        return _pair(request)
    facts = wall_facts.wall(actor=actor_of(request), now=now_of(request))
    with translation.override(facts["language"]):
        return render(request, "wall/wall.html", {"wall": facts, "live": facts["cursor"]})


@never_cache
@require_GET
def part(request: HttpRequest, name: str) -> HttpResponse:
    """One panel, or several, again after a pointer."""
    if actor_of(request).kind != "display":
        return HttpResponse(status=401)
    names = parts.names_of(name, PARTS)
    facts = wall_facts.wall(actor=actor_of(request), now=now_of(request))
    with translation.override(facts["language"]):
        return parts.answer(request, names, PARTS, {"wall": facts})


def _pair(request: HttpRequest) -> HttpResponse:
    """Show the code; once it was entered, put the token into its cookie and become the wall."""
    claim = request.COOKIES.get(CLAIM, "")
    pairing = accounts.pairing(claim=claim, address=request.META.get("REMOTE_ADDR", ""), now=now_of(request))
    secure = request.is_secure()
    if pairing.token:
        answer = HttpResponse(status=302, headers={"Location": request.path})
        answer.set_cookie(COOKIE, pairing.token, max_age=400 * 86400, httponly=True, secure=secure, samesite="Strict")
        answer.delete_cookie(CLAIM)
        return answer
    answer = render(request, "wall/pair.html", {"code": pairing.code, "expires": pairing.expires})
    answer.set_cookie(CLAIM, pairing.claim, max_age=3600, httponly=True, secure=secure, samesite="Strict")
    return answer

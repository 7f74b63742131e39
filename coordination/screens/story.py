"""How does somebody steer the demo's story?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from coordination.screens.demo import story as telling
from sharing.access.pages import page


def _only_in_the_demo() -> None:
    if not settings.MUSTER_DEMO:
        raise Http404


@require_safe
@page()
def story(request: HttpRequest) -> HttpResponse:
    """Where the story stands, and what it has told."""
    _only_in_the_demo()
    return render(request, "story/page.html", telling.shown(now=request.now, actor=request.actor))  # type: ignore[attr-defined]


@require_POST
@page()
def act(request: HttpRequest, name: str) -> HttpResponse:
    """Begin, pause, go on, set the speed, or take a department's part."""
    _only_in_the_demo()
    now: Any = request.now  # type: ignore[attr-defined]
    run = telling.current()
    if name == "begin":
        telling.begin(now=now, speed=run.speed if run else 1.0)
    elif run is None:
        raise Http404
    elif name == "pause":
        telling.pause(run_id=run.pk, now=now)
    elif name == "go-on":
        telling.go_on(run_id=run.pk, now=now)
    elif name == "speed" and request.POST.get("speed") in {str(speed) for speed in telling.SPEEDS}:
        telling.set_speed(run_id=run.pk, speed=float(request.POST["speed"]), now=now)
    elif name == "play":
        telling.play(
            run_id=run.pk, department=request.POST.get("department", ""), leave=request.POST.get("leave") == "1"
        )
    else:
        raise Http404
    return HttpResponseRedirect(reverse("story"), status=303)

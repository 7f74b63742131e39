"""How do the pages of signing in answer, refuse and lead on?"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from accounts import identity
from accounts.paths import own_path
from coordination.events import refusals
from coordination.events.actor import Actor
from coordination.events.command import request_id
from coordination.events.refused import Refused

View = Callable[..., HttpResponse]
HOME = "/"


def plain(view: View) -> View:
    """Give the view ``request.now`` and ``request.actor`` as themselves, not as the lazy stand-ins put there."""

    @functools.wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked: Any = request
        asked.now = datetime.fromisoformat(asked.now.isoformat())
        asked.actor = Actor(**{name: getattr(asked.actor, name) for name in Actor.__slots__})
        return view(request, *args, **kwargs)

    return run


def next_of(request: HttpRequest) -> str:
    """Where the person wanted to go."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return own_path(wanted, HOME)


def lead(request: HttpRequest, name: str, then: str = "") -> HttpResponse:
    """To the next step, which remembers where the person wanted to go (or goes on to ``then``)."""
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({'next': then or next_of(request)})}", status=303)


def show(
    request: HttpRequest, template: str, form: Form | None = None, *, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of this room, never kept by anybody."""
    then = next_of(request)
    provider = identity.provider_name() if identity.enabled() else ""
    facts = {"form": form, "next": then, "next_query": urlencode({"next": then}), "provider": provider, **context}
    answer = render(request, template, facts, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


def refuse(
    request: HttpRequest, template: str, form: Form, refused: Refused, **context: Any
) -> HttpResponse:
    """The form again with the reason; noted with who and whence."""
    note(request, refused)
    form.add_error(None, str(refused.message))
    answer = show(request, template, form, status=refused.status, **context)
    if "retry_after" in refused.extra:
        answer["Retry-After"] = str(max(1, int(refused.extra["retry_after"])))
    return answer


def note(request: HttpRequest, refused: Refused) -> None:
    """Write down that this was refused."""
    refusals.note(
        request.actor,  # type: ignore[attr-defined]
        request.resolver_match.url_name if request.resolver_match else "",  # type: ignore[arg-type]
        refused,
        object_id=request.POST.get("username", "")[:40],
        request_id=request_id.get(),
        address=request.META.get("REMOTE_ADDR") or None,
    )


def signed_in(view: View) -> View:
    """Only for whoever is signed in, with a department or without; others are sent to sign in."""

    @functools.wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.actor.is_person:  # type: ignore[attr-defined]
            here = request.get_full_path() if request.method == "GET" else HOME
            return HttpResponseRedirect(f"{reverse('sign-in')}?{urlencode({'next': here})}", status=303)
        return view(request, *args, **kwargs)

    return run


def speak(response: HttpResponse, language: str) -> HttpResponse:
    """Keep the language for the pages before the next sign-in too."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 86400,
        path=settings.LANGUAGE_COOKIE_PATH,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
    return response

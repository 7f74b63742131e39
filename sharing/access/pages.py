"""How do HTML pages learn who asks, keep strangers out, and say no?"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from accounts.paths import own_path
from coordination.events import clock, reads, refusals
from coordination.events.actor import ANONYMOUS, Actor
from coordination.events.at_once import answer, side_by_side
from coordination.events.command import request_id
from coordination.events.refused import Forbidden, NotFound, Refused
from sharing.access import opened_for
from sharing.access.queries import emergency

View = Callable[..., HttpResponse]
SAFE = ("GET", "HEAD", "OPTIONS")

# What a session holds: for which department, since when (ISO), and when the person last did something (seconds).
DEPARTMENT, STARTED, ACTIVE = "department_id", "started_at", "active_at"


class NoPostHere(Forbidden):
    """The person holds no post anywhere now, so there is nothing they could do."""

    code = "no_post"


class WrongPost(Forbidden):
    """This page is for other posts."""

    code = "wrong_post"


class PasswordAgain(Refused):
    """Nothing was done in this session for an hour: an act needs the password again."""

    status = 401
    code = "password_again"


def now_of(request: HttpRequest) -> datetime:
    """The database's time for this request, taken once: along with its session where that was read."""
    found: datetime | None = getattr(request, "_muster_now", None)
    if found is None:
        found = getattr(getattr(request, "session", None), "read_at", None) or clock.now()
        request._muster_now = found  # type: ignore[attr-defined]
    return found


def actor_of(request: HttpRequest) -> Actor:
    """Who asks: a signed-in person in their department, a wall by its token, or nobody.

    A person who is signed in and has chosen no department (or lost their posts in it) comes without department and
    posts, and may do nothing but choose.
    """
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated and hasattr(request, "session"):
        return _person(request, user)
    token = request.COOKIES.get(accounts.WALL_COOKIE, "")
    if token:
        wall = accounts.display_by_token(token, request.META.get("REMOTE_ADDR"))
        if wall is not None:
            return Actor("display", wall.pk, wall.department_id, language=wall.language)
    return ANONYMOUS


def _person(request: HttpRequest, user: Any) -> Actor:
    now = _when(request)
    started = _moment(request.session.get(STARTED))
    if started is None or started + accounts.LONGEST_SESSION <= now:
        return ANONYMOUS
    department = request.session.get(DEPARTMENT)
    if isinstance(department, int):
        actor, glass = answer(side_by_side(
            accounts.actor_steps(user.pk, department, now), emergency.glass_steps(user.pk, now)
        ))
        if actor is not None:
            request._glass = glass  # type: ignore[attr-defined]
            return actor  # type: ignore[no-any-return]
    return Actor("person", user.pk, language=user.language or "zh-hans")


def glass_of(request: Any) -> list[emergency.Glass]:
    """What the asking person has open by break-glass at this moment; found along with who they are."""
    bool(getattr(request, "actor", None))
    found: list[emergency.Glass] = getattr(request, "_glass", [])
    return found


def mark_read(request: HttpRequest, response: HttpResponse, actor: Actor) -> None:
    """Keep, with its grants, what was answered to a person who has an incident open by break-glass.

    Each answer that shows something, not only those that plainly rest on it: of a search or a list nobody can say.
    """
    grants = [one.grant_id for one in glass_of(request) if one.incident]
    if grants and response.status_code < 300:
        match = request.resolver_match
        ids = [value for value in (match.kwargs.values() if match else ()) if isinstance(value, int)]
        seen = ids or [one.object_id for one in glass_of(request) if one.incident]
        name = f"{request.method} {match.route if match else ''}"
        reads.note(actor, name, "break_glass", seen, purpose=reads.BREAK_GLASS, grants=grants)


def _when(request: HttpRequest) -> datetime:
    """The request's own ``now``, as a plain moment."""
    given = getattr(request, "now", None)
    return datetime.fromisoformat(given.isoformat()) if given is not None else now_of(request)


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def idle(request: HttpRequest) -> bool:
    """Whether the session lay still so long that an act needs the password again."""
    seconds = request.session.get(ACTIVE)
    if not isinstance(seconds, int | float):
        return True
    return _when(request) - datetime.fromtimestamp(seconds, UTC) >= longest_idle()


def longest_idle() -> timedelta:
    """How long a session may lie still."""
    found: timedelta = getattr(settings, "MUSTER_SESSION_IDLE", timedelta(minutes=60))
    return found


def require_awake(request: HttpRequest) -> None:
    """Refuse an act in a session that lay still too long (`PasswordAgain`, 401)."""
    if idle(request):
        raise PasswordAgain(_("You have done nothing for an hour. Enter your password again, then repeat this."))


def note_act(request: HttpRequest) -> None:
    """Keep the session awake: written at most once a minute. Polling never comes here."""
    now = _when(request)
    seconds = request.session.get(ACTIVE)
    if isinstance(seconds, int | float) and now.timestamp() - seconds < 60:
        return
    request.session[ACTIVE] = now.timestamp()


def page(
    view: View | None = None, *, posts: Collection[str] | None = None, department: bool = True
) -> Any:
    """Make a view a page for signed-in people who act for a department.

    Others are sent to sign in, to choose a department, or (an act after an hour's silence) to enter the password
    again. ``posts``: only holders of one of these. ``department=False``: signed in is enough. A `Refused` that the
    view lets through is answered and noted; hidden and absent get the same 404 as an address that leads nowhere.
    """

    def wrap(inner: View) -> View:
        @functools.wraps(inner)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            request.actor = _plain(request)  # type: ignore[attr-defined]
            request.now = _when(request)  # type: ignore[attr-defined]
            elsewhere = _elsewhere(request, department)
            if elsewhere is not None:
                return elsewhere
            try:
                if department:
                    request.actor = opened_for.actor_for_form(request, request.actor)  # type: ignore[attr-defined]
                if posts is not None and not request.actor.posts & set(posts):  # type: ignore[attr-defined]
                    raise WrongPost(_("This page is for other posts than yours."))
                response = inner(request, *args, **kwargs)
            except NotFound as refused:
                if request.method not in SAFE:
                    note_refusal(request, inner.__name__, refused)
                raise Http404 from None
            except opened_for.OtherDepartment as refused:
                note_refusal(request, inner.__name__, refused)
                return _opened_for_another(request, refused)
            except Refused as refused:
                note_refusal(request, inner.__name__, refused)
                return refusal_response(request, refused)
            if request.method not in SAFE or request.headers.get("Sec-Fetch-Mode") == "navigate":
                note_act(request)
            response.headers.setdefault("Cache-Control", "no-store")
            mark_read(request, response, request.actor)  # type: ignore[attr-defined]
            return response

        return run

    return wrap(view) if view is not None else wrap


def _plain(request: HttpRequest) -> Actor:
    """The actor as itself, not as the lazy stand-in that the middleware puts there."""
    found = getattr(request, "actor", None)
    if found is None:
        return actor_of(request)
    return Actor(**{name: getattr(found, name) for name in Actor.__slots__})


def _elsewhere(request: HttpRequest, department: bool) -> HttpResponse | None:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if not actor.is_person:
        return _send(request, "sign-in")
    if department and actor.department_id is None:
        return _send(request, "act-for")
    if request.method not in SAFE and idle(request):
        return _send(request, "password-again")
    return None


def _send(request: HttpRequest, name: str) -> HttpResponse:
    """To another page and back; a script is told by 401 and where to go, and keeps what was typed."""
    target = f"{reverse(name)}?{urlencode({'next': came_from(request)})}"
    if request.headers.get("HX-Request") or request.headers.get("Sec-Fetch-Mode") in ("cors", "same-origin"):
        response = HttpResponse(status=401)
        response["X-Sign-In"] = target
        return response
    return HttpResponseRedirect(target, status=303 if request.method not in SAFE else 302)


def came_from(request: HttpRequest) -> str:
    """The path to return to: this page, or for an act the page it was sent from."""
    if request.method in SAFE and not request.headers.get("HX-Request"):
        return request.get_full_path()
    parts = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return own_path(path)


def refusal_response(
    request: HttpRequest,
    refused: Refused,
    template: str = "errors/error.html",
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Say no: a whole page, or for a script the small note that it puts beside what was pressed."""
    extra = refused.extra
    shown = {
        "status": refused.status,
        "code": refused.code,
        "message": refused.message,
        "request_id": request_id.get(),
        "errors": {"title": refused.message, "state": extra.get("state"), "allowed": extra.get("allowed")},
        "refused": refused,
        **(context or {}),
    }
    if request.headers.get("HX-Request") and template == "errors/error.html":
        template = "parts/refused.html"
    response = render(request, template, shown, status=refused.status)
    response["Cache-Control"] = "no-store"
    if "retry_after" in extra:
        response["Retry-After"] = str(max(1, int(extra["retry_after"])))
    return response


def _opened_for_another(request: HttpRequest, refused: opened_for.OtherDepartment) -> HttpResponse:
    where = "parts" if request.headers.get("HX-Request") else "errors"
    response = refusal_response(
        request, refused, f"{where}/other_department.html", opened_for.kept(request, refused)
    )
    response["X-Other-Department"] = "1"  # what a device kept stays there until its department is acted for again
    return response


def note_refusal(
    request: HttpRequest,
    operation: str,
    refused: Refused,
    *,
    object_type: str = "",
    object_id: object = "",
) -> None:
    """Write down what was refused to whom, after the roll-back."""
    refusals.note(
        _plain(request),
        operation,
        refused,
        object_type=object_type,
        object_id=object_id,
        request_id=request_id.get(),
        address=request.META.get("REMOTE_ADDR") or None,
    )

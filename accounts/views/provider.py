"""How does a person come in through the city's own identity provider?"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from accounts import identity
from accounts.actions import entering
from accounts.views.answers import next_of, note, show
from accounts.views.signing import onward
from coordination.events.refused import Refused


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """To the identity provider."""
    _configured()
    try:
        return HttpResponseRedirect(entering.leave_for_provider(request, then=next_of(request)), status=303)
    except Refused as refused:
        return _refused(request, refused)


@require_safe
def come_back(request: HttpRequest) -> HttpResponse:
    """Back from it, with a code that stands for who somebody is."""
    _configured()
    try:
        step, then = entering.come_back(request, request.now)  # type: ignore[attr-defined]
    except Refused as refused:
        return _refused(request, refused)
    return onward(request, step, then)


def _configured() -> None:
    if not identity.enabled():
        raise Http404


def _refused(request: HttpRequest, refused: Refused) -> HttpResponse:
    note(request, refused)
    answer = show(request, "accounts/not_proved.html", status=refused.status, problem=refused.message)
    if refused.status == 503:
        answer["Retry-After"] = "30"
    if "retry_after" in refused.extra:
        answer["Retry-After"] = str(refused.extra["retry_after"])
    return answer

"""How does a person discard a draft, and undo it?"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coordination.events.refused import NotFound, Refused
from coordination.instructions import actions
from coordination.instructions.forms.acts import PlainForm
from coordination.instructions.views import page as pages
from coordination.instructions.views.act import words_of
from sharing.access.pages import note_refusal, page


@require_POST
@page()
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Discard a draft; the desk then offers to undo it."""
    return _do(request, pk, "discard", f"{reverse('desk')}?discarded={pk}")


@require_POST
@page()
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo the discarding."""
    return _do(request, pk, "restore", reverse("instruction", args=[pk]), said=_("The draft is back."))


def _do(request: HttpRequest, pk: int, name: str, then: str, *, said: str = "") -> HttpResponse:
    form = PlainForm(request.POST)
    if not form.is_valid():
        return pages.show(request, pk, status=422, errors={"title": _("Please look at these fields")})
    given = form.payload()
    if name == "restore":
        given.pop("if_version", None)
    try:
        getattr(actions, name)(actor=request.actor, now=request.now, instruction_id=pk, **given)  # type: ignore[attr-defined]
    except NotFound:
        raise
    except Refused as no:
        note_refusal(request, f"instruction.{name}", no)
        words = words_of(no, "instruction")
        errors = {"title": words["error"], "state": words.get("state"), "allowed": words.get("allowed")}
        return pages.show(request, pk, status=no.status, errors=errors)
    if said:
        messages.success(request, said)
    return HttpResponseRedirect(then, status=303)

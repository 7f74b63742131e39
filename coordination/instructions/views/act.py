"""How is one posted act carried out and answered: as a page, or as the piece of page a script put it from?"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.paths import own_path
from coordination.events.refused import NotFound, Refused
from coordination.instructions import queries
from coordination.instructions.states import move_named
from coordination.instructions.views import page as pages
from coordination.instructions.views.choices import Choices
from coordination.instructions.views.registry import SUBJECT_ARGUMENT, Act, act_for, move_label
from coordination.instructions.views.shown import state_name
from incidents.actions import attach
from sharing.access.forms import ActForm, FilesForm
from sharing.access.pages import note_refusal, page


@require_POST
@page()
def act(request: HttpRequest, subject: str, pk: int, name: str) -> HttpResponse:
    """One act on an instruction, an assignment or an ask."""
    about = queries.about(actor=request.actor, subject=subject, pk=pk, now=request.now)
    spec = act_for(subject, name, read_back=about["read_back"], kind=about["kind"])
    if spec is None:
        raise Http404
    form = spec.form(
        request.POST,
        request.FILES,
        auto_id=f"{subject}-{pk}-{name}-%s",
        **pages.form_arguments(subject, name, Choices(request.actor), conflicts_for(request, name, about)),
    )
    if not form.is_valid():
        return _again(request, spec, form, about, subject, pk, name, 422, {"error": _("Please look at these fields")})
    try:
        _take_files(request, form)
        spec.action(
            actor=request.actor, now=request.now, **{SUBJECT_ARGUMENT[subject]: pk}, **arguments(form, subject, name)
        )
    except NotFound:
        raise
    except Refused as no:
        note_refusal(request, f"{subject}.{name}", no)
        form.take(no)
        return _again(request, spec, form, about, subject, pk, name, no.status, words_of(no, subject))
    return _done(request, spec, about)


def arguments(form: ActForm, subject: str, name: str) -> dict[str, Any]:
    """What the form says, with the version the person saw only where the move decides something."""
    given = form.payload()
    if not move_named(subject, name).deciding:
        given.pop("if_version", None)
    return given


def _take_files(request: HttpRequest, form: ActForm) -> None:
    """Files come in one by one, each once however often the form is sent; the act then names them.

    One that is refused stops the act and says so at its field; the others are kept for the next try.
    """
    if not isinstance(form, FilesForm):
        return
    kept, refused = [], None
    for one, file in form.uploads():
        try:
            kept.append(attach(actor=request.actor, now=request.now, file=file, command_id=one).pk)
        except Refused as no:
            no.errors = [{"pointer": "/files", "code": no.code, "detail": f"{file.name}: {no.message}"}]
            refused = no
    form.keep(kept)
    if refused is not None:
        raise refused


def conflicts_for(request: HttpRequest, name: str, about: dict[str, Any]) -> Any:
    """The conflicts an approver signs; nothing for other acts."""
    if name != "approve":
        return ()
    return queries.conflicts(
        actor=request.actor, instruction_id=about["instruction_id"], n=about["current"], now=request.now
    )


def words_of(no: Refused, subject: str) -> dict[str, Any]:
    """A refusal in words: what is wrong, how it stands, what can be done now."""
    found: dict[str, Any] = {"error": str(no.message)}
    if no.extra.get("state"):
        found["state"] = state_name(str(no.extra["state"]))
        found["allowed"] = [move_label(subject, move) for move in no.extra.get("allowed") or ()]
    return found


def _done(request: HttpRequest, spec: Act, about: dict[str, Any]) -> HttpResponse:
    home = reverse("instruction", args=[about["instruction_id"]])
    if request.headers.get("HX-Request"):
        answer = render(request, "parts/receipt.html", {"said": spec.said})
        answer["X-Said"] = quote(str(spec.said))
        return answer
    messages.success(request, str(spec.said))
    return HttpResponseRedirect(own_path(request.POST.get("next", ""), home), status=303)


def _again(
    request: HttpRequest,
    spec: Act,
    form: ActForm,
    about: dict[str, Any],
    subject: str,
    pk: int,
    name: str,
    status: int,
    words: dict[str, Any],
) -> HttpResponse:
    """Nothing was done: the form again, with what was typed, why not, and what can be done now."""
    kept = {"form": form, **words, "open": True}
    if not request.headers.get("HX-Request"):
        return pages.show(request, about["instruction_id"], bound={(subject, pk, name): kept}, status=status)
    home = reverse("instruction", args=[about["instruction_id"]])
    if spec.tap:
        errors = {"title": words["error"], "state": words.get("state"), "allowed": words.get("allowed")}
        return render(request, "parts/refused.html", {"errors": errors, "href": home}, status=status)
    row: dict[str, Any] = {"id": pk, "version": about["version"], "percent": 0}
    if subject == "assignment":
        row = queries.assignment(actor=request.actor, assignment_id=pk, now=request.now)
    i = {"id": about["instruction_id"], "current": about["current"]}
    shape = pages.one_act(spec, subject, row, name, i=i, choices=Choices(request.actor), kept=kept)
    return render(request, "instructions/act_form.html", {"act": shape}, status=status)

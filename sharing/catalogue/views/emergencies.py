"""On which pages is glass broken, ended and judged?"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import queries as accounts
from accounts.actions import proving
from coordination.events.refused import Forbidden, NotFound, Refused, TooSoon
from sharing import access
from sharing.access.pages import note_refusal, page
from sharing.access.rest import limits
from sharing.access.rest.paging import seal, unseal
from sharing.catalogue import actions, glass_forms, queries
from sharing.catalogue.views.acts import Act

PAGE = 30
STATES = {
    "running": gettext_lazy("Open now"), "review": gettext_lazy("To be judged"), "past": gettext_lazy("Judged"),
}  # fmt: skip


GLASS_ACTS = {
    act.name: act
    for act in (
        Act(
            "end", gettext_lazy("End now"), actions.end_glass, gettext_lazy("Ended. Nothing of it is open any more."),
            gettext_lazy("What it opened closes at once."), glass_forms.EndForm,
        ),
        Act(
            "renew", gettext_lazy("Keep it open for an hour more"), actions.renew_glass, gettext_lazy("Kept open."),
            gettext_lazy("Once only. Those whose data it is are told again."), glass_forms.ProofForm, proof=True,
        ),
        Act(
            "review", gettext_lazy("Judge"), actions.review_glass, gettext_lazy("Judged."),
            gettext_lazy("The person and the head of their department are told."), glass_forms.ReviewForm,
        ),
    )
}


@require_safe
@page()
def glasses(request: HttpRequest) -> HttpResponse:
    """Broken glass that concerns the department: open, to be judged, judged; and proposed rules."""
    return _list(request)


def _list(request: HttpRequest, errors: Any = None, status: int = 200) -> HttpResponse:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    state = request.GET.get("state", "")
    if state and state not in STATES:
        raise Http404
    place = f"break-glass-{state}"
    rows, following = queries.glasses(
        actor=actor, now=now, state=state, after=unseal(request.GET.get("after"), place), size=PAGE
    )
    kept = {
        "rows": rows, "state": state, "states": STATES.items(),
        "next": f"?state={state}&after={seal(following, place)}" if following else "",
        "proposals": _with_forms(queries.proposals(actor=actor, now=now)),
        "may_break": access.may(actor, "break_glass", at=now), "errors": errors,
    }
    return render(request, "data/glass_list.html", kept, status=status)


@sensitive_post_parameters("code", "password", "credential")
@require_http_methods(["GET", "HEAD", "POST"])
@page()
def new_glass(request: HttpRequest) -> HttpResponse:
    """Break the glass: for what, why, and a fresh proof."""
    actor = request.actor  # type: ignore[attr-defined]
    access.require(actor, "break_glass")
    if request.method == "POST":
        _count(actor.key)
        return _break(request, _new_form(request, request.POST.get("dataset_id", "")))
    asked = proving.asked_of(request, actor)
    return _form_page(request, _new_form(request, request.GET.get("dataset", "")).ask(asked.by), asked)


def _new_form(request: HttpRequest, chosen: str) -> glass_forms.BreakForm:
    posted = request.POST if request.method == "POST" else None
    own = request.actor.department_id  # type: ignore[attr-defined]
    departments = [("", "–"), *((row.pk, row.name) for row in accounts.departments() if row.pk != own)]
    known = chosen if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else ""
    first = {"dataset_id": known, "incident": request.GET.get("incident", "")[:20]}
    form = glass_forms.BreakForm(posted, choices={"owner_id": departments}, initial=first)
    return form.narrow() if known else form  # type: ignore[return-value]


def _break(request: HttpRequest, form: glass_forms.BreakForm) -> HttpResponse:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    if not form.is_valid():
        return _again(request, form, _("Please look at these fields"), 422)
    try:
        made = actions.break_glass(request, actor=actor, now=now, **form.payload_for(actions.break_glass))
    except Refused as no:
        note_refusal(request, "glass.start", no)
        if isinstance(no, Forbidden):
            raise
        form.take(no)
        return _again(request, form, str(no.message), no.status)
    messages.success(request, _("It is open to you alone until %(time)s. What you look at is kept.") % {
        "time": made.ends.astimezone().strftime("%H:%M")})
    return HttpResponseRedirect(reverse("break-glass-one", args=[made.pk]), status=303)


def _again(request: HttpRequest, form: glass_forms.BreakForm, title: str, status: int) -> HttpResponse:
    asked = proving.asked_of(request, request.actor)  # type: ignore[attr-defined]
    errors = {"title": title, "fields": form.summary()}
    return _form_page(request, form.ask(asked.by), asked, errors, status)  # type: ignore[arg-type]


def _form_page(
    request: HttpRequest, form: Any, asked: proving.Asked, errors: Any = None, status: int = 200
) -> HttpResponse:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    chosen = str(form["dataset_id"].value() or "")
    row = None
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 19:
        row = queries.dataset(actor=actor, dataset_id=int(chosen), now=now)
    kept = {"form": form, "row": row, "asked": asked.key, "errors": errors}
    return render(request, "data/glass_new.html", kept, status=status)


@require_safe
@page()
def glass(request: HttpRequest, glass_id: int) -> HttpResponse:
    """One breaking: who, what, why, until when, and what can be done about it."""
    return _show(request, glass_id)


@sensitive_post_parameters("code", "password", "credential")
@require_POST
@page()
def glass_act(request: HttpRequest, glass_id: int, name: str) -> HttpResponse:
    """End, renew or judge it."""
    if name not in GLASS_ACTS:
        raise Http404
    given, actor, now = GLASS_ACTS[name], request.actor, request.now  # type: ignore[attr-defined]
    queries.glass(actor=actor, glass_id=glass_id, now=now)  # hidden: one answer whatever else is wrong
    form = given.form(request.POST, auto_id=f"{name}-%s")
    if not form.is_valid():
        return _show(request, glass_id, {"title": _("Please look at these fields"), "fields": form.summary()}, 422)
    try:
        if given.proof:
            _count(actor.key)
            given.call(request, actor=actor, now=now, glass_id=glass_id, **form.payload())
        else:
            given.call(actor=actor, now=now, glass_id=glass_id, **form.payload())
    except NotFound:
        raise
    except Refused as no:
        note_refusal(request, f"glass.{name}", no, object_type="catalogue.breakglass", object_id=glass_id)
        fields = [{"text": str(one["detail"])} for one in no.errors]
        return _show(request, glass_id, {"title": no.message, "fields": fields}, no.status)
    messages.success(request, str(given.said))
    return HttpResponseRedirect(reverse("break-glass-one", args=[glass_id]), status=303)


@require_POST
@page()
def proposal_act(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Settle a proposed rule."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    form = glass_forms.SettleForm(request.POST)
    if not form.is_valid():
        return _list(request, {"title": _("Please look at these fields"), "fields": form.summary()}, 422)
    try:
        actions.settle_proposal(actor=actor, now=now, proposal_id=proposal_id, **form.payload())
    except (NotFound, Forbidden):
        raise
    except Refused as no:
        note_refusal(request, "rule.settle", no)
        form.take(no)
        return _list(request, {"title": no.message, "fields": form.summary()}, no.status)
    messages.success(request, _("Settled."))
    return HttpResponseRedirect(reverse("break-glass"), status=303)


def _show(request: HttpRequest, glass_id: int, errors: Any = None, status: int = 200) -> HttpResponse:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    row = queries.glass(actor=actor, glass_id=glass_id, now=now)
    may = [one["action"] for one in row["allowed_actions"]]
    acts = []
    for one in GLASS_ACTS.values():
        if one.name in may:
            form: Any = one.form(auto_id=f"{one.name}-%s", initial={"if_version": row["version"]})
            acts.append({"act": one, "form": _asking(request, form) if one.proof else form})
    return render(request, "data/glass.html", {"row": row, "acts": acts, "errors": errors}, status=status)


def _asking(request: HttpRequest, form: glass_forms.ProofForm) -> glass_forms.ProofForm:
    """The form with what proves this person; who has no second factor and needs one is told so when they send it."""
    try:
        return form.ask(proving.asked_of(request, request.actor).by)  # type: ignore[attr-defined]
    except Forbidden:
        return form.ask("code")


def _with_forms(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        row | {"form": glass_forms.SettleForm(auto_id=f"p{row['id']}-%s", initial={"if_version": row["version"]})}
        for row in rows
    ]


def _count(key: str) -> None:
    """Refuse who tries too often: numbers are not to be guessed."""
    seconds = limits.wait("break_glass", key)
    if seconds:
        raise TooSoon(_("Too many tries this minute. Wait, then try again."), code="rate_limited", retry_after=seconds)

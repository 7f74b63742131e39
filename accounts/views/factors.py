"""Which pages ask for a second factor, and let a person set up, add and remove their own?"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actions, devices, queries
from accounts.actions import entering
from accounts.forms import CodeForm, KeyForm
from accounts.views.answers import lead, next_of, note, refuse, show, signed_in
from accounts.views.signing import onward
from coordination.events.refused import Refused


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Second step: the code of the second factor (or, on the same page, a security key)."""
    form = CodeForm(request.POST if request.method == "POST" else None)
    try:
        asked = entering.asked_of_key(request, request.now)  # type: ignore[attr-defined]
        if request.method != "POST":
            return show(request, "accounts/code.html", form, asked=asked)
        if not form.is_valid():
            return show(request, "accounts/code.html", form, status=422, asked=asked)
        step = entering.with_code(request, code=form.cleaned_data["code"], now=request.now)  # type: ignore[attr-defined]
    except entering.StartAgain:
        return lead(request, "sign-in")
    except Refused as refused:
        return refuse(request, "accounts/code.html", form, refused, asked=asked)
    return onward(request, step)


@sensitive_post_parameters()
@require_POST
def key(request: HttpRequest) -> HttpResponse:
    """Second step: the answer of a security key."""
    try:
        step = entering.with_key(request, sent=request.POST.get("credential", ""), now=request.now)  # type: ignore[attr-defined]
    except entering.StartAgain:
        return lead(request, "sign-in")
    except Refused as refused:
        asked = entering.asked_of_key(request, request.now)  # type: ignore[attr-defined]
        return refuse(request, "accounts/code.html", CodeForm({}), refused, asked=asked)
    return onward(request, step)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Set up an app of codes, then keep the recovery codes; the second step of a person without a second factor."""
    form = CodeForm(request.POST if request.method == "POST" else None)
    try:
        offer = entering.offer(request, request.now)  # type: ignore[attr-defined]
        if request.method != "POST":
            return show(request, "accounts/enrol.html", form, offer=offer)
        if not form.is_valid():
            return show(request, "accounts/enrol.html", form, status=422, offer=offer)
        step, codes = entering.with_enrolment(request, code=form.cleaned_data["code"], now=request.now)  # type: ignore[attr-defined]
    except entering.AppThere:
        return HttpResponseRedirect(reverse("second-factor"), status=303)
    except entering.StartAgain:
        return _again(request, "sign-in-enrol")
    except Refused as refused:
        return refuse(request, "accounts/enrol.html", form, refused, offer=offer)
    return _kept(request, step, codes)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def enrol_key(request: HttpRequest) -> HttpResponse:
    """Set up a security key or passkey; the second step of a person without a second factor."""
    form = KeyForm(request.POST if request.method == "POST" else None)
    page = "accounts/enrol_key.html"
    try:
        if request.method != "POST" or not form.is_valid():
            status = 422 if request.method == "POST" else 200
            return show(request, page, form, status=status, asked=entering.offer_key(request, request.now))  # type: ignore[attr-defined]
        step, codes = entering.with_new_key(
            request,
            name=form.cleaned_data["name"],
            sent=request.POST.get("credential", ""),
            now=request.now,  # type: ignore[attr-defined]
        )
    except entering.StartAgain:
        return _again(request, "sign-in-enrol-key")
    except Refused as refused:
        return refuse(request, page, form, refused, asked=entering.offer_key(request, request.now))  # type: ignore[attr-defined]
    return _kept(request, step, codes)


def _again(request: HttpRequest, name: str) -> HttpResponse:
    """Somebody inside confirms their password; somebody outside begins again."""
    if request.actor.is_person:  # type: ignore[attr-defined]
        return lead(request, "password-again", reverse(name))
    return lead(request, "sign-in")


def _kept(request: HttpRequest, step: entering.Step, codes: list[str]) -> HttpResponse:
    where = reverse("act-for") if step == "choose" else next_of(request)
    if codes:
        return devices.tell(request, show(request, "accounts/recovery_codes.html", codes=codes, onward=where))
    messages.success(request, _("The second factor is set up."))
    return HttpResponseRedirect(reverse("second-factor"), status=303)


@require_safe
@signed_in
def second_factor(request: HttpRequest) -> HttpResponse:
    """One's own second factors."""
    return _list(request)


def _list(request: HttpRequest, problem: object = "", status: int = 200) -> HttpResponse:
    person_id = request.actor.id  # type: ignore[attr-defined]
    factors = queries.factors_of(person_id)
    return show(
        request,
        "accounts/second_factor.html",
        status=status,
        factors=factors,
        has_app=any(one.type == "totp" for one in factors),
        may_go=len(factors) > 1 or not queries.factor_required(),
        codes_left=queries.recovery_codes_left(person_id),
        problem=problem,
    )


@require_POST
@signed_in
def remove(request: HttpRequest, factor_id: int) -> HttpResponse:
    """Give one of them up."""
    return _change(request, lambda person_id: _removed(request, person_id, factor_id))


@require_POST
@signed_in
def new_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes."""
    return _change(request, lambda person_id: _codes(request, person_id))


def _change(request: HttpRequest, act: Any) -> HttpResponse:
    try:
        person = entering.manage(request, request.now)  # type: ignore[attr-defined]
        answer: HttpResponse = act(person.pk)
    except entering.StartAgain:
        return lead(request, "password-again", reverse("second-factor"))
    except Refused as refused:
        note(request, refused)
        return _list(request, refused.message, refused.status)
    return answer


def _removed(request: HttpRequest, person_id: int, factor_id: int) -> HttpResponse:
    actions.remove_factor(actor=request.actor, now=request.now, person_id=person_id, factor_id=factor_id)  # type: ignore[attr-defined]
    messages.success(request, _("The second factor is removed."))
    return HttpResponseRedirect(reverse("second-factor"), status=303)


def _codes(request: HttpRequest, person_id: int) -> HttpResponse:
    codes = actions.new_codes(actor=request.actor, now=request.now, person_id=person_id)  # type: ignore[attr-defined]
    return show(request, "accounts/recovery_codes.html", codes=codes, onward=reverse("second-factor"))

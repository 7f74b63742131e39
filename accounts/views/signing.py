"""Which pages lead a person in and out?"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions, devices, queries
from accounts.actions import entering
from accounts.forms import ChangePasswordForm, NewPasswordForm, PasswordForm, SignInForm
from accounts.paths import own_path
from accounts.views.answers import HOME, lead, next_of, note, refuse, show, signed_in, speak
from coordination.events.actor import SYSTEM
from coordination.events.refused import Refused

_NEXT = {"code": "sign-in-code", "enrol": "sign-in-enrol", "choose": "act-for"}


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """First step: user name and password."""
    if request.method != "POST":
        if request.actor.department_id and request.actor.is_person:  # type: ignore[attr-defined]
            return HttpResponseRedirect(next_of(request))
        return show(request, "accounts/sign_in.html", SignInForm())
    form = SignInForm(request.POST)
    if not form.is_valid():
        return show(request, "accounts/sign_in.html", form, status=422)
    try:
        step = entering.begin(request, now=request.now, **form.cleaned_data)  # type: ignore[attr-defined]
    except Refused as refused:
        return refuse(request, "accounts/sign_in.html", form, refused)
    return onward(request, step)


def onward(request: HttpRequest, step: entering.Step, then: str = "") -> HttpResponse:
    """To the next step, or in."""
    then, further = own_path(then, HOME) if then else next_of(request), _NEXT.get(step)
    answer = lead(request, further, then) if further else HttpResponseRedirect(then, status=303)
    language = getattr(request.user, "language", "")
    return devices.tell(request, speak(answer, language) if language else answer)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def act_for(request: HttpRequest) -> HttpResponse:
    """For which department? Asked after signing in where there are several, and from the menu."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    places = queries.places_of(actor.id, now)
    if request.method != "POST":
        return show(request, "accounts/act_for.html", places=places)
    wanted = request.POST.get("department", "")
    try:
        department_id = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 18 else 0
        actions.act_for(request=request, actor=actor, department_id=department_id, now=now)
    except Refused as refused:
        note(request, refused)
        return show(request, "accounts/act_for.html", places=places, problem=refused.message, status=refused.status)
    return HttpResponseRedirect(next_of(request), status=303)


@sensitive_post_parameters()
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def password_again(request: HttpRequest) -> HttpResponse:
    """An act after an hour's silence: one's own password again."""
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return show(request, "accounts/password_again.html", form)
    if not form.is_valid():
        return show(request, "accounts/password_again.html", form, status=422)
    try:
        entering.confirm(
            request,
            actor=request.actor,  # type: ignore[attr-defined]
            now=request.now,  # type: ignore[attr-defined]
            password=form.cleaned_data["password"],
        )
    except Refused as refused:
        return refuse(request, "accounts/password_again.html", form, refused)
    return HttpResponseRedirect(next_of(request), status=303)


@sensitive_post_parameters()
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password, by the one so far."""
    form = ChangePasswordForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return show(request, "accounts/change_password.html", form)
    if not form.is_valid():
        return show(request, "accounts/change_password.html", form, status=422)
    try:
        entering.change_password(
            request,
            actor=request.actor,  # type: ignore[attr-defined]
            now=request.now,  # type: ignore[attr-defined]
            current=form.cleaned_data["current"],
            password=form.cleaned_data["password"],
        )
    except Refused as refused:
        for error in refused.errors:
            form.add_error("password", str(error.get("detail", "")))
        return refuse(request, "accounts/change_password.html", form, refused)
    messages.success(request, _("Your password is changed. You were signed out everywhere else."))
    return HttpResponseRedirect(reverse("sessions"), status=303)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session."""
    actions.sign_out(request=request, actor=request.actor, now=request.now)  # type: ignore[attr-defined]
    answer = HttpResponseRedirect(reverse("sign-in"), status=303)
    answer["Clear-Site-Data"] = '"storage"'  # drafts and unsent acts of pages that ran no script of ours
    return answer


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def choose_password(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Choose a password by a link that holds once, within the hour."""
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    try:
        person = actions.person_of_link(uid, token)
        if request.method != "POST":
            return show(request, "accounts/choose_password.html", form, username=person.username)
        if not form.is_valid():
            return show(request, "accounts/choose_password.html", form, status=422, username=person.username)
        actions.set_password(
            actor=SYSTEM, now=request.now, uid=uid, token=token, password=form.cleaned_data["password"]  # type: ignore[attr-defined]
        )
    except Refused as refused:
        for error in refused.errors:
            form.add_error("password", str(error.get("detail", "")))
        if refused.status == 404:
            note(request, refused)
            return show(request, "accounts/link_over.html", status=404, problem=refused.message)
        return refuse(request, "accounts/choose_password.html", form, refused, username=person.username)
    return show(request, "accounts/password_chosen.html", said=_("Your password is set. You can sign in now."))

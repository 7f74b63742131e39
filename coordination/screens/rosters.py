"""Who is on duty in the coming fortnight, where is nobody, and how is duty handed over?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts import actions
from accounts import queries as accounts
from coordination.events.text import localized
from coordination.screens import forms
from coordination.screens.acting import Deed, carry_out, offered, summary
from sharing.access.pages import page

FORTNIGHT = timedelta(days=14)
DEEDS = {
    deed.name: deed
    for deed in (
        Deed("plan", _("Plan a shift"), forms.ShiftForm, actions.plan_shift, _("Planned.")),
        Deed("assign", _("Say who"), forms.AssignShiftForm, actions.assign_shift, _("Assigned.")),
        Deed("absent", _("Absent"), forms.AbsentForm, actions.mark_absent, _("Recorded.")),
        Deed("take_over", _("Take over"), forms.NoteForm, actions.take_over, _("Taken over.")),
        Deed("note", _("Leave a note"), forms.NoteForm, actions.leave_note, _("Note kept.")),
    )
}


@require_safe
@page()
def own(request: HttpRequest) -> HttpResponse:
    """The roster of the department one acts for."""
    return redirect("roster", pk=request.actor.department_id)  # type: ignore[attr-defined]


@require_safe
@page()
def roster(request: HttpRequest, pk: int) -> HttpResponse:
    """A fortnight of one department's duty."""
    return _show(request, pk)


@require_POST
@page()
def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Plan, assign, hand over."""
    if name not in DEEDS:
        raise Http404
    accounts.department(pk)
    about = {"department_id": pk} if name == "plan" else {}
    return carry_out(
        request,
        DEEDS[name],
        about=about,
        choices=_choices(request, pk),
        home=reverse("roster", args=[pk]),
        again=lambda r, bound, status: _show(r, pk, bound, status),
    )


def _choices(request: HttpRequest, pk: int) -> dict[str, Any]:
    members = accounts.members_of(pk, request.now)  # type: ignore[attr-defined]
    fit = {one.person_id: one.person.name for one in members if one.post.kind in ("duty_officer", "commander", "head")}
    options = [("", _("nobody")), *fit.items()]
    return {"person_id": options, "deputy_id": options}


def _show(request: HttpRequest, pk: int, bound: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    plans = accounts.may_plan_duty(actor, pk)
    start = now - timedelta(hours=24)
    shifts = accounts.roster(actor, pk, start, now + FORTNIGHT)
    options = _choices(request, pk) if plans else {}
    kept = {
        "department": accounts.department(pk),
        "rows": [_row(actor, shift, now, plans, options) for shift in shifts],
        "holes": accounts.uncovered(pk, now, now + FORTNIGHT),
        "plans": plans,
        "acts": offered([DEEDS["plan"]], options, bound) if plans else [],
        "errors": summary(bound),
        "on_duty": [localized(one.name_zh, one.name_en) for one in accounts.on_duty(pk, now)],
    }
    return render(request, "rosters/one.html", kept, status=status)


def _row(actor: Any, shift: Any, now: Any, plans: bool, options: dict[str, Any]) -> dict[str, Any]:
    current = shift.starts <= now < shift.ends
    mine = actor.id in (shift.person_id, shift.deputy_id)
    empty = (shift.person is None or shift.absent or not shift.person.is_active) and (
        shift.deputy is None or not shift.deputy.is_active
    )
    soon = shift.starts - timedelta(hours=1) <= now < shift.ends
    return {
        "shift": shift,
        "current": current,
        "empty": empty,
        "over": shift.ends <= now,
        "may_take": mine and soon and shift.taken_over_at is None,
        "may_note": (mine or plans) and current,
        "may_absent": (mine or plans) and shift.ends > now,
        "assign": forms.AssignShiftForm(
            choices=options,
            auto_id=f"assign-{shift.pk}-%s",
            initial={
                "shift_id": shift.pk,
                "person_id": shift.person_id,
                "deputy_id": shift.deputy_id,
                "if_version": shift.version,
            },
        )
        if plans and shift.ends > now
        else None,
    }

"""Which incidents and reports are there, and how does a report become an incident?"""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.events import reads, streams
from coordination.events.refused import NotFound, Refused
from coordination.live import queries as live
from coordination.screens.acting import Deed, carry_out, offered, summary
from coordination.screens.incident_deeds import choices
from incidents import actions, forms
from incidents import queries as incidents
from incidents.files import answers
from incidents.models import Incident, Report
from sharing.access.pages import note_refusal, page

STATES = {"open": gettext_lazy("Open"), "ended": gettext_lazy("Ended"), "": gettext_lazy("All")}
PAGE = 50
REPORT = {
    deed.name: deed
    for deed in (
        Deed(
            "verify",
            gettext_lazy("Verified: it holds"),
            forms.VerifyForm,
            actions.verify_report,
            gettext_lazy("Verified."),
        ),
        Deed(
            "refute",
            gettext_lazy("Refuted: it does not hold"),
            forms.MustWhyForm,
            actions.refute_report,
            gettext_lazy("Refuted."),
            grave=True,
        ),
        Deed(
            "join",
            gettext_lazy("It belongs to a known incident"),
            forms.JoinForm,
            actions.join_report,
            gettext_lazy("Joined."),
        ),
        Deed(
            "split",
            gettext_lazy("It does not belong there"),
            forms.MustWhyForm,
            actions.split_report,
            gettext_lazy("Split off."),
        ),
    )
}


@require_safe
@page()
def incident_list(request: HttpRequest) -> HttpResponse:
    """Incidents, newest first, and reports that wait to be looked at."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    state = request.GET.get("state", "open")
    if state not in STATES:
        raise Http404
    own = streams.department(actor.department_id)
    cursor = live.cursor(actor, [own], now)
    text = request.GET.get("q", "").strip()[:100]
    rows, following = incidents.incidents(
        actor=actor, now=now, state=state or None, q=text, after=_after(request), size=PAGE
    )
    waiting, _more = incidents.reports(actor=actor, now=now, state="received", size=20)
    kept = {
        "rows": [_shown(row, now) for row in rows],
        "next": json.dumps(following) if following else "",
        "reports": waiting,
        "state": state,
        "states": STATES.items(),
        "text": text,
        "live": cursor,
        "live_streams": own,
        "may_report": bool(actor.posts & {"duty_officer", "commander", "head"}),
    }
    template = "incidents/rows.html" if request.headers.get("X-Part") else "incidents/list.html"
    return render(request, template, kept)


def _shown(row: dict[str, Any], now: Any) -> dict[str, Any]:
    return {
        **row,
        "state_name": Incident.State(row["state"]).label,
        "warning_name": Incident.WarningLevel(row["warning_level"]).label,
        "age": ((row["closed_at"] or now) - row["opened_at"]).total_seconds(),
    }


def _after(request: HttpRequest) -> list[Any] | None:
    """The place to go on from, as the link of the page before carried it."""
    text = request.GET.get("after", "")
    if not text:
        return None
    try:
        found = json.loads(text) if len(text) <= 200 else None
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise Http404
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def new_report(request: HttpRequest) -> HttpResponse:
    """Something was told to us."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    deed = Deed("receive_report", gettext_lazy("Enter the report"), forms.ReportForm, actions.receive_report)
    options = choices(actor=actor, now=now, deeds=[deed])
    options["type"] = [("", "–"), *options["type"]]
    form = forms.ReportForm(request.POST or None, choices=options)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.receive_report(actor=actor, now=now, **form.payload_for(actions.receive_report))
        except NotFound:
            raise
        except Refused as no:
            note_refusal(request, "report.receive", no)
            form.take(no)
            return _form(request, form, _("New report"), str(no.message), no.status)
        return HttpResponseRedirect(reverse("report", args=[made.pk]), status=303)
    if request.method == "POST":
        return _form(request, form, _("New report"), _("Please look at these fields"), 422)
    return _form(request, form, _("New report"), "", 200)


def _form(request: HttpRequest, form: Any, title: str, error: str, status: int) -> HttpResponse:
    errors = {"title": error, "fields": form.summary()} if error else None
    return render(request, "incidents/form.html", {"form": form, "title": title, "errors": errors}, status=status)


@require_safe
@page()
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """One report, and what can be done with it."""
    return _report(request, pk)


def _report(request: HttpRequest, pk: int, bound: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    row = incidents.report(actor=actor, report_id=pk, now=now)
    row["state_name"] = Report.State(row["state"]).label
    may = {act["action"] for act in row["allowed_actions"]}
    deeds = [deed for name, deed in REPORT.items() if name in may]
    options = choices(actor=actor, now=now, deeds=deeds)
    kept = {"report": row, "may": may, "acts": offered(deeds, options, bound), "errors": summary(bound)}
    return render(request, "incidents/report.html", kept, status=status)


@require_POST
@page()
def report_act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Verify, refute, join or split a report."""
    if name not in REPORT:
        raise Http404
    deed = REPORT[name]
    return carry_out(
        request,
        deed,
        about={"report_id": pk},
        home=reverse("report", args=[pk]),
        choices=choices(actor=request.actor, now=request.now, deeds=[deed]),  # type: ignore[attr-defined]
        again=lambda r, bound, status: _report(r, pk, bound, status),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def open_incident(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a report an incident."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    row = incidents.report(actor=actor, report_id=pk, now=now)
    deed = Deed("open_incident", gettext_lazy("Open the incident"), forms.OpenForm, actions.open_incident)
    first = {name: row[name] for name in ("type", "place", "latitude", "longitude")} | {"description": row["text"]}
    form = forms.OpenForm(request.POST or None, initial=first, choices=choices(actor=actor, now=now, deeds=[deed]))
    if request.method == "POST" and form.is_valid():
        try:
            given = form.payload_for(actions.open_incident)
            made = actions.open_incident(actor=actor, now=now, report_ids=[pk], **given)
        except NotFound:
            raise
        except Refused as no:
            note_refusal(request, "incident.open", no)
            form.take(no)
            return _form(request, form, _("Open an incident"), str(no.message), no.status)
        return HttpResponseRedirect(reverse("room", args=[made.pk]), status=303)
    error = _("Please look at these fields") if request.method == "POST" else ""
    return _form(request, form, _("Open an incident"), error, 422 if error else 200)


@require_safe
@page()
def attachment(request: HttpRequest, pk: int) -> HttpResponse:
    """Save a file."""
    found = incidents.attachment_file(actor=request.actor, attachment_id=pk, now=request.now)  # type: ignore[attr-defined]
    reads.note(request.actor, "attachment", "attachments", found.kept)  # type: ignore[attr-defined]
    return answers.download(found)


@require_safe
@page()
def picture(request: HttpRequest, pk: int) -> HttpResponse:
    """The small picture of a photo."""
    found = incidents.open_picture(actor=request.actor, attachment_id=pk, now=request.now)  # type: ignore[attr-defined]
    reads.note(request.actor, "picture", "attachments", found.kept)  # type: ignore[attr-defined]
    return answers.picture(found)

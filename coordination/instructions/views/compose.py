"""How is an instruction written, changed and seen before it leaves: to whom, who is on duty, how loaded they are?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from coordination.events.refused import MoveNotAllowed, NotFound, Refused
from coordination.instructions import actions, queries
from coordination.instructions.forms.content import AmendForm, ContentForm
from coordination.instructions.views.act import words_of
from coordination.instructions.views.choices import Choices
from incidents import queries as incidents
from sharing.access.pages import note_refusal, page


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def compose(request: HttpRequest, incident_id: int) -> HttpResponse:
    """A new instruction on one incident: kept as a draft, sent or issued from its own page."""
    incident = incidents.incident(actor=request.actor, incident_id=incident_id, now=request.now)
    others = _others(request, incident_id)
    form = ContentForm(
        request.POST or None,
        choices=Choices(request.actor).for_content(others),
        initial=_first_values(request) | {"near": incidents.facts(incident_id).participants},
    )
    kept = {"incident": incident, "form": form, "draft_key": f"new-{incident_id}", "title": _("New instruction")}
    if request.method == "POST" and "preview" not in request.POST and form.is_valid():
        try:
            given = form.payload_for(actions.draft)
            made = actions.draft(actor=request.actor, now=request.now, incident_id=incident_id, **given)
        except NotFound:
            raise
        except Refused as no:
            return _refused(request, "instruction.draft", no, kept)
        return _to(made.pk, f"new-{incident_id}")
    return _show(request, kept)


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft."""
    i = queries.instruction(actor=request.actor, instruction_id=pk, now=request.now)
    choices = Choices(request.actor)
    near = incidents.facts(i["incident"]["id"]).participants
    form = ContentForm(request.POST or None, choices=choices.for_content(), initial=_values_of(i) | {"near": near})
    for name in ("linked_id", "supersedes_id"):  # said once, when it is begun
        del form.fields[name]
    kept = {
        "incident": i["incident"],
        "i": i,
        "form": form,
        "draft_key": f"edit-{pk}-{i['version']}",
        "title": _("Change the draft"),
    }
    if request.method == "POST" and "preview" not in request.POST and form.is_valid():
        try:
            actions.edit(actor=request.actor, now=request.now, instruction_id=pk, **form.payload())
        except NotFound:
            raise
        except Refused as no:
            return _refused(request, "instruction.edit", no, kept)
        return _to(pk, kept["draft_key"])
    return _show(request, kept, status=_status_of_move(i, "edit"))


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def amend(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin the next version of an issued instruction."""
    i = queries.instruction(actor=request.actor, instruction_id=pk, now=request.now)
    choices = Choices(request.actor)
    form = AmendForm(request.POST or None, choices=choices.for_content(), initial=_values_of(i))
    kept = {
        "incident": i["incident"],
        "i": i,
        "form": form,
        "draft_key": f"amend-{pk}-{i['current']}",
        "title": _("Amend: next version"),
    }
    if request.method == "POST" and form.is_valid():
        try:
            actions.amend(actor=request.actor, now=request.now, instruction_id=pk, **form.payload())
        except NotFound:
            raise
        except Refused as no:
            return _refused(request, "instruction.amend", no, kept)
        return _to(pk, kept["draft_key"])
    return _show(request, kept, status=_status_of_move(i, "amend"))


@require_safe
@page()
def preview(request: HttpRequest, incident_id: int) -> HttpResponse:
    """Who would get it: for the form's present choice, as a piece of page."""
    incidents.incident(actor=request.actor, incident_id=incident_id, now=request.now)
    targets = _targets(request.GET)
    rows = queries.recipients_preview(actor=request.actor, incident_id=incident_id, targets=targets, now=request.now)
    return render(request, "instructions/recipients.html", {"recipients": rows})


def _targets(data: Any) -> list[dict[str, Any]]:
    """Lead and supporting departments as the form names them; what is no number is left out."""
    leads = [int(value) for value in data.getlist("lead") if value.isdecimal() and len(value) < 10][:1]
    support = [int(value) for value in data.getlist("support") if value.isdecimal() and len(value) < 10][:60]
    return [{"department": pk, "role": "lead"} for pk in leads] + [
        {"department": pk, "role": "support"} for pk in support if pk not in leads
    ]


def _first_values(request: HttpRequest) -> dict[str, Any]:
    """A link may name the lead and the supporters."""
    targets = _targets(request.GET)
    return {
        "lead": next((t["department"] for t in targets if t["role"] == "lead"), None),
        "support": [t["department"] for t in targets if t["role"] == "support"],
    }


def _others(request: HttpRequest, incident_id: int) -> list[tuple[int, str, bool]]:
    """Instructions on the same incident that a new one may follow or replace: id, words, whether it may be replaced."""
    rows, _more = queries.instructions(actor=request.actor, now=request.now, incident_id=incident_id)
    own = request.actor.department_id
    return [
        (row["id"], f"{row['number']} {row['headline']}", row["state"] == "issued" and row["issuer"]["id"] == own)
        for row in rows
    ]


def _values_of(i: dict[str, Any]) -> dict[str, Any]:
    """What stands in the version now, as the form's fields."""
    names = (
        "headline_zh",
        "headline_en",
        "text",
        "verb",
        "what",
        "place",
        "latitude",
        "longitude",
        "quantity",
        "unit",
        "due_at",
        "urgency",
        "type",
        "starts_at",
        "objects_named",
        "evidence",
        "progress_every",
        "read_back",
        "recheck",
    )
    values = {name: i[name] for name in names}
    in_minutes = i["due_in"] is not None and i["due_at"] is None
    values["due_in"] = max(1, round(i["due_in"] / 60)) if in_minutes else None
    values["posts"] = {t["department"]["id"]: t["post"] for t in i["targets"]}
    values["lead"] = next((t["department"]["id"] for t in i["targets"] if t["role"] == "lead"), None)
    values["support"] = [t["department"]["id"] for t in i["targets"] if t["role"] == "support"]
    return {**values, "if_version": i["version"]}


def _status_of_move(i: dict[str, Any], name: str) -> int:
    """409 where the page was asked for an act that is not possible now."""
    if any(row["action"] == name for row in i["allowed_actions"]):
        return 200
    raise MoveNotAllowed(_("This is not possible in the present state."), state=i["state"], allowed=[])


def _show(
    request: HttpRequest, kept: dict[str, Any], *, status: int = 200, errors: dict[str, Any] | None = None
) -> HttpResponse:
    form = kept["form"]
    if form.is_bound and not errors and not form.is_valid() and "preview" not in request.POST:
        status, errors = 422, {"title": _("Please look at these fields")}
    if errors is not None:
        errors = {**errors, "fields": form.summary()}
    incident_id = kept["incident"]["id"]
    source = request.POST if form.is_bound else None
    targets = _targets(source) if source is not None else _initial_targets(form.initial)
    recipients = queries.recipients_preview(
        actor=request.actor, incident_id=incident_id, targets=targets, now=request.now
    )
    here, elsewhere = _support_options(form, incidents.facts(incident_id).participants)
    context = {**kept, "errors": errors, "recipients": recipients, "support_here": here, "support_elsewhere": elsewhere}
    return render(request, "instructions/compose.html", context, status=status)


def _initial_targets(initial: dict[str, Any]) -> list[dict[str, Any]]:
    lead = [{"department": initial["lead"], "role": "lead"}] if initial.get("lead") else []
    return lead + [{"department": pk, "role": "support"} for pk in initial.get("support") or ()]


def _support_options(form: ContentForm, participants: Any) -> tuple[list[Any], list[Any]]:
    """Checkboxes of supporting departments: those already on the incident (or ticked), and the others."""
    if "support" not in form.fields:
        return [], []
    here, elsewhere = [], []
    for box in form["support"]:
        known = int(str(box.data["value"])) in participants or box.data["selected"]
        (here if known else elsewhere).append(box)
    return here, elsewhere


def _refused(request: HttpRequest, operation: str, no: Refused, kept: dict[str, Any]) -> HttpResponse:
    note_refusal(request, operation, no)
    form = kept["form"]
    form.take(no)
    words = words_of(no, "instruction")
    errors = {"title": words["error"], "state": words.get("state"), "allowed": words.get("allowed")}
    return _show(request, kept, status=no.status, errors=errors)


def _to(pk: int, draft_key: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('instruction', args=[pk])}?sent={draft_key}#acts", status=303)

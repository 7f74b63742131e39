"""What does one entry of the catalogue say, and how do its stewards publish, confirm and retire it?"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from coordination.events import reads, streams
from coordination.events.refused import NotFound, Refused
from coordination.live import parts
from coordination.live.queries import cursor
from sharing import access
from sharing.access.pages import SAFE, note_refusal, page
from sharing.catalogue import actions, queries
from sharing.catalogue.views.acts import Act

ACTS = {
    act.name: act
    for act in (
        Act(
            "publish", gettext_lazy("Publish"), actions.publish, gettext_lazy("Published."),
            gettext_lazy("Every department will find it. Its terms count as confirmed today."),
        ),
        Act(
            "confirm", gettext_lazy("Confirm the terms"), actions.confirm, gettext_lazy("Confirmed for a year."),
            gettext_lazy("The restriction is still needed, and its legal basis still in force."),
        ),
        Act(
            "retire", gettext_lazy("Retire"), actions.retire, gettext_lazy("Retired."),
            gettext_lazy("It stays readable, and cannot be published again."), grave=True,
        ),
    )
}


@require_safe
@page()
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry; that somebody opened one of class 4 is kept."""
    return show(request, pk)


@require_POST
@page()
def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Publish, confirm or retire an entry."""
    if name not in ACTS:
        raise Http404
    given = ACTS[name]
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    queries.terms(actor=actor, dataset_id=pk, now=now)  # hidden, or not theirs: one answer whatever else is wrong
    form = given.form(request.POST, auto_id=f"{name}-%s")
    if not form.is_valid():
        return show(request, pk, {"title": _("Please look at these fields"), "fields": form.summary()}, 422)
    try:
        given.call(actor=actor, now=now, dataset_id=pk, **form.payload())
    except NotFound:
        raise
    except Refused as no:
        note_refusal(request, f"dataset.{name}", no)
        fields = [{"text": str(one["detail"])} for one in no.errors]
        return show(request, pk, {"title": no.message, "fields": fields}, no.status)
    messages.success(request, str(given.said))
    return HttpResponseRedirect(reverse("dataset", args=[pk]), status=303)


PARTS = {"open": "data/part_open.html", "given": "data/part_given.html"}


@require_safe
@page()
def part(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """What a screen reads again of an entry: who has its records, and what of them is open to me."""
    wanted = parts.names_of(name, PARTS)
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    row = queries.dataset(actor=actor, dataset_id=pk, now=now)
    return parts.answer(request, wanted, PARTS, {"row": row} | _access(request, pk, row))


def _access(request: HttpRequest, pk: int, row: dict[str, Any]) -> dict[str, Any]:
    """Who has the records, for those who may know; and by which grants they are open to me."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    asked = {"actor": actor, "now": now, "dataset_id": pk}
    own = row["department"]["id"] == actor.department_id
    return {
        "held": queries.holders(**asked) if own else None, "opened": [] if own else queries.open_by(**asked),
        "openness": queries.openness(**asked), "may_break": queries.may_break(actor, row),
    }


def show(request: HttpRequest, pk: int, errors: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """The entry's page, with what was refused just now; its rules for the department that keeps it."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    live = cursor(actor, [streams.dataset(pk)], now)
    row = queries.dataset(actor=actor, dataset_id=pk, now=now)
    if row["classification"] == 4 and request.method in SAFE:
        reads.note(actor, "dataset", "datasets", [pk])
    may = [one["action"] for one in row["allowed_actions"]]
    acts = [
        {"act": one, "form": one.form(auto_id=f"{one.name}-%s", initial={"if_version": row["version"]})}
        for one in ACTS.values() if one.name in may
    ]
    own = row["department"]["id"] == actor.department_id and access.may(actor, "view")
    kept = {
        "rules": queries.rules(actor=actor, dataset_id=pk, now=now) if own else None, "me": actor.key,
        "may_rule": "change" in may and row["state"] == "published", "may_confirm": access.may(actor, "confirm_rule"),
        "row": row, "acts": acts, "may": may, "errors": errors,
        "offer": queries.offer(actor=actor, now=now, dataset_id=pk),
        "proposals": queries.proposals(actor=actor, now=now, dataset_id=pk) if may else [],
        "class_name": queries.CLASSES[row["classification"]],
        "overdue": row["confirm_by"] is not None and row["confirm_by"] < now and row["state"] == "published",
        "live": live, "live_streams": " ".join(live),
    } | _access(request, pk, row)
    return render(request, "data/entry.html", kept, status=status)

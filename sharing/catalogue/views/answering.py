"""Which requests are there, what does one say, and how is it answered?"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from coordination.events import reads
from coordination.events.refused import NotFound, Refused
from coordination.events.text import localized
from sharing.access.fields import FULL
from sharing.access.pages import SAFE, note_refusal, page
from sharing.access.rest.paging import seal, unseal
from sharing.catalogue import actions, queries
from sharing.catalogue.request_forms import MASK_NAMES, GrantForm, RefuseForm, last_day
from sharing.catalogue.views.acts import Act
from sharing.catalogue.views.stewarding import NOTHING

PAGE = 30
SIDES = {"answer": _("To answer"), "asked": _("Asked by us")}
STATES = {"open": _("Open"), "answered": _("Answered"), "draft": _("Drafts")}


REQUEST_ACTS = {
    act.name: act
    for act in (
        Act(
            "submit", gettext_lazy("Send the request"), actions.submit_request, gettext_lazy("Sent."),
            gettext_lazy("The data stewards are told, and must answer in time."),
        ),
        Act(
            "screen", gettext_lazy("In order"), actions.screen_request, gettext_lazy("Screened."),
            gettext_lazy("The request is complete and can be decided. From class 3 on another person decides."),
        ),
        Act(
            "grant", gettext_lazy("Grant"), actions.grant_request, gettext_lazy("Granted."),
            gettext_lazy("As asked, unless you give less: leave a field out or mask it, shorten the time."), GrantForm,
        ),
        Act(
            "refuse", gettext_lazy("Refuse"), actions.refuse_request, gettext_lazy("Refused."),
            gettext_lazy("With the reason and the legal basis; both are told to those who asked."), RefuseForm, True,
        ),
        Act(
            "withdraw", gettext_lazy("Withdraw"), actions.withdraw_request, gettext_lazy("Withdrawn."),
            gettext_lazy("It needs no answer any more."), grave=True,
        ),
    )
}


@require_safe
@page()
def requests(request: HttpRequest) -> HttpResponse:
    """Requests to answer, and those we asked."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    side, state = request.GET.get("side", "answer"), request.GET.get("state", "open")
    if side not in SIDES or state not in STATES:
        raise Http404
    cursor = request.GET.get("after")
    rows, following = queries.requests(
        actor=actor, now=now, side=side, state=state, after=unseal(cursor, "share-requests"), size=PAGE
    )
    reads.note(actor, "share-requests", "share-requests", [row["id"] for row in rows if row["classification"] == 4])
    kept = {
        "rows": rows, "side": side, "state": state, "sides": SIDES.items(), "states": STATES.items(),
        "waiting": queries.waiting_for_us(actor=actor, now=now),
        "next": f"?side={side}&state={state}&after={seal(following, 'share-requests')}" if following else "",
    }
    return render(request, "data/requests.html", kept)


@require_safe
@page()
def request(request: HttpRequest, pk: int) -> HttpResponse:
    """One request with what it asks for and its answer."""
    return _show(request, pk, {})


@require_POST
@page()
def request_act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Submit, screen, grant, refuse or withdraw a request."""
    if name not in REQUEST_ACTS:
        raise Http404
    act = REQUEST_ACTS[name]
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    row = queries.request(actor=actor, now=now, request_id=pk)
    form = _form(request, act, row, request.POST)
    if not form.is_valid():
        return _show(request, pk, {name: form}, _("Please look at these fields"), 422)
    try:
        act.call(actor=actor, now=now, request_id=pk, **form.payload_for(act.call))
    except NotFound:
        raise
    except Refused as no:
        note_refusal(request, f"request.{name}", no)
        form.take(no)
        return _show(request, pk, {name: form}, no.message, no.status)
    messages.success(request, str(act.said))
    return HttpResponseRedirect(_home(request, pk), status=303)


def _home(request: HttpRequest, pk: int) -> str:
    """Where to go on: the request, or the list for who saw it only as long as it waited (the data authority)."""
    try:
        queries.request(actor=request.actor, now=request.now, request_id=pk)  # type: ignore[attr-defined]
    except NotFound:
        return reverse("share-requests")
    return reverse("share-request", args=[pk])


def _form(request: HttpRequest, act: Act, row: dict[str, Any], data: Any = None) -> Any:
    given: dict[str, Any] = {"auto_id": f"{act.name}-%s", "initial": {"if_version": row["version"]}}
    if act.name == "refuse":
        bases = queries.legal_bases(actor=request.actor, now=request.now)  # type: ignore[attr-defined]
        given["choices"] = {"legal_basis_id": [NOTHING, *((one["id"], one["name"]) for one in bases)]}
    if act.name == "grant":
        fields = row["document"]["fields"]
        names = {one["name"]: _name(one) for one in fields}
        given |= {
            "asked": row["fields"], "types": {one["name"]: one.get("type", "string") for one in fields},
            "names": names, "until": row["valid_to"],
            "choices": {"row_field": [NOTHING, *((one["name"], names[one["name"]]) for one in fields
                                                 if one.get("filterable"))]},
        }  # fmt: skip
        given["initial"]["until"] = last_day(row["valid_to"])
    return act.form(data, **given)


def _name(field: dict[str, Any]) -> str:
    return localized(field.get("title_zh", ""), field.get("title_en", "")) or str(field["name"])


def _show(
    request: HttpRequest, pk: int, bound: dict[str, Any], error: Any = "", status: int = 200
) -> HttpResponse:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    row = queries.request(actor=actor, now=now, request_id=pk)
    if row["classification"] == 4 and request.method in SAFE:
        reads.note(actor, "share-request", "share-requests", [pk])
    may = [one["action"] for one in row["allowed_actions"]]
    acts = [
        {"act": act, "form": bound.get(act.name) or _form(request, act, row), "open": act.name in bound}
        for act in REQUEST_ACTS.values() if act.name in may
    ]
    form = next(iter(bound.values()), None)
    known = {one["name"]: one for one in row["document"]["fields"]}
    asked = [
        {"name": name, "title": _name(known.get(name, {"name": name})), "whole": rule == FULL,
         "mask": "" if rule == FULL else MASK_NAMES.get(rule["mask"], rule["mask"]),
         "classification": known.get(name, {}).get("classification", 1)}
        for name, rule in row["fields"].items()
    ]  # fmt: skip
    kept = {
        "row": row, "acts": acts, "may": may, "asked": asked,
        "errors": {"title": error, "fields": form.summary() if form is not None else []} if error else None,
        "agreement": queries.agreement(actor=actor, now=now, agreement_id=row["agreement_id"])
        if row["agreement_id"] else None,
        "waits_for_other": row["state"] == "screened" and "refuse" in may and "grant" not in may,
    }  # fmt: skip
    return render(request, "data/request.html", kept, status=status)

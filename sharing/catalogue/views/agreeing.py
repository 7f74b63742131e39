"""Which agreements are there, what does one say, and how is it signed, renewed and ended?"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from coordination.events import reads
from coordination.events.refused import NotFound, Refused
from sharing.access.pages import SAFE, note_refusal, page
from sharing.access.rest.paging import seal, unseal
from sharing.catalogue import actions, queries
from sharing.catalogue.request_forms import EndForm, RenewForm, SignForm, last_day
from sharing.catalogue.views.acts import Act

PAGE = 30
USUAL = timedelta(days=30)


AGREEMENT_ACTS = {
    act.name: act
    for act in (
        Act(
            "sign", gettext_lazy("Sign"), actions.sign_agreement, gettext_lazy("Signed."),
            gettext_lazy("You sign for your department what stands here, by its digest."), SignForm,
        ),
        Act(
            "renew", gettext_lazy("Ask to renew"), actions.renew_agreement, gettext_lazy("The renewal was asked for."),
            gettext_lazy("A new request for the same; this agreement stays until its end."), RenewForm,
        ),
        Act(
            "end", gettext_lazy("End it now"), actions.end_agreement, gettext_lazy("Ended: the records are closed."),
            gettext_lazy("The records close at once for the department that has them."), EndForm, True,
        ),
    )
}


@require_safe
@page()
def agreements(request: HttpRequest) -> HttpResponse:
    """Agreements of the department."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    after = unseal(request.GET.get("after"), "agreements")
    rows, following = queries.agreements(actor=actor, now=now, after=after, size=PAGE)
    reads.note(actor, "agreements", "agreements", [row["id"] for row in rows if row["classification"] == 4])
    kept = {"rows": rows, "next": f"?after={seal(following, 'agreements')}" if following else ""}
    return render(request, "data/agreements.html", kept)


@require_safe
@page()
def agreement(request: HttpRequest, pk: int) -> HttpResponse:
    """One agreement, to be read, printed and signed."""
    return _show(request, pk, {})


@require_POST
@page()
def agreement_act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Sign, renew or end an agreement."""
    if name not in AGREEMENT_ACTS:
        raise Http404
    act = AGREEMENT_ACTS[name]
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    queries.agreement(actor=actor, now=now, agreement_id=pk)
    form = act.form(request.POST, auto_id=f"{name}-%s")
    if not form.is_valid():
        return _show(request, pk, {name: form}, _("Please look at these fields"), 422)
    try:
        made = act.call(actor=actor, now=now, agreement_id=pk, **form.payload_for(act.call))
    except NotFound:
        raise
    except Refused as no:
        note_refusal(request, f"agreement.{name}", no)
        form.take(no)
        return _show(request, pk, {name: form}, no.message, no.status)
    messages.success(request, str(act.said))
    home = reverse("share-request", args=[made.pk]) if name == "renew" else reverse("agreement", args=[pk])
    return HttpResponseRedirect(home, status=303)


def _show(
    request: HttpRequest, pk: int, bound: dict[str, Any], error: Any = "", status: int = 200
) -> HttpResponse:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    row = queries.agreement(actor=actor, now=now, agreement_id=pk)
    if row["classification"] == 4 and request.method in SAFE:
        reads.note(actor, "agreement", "agreements", [pk])
    may = [one["action"] for one in row["allowed_actions"]]
    first = {"digest": row["digest"], "until": last_day((row["valid_to"] or now) + USUAL)}
    acts = [
        {"act": act, "form": bound.get(act.name) or act.form(auto_id=f"{act.name}-%s", initial=first),
         "open": act.name in bound}
        for act in AGREEMENT_ACTS.values() if act.name in may
    ]  # fmt: skip
    form = next(iter(bound.values()), None)
    missing = 2 - len(row["signatures"])
    kept = {
        "row": row, "acts": acts, "fields": row["policy"]["fields"].items(),
        "rows_text": json.dumps(row["policy"]["rows"], ensure_ascii=False) if row["policy"]["rows"] else "",
        "owed": ngettext("One signature is owed.", "%(n)d signatures are owed.", missing) % {"n": missing},
        "errors": {"title": error, "fields": form.summary() if form is not None else []} if error else None,
    }
    return render(request, "data/agreement.html", kept, status=status)

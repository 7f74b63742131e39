"""How do stewards deliver a file of records, and what was delivered before?"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from coordination.events.refused import Invalid, NotFound, Refused
from sharing import access
from sharing.access.pages import note_refusal, page
from sharing.access.rest.paging import seal, unseal
from sharing.catalogue import actions, queries
from sharing.exchange import reading
from sharing.exchange.formats import FORMATS
from sharing.exchange.formats.sheet import Table
from sharing.exchange.forms import DeliverForm

PAGE = 20


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def deliver(request: HttpRequest, pk: int) -> HttpResponse:
    """Deliver a file, all of it or nothing; and the transfers so far, newest first."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    row = queries.dataset(actor=actor, dataset_id=pk, now=now)
    cursor = request.GET.get("after")
    past, following = queries.transfers(
        actor=actor, now=now, dataset_id=pk, after=unseal(cursor, "deliver"), size=PAGE
    )
    fields = row["schema"]["document"]["fields"] if row["schema"] else []
    may = access.may(actor, "deliver", at=now) and bool(fields) and row["state"] != "retired"
    kept: dict[str, Any] = {
        "row": row, "transfers": past, "may_deliver": may,
        "next": f"?after={seal(following, 'deliver')}" if following else "",
    }
    if request.method != "POST":
        return render(request, "exchange/deliver.html", kept | {"form": DeliverForm()})
    form = DeliverForm(request.POST, request.FILES)
    if not form.is_valid():
        return _again(request, kept, form, _("Please look at these fields"))
    table = Table()
    try:
        access.require(actor, "deliver")
        file = form.cleaned_data["file"]
        table = reading.table_of(file.name, file.read(reading.MOST_BYTES + 1))
        typed = FORMATS[file.name.rpartition(".")[2].lower()].typed
        made = actions.deliver(
            actor=actor, now=now, dataset_id=pk, records=reading.records_of(table, fields, typed=typed),
            mode=form.cleaned_data["mode"], command_id=form.cleaned_data["command_id"],
        )
    except NotFound:
        raise
    except Refused as no:
        note_refusal(request, "dataset.deliver", no)
        faults = reading.faults_of(no, table, fields) if isinstance(no, Invalid) and table.rows else []
        if not faults:
            form.take(no)
        return _again(request, kept, form, str(no.message), no.status, faults)
    counts = {name: getattr(made, name) for name in ("number", "added", "changed", "ended", "same")}
    said = _("Delivered as transfer %(number)d: %(added)d new, %(changed)d changed, %(ended)d ended, %(same)d same.")
    messages.success(request, said % counts)
    return HttpResponseRedirect(reverse("dataset-deliver", args=[pk]), status=303)


def _again(
    request: HttpRequest, kept: dict[str, Any], form: DeliverForm, title: str, status: int = 422,
    faults: list[dict[str, Any]] | None = None,
) -> HttpResponse:
    errors = {"title": title, "fields": form.summary()}
    return render(
        request, "exchange/deliver.html", kept | {"form": form, "errors": errors, "faults": faults}, status=status
    )

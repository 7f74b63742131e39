"""What was given and received, who has read by it, and how is it taken back?"""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from coordination.events import reads
from coordination.events.refused import NotFound, Refused
from sharing import access
from sharing.access.pages import note_refusal, page
from sharing.access.rest.paging import seal, unseal
from sharing.catalogue import actions, queries
from sharing.catalogue.forms import RevokeForm
from sharing.catalogue.queries.grant_words import SOURCE_NAMES, STATE_NAMES

PAGE = 30
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@require_safe
@page()
def sharing(request: HttpRequest) -> HttpResponse:
    """What my department gave, or was given; filters, pages."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    may = access.may(actor, "see_given", at=now)
    asked = _asked(request, "given" if may else "received")
    rows, following = queries.grants(
        actor=actor, now=now, **asked, after=unseal(request.GET.get("after"), "sharing"), size=PAGE
    )
    kept = {
        "rows": rows, "asked": asked, "may_given": may, "states": STATE_NAMES.items(), "sources": SOURCE_NAMES.items(),
        "next": _link(asked, after=seal(following, "sharing")) if following else "",
        "export": reverse("sharing-export") + _link(asked),
        "narrowed": bool(asked["state"] or asked["source"] or asked["dataset_id"]),
    }
    return render(request, "data/sharing.html", kept)


@require_safe
@page()
def export(request: HttpRequest) -> HttpResponse:
    """The same list as CSV, the newest 5,000; what a spreadsheet would take for a formula stays text."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    asked = _asked(request, "given")
    rows, _more = queries.grants(actor=actor, now=now, **asked, size=queries.MOST_EXPORTED)
    reads.note(actor, "sharing-export", "grants", [row["id"] for row in rows])
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([
        _("Number"), _("Dataset"), _("Department"), _("Holder"), _("Fields"), _("Records"), _("Purpose"),
        _("Why given"), _("From"), _("Until"), _("State"), _("Revoked by"), _("Revoked because"), _("Last read"),
        _("Reads"),
    ])  # fmt: skip
    writer.writerows([_cell(value) for value in _line(row)] for row in rows)
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="grants-{asked["side"]}.csv"'
    return response


def _line(row: dict[str, Any]) -> list[Any]:
    fields = "; ".join(
        one["title"] + (f" ({one['mask_name']})" if one["mask"] else "") for one in row["fields"]
    )
    return [
        row["id"], row["dataset"]["title"], row["dataset"]["department"]["name"], row["holder"]["name"], fields,
        row["filter_words"], row["purpose"], row["source_name"], row["valid_from"], row["valid_to"], row["state_name"],
        row["revoked_by"], row["revoked_why"], row["last_read"], row["times"],
    ]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


@require_safe
@page()
def grant(request: HttpRequest, pk: int) -> HttpResponse:
    """One grant, with its receipts for the department whose data it is."""
    return _show(request, pk)


@require_POST
@page()
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a grant back."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    queries.grant(actor=actor, now=now, grant_id=pk)  # hidden: one answer whatever else is wrong
    form = RevokeForm(request.POST)
    if not form.is_valid():
        return _show(request, pk, form, {"title": _("Please look at these fields"), "fields": form.summary()}, 422)
    try:
        actions.revoke_grant(actor=actor, now=now, grant_id=pk, **form.payload())
    except NotFound:
        raise
    except Refused as no:
        note_refusal(request, "grant.revoke", no)
        form.take(no)
        return _show(request, pk, form, {"title": no.message, "fields": form.summary()}, no.status)
    messages.success(request, _("Taken back. It shows nothing to anybody any more."))
    return HttpResponseRedirect(reverse("grant", args=[pk]), status=303)


def _show(
    request: HttpRequest, pk: int, form: Any = None, errors: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    row = queries.grant(actor=actor, now=now, grant_id=pk)
    may = [one["action"] for one in row["allowed_actions"]]
    given = row["times"] is not None
    kept = {
        "row": row, "errors": errors, "given": given, "renew": "" if given else _renewing(request, row),
        "receipts": queries.receipts(actor=actor, now=now, grant_id=pk) if given else [],
        "form": (form or RevokeForm()) if "revoke" in may or form is not None else None,
    }
    return render(request, "data/grant.html", kept, status=status)


def _renewing(request: HttpRequest, row: dict[str, Any]) -> str:
    """Where the same is asked for again; empty where nothing can be asked for here."""
    actor, now, pk = request.actor, request.now, row["dataset"]["id"]  # type: ignore[attr-defined]
    may = queries.openness(actor=actor, now=now, dataset_id=pk)["may_ask"]
    return reverse("dataset-request", args=[pk]) if may else ""


def _asked(request: HttpRequest, side: str) -> dict[str, Any]:
    """What the address narrows the list to; a value that no grant can have leads nowhere."""
    dataset = request.GET.get("dataset", "")
    asked = {
        "side": request.GET.get("side", side), "state": request.GET.get("state", ""),
        "source": request.GET.get("source", ""), "dataset_id": int(dataset) if _NUMBER.fullmatch(dataset) else None,
    }
    known = asked["side"] in ("given", "received") and asked["state"] in ("", *STATE_NAMES)
    if not known or asked["source"] not in ("", *SOURCE_NAMES) or (dataset and asked["dataset_id"] is None):
        raise Http404
    return asked


def _link(asked: dict[str, Any], **more: Any) -> str:
    given = {"dataset" if name == "dataset_id" else name: value for name, value in asked.items() if value}
    return "?" + urlencode(given | {name: value for name, value in more.items() if value})

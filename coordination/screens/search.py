"""Where do these words stand, among all that I may see?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts import queries as accounts
from coordination.instructions import queries as instructions
from incidents import queries as incidents
from sharing.access.pages import page

KINDS = {
    "incident": _("Incidents"),
    "instruction": _("Instructions"),
    "report": _("Reports"),
    "log": _("Log"),
    "department": _("Departments"),
}


@require_safe
@page()
def search(request: HttpRequest) -> HttpResponse:
    """One box: numbers, words, departments; grouped by kind."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    text = request.GET.get("q", "").strip()[:100]
    groups: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    if text:
        for row in incidents.search(actor=actor, text=text, now=now):
            groups[row["kind"]].append(_incident_row(row))
        for row in instructions.search(actor=actor, text=text, now=now):
            groups["instruction"].append(
                {
                    "href": reverse("instruction", args=[row["id"]]), "number": row["number"],
                    "title": row["headline"], "text": row["incident"]["headline"], "at": row["at"],
                }
            )
        for department in accounts.departments(text=text)[:20]:
            groups["department"].append(
                {
                    "href": reverse("department", args=[department.pk]), "number": "", "title": department.name,
                    "text": department.get_kind_display(), "at": None,
                }
            )
    found = [(KINDS[kind], rows) for kind, rows in groups.items() if rows]
    return render(request, "search/page.html", {"text": text, "search_text": text, "groups": found})


def _incident_row(row: dict[str, Any]) -> dict[str, Any]:
    if row["kind"] == "report":
        href = reverse("report", args=[row["id"]])
    elif row["kind"] == "log":
        href = reverse("room-tab", args=[row["incident"]["id"], "log"])
    else:
        href = reverse("room", args=[row["id"]])
    return {
        "href": href, "number": row["number"], "title": row["headline"] or row["text"][:80],
        "text": row["text"] if row["headline"] else "", "at": row["at"],
    }

"""Where do these words stand, among all that I may see; and where does the box at the top lead straight on to?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts import queries as accounts
from coordination.events import reads
from coordination.instructions import queries as instructions
from incidents import queries as incidents
from sharing.access.pages import page
from sharing.catalogue import queries as catalogue

PAGES = (
    ("desk", _("Desk"), ()),
    ("incidents", _("Incidents"), ()),
    ("instructions", _("Instructions"), ()),
    ("data", _("Data"), ("datasets", "catalogue", "目录")),
    ("departments", _("Departments"), ()),
    ("rosters", _("Duty rosters"), ("roster", "duty", "值班", "排班")),
    ("notices", _("Notices"), ()),
    ("new-report", _("New report"), ()),
    ("engine-status", _("Engine"), ()),
    ("sessions", _("My sessions"), ("sessions", "会话")),
    ("act-for", _("Act for another department"), ()),
    ("story", _("The story"), ("story",)),
)
"""Pages by the names that people type, in either language whatever the page's own."""
LANGUAGES = ("zh-hans", "en")
KINDS = {
    "page": _("Pages"),
    "incident": _("Incidents"),
    "instruction": _("Instructions"),
    "report": _("Reports"),
    "dataset": _("Data"),
    "log": _("Log"),
    "department": _("Departments"),
}


@require_safe
@page()
def search(request: HttpRequest) -> HttpResponse:
    """One box: numbers, words, pages, departments; grouped by kind.

    With ``go``, as the box at the top sends it, what is named exactly is opened at once.
    """
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    text = request.GET.get("q", "").strip()[:100]
    groups: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    if text:
        groups["page"] = [
            {"href": reverse(name), "number": "", "title": label, "text": "", "at": None, "named": named}
            for name, label, named in _pages(text)
        ]
        hits = incidents.search(actor=actor, text=text, now=now)
        reads.note(actor, "search", "log", [row["id"] for row in hits if reads.is_kept(row)])
        for row in hits:
            groups[row["kind"]].append(_incident_row(row))
        for row in instructions.search(actor=actor, text=text, now=now):
            groups["instruction"].append(
                {
                    "href": reverse("instruction", args=[row["id"]]), "number": row["number"],
                    "title": row["headline"], "text": row["incident"]["headline"], "at": row["at"],
                    "ended": row["state"] in ("closed", "cancelled", "superseded"),
                }
            )
        for one in catalogue.datasets(actor=actor, now=now, q=text, state="published", sort="newest", size=20)[0]:
            if one["classification"] < 4:  # those of class 4 are looked for in the catalogue, where that is kept
                groups["dataset"].append(
                    {
                        "href": reverse("dataset", args=[one["id"]]), "number": "", "title": one["title"],
                        "text": one["department"]["short"], "at": None,
                    }
                )
        for department in accounts.departments(text=text)[:20]:
            groups["department"].append(
                {
                    "href": reverse("department", args=[department.pk]), "number": "", "title": department.name,
                    "text": department.get_kind_display(), "at": None,
                    "named": text.casefold() in _names(department),
                }
            )
    if request.GET.get("go"):
        named = _named(groups, text)
        if named:
            return HttpResponseRedirect(named)
    found = [(KINDS[kind], rows) for kind, rows in groups.items() if rows]
    return render(request, "search/page.html", {"text": text, "search_text": text, "groups": found})


def _pages(text: str) -> list[tuple[str, Any, bool]]:
    """Pages of which a name begins so, and whether the text is the whole name."""
    wanted = text.casefold()
    found = []
    for name, label, others in PAGES:
        if name == "story" and not settings.MUSTER_DEMO:
            continue
        names = {other.casefold() for other in others}
        for language in LANGUAGES:
            with translation.override(language):
                names.add(str(label).casefold())
        if any(one.startswith(wanted) for one in names):
            found.append((name, label, wanted in names))
    return found


def _names(department: Any) -> set[str]:
    every = (department.code, department.name_zh, department.name_en, department.short_zh, department.short_en)
    return {one.casefold() for one in every if one}


def _named(groups: dict[str, list[dict[str, Any]]], text: str) -> str | None:
    """The one page, incident, instruction or department that the text names; None where it names none or several."""
    digits = text.strip("#№号 ")
    for kind in ("page", "incident", "report", "instruction", "department"):
        rows = [row for row in groups[kind] if row.get("named") or str(row["number"] or "-") in (text, digits)]
        if kind == "instruction" and len(rows) > 1:
            rows = [row for row in rows if not row["ended"]]
        if len(rows) == 1:
            return str(rows[0]["href"])
    return None


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

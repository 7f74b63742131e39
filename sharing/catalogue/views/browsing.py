"""What data is there: by words, by facets, page by page?"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from coordination.events import reads
from sharing import access
from sharing.access.pages import page
from sharing.access.rest.paging import seal, unseal
from sharing.catalogue import queries

PAGE = 30
SORTS = {"newest": _("Newest first"), "title": _("By title")}
STATES = {"published": _("Published"), "draft": _("Drafts of your department"), "retired": _("Retired")}
NAMES = {
    "department": _("Department"), "sharing": _("Sharing"), "classification": _("Classification"),
    "theme": _("Theme"), "area": _("Area"), "frequency": _("Brought up to date"), "personal": _("Personal data"),
}
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


@require_safe
@page()
def catalogue(request: HttpRequest) -> HttpResponse:
    """The catalogue: what every department has, and on what terms."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    asked = _asked(request)
    chosen = _chosen(request)
    cursor = request.GET.get("after")
    rows, following = queries.datasets(
        actor=actor, now=now, **asked, **chosen, after=unseal(cursor, "data"), size=PAGE,
    )
    narrowing = {name: value for name, value in asked.items() if name != "sort"}
    found = queries.facets(actor=actor, now=now, **narrowing, **chosen)
    reads.note(actor, "data", "datasets", [row["id"] for row in rows if row["classification"] == 4])
    kept = {
        "rows": rows,
        "facets": [_facet(name, found[name], asked, chosen) for name in queries.FACETS],
        "narrowed": bool(chosen),
        "kept": [(name, value) for name, value in _plain(chosen).items()],
        "asked": asked, "sorts": SORTS.items(), "states": STATES.items(),
        "next": _link(asked, chosen, after=seal(following, "data")) if following else "",
        "may_draft": access.may(actor, "steward", at=now),
    }
    return render(request, "data/list.html", kept)


def _asked(request: HttpRequest) -> dict[str, str]:
    asked = {
        "q": request.GET.get("q", "").strip()[:100],
        "state": request.GET.get("state", "published"),
        "sort": request.GET.get("sort", "newest"),
    }
    if asked["state"] not in STATES or asked["sort"] not in SORTS:
        raise Http404
    return asked


def _chosen(request: HttpRequest) -> dict[str, Any]:
    """The facets named in the address; a value that no entry can have is an address that leads nowhere."""
    found: dict[str, Any] = {}
    for name in queries.FACETS:
        text = request.GET.get(name)
        if text is None:
            continue
        if name == "personal":
            value: Any = {"1": True, "0": False}.get(text)
        elif name in ("department", "classification"):
            value = int(text) if _NUMBER.fullmatch(text) else None
            value = None if name == "classification" and value not in (1, 2, 3, 4) else value
        else:
            value = text if len(text) <= 40 and text.isprintable() else None
        if value is None:
            raise Http404
        found[name] = value
    return found


def _plain(chosen: dict[str, Any]) -> dict[str, str]:
    return {name: str(int(value)) if isinstance(value, bool) else str(value) for name, value in chosen.items()}


def _link(asked: dict[str, str], chosen: dict[str, Any], **more: Any) -> str:
    usual = {"q": "", "state": "published", "sort": "newest"}
    given = {name: value for name, value in asked.items() if value != usual[name]}
    return "?" + urlencode(given | _plain(chosen) | {name: value for name, value in more.items() if value})


def _facet(name: str, rows: list[dict[str, Any]], asked: dict[str, str], chosen: dict[str, Any]) -> dict[str, Any]:
    others = {other: value for other, value in chosen.items() if other != name}
    return {
        "name": name,
        "label": NAMES[name],
        "open": name in chosen,
        "values": [
            {**row, "href": _link(asked, others if row["chosen"] else others | {name: row["value"]})} for row in rows
        ],
    }

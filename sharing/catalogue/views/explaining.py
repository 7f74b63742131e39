"""Why do I, or does somebody, see an object or not?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from coordination.events.refused import Invalid
from sharing.access.pages import page
from sharing.catalogue import queries
from sharing.catalogue.explaining_words import KINDS

# where a page shows the object whole
HOMES = {
    "incidents.incident": "room", "incidents.report": "report", "instructions.instruction": "instruction",
    "catalogue.dataset": "dataset",
}  # fmt: skip


@require_safe
@page()
def explain(request: HttpRequest) -> HttpResponse:
    """Ask about an object by kind and number; for oneself, or (stewards, auditors) for somebody else."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    asked = _asked(request)
    kept: dict[str, Any] = {
        "asked": asked, "kinds": [(kind, KINDS.get(kind, kind)) for kind in queries.kinds()],
        "others": queries.may_ask_about_others(actor),
    }  # fmt: skip
    status = 200
    if asked["object"]:
        try:
            kept["row"] = queries.explained_in_words(actor=actor, now=now, object=asked["object"], who=asked["who"])
            kept["home"] = HOMES.get(asked["kind"]) if kept["row"]["who"] == actor.key else None
        except Invalid as no:
            kept["wrong"] = {one["pointer"].strip("/"): one["detail"] for one in no.errors}
            status = no.status
    return render(request, "data/explain.html", kept, status=status)


def _asked(request: HttpRequest) -> dict[str, str]:
    """What the address asks for: ``object`` whole, or as the form sends it, kind and number apart."""
    given = {name: request.GET.get(name, "").strip()[:100] for name in ("object", "kind", "number", "who")}
    if given["object"]:
        given["kind"], _colon, given["number"] = given["object"].partition(":")
    elif given["number"]:
        given["object"] = f"{given['kind']}:{given['number']}"
    return given

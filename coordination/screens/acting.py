"""How is an act posted on a page of its own carried out and answered?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from coordination.events.refused import NotFound, Refused
from sharing.access.forms import ActForm
from sharing.access.pages import note_refusal

Again = Callable[[HttpRequest, dict[str, Any], int], HttpResponse]


@dataclass(frozen=True)
class Deed:
    """One act a page offers: its form, the action it calls, its words. ``grave``: cannot be taken back."""

    name: str
    label: Any
    form: type[ActForm]
    call: Callable[..., Any]
    said: Any = ""
    grave: bool = False
    about: str = ""
    fixed: dict[str, Any] = field(default_factory=dict)


def carry_out(
    request: HttpRequest, deed: Deed, *, about: dict[str, Any], choices: dict[str, Any], home: str, again: Again
) -> HttpResponse:
    """Validate, call once, go back to ``home``; a refusal shows the page again with what was typed.

    ``about``: keyword arguments that name the object; ``again(request, bound, status)`` renders the page, where
    ``bound`` is {"name", "form", "error", "state", "allowed"}.
    """
    form = deed.form(request.POST, request.FILES, choices=choices, auto_id=f"{deed.name}-%s")
    if not form.is_valid():
        return again(request, {"name": deed.name, "form": form, "error": _("Please look at these fields")}, 422)
    try:
        made = deed.call(actor=request.actor, now=request.now, **about, **deed.fixed, **form.payload_for(deed.call))  # type: ignore[attr-defined]
    except NotFound as no:
        if "code" not in form.fields:
            raise
        return _refused(request, deed, form, no, again)
    except Refused as no:
        return _refused(request, deed, form, no, again)
    messages.success(request, str(deed.said(made) if callable(deed.said) else deed.said or _("Done.")))
    return HttpResponseRedirect(_next(request, home), status=303)


def _refused(request: HttpRequest, deed: Deed, form: ActForm, no: Refused, again: Again) -> HttpResponse:
    note_refusal(request, deed.name, no)
    form.take(no)
    bound = {
        "name": deed.name,
        "form": form,
        "error": str(no.message),
        "state": no.extra.get("state"),
        "allowed": no.extra.get("allowed"),
    }
    return again(request, bound, no.status)


def offered(
    deeds: list[Deed],
    choices: dict[str, Any],
    bound: dict[str, Any] | None,
    first: Mapping[str, Mapping[str, Any]] | None = None,
    rare: Collection[str] = (),
) -> list[dict[str, Any]]:
    """The deeds as the template shows them; the one just refused is open and keeps what was typed.

    ``first``: by deed, what its fields hold to begin with. ``rare``: deeds that stand folded below the others.
    """
    rows = []
    for deed in deeds:
        mine = bound is not None and bound["name"] == deed.name
        if bound is not None and mine:
            form = bound["form"]
        else:
            initial = dict((first or {}).get(deed.name, {}))
            form = deed.form(choices=choices, auto_id=f"{deed.name}-%s", initial=initial)
        row = {"name": deed.name, "label": deed.label, "form": form, "open": mine, "grave": deed.grave}
        rows.append({**row, "rare": deed.name in rare})
    return rows


def summary(bound: dict[str, Any] | None) -> dict[str, Any] | None:
    """The focused error summary above the page, or None."""
    if bound is None:
        return None
    return {
        "title": bound["error"],
        "fields": bound["form"].summary(),
        "state": bound.get("state"),
        "allowed": bound.get("allowed"),
    }


def _next(request: HttpRequest, otherwise: str) -> str:
    wanted = request.POST.get("next", "")
    fine = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if wanted.startswith("/") and fine else otherwise

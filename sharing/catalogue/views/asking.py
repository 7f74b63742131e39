"""With which forms is data asked for, given unasked, and offered to all?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import queries as accounts
from coordination.events.refused import NotFound, Refused
from coordination.events.text import localized
from sharing import access
from sharing.access.forms import ActForm
from sharing.access.pages import note_refusal, page
from sharing.access.rights import right
from sharing.catalogue import actions, incident_terms, queries
from sharing.catalogue.request_forms import AskForm, GiveForm, OfferForm, last_day
from sharing.catalogue.views.stewarding import NOTHING

USUAL = timedelta(days=30)
NARROWED = ("holder", "post", "row_field", "row_op", "row_value")
USUALLY = (None, "", "department")


def field_name(field: dict[str, Any]) -> str:
    """A field as a form calls it: its title, and its name in the data."""
    title = localized(field["title_zh"], field["title_en"])
    name = str(field["name"])
    return f"{title} · {name}" if title and title.casefold() != name.casefold() else title or name


def _choices(request: HttpRequest, fields: list[dict[str, Any]]) -> dict[str, Any]:
    actor = request.actor  # type: ignore[attr-defined]
    posts = [(code, str(name)) for code, name in accounts.POSTS if code in right("view").posts]
    return {
        "fields_wanted": [(one["name"], _shown(one)) for one in fields],
        "row_field": [NOTHING, *((one["name"], field_name(one)) for one in fields if one["filterable"])],
        "incident_id": [NOTHING, *incident_terms.open_incidents(actor)],
        "post": [NOTHING, *posts],
        "department_id": [(row.pk, row.name) for row in accounts.departments() if row.pk != actor.department_id],
    }


def _shown(field: dict[str, Any]) -> str:
    name = field_name(field)
    if field["rule"] != "full":
        name += " · " + _("masked")
    return f"{name} · " + _("class %(n)d: two persons decide") % {"n": field["classification"]} if (
        field["classification"] >= 3
    ) else name


def _form(request: HttpRequest, kind: type[ActForm], shown: dict[str, Any], **first: Any) -> Any:
    fields = shown["fields"]
    usual = [one["name"] for one in fields if one["classification"] < 3]
    form: Any = kind(
        request.POST or None, choices=_choices(request, fields), initial={"fields_wanted": usual} | first
    )
    form.types = shown["types"]
    return form


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the data of an entry; all that can be is filled in already."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    shown = queries.openness(actor=actor, now=now, dataset_id=pk)
    access.require(actor, "request_data")
    incident = request.GET.get("incident", "")
    first = {"until": last_day(now + USUAL), "incident_id": incident if incident.isdecimal() else None}
    return _answered(
        request, _form(request, AskForm, shown, **first), actions.ask, "request.ask", pk, shown,
        title=_("Request access: %(title)s") % {"title": shown["dataset"]["title"]}, button=_("Send the request"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def give(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the data of an entry to a department that has not asked."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    queries.terms(actor=actor, dataset_id=pk, now=now)
    shown = queries.openness(actor=actor, now=now, dataset_id=pk)
    return _answered(
        request, _form(request, GiveForm, shown, until=last_day(now + USUAL)), actions.give, "request.give", pk, shown,
        title=_("Give access: %(title)s") % {"title": shown["dataset"]["title"]}, button=_("Give access"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Set what is given at once for the asking, or end that."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    queries.terms(actor=actor, dataset_id=pk, now=now)
    shown = queries.openness(actor=actor, now=now, dataset_id=pk)
    there = queries.offer(actor=actor, now=now, dataset_id=pk)
    first = {"fields_wanted": list(there["fields"]), "longest_days": there["longest_days"],
             "only_in_open_incident": there["only_in_open_incident"]} if there else {}  # fmt: skip
    ends = request.POST.get("end") == "1"
    return _answered(
        request, _form(request, OfferForm, shown, **first), actions.end_offer if ends else actions.set_offer,
        "offer.end" if ends else "offer.set", pk, shown, title=_("Standing offer: %(title)s") % {
            "title": shown["dataset"]["title"]
        }, button=_("Offer this"), ends=ends, there=there,
    )  # fmt: skip


def _answered(
    request: HttpRequest, form: Any, call: Any, operation: str, pk: int, shown: dict[str, Any], *, title: str,
    button: str, ends: bool = False, there: Any = None,
) -> HttpResponse:
    """The form; or what it said done, and on to the request; or the form again with its errors at their fields."""
    home = reverse("dataset", args=[pk])

    def again(error: Any = "", status: int = 200) -> HttpResponse:
        errors = {"title": error, "fields": form.summary()} if error else None
        kept = {"form": form, "errors": errors, "title": title, "button": button, "back": home, "shown": shown,
                "there": there, "narrowed": any(form[name].value() not in USUALLY for name in NARROWED
                                                if name in form.fields)}  # fmt: skip
        return render(request, "data/ask.html", kept, status=status)

    if request.method != "POST":
        return again()
    if not ends and not form.is_valid():
        return again(_("Please look at these fields"), 422)
    given = {} if ends else form.payload()
    try:
        made = call(actor=request.actor, now=request.now, dataset_id=pk, **given)  # type: ignore[attr-defined]
    except NotFound:
        raise
    except Refused as no:
        note_refusal(request, operation, no)
        if not ends:
            form.take(no)
        return again(no.message, no.status)
    if not hasattr(made, "grant_ids"):
        messages.success(request, _("The offer has ended.") if ends else _("The offer stands."))
        return HttpResponseRedirect(home, status=303)
    messages.success(request, _said(made))
    return HttpResponseRedirect(reverse("share-request", args=[made.pk]), status=303)


def _said(made: Any) -> str:
    if made.grant_ids:
        return _("Granted at once: the records are open now.")
    if made.given:
        return _("Kept. Another person of your department must now decide.")
    return _("The request was sent. You will be told of the answer.")

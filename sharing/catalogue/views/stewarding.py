"""With which forms do data stewards draft and change entries, add schemas and enter legal bases?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from coordination.events.refused import NotFound, Refused
from sharing import access
from sharing.access.forms import ActForm
from sharing.access.pages import note_refusal, page
from sharing.catalogue import actions, queries
from sharing.catalogue.forms import DescribeForm, DraftForm, LegalBasisForm, SchemaForm

NOTHING = ("", "–")


def _choices(request: HttpRequest) -> dict[str, Any]:
    bases = queries.legal_bases(actor=request.actor, now=request.now)  # type: ignore[attr-defined]
    return {
        "frequency": [(row.code, row.name) for row in queries.codes("update_frequency")],
        "theme": [NOTHING, *((row.code, row.name) for row in queries.codes("data_theme"))],
        "legal_basis": [NOTHING, *((row["id"], row["name"]) for row in bases)],
    }


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def new(request: HttpRequest) -> HttpResponse:
    """Begin an entry."""
    access.require(request.actor, "steward")  # type: ignore[attr-defined]
    form = DraftForm(request.POST or None, choices=_choices(request))
    return answered(
        request, form, actions.draft, "dataset.draft", {},
        title=_("New dataset"), button=_("Keep the draft"),
        said=_("The draft is kept. Add its schema, then publish it."),
        home=lambda made: reverse("dataset", args=[made.pk]), back=reverse("data"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what an entry says."""
    row = queries.terms(actor=request.actor, dataset_id=pk, now=request.now)  # type: ignore[attr-defined]
    minutes = row["grace"] / 60 if row["grace"] % 60 else row["grace"] // 60
    first = row | {"legal_basis": row["legal_basis_id"], "grace": minutes, "if_version": row["version"]}
    form = DescribeForm(request.POST or None, choices=_choices(request), initial=first)
    home = reverse("dataset", args=[pk])
    return answered(
        request, form, actions.change, "dataset.change", {"dataset_id": pk},
        title=_("Change: %(title)s") % {"title": row["title"]}, button=_("Keep the changes"), said=_("Changed."),
        home=lambda made: home, back=home, entry=row["title"],
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def add_schema(request: HttpRequest, pk: int) -> HttpResponse:
    """Add the next schema."""
    row = queries.terms(actor=request.actor, dataset_id=pk, now=request.now)  # type: ignore[attr-defined]
    posted = request.method == "POST"
    form = SchemaForm(
        request.POST if posted else None, request.FILES if posted else None,
        initial={"if_version": row["version"], "schema": row["shown_document"]},
    )
    home = reverse("dataset", args=[pk])
    return answered(
        request, form, actions.add_schema, "dataset.add_schema", {"dataset_id": pk},
        title=_("Schema of: %(title)s") % {"title": row["title"]}, button=_("Add this schema"),
        said=_("The schema was added and is the current one."), home=lambda made: home, back=home,
        entry=row["title"], files=True,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def legal_bases(request: HttpRequest) -> HttpResponse:
    """Every legal basis; data stewards enter new ones."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    may = access.may(actor, "steward", at=now)
    if request.method == "POST":
        access.require(actor, "steward")
    form = LegalBasisForm(request.POST or None) if may else None
    found = {"rows": queries.legal_bases(actor=actor, now=now)}
    if form is None:
        return render(request, "data/legal_bases.html", found)
    return answered(
        request, form, actions.add_legal_basis, "legal_basis.add", {},
        title=_("Legal bases"), button=_("Enter a legal basis"), said=_("Entered."),
        home=lambda made: reverse("legal-bases"), back=reverse("data"), template="data/legal_bases.html", **found,
    )


def answered(
    request: HttpRequest,
    form: ActForm,
    call: Callable[..., Any],
    operation: str,
    about: dict[str, Any],
    *,
    said: str,
    home: Callable[[Any], str],
    template: str = "data/form.html",
    **shown: Any,
) -> HttpResponse:
    """The form; or what it said done, and on to ``home``; or the form again, with its errors at their fields."""

    def again(error: str, status: int) -> HttpResponse:
        errors = {"title": error, "fields": form.summary()} if error else None
        return render(request, template, {"form": form, "errors": errors, **shown}, status=status)

    if request.method != "POST":
        return again("", 200)
    if not form.is_valid():
        return again(_("Please look at these fields"), 422)
    try:
        made = call(actor=request.actor, now=request.now, **about, **form.payload_for(call))  # type: ignore[attr-defined]
    except NotFound:
        raise
    except Refused as no:
        note_refusal(request, operation, no)
        form.take(no)
        return again(str(no.message), no.status)
    messages.success(request, said)
    return HttpResponseRedirect(home(made), status=303)

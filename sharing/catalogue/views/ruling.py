"""With which pages do data stewards open a dataset by itself in incidents, and end that?"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from coordination.events.refused import NotFound, Refused
from sharing.access.pages import note_refusal, page
from sharing.catalogue import actions, queries
from sharing.catalogue.forms import PlainForm
from sharing.catalogue.rule_forms import RuleForm
from sharing.catalogue.views.entry import show
from sharing.catalogue.views.stewarding import answered


@require_http_methods(["GET", "HEAD", "POST"])
@page()
def new_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what taking part opens."""
    row = queries.terms(actor=request.actor, dataset_id=pk, now=request.now)  # type: ignore[attr-defined]
    types = [("", _("any type")), *((one.code, f"{one.name} ({one.code})") for one in queries.codes("incident_type"))]
    form = RuleForm(request.POST or None, schema=row["fields"], choices={"type": types})
    home = f"{reverse('dataset', args=[pk])}#share-rules"
    return answered(
        request, form, actions.make_rule, "share_rule.make", {"dataset_id": pk},
        title=_("Opens by itself: %(title)s") % {"title": row["title"]}, button=_("Let it open"),
        said=_("The rule is kept. Open incidents follow at once, unless a second person must confirm it."),
        home=lambda made: home, back=home, entry=row["title"],
    )  # fmt: skip


@require_POST
@page()
def confirm_rule(request: HttpRequest, pk: int, rule_id: int) -> HttpResponse:
    """Confirm a rule as the second person."""
    return _act(request, pk, rule_id, actions.confirm_rule, "share_rule.confirm", _("Confirmed; it opens now."))


@require_POST
@page()
def end_rule(request: HttpRequest, pk: int, rule_id: int) -> HttpResponse:
    """End a rule."""
    return _act(request, pk, rule_id, actions.end_rule, "share_rule.end", _("Ended; what it opened is closed."))


def _act(request: HttpRequest, pk: int, rule_id: int, call: Any, operation: str, said: str) -> HttpResponse:
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    queries.rules(actor=actor, dataset_id=pk, now=now)  # hidden, or not theirs: one answer whatever else is wrong
    form = PlainForm(request.POST)
    if not form.is_valid():
        return show(request, pk, {"title": _("Please look at these fields"), "fields": form.summary()}, 422)
    try:
        call(actor=actor, now=now, dataset_id=pk, rule_id=rule_id, **form.payload_for(call))
    except NotFound:
        raise
    except Refused as no:
        note_refusal(request, operation, no)
        fields = [{"text": str(one["detail"])} for one in no.errors]
        return show(request, pk, {"title": no.message, "fields": fields}, no.status)
    messages.success(request, said)
    return HttpResponseRedirect(f"{reverse('dataset', args=[pk])}#share-rules", status=303)

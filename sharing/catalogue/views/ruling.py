"""With which pages do data stewards open a dataset by itself in incidents, and end that?"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from coordination.events.refused import NotFound, Refused
from sharing.access.pages import note_refusal, page
from sharing.catalogue import actions, queries
from sharing.catalogue.forms import PlainForm
from sharing.catalogue.rule_forms import RuleForm
from sharing.catalogue.views.entry import show
from sharing.catalogue.views.stewarding import answered

RULE_ACTS: dict[str, tuple[Any, Any]] = {
    "confirm": (actions.confirm_rule, gettext_lazy("Confirmed; it opens now.")),
    "end": (actions.end_rule, gettext_lazy("Ended; what it opened is closed.")),
}


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
        home=lambda made: home, back=home,
    )  # fmt: skip


@require_POST
@page()
def rule_act(request: HttpRequest, pk: int, rule_id: int, name: str) -> HttpResponse:
    """Confirm or end a rule."""
    if name not in RULE_ACTS:
        raise Http404
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    queries.rules(actor=actor, dataset_id=pk, now=now)  # hidden, or not theirs: one answer whatever else is wrong
    form = PlainForm(request.POST)
    if not form.is_valid():
        return show(request, pk, {"title": _("Please look at these fields"), "fields": form.summary()}, 422)
    call, said = RULE_ACTS[name]
    try:
        call(actor=actor, now=now, dataset_id=pk, rule_id=rule_id, **form.payload_for(call))
    except NotFound:
        raise
    except Refused as no:
        note_refusal(request, f"share_rule.{name}", no)
        fields = [{"text": str(one["detail"])} for one in no.errors]
        return show(request, pk, {"title": no.message, "fields": fields}, no.status)
    messages.success(request, str(said))
    return HttpResponseRedirect(f"{reverse('dataset', args=[pk])}#share-rules", status=303)

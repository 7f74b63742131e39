"""How do scripts of people break the glass, keep it open, end it and judge it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import path

from coordination.events.refused import Refused
from sharing.access.pages import note_refusal
from sharing.access.rest import Call, Page, Resource, act_view, lists, shows, writes
from sharing.catalogue import actions, queries
from sharing.catalogue import serializers as shapes


def show_glass(call: Call, done: Any) -> Any:
    """Return the breaking as it is now."""
    return queries.glass(**call.who, glass_id=call.ids.get("glass_id") or done.pk)


def show_proposal(call: Call, done: Any) -> Any:
    """Return the proposal as it was settled."""
    return queries.proposal_row(done)


def proven(call: Call, act: Callable[..., Any], name: str, **given: Any) -> Any:
    """Carry out an act that takes a proof; a wrong or missing one is kept too."""
    request = call.request._request
    try:
        return act(request, **call.act, **call.ids, **given, **call.body)
    except Refused as no:
        if no.status == 401:
            note_refusal(request, name, no)
        raise


class Breakings(Resource):
    """Broken glass."""

    resource = "break_glass"
    people = True
    noted_from = 9  # what was read by it is kept; that it was broken, both departments may know

    @lists("break_glass_list", shapes.GlassShape, query=shapes.GlassFilters, summary="Broken glass")
    def get(self, call: Call) -> Page:
        """Breakings by my department, and of its data, newest first."""
        return Page(*queries.glasses(**call.who, **call.query, after=call.after, size=call.size))

    @writes(
        "break_glass_start", shapes.GlassShape, body=shapes.BreakGlassBody, status=201, show=show_glass,
        limit="break_glass", place=lambda done: f"/api/v1/break-glass/{done['id']}", summary="Break the glass",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Open one dataset or incident for myself alone, for an hour; its stewards are told at once."""
        return proven(call, actions.break_glass, "glass.start")


class Breaking(Resource):
    """One breaking of the glass."""

    resource = "break_glass"
    people = True
    noted_from = 9

    @shows("break_glass_show", shapes.GlassShape, summary="One break-glass")
    def get(self, call: Call) -> Any:
        """Who opened what, why, until when, and how it was judged."""
        return queries.glass(**call.who, glass_id=call.ids["glass_id"])


class Renewal(Resource):
    """A renewal."""

    resource = "break_glass"
    people = True

    @writes(
        "break_glass_renew", shapes.GlassShape, body=shapes.ProofBody, may_decide=True, show=show_glass,
        limit="break_glass", summary="Renew once",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Keep mine open for an hour more, once, by a fresh proof."""
        return proven(call, actions.renew_glass, "glass.renew", if_version=call.if_version)


class Proposals(Resource):
    """Rules that repeated break-glass proposes."""

    resource = "break_glass"

    @lists("rule_proposals_list", shapes.ProposalShape, summary="Proposed rules")
    def get(self, call: Call) -> Page:
        """Proposals to my department that nobody has settled yet; at most 50."""
        return Page(queries.proposals(**call.who))


urlpatterns = [
    path("break-glass", Breakings.as_view(), name="api-break-glass"),
    path("break-glass/<str:glass_id>", Breaking.as_view(), name="api-one-break-glass"),
    path("break-glass/<str:glass_id>/renew", Renewal.as_view(), name="api-break-glass-renew"),
    path(
        "break-glass/<str:glass_id>/end",
        act_view(
            actions.end_glass, resource="break_glass", name="break_glass_end", answer=shapes.GlassShape,
            body=shapes.EndGlassBody, show=show_glass, versioned=True,
            text="End it now; what it opened closes at once.",
        ),
        name="api-break-glass-end",
    ),
    path(
        "break-glass/<str:glass_id>/review",
        act_view(
            actions.review_glass, resource="break_glass", name="break_glass_review", answer=shapes.GlassShape,
            body=shapes.ReviewGlassBody, show=show_glass, decides=True, text="Judge it, for the owner of the data.",
        ),
        name="api-break-glass-review",
    ),
    path("rule-proposals", Proposals.as_view(), name="api-rule-proposals"),
    path(
        "rule-proposals/<str:proposal_id>/settle",
        act_view(
            actions.settle_proposal, resource="break_glass", name="rule_proposals_settle", answer=shapes.ProposalShape,
            body=shapes.SettleProposalBody, show=show_proposal, decides=True,
            text="Say that it was made a rule, or why not.",
        ),
        name="api-rule-proposal-settle",
    ),
]

"""How do other systems and scripts see requests for data, answer them, and sign and end agreements?"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from coordination.events.refused import NotFound
from sharing.access.rest import Call, Page, Resource, act_view, lists, shows, writes
from sharing.access.rest.rendering import dump
from sharing.catalogue import actions, queries
from sharing.catalogue import serializers as shapes

ODRL = "application/ld+json"


def show_request(call: Call, changed: Any) -> Any:
    """Return the request of the address, or the one just made, as it is now."""
    return queries.request(**call.who, request_id=call.ids.get("request_id") or changed.pk)


def show_agreement(call: Call, changed: Any) -> Any:
    """Return the agreement as it is now."""
    return queries.agreement(**call.who, **call.ids)


def show_offer(call: Call, changed: Any) -> Any:
    """Return the standing offer as it is now."""
    return queries.offer(**call.who, **call.ids)


class ShareRequests(Resource):
    """Requests for data."""

    resource = "share-requests"
    noted_from = 4

    @lists(
        "share_requests_list", shapes.ShareRequestRowShape, query=shapes.ShareRequestFilters,
        summary="Requests for data",
    )  # fmt: skip
    def get(self, call: Call) -> Page:
        """Requests that my department is to answer, or has asked; open ones with what is due first."""
        return Page(*queries.requests(**call.who, **call.query, after=call.after, size=call.size))

    @writes(
        "share_requests_ask", shapes.ShareRequestShape, body=shapes.AskBody, status=201, show=show_request,
        place=lambda done: f"/api/v1/share-requests/{done['id']}", summary="Ask for data",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Ask for data; what its terms give by themselves is granted at once."""
        return actions.ask(**call.act, **call.body)


class ShareRequest(Resource):
    """One request for data."""

    resource = "share-requests"
    noted_from = 4

    @shows("share_requests_show", shapes.ShareRequestShape, summary="One request for data")
    def get(self, call: Call) -> Any:
        """All of the request, with what I may do with it now."""
        return queries.request(**call.who, **call.ids)


class Agreements(Resource):
    """Agreements."""

    resource = "share-requests"
    noted_from = 4
    noted_as = "agreements"

    @lists("agreements_list", shapes.AgreementRowShape, summary="Agreements")
    def get(self, call: Call) -> Page:
        """Agreements of my department, the newest first; each is held against its digest."""
        return Page(*queries.agreements(**call.who, after=call.after, size=call.size))


class Agreement(Resource):
    """One agreement."""

    resource = "share-requests"
    noted_from = 4
    noted_as = "agreements"

    @shows("agreements_show", shapes.AgreementShape, summary="One agreement")
    def get(self, call: Call) -> Any:
        """The frozen policy, its signatures, and what I may do with it now."""
        return queries.agreement(**call.who, **call.ids)


class Odrl(Resource):
    """One agreement as ODRL."""

    resource = "share-requests"
    noted_from = 4
    noted_as = "agreements"

    @shows("agreements_odrl", None, media=ODRL, summary="An agreement as ODRL")
    def get(self, call: Call) -> Any:
        """The agreement as ODRL 2.2 in JSON-LD."""
        found = HttpResponse(dump(queries.odrl(**call.who, **call.ids)), content_type=ODRL)
        found.handed_out = queries.agreement(**call.who, **call.ids)  # type: ignore[attr-defined]
        return found


class Offer(Resource):
    """The standing offer of a dataset."""

    resource = "datasets"

    @shows("offers_show", shapes.OfferShape, summary="Standing offer of a dataset")
    def get(self, call: Call) -> Any:
        """What is given at once for the asking."""
        found = queries.offer(**call.who, **call.ids)
        if found is None:
            raise NotFound(_("There is no standing offer."))
        return found

    @writes("offers_set", shapes.OfferShape, body=shapes.OfferBody, show=show_offer, summary="Set the standing offer")
    def post(self, call: Call) -> Any:
        """Set what is given at once for the asking, instead of an earlier offer."""
        return actions.set_offer(**call.act, **call.ids, **call.body)


def _move(act: Any, name: str, body: Any = None) -> Any:
    return act_view(
        act, resource="share-requests", name=f"share_requests_{name}", answer=shapes.ShareRequestShape, body=body,
        show=show_request, decides=True,
    )  # fmt: skip


_renew = act_view(
    actions.renew_agreement, resource="share-requests", name="agreements_renew", answer=shapes.ShareRequestShape,
    body=shapes.RenewBody, status=201, show=lambda call, made: queries.request(**call.who, request_id=made.pk),
)  # fmt: skip


def _agreed(act: Any, name: str, body: Any) -> Any:
    return act_view(
        act, resource="share-requests", name=f"agreements_{name}", answer=shapes.AgreementShape, body=body,
        show=show_agreement,
    )  # fmt: skip


_give = act_view(
    actions.give, resource="share-requests", name="datasets_give", answer=shapes.ShareRequestShape,
    body=shapes.GiveBody, status=201, show=show_request,
)  # fmt: skip
_end_offer = act_view(actions.end_offer, resource="datasets", name="offers_end", answer=None)
_ONE, _AGREED = "share-requests/<str:request_id>", "agreements/<str:agreement_id>"

urlpatterns = [
    path("share-requests", ShareRequests.as_view(), name="api-share-requests"),
    path(_ONE, ShareRequest.as_view(), name="api-share-request"),
    path(f"{_ONE}/submit", _move(actions.submit_request, "submit"), name="api-share-request-submit"),
    path(f"{_ONE}/screen", _move(actions.screen_request, "screen"), name="api-share-request-screen"),
    path(f"{_ONE}/grant", _move(actions.grant_request, "grant", shapes.GrantBody), name="api-share-request-grant"),
    path(f"{_ONE}/refuse", _move(actions.refuse_request, "refuse", shapes.RefuseBody), name="api-share-request-refuse"),
    path(f"{_ONE}/withdraw", _move(actions.withdraw_request, "withdraw"), name="api-share-request-withdraw"),
    path("agreements", Agreements.as_view(), name="api-agreements"),
    path(_AGREED, Agreement.as_view(), name="api-agreement"),
    path(f"{_AGREED}/odrl", Odrl.as_view(), name="api-agreement-odrl"),
    path(f"{_AGREED}/sign", _agreed(actions.sign_agreement, "sign", shapes.SignBody), name="api-agreement-sign"),
    path(f"{_AGREED}/end", _agreed(actions.end_agreement, "end", shapes.EndBody), name="api-agreement-end"),
    path(f"{_AGREED}/renew", _renew, name="api-agreement-renew"),
    path("datasets/<str:dataset_id>/give", _give, name="api-dataset-give"),
    path("datasets/<str:dataset_id>/offer", Offer.as_view(), name="api-dataset-offer"),
    path("datasets/<str:dataset_id>/offer/end", _end_offer, name="api-dataset-offer-end"),
]

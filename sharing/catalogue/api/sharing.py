"""What do other systems read of grants, and how do they take one back?"""

from __future__ import annotations

from typing import Any

from django.urls import path

from sharing.access.rest import Call, Page, Resource, act_view, lists, shows
from sharing.access.rest.paging import part
from sharing.catalogue import actions, queries
from sharing.catalogue import serializers as shapes


def show_grant(call: Call, changed: Any) -> Any:
    """Return the grant as it is now."""
    return queries.grant(**call.who, grant_id=changed.pk)


class Grants(Resource):
    """What was given of data, and what was received."""

    resource = "grants"
    people = True
    restricted = True

    @lists("grants_list", shapes.GrantShape, query=shapes.GrantFilters, summary="Grants")
    def get(self, call: Call) -> Page:
        """Grants on my department's datasets, or (side=received) those that it holds, newest first."""
        return Page(*queries.grants(**call.who, **call.query, after=call.after, size=call.size))


class Grant(Resource):
    """One grant."""

    resource = "grants"
    people = True
    restricted = True

    @shows("grants_show", shapes.GrantShape, summary="One grant")
    def get(self, call: Call) -> Any:
        """What it opens to whom, until when and what for, and how it stands."""
        return queries.grant(**call.who, **call.ids)


class Receipts(Resource):
    """Who has read by a grant."""

    resource = "grants"
    people = True
    restricted = True

    @lists("grants_receipts", shapes.ReceiptShape, summary="Receipts of a grant")
    def get(self, call: Call) -> Page:
        """Department, post, purpose, times and count: for the department whose data it is."""
        return part(queries.receipts(**call.who, **call.ids), call.after, call.size)


revoke = act_view(
    actions.revoke_grant, resource="grants", name="grants_revoke", answer=shapes.GrantShape, body=shapes.RevokeBody,
    show=show_grant, text="Take it back, from this moment on: no page, answer, download or socket shows it any more.",
)  # fmt: skip

urlpatterns = [
    path("grants", Grants.as_view(), name="api-grants"),
    path("grants/<str:grant_id>", Grant.as_view(), name="api-grant"),
    path("grants/<str:grant_id>/revoke", revoke, name="api-grant-revoke"),
    path("grants/<str:grant_id>/receipts", Receipts.as_view(), name="api-grant-receipts"),
]

"""Which codes do all departments share?"""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _

from coordination.events.refused import NotFound
from sharing.access.rest import Call, Page, Resource, lists
from sharing.access.rest.paging import part
from sharing.catalogue import queries
from sharing.catalogue import serializers as shapes


class Tables(Resource):
    """The code tables."""

    resource = "codes"

    @lists("codes_tables", shapes.TableShape, summary="Code tables")
    def get(self, call: Call) -> Any:
        """Names of all tables."""
        return [{"table": name} for name in queries.table_names()]


class Codes(Resource):
    """The codes of one table."""

    resource = "codes"

    @lists("codes_list", shapes.CodeShape, query=shapes.CodeFilters, summary="Codes of a table")
    def get(self, call: Call) -> Page:
        """Codes in their order."""
        rows = queries.codes(call.ids["table"], all=call.query.get("all", False))
        if not rows:
            raise NotFound(_("There is no such table."))
        return part(rows, call.after, call.size)


urlpatterns = [
    path("codes", Tables.as_view(), name="api-code-tables"),
    path("codes/<str:table>", Codes.as_view(), name="api-codes"),
]

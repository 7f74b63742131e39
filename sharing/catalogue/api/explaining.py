"""Why does somebody see an object, or not, as other systems and scripts ask it?"""

from __future__ import annotations

from typing import Any

from django.urls import path

from sharing.access.rest import Call, Resource, shows
from sharing.catalogue import queries
from sharing.catalogue import serializers as shapes


class Explain(Resource):
    """Reasons."""

    resource = "explain"
    people = True

    @shows("explain", shapes.ExplanationShape, query=shapes.ExplainFilters, summary="Why is this seen, or not?")
    def get(self, call: Call) -> Any:
        """Rule by rule and grant by grant; about others only for stewards of what they keep, and for auditors."""
        return queries.explained(**call.who, **call.query)


urlpatterns = [path("explain", Explain.as_view(), name="api-explain")]

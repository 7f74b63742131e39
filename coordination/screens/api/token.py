"""How does another agency's system sign in?"""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework import serializers
from rest_framework.parsers import FormParser

from sharing.access.rest import Call, Resource, Shape, Text, writes
from sharing.access.rest.tokens import GRANT, grant


class TokenBody(Shape):
    """Client credentials: here, or as HTTP Basic."""

    grant_type = serializers.ChoiceField((GRANT,))
    client_id = Text(max_length=100, required=False)
    client_secret = Text(max_length=200, required=False)
    scope = Text(max_length=400, required=False, allow_blank=True, help_text="Fewer scopes than the client has.")


class TokenShape(Shape):
    """A token of ten minutes."""

    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")
    scope = serializers.CharField()


class Token(Resource):
    """Tokens of other systems."""

    resource = "session"
    authentication_classes = ()
    parser_classes = (FormParser,)

    @writes(
        "token_get", TokenShape, body=TokenBody, keyed=False, public=True, limit="sign_in",
        media="application/x-www-form-urlencoded", summary="Get a token",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """A token of ten minutes for a client's id and secret; errors in the form of RFC 6749."""
        return grant(call.request._request)


urlpatterns = [path("oauth/token", Token.as_view(), name="api-token")]

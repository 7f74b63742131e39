"""How does another agency's system get its token? (OAuth2 client credentials, and no other way)"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from oauth2_provider.oauth2_backends import get_oauthlib_core
from oauth2_provider.scopes import BaseScopes

from accounts.actions.clients import SCOPES

GRANT = "client_credentials"


class ClientScopes(BaseScopes):  # type: ignore[misc]
    """What a client may ask for stands with the client; who asks for nothing gets all of it."""

    def get_all_scopes(self) -> dict[str, str]:
        """Every scope there is."""
        return {name: name for name in sorted(SCOPES)}

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """The client's own scopes, and what they contain: who may read all may ask to read one thing."""
        client = getattr(application, "api_client", None)
        if client is None or client.revoked_at is not None:
            return []
        held = set(client.scopes)
        return sorted(name for name in SCOPES if name in held or name.rpartition(":")[2] in held)

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        """The client's own scopes."""
        client = getattr(application, "api_client", None)
        return list(client.scopes) if client is not None and client.revoked_at is None else []


def grant(request: HttpRequest) -> HttpResponse:
    """Answer a request for a token in the form of RFC 6749: a token of ten minutes, or an error."""
    _url, headers, body, status = get_oauthlib_core().create_token_response(request)
    response = HttpResponse(body, status=status)
    for name, value in headers.items():
        response[name] = value
    response["Cache-Control"] = "no-store"
    return response

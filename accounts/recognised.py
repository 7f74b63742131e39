"""Who is signed in with this request's session?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, middleware
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject


class PersonMiddleware(middleware.AuthenticationMiddleware):
    """Django's own, which need not ask for the person again where they were read along with their session."""

    def process_request(self, request: HttpRequest) -> None:
        """Give the request its ``user``, found when first asked for."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _user(request))  # type: ignore[assignment]


def _user(request: Any) -> Any:
    """The person, by the rules of `django.contrib.auth.get_user`; whatever is not plain is left to it."""
    session = request.session
    said = session.get(SESSION_KEY)  # reads the session, and the person with it
    person = getattr(session, "person", None)
    if (
        person is not None
        and str(person.pk) == said
        and person.is_active
        and session.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(session.get(HASH_SESSION_KEY, ""), person.get_session_auth_hash())
    ):
        request._cached_user = person
    return middleware.get_user(request)

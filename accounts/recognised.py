"""Who is signed in with this request's session?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, middleware
from django.utils.crypto import constant_time_compare

BACKEND = "django.contrib.auth.backends.ModelBackend"
"""The only way in: it takes whoever is active, and so does `user_of`."""


def user_of(request: Any) -> Any:
    """The person (or Django's AnonymousUser), by the rules of `django.contrib.auth.get_user`.

    The person read along with the session is taken where all of those rules plainly hold; anything else is left to
    Django, which reads the person once more.
    """
    session = request.session
    said = session.get(SESSION_KEY)  # reads the session, and the person with it
    person = getattr(session, "person", None)
    if (
        person is not None
        and str(person.pk) == said
        and person.is_active
        and session.get(BACKEND_SESSION_KEY) == BACKEND
        and BACKEND in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(session.get(HASH_SESSION_KEY, ""), person.get_session_auth_hash())
    ):
        request._cached_user = person
    return middleware.get_user(request)

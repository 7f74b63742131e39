"""Who is signed in, found when first asked for?"""

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.recognised import user_of


class PersonMiddleware(AuthenticationMiddleware):
    """Django's own, with the person who was read along with their session."""

    def process_request(self, request: HttpRequest) -> None:
        """Give the request its ``user``."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: user_of(request))  # type: ignore[assignment]

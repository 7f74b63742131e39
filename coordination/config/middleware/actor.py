"""Who acts, and when is now, for this request?"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from sharing.access import pages


class ActorMiddleware:
    """Give the request ``actor`` and ``now``, found when first asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap ``get_response``."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request``."""
        request.now = SimpleLazyObject(lambda: pages.now_of(request))  # type: ignore[attr-defined]
        request.actor = SimpleLazyObject(lambda: pages.actor_of(request))  # type: ignore[attr-defined]
        return self.get_response(request)

"""Who acts, and when is now, for this request?"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject


class ActorMiddleware:
    """Give the request ``actor`` and ``now``, found when first asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap ``get_response``."""
        self.get_response = get_response
        self.pages: Any = import_module("sharing.access.pages") if find_spec("sharing.access.pages") else None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request``."""
        if self.pages is not None:
            pages = self.pages
            request.now = SimpleLazyObject(lambda: pages.now_of(request))  # type: ignore[attr-defined]
            request.actor = SimpleLazyObject(lambda: pages.actor_of(request))  # type: ignore[attr-defined]
        return self.get_response(request)

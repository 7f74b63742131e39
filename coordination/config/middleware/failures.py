"""What does a person read when a view failed for a reason that will pass?"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from coordination.config import pages


class FailureMiddleware:
    """Turn a database that is away, locked or contradicted into 503 or 409; everything else stays a failure."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap ``get_response``."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request``."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the answer for ``exception`` of a view, None where it is a fault of ours."""
        return pages.failed(request, exception)

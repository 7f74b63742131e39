"""Which request is this, in every log line and answer?"""

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from coordination.config import patience
from coordination.events.tracing import FORM, request_id


class RequestIdMiddleware:
    """Take the caller's ``X-Request-ID`` when it has the right form, else make one; say it in the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap ``get_response``."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request`` under its id (``request.request_id``)."""
        patience.begin(_waited(request))
        asked = request.headers.get("X-Request-ID", "")
        current = asked if FORM.fullmatch(asked) else str(uuid.uuid4())
        token = request_id.set(current)
        request.request_id = current  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = current
            return response
        finally:
            request_id.reset(token)


def _waited(request: HttpRequest) -> float:
    """The seconds it stood in line before it got a thread, as the pool says."""
    try:
        return max(0.0, float(request.headers.get("X-Muster-Waited", 0)))
    except ValueError:  # not from the pool
        return 0.0

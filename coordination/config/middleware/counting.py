"""How many requests are answered, how, and how fast?"""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from coordination.config.monitor import process

_log = logging.getLogger("muster.requests")
UNWRITTEN = frozenset({"static", "health"})
# parts of an address that open something: they are not written down
SECRET = frozenset({"token", "uid", "secret", "code", "key"})


def _written(request: HttpRequest) -> str:
    """The path, or where a part of it is a secret, the address as the code writes it."""
    match = request.resolver_match
    return f"/{match.route}" if match is not None and SECRET & match.kwargs.keys() else request.path_info


class CountingMiddleware:
    """Count each answer, whatever it is, and write a line of it; before all others, so that their refusals count.

    The line names method, path (ids, no query), status and milliseconds; who asked stands in the event or refusal that
    has the same request id.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap ``get_response``."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request``."""
        began = time.monotonic()
        response = self.get_response(request)
        seconds = time.monotonic() - began
        what = process.answered(request.path_info, response.status_code, seconds)
        if what not in UNWRITTEN:
            fields = {
                "method": request.method, "path": _written(request), "status": response.status_code,
                "ms": round(seconds * 1000, 1),
            }  # fmt: skip
            _log.info("request", extra={"fields": fields})
        return response

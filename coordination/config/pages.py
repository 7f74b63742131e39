"""What does a person or a program read when a request fails before or outside of any room?"""

import logging
import sys
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.shortcuts import render
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)
SAFE = ("GET", "HEAD", "OPTIONS")


def wants_problem(request: HttpRequest) -> bool:
    """Say whether the caller is a program: it gets RFC 9457, a person gets a page."""
    return request.path_info.startswith("/api/") or request.path_info.startswith("/oauth/")


def answer(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    """Return the refusal ``status`` as a problem document or as a house page."""
    current = getattr(request, "request_id", "")
    if wants_problem(request):
        response: HttpResponse = JsonResponse(
            {
                "type": f"urn:muster:problem:{code}",
                "title": HTTPStatus(status).phrase,
                "status": status,
                "code": code,
                "detail": message,
                "request_id": current,
            },
            status=status,
            content_type="application/problem+json",
        )
    else:
        response = render(
            request, "errors/error.html", {"status": status, "message": message, "request_id": current}, status=status
        )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "2"
    response["Cache-Control"] = "no-store"
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400, or 413 when what was sent is too big."""
    if isinstance(exception, RequestDataTooBig):
        return answer(request, 413, "too_big", _("What was sent is too big."))
    if isinstance(exception, TooManyFieldsSent | TooManyFilesSent):
        return answer(request, 400, "too_many_fields", _("Too many fields were sent at once."))
    return answer(request, 400, "bad_request", _("The request could not be read."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return answer(request, 403, "forbidden", _("You may not do this."))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: absent or hidden, which must look the same."""
    return answer(request, 404, "not_found", _("There is nothing here that you can see."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that does not come from one of our pages; nothing was done."""
    logger.info("csrf: %s", reason)
    return answer(
        request,
        403,
        "csrf",
        _("The form could not be accepted, so nothing was saved. Open the page again and repeat it."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: shows the request id and nothing else; 503 when the database was the reason."""
    exception = sys.exc_info()[1]
    passing = failed(request, exception) if isinstance(exception, Exception) else None
    if passing is not None:
        return passing
    said = (
        _("Something went wrong here.")
        if request.method in SAFE
        else _("Something went wrong here. Look whether it was saved before you repeat it.")
    )
    return answer(request, 500, "server_error", said)


def failed(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """Return the answer for what passes by itself: 503 for a database away or locked, 409 for a race; else None."""
    if isinstance(exception, OperationalError | InterfaceError):
        logger.warning("database: %s", exception)
        return answer(request, 503, "unavailable", _away(request))
    if isinstance(exception, IntegrityError):
        logger.warning("race: %s", exception)
        return answer(request, 409, "conflict", _("Somebody else was quicker. Load the page again and look."))
    if isinstance(exception, UnreadablePostError):
        return answer(request, 400, "bad_request", _("The request could not be read."))
    return None


def _away(request: HttpRequest) -> str:
    """What is certain where PostgreSQL went away: the COMMIT may have been its last deed."""
    if request.method in SAFE:
        return _("The data store does not answer. Try again in a moment.")
    return _(
        "The data store does not answer, and nobody knows yet whether this was saved."
        " Send the same again: what was done is not done twice."
    )

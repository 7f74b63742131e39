"""Can this request be read at all?"""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext as _

from coordination.config.pages import answer, bad_request, wants_problem


class GuardMiddleware:
    """Refuse with 400 what no view should ever see: NUL and lone surrogates in path, query or form.

    Programs that call without TLS hear 403 (people are led to https): a redirect would hide what they do.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap ``get_response``."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request``, or 400."""
        with override(get_language_from_request(request)):  # what chooses the language comes after this
            refused = _refusal(request)
        return refused if refused is not None else self.get_response(request)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    try:
        if unreadable(request.path_info) or unreadable(request.META.get("QUERY_STRING", "")) or _bad_query(request):
            return bad_request(request)
    except TooManyFieldsSent as error:
        return bad_request(request, error)
    if settings.SECURE_SSL_REDIRECT and wants_problem(request) and not request.is_secure():
        return answer(request, 403, "tls_needed", _("Programs call over https: what was sent here was not safe."))
    return None


def unreadable(text: str) -> bool:
    """Say whether ``text`` holds what PostgreSQL and UTF-8 cannot: NUL, a lone surrogate, replaced bad bytes."""
    return "\x00" in text or "\ufffd" in text or any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)


def _bad_query(request: HttpRequest) -> bool:
    return any(unreadable(name) or any(unreadable(value) for value in values) for name, values in request.GET.lists())

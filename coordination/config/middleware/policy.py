"""What may a page load, said in the same words by every process?"""

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class PolicyMiddleware(CSPMiddleware):  # type: ignore[misc]  # django-csp's types are not looked at
    """Writes the policy's directives in one order.

    The library takes them out of a set, in an order of each process's own: answers that must not differ by a byte would
    differ as soon as two processes answer.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add the policy unless the answer has one of its own."""
        had = HEADER in response
        answer: HttpResponseBase = super().process_response(request, response)
        if not had and HEADER in answer:
            answer[HEADER] = "; ".join(sorted(answer[HEADER].split("; ")))
        return answer

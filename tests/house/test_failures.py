"""What is answered when the database is away, locked or contradicted?"""

import json

import pytest
from django.db import IntegrityError, OperationalError
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import translation

from coordination.config import pages
from coordination.config.middleware.failures import FailureMiddleware


def request(path: str) -> HttpRequest:
    made = RequestFactory().get(path)
    made.request_id = "abcdefgh-1"  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize(
    ("exception", "status"), [(OperationalError("gone"), 503), (IntegrityError("twice"), 409), (ValueError("x"), None)]
)
def test_what_passes_is_told_from_what_is_our_fault(exception: Exception, status: int | None) -> None:
    answer = FailureMiddleware(lambda _request: None).process_exception(request("/api/v1/x"), exception)  # type: ignore[arg-type, return-value]
    if status is None:
        assert answer is None
        return
    assert answer is not None
    assert answer.status_code == status
    said = json.loads(answer.content)
    assert said["status"] == status
    assert said["request_id"] == "abcdefgh-1"
    assert ("Retry-After" in answer) == (status == 503)


def test_a_failure_outside_of_views_shows_nothing_but_the_request() -> None:
    """S43: a failure outside of views shows nothing but the request."""
    try:
        raise ValueError("secret detail")
    except ValueError:
        answer = pages.server_error(request("/api/v1/x"))
    assert answer.status_code == 500
    assert b"secret" not in answer.content
    assert json.loads(answer.content)["request_id"] == "abcdefgh-1"


def test_a_database_that_is_away_outside_of_views_is_503() -> None:
    """S45: a database that is away outside of views is 503."""
    try:
        raise OperationalError("gone")
    except OperationalError:
        answer = pages.server_error(request("/api/v1/x"))
    assert answer.status_code == 503


@pytest.mark.parametrize(
    ("method", "away", "fault"),
    [
        ("GET", "Try again in a moment.", "Something went wrong here."),
        ("POST", "what was done is not done twice", "Look whether it was saved"),
    ],
)
def test_nobody_is_told_that_nothing_was_saved_where_nobody_knows(method: str, away: str, fault: str) -> None:
    asked = request("/api/v1/x")
    asked.method = method
    with translation.override("en"):
        answer = pages.failed(asked, OperationalError("gone at COMMIT"))
        assert answer is not None
        assert away in json.loads(answer.content)["detail"]
        said = json.loads(pages.server_error(asked).content)["detail"]
    assert fault in said
    assert "othing was saved" not in said

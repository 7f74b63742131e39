"""What does the house answer before any room is asked?"""

from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def test_live_asks_nobody(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert client.get("/health/live").json() == {"status": "ok"}


def test_ready_names_its_checks(client: Client) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert set(answer.json()["checks"]) == {"database", "migrations", "disk"}
    assert client.post("/health/ready").status_code == 405


def test_every_answer_carries_the_headers(client: Client) -> None:
    """S12, S13: every answer carries the headers."""
    for path in ("/health/live", "/no-such-page", "/api/v1/no-such-thing"):
        answer = client.get(path)
        policy = answer["Content-Security-Policy"]
        for part in (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "img-src 'self' data: blob:",
        ):
            assert part in policy, (path, part)
        assert "unsafe" not in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer["X-Frame-Options"] == "DENY"


def test_a_request_id_is_kept_when_it_has_the_form_and_made_when_not(client: Client) -> None:
    assert client.get("/health/live", headers={"X-Request-ID": "abcdef-12345"})["X-Request-ID"] == "abcdef-12345"
    for wrong in ("short", "x" * 65, "with space in it", "semi;colon;here"):
        assert client.get("/health/live", headers={"X-Request-ID": wrong})["X-Request-ID"] != wrong


@pytest.mark.parametrize("path", ["/?q=%00", "/?a%00=1", "/%00", "/?q=%ff%fe", "/?q=%ed%a0%80"])
def test_what_cannot_be_read_is_400(client: Client, path: str) -> None:
    assert client.get(path).status_code == 400


def test_a_wrong_host_is_400(client: Client) -> None:
    """S14: a wrong host is 400."""
    assert client.get("/no-such-page", headers={"Host": "evil.example"}).status_code == 400


def test_an_absent_page_is_a_page_and_an_absent_api_address_a_problem(client: Client) -> None:
    page = client.get("/no-such-page", headers={"Accept-Language": "en"})
    assert page.status_code == 404
    assert "There is nothing here that you can see." in page.content.decode()
    problem = client.get("/api/v1/no-such-thing")
    assert problem.status_code == 404
    assert problem["Content-Type"].startswith("application/problem+json")


def test_a_form_from_elsewhere_is_refused_with_a_page() -> None:
    """S11: a form from elsewhere is refused with a page."""
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "x"}, headers={"Accept-Language": "en"})
    assert answer.status_code == 403
    assert "nothing was saved" in answer.content.decode()


def test_too_big_and_too_many_are_said(client: Client) -> None:
    big = client.post("/sign-in/", "a=" + "x" * 1_100_000, content_type="application/x-www-form-urlencoded")
    assert big.status_code == 413
    many = client.post("/sign-in/", "&".join(f"a{n}=1" for n in range(1_500)), "application/x-www-form-urlencoded")
    assert many.status_code == 400


def test_broken_multipart_is_refused(client: Client) -> None:
    half = client.post("/sign-in/", b"--x\r\nnonsense", content_type="multipart/form-data; boundary=x")
    assert half.status_code in {400, 422}
    assert client.post("/sign-in/", b"--x\r\nnonsense", content_type="multipart/form-data").status_code == 400

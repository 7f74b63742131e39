"""S14: is nobody's word taken for what only the proxy may say: from where, by which name, over TLS or not?"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from accounts.models import OpenSession
from coordination.config import serve
from tests.accounts.people import PASSWORD, department, person

FORGED = {"X-Forwarded-For": "10.66.6.6", "X-Real-IP": "10.66.6.6", "X-Forwarded-Host": "evil.example",
          "X-Forwarded-Proto": "https", "Forwarded": "for=10.66.6.6;host=evil.example"}  # fmt: skip


@pytest.mark.django_db
def test_forged_headers_change_neither_address_nor_host(settings: Any) -> None:
    """S14: what a browser says of itself is not believed: the session notes the connection's address."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MUSTER_REQUIRE_MFA = False
    person("fire1", (department("fire"), "duty_officer"))
    client = Client(REMOTE_ADDR="10.1.1.1")
    sent = {"username": "fire1", "password": PASSWORD}
    answer = client.post("/sign-in/", sent, headers=FORGED)
    assert answer["Location"] == "/"
    assert OpenSession.objects.get().address == "10.1.1.1"
    assert "evil" not in client.get("/sign-in/link/x/y/", headers=FORGED).content.decode()
    assert not client.get("/sessions/", headers=FORGED).wsgi_request.is_secure()


async def seen_from(client: str, proxies: str) -> tuple[str, str]:
    """Address and scheme that the application sees of a request with forwarded headers from ``client``."""
    seen: dict[str, Any] = {}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)

    configured = serve.configuration("127.0.0.1", 8000, proxies)
    served: Any = application
    if configured.proxy_headers:
        served = ProxyHeadersMiddleware(application, trusted_hosts=configured.forwarded_allow_ips)
    scope = {"type": "http", "scheme": "http", "client": (client, 1), "headers": [
        (b"x-forwarded-for", b"10.66.6.6"), (b"x-forwarded-proto", b"https")]}  # fmt: skip
    await served(scope, None, None)
    return seen["client"][0], seen["scheme"]


@pytest.mark.parametrize(
    ("client", "proxies", "wanted"),
    [
        ("10.1.1.1", "", ("10.1.1.1", "http")),
        ("10.1.1.1", "10.0.0.9", ("10.1.1.1", "http")),
        ("10.0.0.9", "10.0.0.9", ("10.66.6.6", "https")),
    ],
)
async def test_forwarded_headers_count_from_the_named_proxy_alone(
    client: str, proxies: str, wanted: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S14: without MUSTER_PROXIES nobody's, with it those of the proxies it names."""
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    assert await seen_from(client, proxies) == wanted

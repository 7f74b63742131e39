"""Do pages and the API, as a service of their own, know who asks, and stop in order?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection

from coordination.config import serve_pages
from coordination.config.addresses import Database
from coordination.config.launcher.demo import free_port
from coordination.config.launcher.folders import REPOSITORY


def heard(proxies: str, **environ: str) -> dict[str, Any]:
    """Return what the application hears of a request."""
    kept: dict[str, Any] = {}

    def inner(environ: dict[str, Any], _start: Any) -> list[bytes]:
        kept.update(environ)
        return []

    serve_pages.Behind(inner, proxies)(dict(environ), lambda *_: None)
    return kept


@pytest.mark.parametrize(
    ("proxies", "peer", "said", "asks"),
    [
        ("*", "172.18.0.9", "10.1.2.3", "10.1.2.3"),
        ("*", "172.18.0.9", "6.6.6.6, 10.1.2.3", "10.1.2.3"),  # the last one is our proxy's own word
        ("172.18.0.0/16", "172.18.0.9", "10.1.2.3", "10.1.2.3"),
        ("172.18.0.0/16", "172.19.0.9", "10.1.2.3", "172.19.0.9"),
        ("", "172.18.0.9", "10.1.2.3", "172.18.0.9"),
        ("*", "172.18.0.9", "nobody", "172.18.0.9"),
        ("*", "172.18.0.9", "", "172.18.0.9"),
        ("*", "fd00::9", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_who_asks_is_said_by_the_proxy_alone(proxies: str, peer: str, said: str, asks: str) -> None:
    found = heard(proxies, REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=said)
    assert found["REMOTE_ADDR"] == asks
    assert "HTTP_X_FORWARDED_FOR" not in found


def test_nobody_else_may_say_that_it_came_over_tls() -> None:
    said = {"REMOTE_ADDR": "172.18.0.9", "HTTP_X_FORWARDED_PROTO": "https"}
    assert heard("172.18.0.9", **said)["HTTP_X_FORWARDED_PROTO"] == "https"
    assert "HTTP_X_FORWARDED_PROTO" not in heard("172.18.0.10", **said)


@pytest.fixture
def service(transactional_db: None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The service on a free port, on this test's database, by a secret that stands in a file."""
    port = free_port()
    found = connection.settings_dict
    address = Database(
        name=found["NAME"], user=found["USER"], password=found["PASSWORD"], host=found["HOST"],
        port=int(found["PORT"]) if found["PORT"] else None,
    )  # fmt: skip
    environment = {
        **os.environ, "MUSTER_PROCESS": "web", "MUSTER_PLAIN_HTTP": "1", "MUSTER_SECRET_KEY": "for this test only" * 4,
        "DATABASE_URL": address.url(), "MUSTER_STATIC_ROOT": str(settings.STATIC_ROOT),
    }  # fmt: skip
    command = [sys.executable, "-m", "coordination.config.serve_pages", "--port", str(port)]
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment)
    yield f"http://127.0.0.1:{port}", process
    if process.poll() is None:
        process.kill()
        process.wait(10)


def until_it_answers(url: str) -> httpx.Response:
    for _ in range(300):
        try:
            return httpx.get(url, timeout=5, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("it does not answer")


@pytest.mark.stack
def test_it_serves_keeps_its_connections_and_stops_in_order(service: tuple[str, subprocess.Popen[bytes]]) -> None:
    url, process = service
    assert until_it_answers(f"{url}/health/live").status_code == 200
    for _ in range(40):
        assert httpx.get(f"{url}/health/ready", trust_env=False).json()["checks"]["database"] == "ok"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = 'muster-web' AND datname = current_database()"
        )
        assert 1 <= cursor.fetchone()[0] <= serve_pages.THREADS  # kept by each thread, not one for each request
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0


def test_two_processes_write_the_same_headers() -> None:
    script = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "print(Client().get('/health/live', headers={'host': 'localhost'})['Content-Security-Policy'])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script], cwd=REPOSITORY, check=True, capture_output=True, text=True,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "coordination.config.settings", "PYTHONHASHSEED": seed},
        ).stdout.strip().splitlines()[-1]
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(said) == 1
    assert said.pop().startswith("base-uri 'none'; connect-src 'self'; default-src 'none'; ")

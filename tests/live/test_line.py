"""What do people notice of a bad line between web and Redis, or between web and PostgreSQL?"""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings

from coordination.config.addresses import database_url, parse_database_url
from tests.browser.window import patience
from tests.events import outside
from tests.faults.proxy import Proxy
from tests.live import ground
from tests.live.ground import Screen, Web

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

Say = Callable[[str], None]
ANSWER, GIVEN_UP, SCREEN = 2.0, 3.0, 16.0


class Ends:
    """A web process whose Redis and PostgreSQL are reached through proxies, and somebody who writes there."""

    def __init__(self, folder: Path, city: SimpleNamespace) -> None:
        self.postgres, database = _before_postgres(folder)
        self.redis, redis = _before_redis(folder)
        self.web = Web(DATABASE_URL=database, REDIS_URL=redis)
        token = "a" * 32
        officer = ground.person("olga", city.fire, "duty_officer")
        cookie = f"{ground.sign_in(officer, city.fire)}; {settings.CSRF_COOKIE_NAME}={token}"
        self.http = httpx.Client(
            base_url=self.web.origin, headers={"Cookie": cookie, "X-CSRFToken": token, "Origin": self.web.origin},
            timeout=30, trust_env=False,
        )  # fmt: skip

    def close(self) -> None:
        """End what was begun."""
        self.http.close()
        self.web.stop()
        self.redis.close()
        self.postgres.close()

    def write(self) -> tuple[int, float]:
        """Take in a report; the status, and the seconds that took."""
        began = time.monotonic()
        body = {"channel": "hotline", "text": "Smoke over the harbour."}
        answer = self.http.post("/api/v1/reports", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        return answer.status_code, time.monotonic() - began


def _before_postgres(folder: Path) -> tuple[Proxy, str]:
    """A proxy before the tests' PostgreSQL, on a socket or a port of this machine; and the address through it."""
    address = parse_database_url(outside.environment()["DATABASE_URL"])
    number = int(address.port or 5432)
    if not address.host.startswith("/"):
        proxy = Proxy(number)
        return proxy, database_url(replace(address, host="127.0.0.1", port=proxy.port))
    name = f".s.PGSQL.{number}"
    return Proxy(Path(address.host) / name, folder / name), database_url(replace(address, host=str(folder)))


def _before_redis(folder: Path) -> tuple[Proxy, str]:
    """The same for Redis."""
    found = urlsplit(settings.REDIS_URL)
    if found.scheme != "unix":
        proxy = Proxy(found.port or 6379)
        return proxy, found._replace(netloc=f"127.0.0.1:{proxy.port}").geturl()
    return Proxy(Path(found.path), folder / "redis"), f"unix://{folder}/redis?{found.query}"


@pytest.fixture
def ends(city: SimpleNamespace) -> Iterator[Ends]:
    with tempfile.TemporaryDirectory(prefix="muster-l") as folder:
        made = Ends(Path(folder), city)
        yield made
        made.close()


def test_redis_behind_a_bad_line(ends: Ends, city: SimpleNamespace, figure: Say) -> None:
    """F11: late, dripping, deaf, half open, reset, cut, garbled: who writes does not notice, screens catch up."""
    proxy = ends.redis
    assert ends.write()[0] == 201
    screen = Screen(ends.web, city.anna_cookie, {city.f: [1, 0]})
    screen.hear_kind("ready")
    strikes: dict[str, Callable[[], None]] = {
        "late": lambda: proxy.slow(delay=1.0),
        "dripping": lambda: proxy.slow(rate=20),
        "black hole": proxy.black_hole,
        "half open": proxy.half_open,
        "reset": proxy.reset,
        "cut": proxy.cut,
        "garbled": lambda: proxy.corrupt(1.0),
    }
    worst: dict[str, tuple[float, float]] = {}
    for name, strike in strikes.items():
        strike()
        found = [ends.write() for _ in range(5)]
        ended = time.monotonic()
        head = ground.log_heads([city.f])[city.f][1]
        screen.hear_seq(city.f, head, SCREEN * patience())
        worst[name] = (max(seconds for _status, seconds in found), time.monotonic() - ended)
        assert {status for status, _seconds in found} == {201}, name
        proxy.heal()
    said = ", ".join(f"{name} {write:.2f}/{shown:.1f}" for name, (write, shown) in worst.items())
    figure(f"slowest write and screen, s: {said}")
    assert max(write for write, _shown in worst.values()) <= ANSWER * patience()
    assert screen.seen[city.f] == list(range(1, screen.cursors[city.f][1] + 1))


def test_postgres_behind_a_line_that_swallows(ends: Ends, figure: Say) -> None:
    """F13: 503 within 3 s, right again by itself once the line is, whatever it did to the connections kept."""
    proxy = ends.postgres
    bound = GIVEN_UP + 0.2 * (patience() - 1)
    for _ in range(20):
        assert ends.write()[0] == 201
    proxy.slow(delay=0.02)
    assert ends.write()[0] == 201
    proxy.heal()
    worst: dict[str, float] = {}
    for name, strike in (
        ("black hole", proxy.black_hole), ("half open", proxy.half_open), ("reset", proxy.reset), ("cut", proxy.cut),
    ):  # fmt: skip
        strike()
        found = [ends.write() for _ in range(3)]
        assert {status for status, _seconds in found} <= {201, 503}, name
        if name == "black hole":
            assert {status for status, _seconds in found} == {503}
        assert ends.http.get("/health/live").status_code == 200
        proxy.heal()
        end = time.monotonic() + 20 * bound
        good = 0
        while good < 20 and time.monotonic() < end:  # each thread has met its dead connection
            found.append(ends.write())
            good = good + 1 if found[-1][0] == 201 else 0
        worst[name] = max(seconds for _status, seconds in found)
        assert good == 20, name
    figure(", ".join(f"{name}: at most {seconds:.2f} s" for name, seconds in worst.items()) + f" (bound {bound:.1f})")
    assert max(worst.values()) <= bound

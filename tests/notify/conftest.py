"""What do the tests of messages share?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from coordination.events import clock
from coordination.notify import channels, wiring
from coordination.notify.management.commands.sms_gateway import serve
from tests.deadlines import city as cities
from tests.notify.wire import Wire


@pytest.fixture
def city(db: None) -> cities.City:
    """The small city."""
    return cities.build(clock.now())


@pytest.fixture
def wired() -> Iterator[None]:
    """What other rooms answer is empty during the test, and as before afterwards."""
    kept = (dict(wiring.guards), dict(wiring.facts), dict(wiring.sent), list(wiring.unreached), list(wiring.poison))
    wiring.facts.clear()
    wiring.sent.clear()
    yield
    guards, facts, sent, unreached, poison = kept
    wiring.install(
        guards_by_type=guards, facts_by_type=facts, sent_by_type=sent, unreached_calls=unreached, poison_calls=poison
    )


@pytest.fixture
def gateway(settings: object, tmp_path: Path) -> Iterator[str]:
    """The local SMS gateway, and the setting that leads to it."""
    server = serve(0, tmp_path / "messages.jsonl")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/messages"
    settings.MUSTER_SMS_URL = url  # type: ignore[attr-defined]
    yield url
    server.shutdown()
    server.server_close()


@pytest.fixture
def sms(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """SMS by a wire of ours."""
    wire = Wire(resend=False)
    monkeypatch.setitem(channels.CHANNELS, "sms", wire)
    return wire


@pytest.fixture
def email(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Mail by a wire of ours."""
    wire = Wire(resend=True)
    monkeypatch.setitem(channels.CHANNELS, "email", wire)
    return wire

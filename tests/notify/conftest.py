"""What do the tests of messages share?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coordination.events import clock
from coordination.notify import wiring
from tests.deadlines import city as cities


@pytest.fixture
def city(db: None) -> cities.City:
    """The small city."""
    return cities.build(clock.now())


@pytest.fixture
def wired() -> Iterator[None]:
    """What other rooms answer is empty during the test, and as before afterwards."""
    kept = (dict(wiring.guards), dict(wiring.facts), dict(wiring.sent), list(wiring.unreached))
    wiring.facts.clear()
    wiring.sent.clear()
    yield
    guards, facts, sent, unreached = kept
    wiring.install(guards_by_type=guards, facts_by_type=facts, sent_by_type=sent, unreached_calls=unreached)

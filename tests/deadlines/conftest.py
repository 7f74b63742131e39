"""What do the tests of deadlines share?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coordination.deadlines import handlers
from coordination.events import clock
from tests.deadlines import city as cities


@pytest.fixture
def handler() -> Iterator[cities.IncidentHandler]:
    """Incidents are subjects during the test."""
    before = dict(handlers.installed())
    yield cities.install()
    handlers.install(before)


@pytest.fixture
def city(db: None, handler: cities.IncidentHandler) -> cities.City:
    """The small city."""
    return cities.build(clock.now())

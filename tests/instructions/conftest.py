"""What do the tests of orders stand on?"""

from __future__ import annotations

import copy

import pytest

from tests import standing
from tests.instructions.world import World, build

built = standing.once(build)


@pytest.fixture
def world(built: World, db: None) -> World:
    """The small city, as it was built."""
    return copy.deepcopy(built)

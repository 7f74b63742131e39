"""What do the tests of operations share?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.api.conftest import Speaker
from tests.api.conftest import city as city
from tests.permissions.conftest import world as world
from tests.permissions.world import World


@pytest.fixture
def speak(world: World) -> Callable[[str], Speaker]:
    """Return who speaks as this principal."""
    return lambda name: Speaker(world, name)

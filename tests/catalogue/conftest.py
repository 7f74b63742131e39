"""What do tests of the catalogue stand on?"""

import copy

import pytest

from tests import standing
from tests.catalogue import ground as grounds

built = standing.once(grounds.build)


@pytest.fixture
def ground(built: grounds.Ground, db: None) -> grounds.Ground:
    """The departments, as they were made."""
    return copy.deepcopy(built)

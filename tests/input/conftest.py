"""The small city of the permission tests: every actor and every object once."""

from __future__ import annotations

import pytest

from tests.permissions.conftest import standing
from tests.permissions.conftest import world as world

city = pytest.fixture(scope="module", name="city")(standing)

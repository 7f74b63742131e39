"""The small city of the permission tests, for walks through the API."""

from __future__ import annotations

import pytest

from tests.permissions.conftest import standing
from tests.permissions.conftest import world as world

city = pytest.fixture(scope="module", name="city")(standing)

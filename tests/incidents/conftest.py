"""What do all tests of incidents stand on?"""

import copy
from pathlib import Path
from typing import Any

import pytest

from incidents import closing
from tests import standing
from tests.incidents import cast

built = standing.once(cast.build)


@pytest.fixture
def city(built: cast.City, db: None) -> cast.City:
    """The coastal city, as it was built."""
    return copy.deepcopy(built)


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(autouse=True)
def nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """No room above is asked unless a test hands its question down."""
    monkeypatch.setattr(closing, "_ask", [])

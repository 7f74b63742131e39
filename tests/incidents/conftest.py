"""What do all tests of incidents stand on?"""

from pathlib import Path
from typing import Any

import pytest

from incidents import closing
from tests.incidents import cast


@pytest.fixture
def city(db: None) -> cast.City:
    return cast.build()


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(autouse=True)
def nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """No room above is asked unless a test hands its question down."""
    monkeypatch.setattr(closing, "_ask", [])

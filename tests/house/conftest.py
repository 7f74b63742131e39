"""In which language does the launcher speak to its tests?"""

import pytest


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the terminal's language is."""
    monkeypatch.setenv("LANGUAGE", "en")

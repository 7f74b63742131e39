"""How is what went wrong said so that a row can hold it?"""

from __future__ import annotations

LONGEST = 300


def plain(text: str) -> str:
    """A foreign system's words without what PostgreSQL holds in no text: NUL, half characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def why(error: Exception) -> str:
    """One line about an error."""
    return plain(f"{type(error).__name__}: {error}")[:LONGEST]

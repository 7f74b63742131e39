"""Which counts may be told?"""

from __future__ import annotations

FEWEST = 5
"""Fewer would tell of single ones what a mask hides."""


def told_count(n: int, masked: bool) -> int | None:
    """A count as it may be told; None (fewer than five, or none) where what is counted by, or over, is masked."""
    return None if masked and n < FEWEST else n

"""What do deadlines do after something has happened elsewhere?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from coordination.deadlines import actions


def unreached(subject_type: str, subject_id: int, guard: Mapping[str, Any], now: datetime) -> None:
    """Nobody of a ladder step could be reached by any channel: treat it as empty and run the next step now."""
    if {"kind", "generation", "level"} <= set(guard):
        actions.hasten(
            subject_type=subject_type,
            subject_id=subject_id,
            kind=str(guard["kind"]),
            generation=int(guard["generation"]),
            after_level=int(guard["level"]),
            now=now,
        )

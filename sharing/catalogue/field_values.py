"""Is this JSON value one of a field type, and how do two of them compare?"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time
from typing import Any

_YEAR = re.compile(r"-?[0-9]{4}")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?")


def ordered(kind: str, value: Any) -> Any:
    """The value as something comparable, or None where it is none of an ordered type."""
    if isinstance(value, bool):
        return None
    if kind == "integer":
        return value if isinstance(value, int) else None
    if kind == "number":
        return value if isinstance(value, int | float) and math.isfinite(value) else None
    if kind == "year":
        if isinstance(value, int):
            return value if -9999 <= value <= 9999 else None
        return int(value) if isinstance(value, str) and _YEAR.fullmatch(value) else None
    if not isinstance(value, str) or len(value) > 40:
        return None
    if kind == "yearmonth":
        return value if _MONTH.fullmatch(value) else None
    return _moment(kind, value)


def _moment(kind: str, value: str) -> Any:
    try:
        if kind == "date":
            return date.fromisoformat(value) if _DATE.fullmatch(value) else None
        if kind == "time":
            return time.fromisoformat(value).replace(tzinfo=None) if _TIME.fullmatch(value) else None
        if kind == "datetime":
            day, mark, clock = value.partition("T")
            if not mark or not _DATE.fullmatch(day) or not _TIME.fullmatch(clock):
                return None
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return None


def fits(kind: str, value: Any) -> bool:
    """Whether a listed value can stand in a field of this type."""
    if kind in ("integer", "number", "year", "yearmonth", "date", "time", "datetime"):
        return ordered(kind, value) is not None
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("string", "duration"):
        return isinstance(value, str) and len(value) <= 1000
    return isinstance(value, str | list | dict)

"""Which fields of a row leave the house?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any


def project(rows: Iterable[Mapping[str, Any]], *, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows of ``.values()`` cut down to the fields named; what is not named is absent."""
    for row in rows:
        if not isinstance(row, Mapping):
            raise TypeError("project takes rows of .values() only")
        yield {name: row[name] for name in fields if name in row}

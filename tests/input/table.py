"""What do the rows of bad input say, and how much of them is tried in this run?"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tests import drawing

TABLE = Path(__file__).with_name("rows.yaml")
LAST = 40
SHARE = {
    "json": 0.15, "posted": 0.15, "multipart": 1, "any": 0.15, "query": 0.3, "page query": 0.15, "id": 0.25,
    "keyed": 0.2, "version": 0.25, "command": 0.2, "form": 0.25, "field": 0.08, "number": 0.15, "time": 0.2,
    "text": 0.08, "choice": 0.15, "repeated": 0.2, "twice": 0.2, "form version": 0.2,
}  # fmt: skip
"""Of the operations and fields that a row of this place fits, so many are tried in an ordinary run."""


@dataclass(frozen=True)
class Try:
    """One thing to send."""

    name: str
    sent: Any
    kind: str | None = None


@dataclass(frozen=True)
class Row:
    """One row: see the head of ``rows.yaml``."""

    row: str
    says: str
    place: str = ""
    answer: Sequence[int] = ()
    header: str = ""
    mix: int = 1
    tries: Sequence[Try] = ()
    proof: Sequence[str] = ()
    not_yet: Sequence[str] = field(default_factory=tuple)

    def drawn(self, key: str) -> Sequence[Try]:
        """Return the tries sent to the operation (and field) ``key`` in this run: some by the seed, or all."""
        if drawing.whole():
            return self.tries
        chance = random.Random(f"{drawing.seed()} {self.row} {self.says} {key}")
        if chance.random() > SHARE.get(self.place, 1):
            return ()
        return chance.sample(list(self.tries), min(self.mix, len(self.tries)))


@lru_cache
def rows() -> tuple[Row, ...]:
    """Return the whole table."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(_row(one) for one in yaml.load(TABLE.read_text(encoding="utf-8"), loader))


def at(place: str) -> list[Row]:
    """Return the rows of one place."""
    return [row for row in rows() if row.place == place]


def _row(given: dict[str, Any]) -> Row:
    tries = given.pop("tries", None)
    kinds = given.pop("as", [None])
    named = tries.items() if tries is not None else [("", None)]
    return Row(**given, tries=tuple(Try(str(name), sent, kind) for name, sent in named for kind in kinds))

"""What does every format take, and what does it give?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
Batches = Iterable[Sequence[Row]]


class Unreadable(ValueError):
    """What was delivered is not in the format that it should be; the text says what is wrong, and is translated."""


@dataclass(frozen=True)
class Head:
    """What stands above the records: facts about the download by key (label, text), and the fields by name."""

    about: Mapping[str, tuple[str, Any]]
    names: Sequence[str]
    place: str = ""


@dataclass
class End:
    """What is known only after the last record; ``why``: for what reason the download ends before its end."""

    rows: int = 0
    complete: bool = False
    why: str = ""
    words: str = ""

    def said(self) -> dict[str, Any]:
        """The same as JSON."""
        return {"rows": self.rows, "complete": self.complete, "why": self.why}


@dataclass
class Table:
    """Records as they came in: names of the columns, and each row with its number in the file."""

    names: list[str] = field(default_factory=list)
    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)


Write = Callable[[Head, Batches, End], Iterator[bytes]]
Read = Callable[[bytes, int], Table]


@dataclass(frozen=True)
class Format:
    """One format. ``write``: at least one piece for each batch of rows, none of which waits for the next batch.

    ``end`` is complete when the last batch was taken. ``read``: at most so many rows and one more. ``typed``: numbers
    and truths come in as such. ``most``: rows that a file can hold.
    """

    name: str
    media: str
    suffix: str
    write: Write
    read: Read | None = None
    typed: bool = True
    places: bool = False
    most: int | None = None


def plain(value: Any) -> Any:
    """A value as a cell of a table holds it: nothing, a truth, a number or a text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list) and len(value) == 2 and all(isinstance(one, int | float) for one in value):
        return f"{value[0]}, {value[1]}"
    return json.dumps(value, ensure_ascii=False)

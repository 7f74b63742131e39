"""Which moves do an entry of the catalogue and a request for its data allow in which state?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Move:
    """A move or act: the states it starts from and where it leads (empty: it stays)."""

    name: str
    sources: tuple[str, ...]
    to: str = ""


MOVES = (
    Move("change", ("draft", "published")),
    Move("add_schema", ("draft", "published")),
    Move("publish", ("draft",), "published"),
    Move("confirm", ("published",)),
    Move("retire", ("published",), "retired"),
)


def move(name: str) -> Move:
    """The move of this name."""
    return next(one for one in MOVES if one.name == name)


def moves_from(state: str, *, restricted: bool) -> list[str]:
    """Moves allowed in a state; only entries on restricted terms are confirmed each year."""
    return [one.name for one in MOVES if state in one.sources and (restricted or one.name != "confirm")]


WAITING = ("submitted", "screened")
ANSWERED_YES = ("granted", "partly_granted")
REQUEST_MOVES = (
    Move("submit", ("draft",), "submitted"),
    Move("screen", ("submitted",), "screened"),
    Move("grant", WAITING, "granted"),
    Move("refuse", WAITING, "refused"),
    Move("withdraw", ("draft", *WAITING), "withdrawn"),
)
"""A grant of less than was asked leads to ``partly_granted``. No move is made by time alone."""


def request_move(name: str) -> Move:
    """The move of a request of this name."""
    return next(one for one in REQUEST_MOVES if one.name == name)


def request_moves_from(state: str) -> list[str]:
    """Moves of a request allowed in a state."""
    return [one.name for one in REQUEST_MOVES if state in one.sources]

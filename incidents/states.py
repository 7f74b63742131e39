"""Which moves does an incident, a report and a participation allow, and which right does each need?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

OPEN = frozenset({"reported", "verified", "responding", "controlled", "recovering"})
ENDED = frozenset({"closed", "rejected", "merged"})


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table: from where to where, by which right, and what must be entered.

    ``right`` is a right of ``sharing/access/rights.yaml``. ``fields`` are the names the act takes; those of
    ``needed`` must not be empty. Every move of an incident overwrites its state, so each wants If-Match.
    """

    name: str
    sources: frozenset[str]
    target: str
    right: str
    fields: tuple[str, ...] = ("why",)
    needed: tuple[str, ...] = ()


MOVES: tuple[Move, ...] = (
    Move("verify", frozenset({"reported"}), "verified", "state"),
    Move("respond", frozenset({"verified"}), "responding", "state"),
    Move("control", frozenset({"responding"}), "controlled", "state"),
    Move("recover", frozenset({"controlled"}), "recovering", "state"),
    Move("relapse", frozenset({"controlled", "recovering"}), "responding", "state", needed=("why",)),
    Move("close", frozenset({"controlled", "recovering"}), "closed", "close"),
    Move("reject", frozenset({"reported", "verified"}), "rejected", "reject", needed=("why",)),
    Move("merge", OPEN, "merged", "merge", ("into", "why"), ("into",)),
    Move("reopen", frozenset({"closed"}), "responding", "reopen", needed=("why",)),
    Move("reopen", frozenset({"rejected"}), "reported", "reopen", needed=("why",)),
)

ACTS: tuple[Move, ...] = (
    Move(
        "describe", OPEN, "", "link",
        ("headline_zh", "headline_en", "description", "place", "latitude", "longitude", "area", "type", "occurred_at"),
    ),
    Move("set_scale", OPEN, "", "scale", ("scale", "value", "why"), ("scale", "why")),
    Move("invite", OPEN, "", "participation", ("department", "role", "why"), ("department", "role")),
    Move("transfer_command", OPEN, "", "command", ("department", "person", "why"), ("department", "why")),
    Move("set_objective", OPEN, "", "objective", ("text", "by"), ("text",)),
    Move("set_end_condition", OPEN, "", "objective", ("text",)),
    Move("link", OPEN, "", "link", ("other", "why"), ("other",)),
    Move("set_parent", OPEN, "", "link", ("parent", "why")),
    Move("add_log", OPEN | {"closed"}, "", "log", ("text", "kind", "headline_zh", "headline_en"), ("text",)),
    Move("attach", OPEN | {"closed", "merged"}, "", "attach", ("file",), ("file",)),
    Move("share", OPEN | ENDED, "", "share", ("department", "reach", "max_class", "valid_to"), ("department",)),
    Move("pause", OPEN, "", "pace", ()),
    Move("resume", OPEN, "", "pace", ()),
    Move("set_pace", OPEN, "", "pace", ("pace",), ("pace",)),
)
"""What may be done to an incident without moving its state."""

DECIDING = frozenset({move.name for move in MOVES} | {"describe", "set_scale", "transfer_command", "set_end_condition"})
"""Names of those that overwrite or decide: they want the version the caller has seen."""


@dataclass(frozen=True, slots=True)
class ParticipationMove:
    """``who``: ``own`` = the department itself, ``command`` = whoever holds the right ``participation``."""

    source: str
    target: str
    who: frozenset[Literal["own", "command"]]
    reason: bool = False


_OWN: frozenset[Literal["own", "command"]] = frozenset({"own"})
_COMMAND: frozenset[Literal["own", "command"]] = frozenset({"command"})

PARTICIPATION_MOVES: tuple[ParticipationMove, ...] = (
    ParticipationMove("alerted", "standing_by", _OWN),
    ParticipationMove("alerted", "active", _OWN),
    ParticipationMove("alerted", "unable", _OWN, reason=True),
    ParticipationMove("standing_by", "active", _OWN),
    ParticipationMove("standing_by", "unable", _OWN, reason=True),
    ParticipationMove("active", "standing_by", _OWN),
    ParticipationMove("active", "unable", _OWN, reason=True),
    ParticipationMove("unable", "standing_by", _OWN),
    ParticipationMove("unable", "active", _OWN),
    ParticipationMove("alerted", "stood_down", _COMMAND),
    ParticipationMove("standing_by", "stood_down", _COMMAND | _OWN),
    ParticipationMove("active", "stood_down", _COMMAND | _OWN),
    ParticipationMove("unable", "stood_down", _COMMAND | _OWN),
    ParticipationMove("standing_by", "alerted", _COMMAND),
    ParticipationMove("unable", "alerted", _COMMAND),
    ParticipationMove("stood_down", "alerted", _COMMAND),
)

REPORT_MOVES: dict[str, tuple[frozenset[str], str]] = {
    "verify": (frozenset({"received", "refuted"}), "verified"),
    "refute": (frozenset({"received", "verified"}), "refuted"),
}


def find(state: str, to: str) -> Move | None:
    """The move that leads from ``state`` to ``to`` (a state or the move's own name), or None."""
    return next((move for move in MOVES if state in move.sources and to in (move.target, move.name)), None)


def moves_from(state: str) -> list[str]:
    """Names of the moves that ``state`` allows, whoever asks."""
    return list(dict.fromkeys(move.name for move in MOVES if state in move.sources))


def participation_move(source: str, target: str) -> ParticipationMove | None:
    """The row for this change of a participation, or None."""
    return next((row for row in PARTICIPATION_MOVES if (row.source, row.target) == (source, target)), None)


def allowed_actions(may: Callable[[str], bool], state: str, *, story: bool, paused: bool) -> list[Move]:
    """Every move and act that the state and the actor's rights allow now.

    ``may`` tells whether the actor holds a right on this incident. ``story``: an exercise or a demo story, the only
    ones whose clock can be paused or set faster.
    """
    held: dict[str, bool] = {}

    def has(right: str) -> bool:
        if right not in held:
            held[right] = may(right)
        return held[right]

    return [
        move
        for move in (*MOVES, *ACTS)
        if state in move.sources and _clock_fits(move.name, story, paused) and has(move.right)
    ]


def _clock_fits(name: str, story: bool, paused: bool) -> bool:
    if name in ("pause", "set_pace"):
        return story and not (paused and name == "pause")
    return name != "resume" or (story and paused)


def rights() -> Iterable[str]:
    """Every right the tables name, for the check against the rights file."""
    return sorted({move.right for move in (*MOVES, *ACTS)})

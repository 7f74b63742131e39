"""Which moves does the closed loop know, and which of them are open to whom right now?

One table of data (``MOVES``) yields allowed actions, refusals, the permission matrix, timers and tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.refused import Forbidden, MoveNotAllowed
from coordination.instructions.states.assignment_moves import (
    ASK_MOVES,
    ASSIGNMENT_MOVES,
    OPEN,
    TERMINAL,
    UNTOUCHED,
    WORKING,
)
from coordination.instructions.states.instruction_moves import CONTENT, INSTRUCTION_MOVES
from coordination.instructions.states.table import Field, Move, Subject, Who

__all__ = [
    "CONTENT", "MOVES", "OPEN", "QUIET", "TERMINAL", "UNTOUCHED", "WORKING",
    "Case", "Field", "Move", "SamePerson", "Who",
    "allowed", "check", "is_party", "move_named", "open_moves", "relations",
]

MOVES: tuple[Move, ...] = (*INSTRUCTION_MOVES, *ASSIGNMENT_MOVES, *ASK_MOVES)
_BY_NAME: dict[tuple[str, str], Move] = {(move.subject, move.action): move for move in MOVES}
QUIET: frozenset[tuple[str, str]] = frozenset((move.subject, move.action) for move in MOVES if move.quiet)
"""Moves that change nothing anybody decides on."""


class SamePerson(Forbidden):
    """Four eyes: this person has already acted on the other side of the same step."""

    code = "same_person"


@dataclass(frozen=True, slots=True)
class Case:
    """What the table needs to know around one subject; built by ``queries.cases``, free of further reads.

    ``state``: the subject's state (for moves of a version the version's). ``conditions``: names that hold now.
    ``persons``: actor keys by part played (author, approver, issuer_person, submitter,
    ruler).
    """

    subject: Subject
    state: str
    issuer_id: int
    issuer_above: frozenset[int] = frozenset()
    executing_id: int | None = None
    executing_above: frozenset[int] = frozenset()
    command_ids: frozenset[int] = frozenset()
    commander_id: int | None = None
    lead_id: int | None = None
    arbiter_id: int | None = None
    decider_id: int | None = None
    drafter_key: str = ""
    phase: str = ""
    conditions: frozenset[str] = frozenset()
    persons: dict[str, frozenset[str]] = field(default_factory=dict)


_VERSION_MOVES = frozenset({"edit", "submit", "withdraw", "return_draft", "approve", "issue", "issue_first"})


def move_named(subject: str, action: str) -> Move:
    """The row of the table; KeyError where there is none."""
    return _BY_NAME[(subject, action)]


def relations(actor: Actor, case: Case) -> frozenset[str]:
    """How the actor's department (or the actor) stands to the subject."""
    if actor.kind == "system":
        return frozenset({"system"})
    found = set()
    department = actor.department_id
    if department is not None:
        if department == case.issuer_id:
            found.add("issuer")
        if department == case.executing_id:
            found.add("executing")
        if department in case.executing_above:
            found.add("above")
        if department in case.issuer_above:
            found.add("above_issuer")
        if department in case.command_ids:
            found.add("command")
        if department == case.lead_id:
            found.add("lead")
        if department == case.arbiter_id:
            found.add("arbiter")
        if department == case.decider_id:
            found.add("decider")
    if actor.is_person and actor.id is not None:
        if actor.id == case.commander_id:
            found.add("command")
        if case.drafter_key and actor.key == case.drafter_key:
            found.add("drafter")
    return frozenset(found)


def is_party(actor: Actor, move: Move, case: Case) -> bool:
    """Whether the actor is one of those who may make this move at all (posts and relation, not state)."""
    if actor.kind not in ("person", "client", "system"):
        return False
    mine = relations(actor, case)
    for who in move.who:
        if who.relation not in mine or (who.when and not _holds(who.when, case)):
            continue
        if actor.kind == "system":
            return True
        if actor.kind == "client":
            if move.client:
                return True
            continue
        posts = actor.posts
        if who.relation == "command" and actor.id == case.commander_id:
            posts = posts | {"commander"}
        if "*" in who.posts or posts & who.posts:
            return True
    return False


def open_moves(case: Case) -> list[Move]:
    """Moves the state and its conditions allow now, to whomever."""
    return [move for move in MOVES if move.subject == case.subject and _is_open(move, case)]


def allowed(actor: Actor, case: Case) -> list[Move]:
    """Moves this actor can make on this subject now, in the order of the table."""
    return [
        move
        for move in open_moves(case)
        if is_party(actor, move, case) and not _same_person(actor, move, case)
    ]


def check(actor: Actor, move: Move, case: Case) -> None:
    """Raise `Forbidden` (403), `SamePerson` (403) or `MoveNotAllowed` (409, with state and what is allowed)."""
    if not is_party(actor, move, case):
        raise Forbidden(
            _("This step is not yours: it belongs to another department or post."), right=move.action
        )
    if not _is_open(move, case):
        raise MoveNotAllowed(
            _("This is not possible in the present state."),
            state=_state_for(move, case),
            allowed=[other.action for other in allowed(actor, case)],
        )
    if _same_person(actor, move, case):
        raise SamePerson(_("Another person must do this: four eyes see more than two."), right=move.action)


def _state_for(move: Move, case: Case) -> str:
    return case.phase if case.phase and move.subject == "instruction" and move.action in _VERSION_MOVES else case.state


def _is_open(move: Move, case: Case) -> bool:
    return _state_for(move, case) in move.sources and all(_holds(name, case) for name in move.needs)


def _holds(name: str, case: Case) -> bool:
    return (name[1:] not in case.conditions) if name.startswith("!") else name in case.conditions


def _same_person(actor: Actor, move: Move, case: Case) -> bool:
    return any(actor.key in case.persons.get(part, frozenset()) for part in move.not_by)

"""How is one move of the loop written down as data?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Subject = Literal["instruction", "assignment", "ask"]

COMMANDING = frozenset({"duty_officer", "commander", "head"})
APPROVING = frozenset({"approver", "commander", "head"})
COMMANDER = frozenset({"commander"})
HEAD = frozenset({"head"})
ANY_POST = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class Who:
    """One party that may make a move: a relation to the subject and the posts that carry it.

    Relations: issuer (I), executing (E), above (A, over E), command (C), lead (L), arbiter, decider (hears an
    appeal), above_issuer, drafter, system. ``when`` names a condition that must hold for this party (``!x``: must
    not hold).
    """

    relation: str
    posts: frozenset[str] = COMMANDING
    when: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a move. ``type``: text, integer, number, boolean, datetime, department, choice, object, list."""

    name: str
    type: str = "text"
    required: bool = True
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table.

    ``sources``: states the move leaves (for moves of a version: the version's state). ``target``: the state it
    reaches; None = it stays or depends (said in ``note``). ``needs``: conditions (see ``cases``), ``!`` negates.
    ``not_by``: whose persons may not make it (four eyes). ``deciding``: it overwrites or decides, so an edge asks
    for If-Match. ``quiet``: it changes nothing that anybody decides on, so a decision on the version before it
    stands. ``ball``: who must move next: issuer, executing, platform, command, arbiter, nobody or keep.
    ``arms`` / ``stops``: kinds of deadlines.
    """

    action: str
    subject: Subject
    sources: frozenset[str]
    target: str | None
    who: tuple[Who, ...]
    fields: tuple[Field, ...] = ()
    needs: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()
    client: bool = False
    deciding: bool = False
    quiet: bool = False
    ball: str = "keep"
    arms: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    note: str = ""

    @property
    def system_only(self) -> bool:
        """Whether only the platform itself makes this move."""
        return all(who.relation == "system" for who in self.who)


ISSUER = Who("issuer")
EXECUTING = Who("executing")
COMMAND = Who("command")
SYS = Who("system", ANY_POST)
ISSUER_OR_COMMANDER = (ISSUER, Who("command", COMMANDER))

REASON = Field("reason")
VERSION = Field("version", "integer")
NOTE = Field("note", required=False)

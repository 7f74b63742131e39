"""What is behind a deadline, and what does it do itself when its time comes?

Each room that owns subjects writes one handler; ``coordination/config/deadline_handlers.py`` lists them by subject
type and hands them over once at start.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # the lists are read before the tables are
    from django.db import models

    from coordination.deadlines.models import Deadline

#: kinds whose next move is the issuing side's: their ladder climbs the issuer's line
ISSUER_KINDS = frozenset({"approve", "confirm", "evaluate"})


@dataclass(frozen=True, slots=True)
class Parties:
    """Who is who around one subject; department ids. Filled without a query (``lock`` has read what it needs).

    ``issuer`` I, ``executing`` E (whose line the ladder climbs), ``above`` A (None: parent of the climbed line),
    ``command`` C (empty: the command centre nearest to the issuer). ``climbs`` names another department for single
    kinds, like {"confirm": arbiter}. ``incident_type``, ``grade``, ``area`` and ``duty`` choose the owner to propose.
    ``streams``: where `deadline.fired` is recorded, home first; empty: the incident's and both departments'.
    """

    issuer: int | None = None
    executing: int | None = None
    above: int | None = None
    command: tuple[int, ...] = ()
    incident_id: int | None = None
    incident_type: str = ""
    grade: int | None = None
    area: str = ""
    duty: str | None = None
    exercise: bool = False
    streams: tuple[str, ...] = ()
    climbs: Mapping[str, int] = field(default_factory=dict)

    def line(self, kind: str) -> int | None:
        """The department whose people a deadline of this kind reminds first."""
        if kind in self.climbs:
            return self.climbs[kind]
        return self.issuer if kind in ISSUER_KINDS else self.executing


@dataclass(frozen=True, slots=True)
class Firing:
    """One deadline that fired: ``step`` ran (empty: the ladder holds none), ``people`` were told, ids.

    ``skipped``: steps before it in which there was nobody. ``outage``: the time ran out while no engine ran.
    """

    subject: Any
    deadline: Deadline
    step: str
    people: tuple[int, ...]
    skipped: tuple[str, ...] = ()
    outage: bool = False


class Handler(Protocol):
    """What the engine asks of the room that owns a subject. `BaseHandler` answers what may stay unanswered."""

    def lock(self, ids: Sequence[int]) -> Mapping[int, Any]:
        """Return {id: subject} for those it can lock now (``FOR UPDATE SKIP LOCKED``), with all that parties needs."""

    def still_due(self, subject: Any, deadline: Deadline) -> bool:
        """Whether this deadline still means something for the locked subject (state, version)."""

    def parties(self, subject: Any) -> Parties:
        """Who is issuing, executing, above and in command."""

    def describe(self, subject: Any) -> dict[str, Any]:
        """Return {"args": {"number", "headline_zh", "headline_en", ...}} for messages."""

    def fire_many(self, firings: Sequence[Firing], now: datetime) -> None:
        """Do the subjects' own effect, in the engine's transaction."""

    def without_deadline(self, now: datetime, limit: int) -> Sequence[int]:
        """Return ids of open subjects that have no live deadline though they need one."""

    def rearm(self, ids: Iterable[int], now: datetime) -> int:
        """Arm again what those subjects need; return how many were mended."""


class BaseHandler(ABC):
    """A handler whose subject has no effect of its own and nothing to mend."""

    @abstractmethod
    def lock(self, ids: Sequence[int]) -> Mapping[int, Any]:
        """To be written by each handler."""

    def still_due(self, subject: Any, deadline: Deadline) -> bool:
        """Yes, unless the subject's handler knows better."""
        return True

    @abstractmethod
    def parties(self, subject: Any) -> Parties:
        """To be written by each handler."""

    def describe(self, subject: Any) -> dict[str, Any]:
        """Nothing but what its name says."""
        return {"args": {"number": str(subject), "headline_zh": str(subject), "headline_en": str(subject)}}

    def fire(self, subject: Any, deadline: Deadline, now: datetime) -> None:  # noqa: B027 - none is a good answer
        """Do the subject's own effect (none here)."""

    def fire_many(self, firings: Sequence[Firing], now: datetime) -> None:
        """Call `fire` one by one; handlers of many subjects override this with set-based statements."""
        for firing in firings:
            self.fire(firing.subject, firing.deadline, now)

    def without_deadline(self, now: datetime, limit: int) -> Sequence[int]:
        """None known."""
        return []

    def rearm(self, ids: Iterable[int], now: datetime) -> int:
        """Nothing to mend."""
        return 0


class UnknownSubjectError(LookupError):
    """A deadline of a subject type that no handler is listed for."""


_handlers: dict[str, Handler] = {}


def install(handlers: Mapping[str, Handler]) -> None:
    """Take the handlers, by subject type in label form like ``instructions.assignment``."""
    _handlers.clear()
    _handlers.update(handlers)


def handler(subject_type: str) -> Handler:
    """Return the handler of a subject type; UnknownSubjectError where none is listed."""
    try:
        return _handlers[subject_type]
    except KeyError:
        raise UnknownSubjectError(subject_type) from None


def installed() -> Mapping[str, Handler]:
    """All handlers by subject type."""
    return _handlers


def type_of(subject: models.Model) -> str:
    """The subject type of an object, like ``instructions.assignment``."""
    return subject._meta.label_lower

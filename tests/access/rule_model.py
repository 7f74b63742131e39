"""What do standing rules open, said as a history: apart from the code, for the property test to judge it by.

At a moment something is open by a rule to whoever it carries then, or whom it carried before and whose grace, by what
took it away, has not run out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.access.model import DAY, Tree


@dataclass(frozen=True)
class Rule:
    """One rule; ``until``: when it ended, by itself or by a steward."""

    role: str
    fields: dict[str, Any]
    filter: dict[str, Any]
    ceiling: int
    type_path: str
    lowest_level: int
    grace: timedelta | None
    since: datetime
    until: datetime | None
    owner: int
    personal: bool

    def stands(self, at: datetime) -> bool:
        """Whether it has not ended."""
        return self.until is None or at < self.until


@dataclass(frozen=True)
class Moment:
    """How an incident stood from a moment on: which departments took part as what, and which rules stood."""

    at: datetime
    parts: dict[int, str]
    level: int | None
    kind: str
    open: bool
    rules: dict[int, Rule]


@dataclass
class History:
    """All that happened around one incident."""

    tree: Tree
    exercise: bool
    moments: list[Moment] = field(default_factory=list)

    def add(self, at: datetime, **changed: Any) -> None:
        """Something happens."""
        before = self.moments[-1] if self.moments else Moment(at, {}, None, "accident.fire", True, {})
        self.moments.append(replace(before, at=at, **changed))

    @property
    def now(self) -> Moment:
        """How it stands."""
        return self.moments[-1]

    def open_to(self, d: int, at: datetime) -> list[Rule]:
        """The rules by which a department has data at a moment."""
        past = [one for one in self.moments if one.at <= at]
        found = []
        for number in past[-1].rules if past else ():
            said = past[-1].rules[number]
            if not said.stands(at) or at < said.since:
                continue
            if any(self._has(past, number, d, on, at) for on in range(len(self.tree.parent))):
                found.append(said)
        return found

    def _has(self, past: list[Moment], number: int, d: int, on: int, at: datetime) -> bool:
        if self._carries(past[-1], number, d, on):
            return True
        return any(
            self._carries(before, number, d, on) and not self._carries(after, number, d, on)
            and at < after.at + self._kept(before, after, number, on)
            for before, after in zip(past, past[1:], strict=False)
        )

    def _carries(self, moment: Moment, number: int, d: int, on: int) -> bool:
        """Whether a rule gives to ``d`` because ``on`` takes part."""
        said, role = moment.rules.get(number), moment.parts.get(on)
        if said is None or role != said.role or not moment.open or d == said.owner:
            return False
        if self.exercise and (said.personal or said.ceiling >= 3):
            return False
        centres = self.tree.centres(on)
        if d != on and not (role == "lead" and centres and centres[0] == d):
            return False
        wide = said.type_path == "" or (moment.kind + ".").startswith(said.type_path + ".")
        return wide and (moment.level or 4) <= said.lowest_level and said.stands(moment.at)

    def _kept(self, before: Moment, after: Moment, number: int, on: int) -> timedelta:
        """For how long is kept what was taken away between two moments."""
        said = after.rules[number]
        if said.ceiling >= 3 or after.at < said.since:
            return timedelta(0)
        if not after.open or on not in after.parts:
            return DAY if said.grace is None else said.grace
        if after.parts[on] != before.parts[on]:
            return timedelta(0)
        return said.grace or timedelta(0)

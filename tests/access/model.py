"""A small model of who sees what, written apart from the code it judges, for the property test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

DAY = timedelta(hours=24)
VIEWING = {"duty_officer", "commander", "head", "approver", "data_steward", "observer"}


@dataclass
class Tree:
    """Departments by number: parent (None = root) and whether it is a command centre."""

    parent: list[int | None]
    centre: list[bool]

    def above(self, d: int) -> list[int]:
        """Those above, nearest first."""
        up = self.parent[d]
        return [] if up is None else [up, *self.above(up)]

    def under(self, d: int) -> set[int]:
        """It and all below."""
        return {x for x in range(len(self.parent)) if x == d or d in self.above(x)}

    def centres(self, d: int) -> list[int]:
        """Command centres up the line: itself, then the children of each step."""
        found = [d] if self.centre[d] else []
        for step in [d, *self.above(d)]:
            found += [
                x for x in range(len(self.parent)) if self.centre[x] and self.parent[x] == step and x not in found
            ]
        return found


@dataclass
class Sight:
    """One reason to see one incident."""

    who: int  # a department; with ``glass`` a person
    on_account_of: int
    kind: str  # part, above, centre, owner, shared, glass
    role: str
    reach: int
    ceiling: int
    commands: bool
    since: datetime
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it holds at a moment."""
        return self.since <= at and (self.until is None or at < self.until)

    def stop(self, at: datetime) -> None:
        """End it at a moment at the latest."""
        self.until = at if self.until is None else min(self.until, at)


def level(role: str, response: int | None) -> tuple[int, int]:
    """(reach, ceiling) in the words of the rule."""
    high, highest = response in (1, 2), response == 1
    return {
        "lead": (3, 3),
        "support": (3, 3 if high else 2),
        "informed": (3 if highest else 1, 2 if high else 1),
    }[role]


@dataclass
class Incident:
    """What is open to whom on one incident."""

    tree: Tree
    sights: list[Sight] = field(default_factory=list)

    def join(self, d: int, role: str, response: int | None, now: datetime) -> None:
        """A department takes part."""
        if role == "reporter":
            fresh = [Sight(d, d, "owner", role, 2, 1, False, now)]
            kinds = {"owner"}
        else:
            kinds = {"part", "above", "centre"}
            fresh = [Sight(d, d, "part", role, *level(role, response), role == "lead", now)]
            centres = self.tree.centres(d)
            if role == "lead" and centres:
                first = centres.pop(0)
                if first != d:
                    fresh.append(Sight(first, d, "centre", "lead", 3, 3, True, now))
            for up in {*self.tree.above(d), *centres} - {d}:
                fresh.append(Sight(up, d, "above", "informed", *level("informed", response), False, now))
        for old in self.sights:
            if old.on_account_of == d and old.kind in kinds and old.holds(now):
                old.stop(now)
        self.sights += fresh

    def leave(self, d: int, now: datetime) -> None:
        """A department leaves."""
        for one in self.sights:
            if one.on_account_of == d and one.kind in {"part", "above", "centre"} and one.holds(now):
                one.ceiling, one.commands = min(one.ceiling, 2), False
                one.stop(now + DAY)

    def relevel(self, response: int | None, now: datetime) -> None:
        """Another response level."""
        for one in self.sights:
            if one.kind in {"part", "above", "centre"} and one.until is None:
                one.reach, one.ceiling = level(one.role, response)

    def close(self, now: datetime) -> None:
        """The incident closes."""
        for one in [s for s in self.sights if s.holds(now)]:
            if one.kind in ("owner", "glass") or one.role == "lead":
                continue
            if one.kind == "part" and one.until is None:
                self.sights.append(Sight(one.who, one.who, "owner", "took_part", 2, 1, False, now))
            one.ceiling, one.commands = min(one.ceiling, 2), False
            one.stop(now + DAY)

    def share(self, d: int, reach: int, ceiling: int, until: datetime | None, now: datetime) -> None:
        """Shared by hand."""
        for one in self.sights:
            if one.kind == "shared" and one.who == d and one.holds(now):
                one.stop(now)
        self.sights.append(Sight(d, d, "shared", "", reach, ceiling, False, now, until))

    def shatter(self, person: int, now: datetime, until: datetime) -> Sight:
        """Opened to a person for an emergency."""
        self.sights.append(Sight(person, person, "glass", "", 3, 3, False, now, until))
        return self.sights[-1]

    def sees(
        self,
        d: int,
        at: datetime,
        *,
        who: int,
        reach: int,
        klass: int = 0,
        owners: frozenset[int] = frozenset(),
        alone: bool = False,
        kept_by: int | None = None,
    ) -> bool:
        """Whether a person of the department sees a row of this incident (``kept_by``: a draft of that department)."""
        if kept_by is not None and kept_by not in self.tree.under(d) and not self.commands(d, at):
            return False
        held = [s for s in self.sights if s.who == (who if s.kind == "glass" else d) and s.holds(at)]
        if any(s.reach >= reach and s.ceiling >= klass for s in held):
            return True
        theirs = owners & self.tree.under(d)
        if alone and theirs:
            return True
        if d in owners and any(s.reach >= 2 for s in held):
            return True
        return bool(theirs) and any(s.reach >= 2 and s.ceiling >= klass for s in held)

    def commands(self, d: int, at: datetime) -> bool:
        """Whether the department commands here."""
        return any(s.who == d and s.holds(at) and s.commands for s in self.sights)

"""Who stands where around a batch of due deadlines, at this very moment?

Everything is read in bulk: the first question of a kind loads the answer for all departments of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from accounts import queries
from accounts.models import Responsibility
from accounts.queries import Reachable
from coordination.deadlines.handlers import Parties

Lookup = Callable[[Iterable[int], datetime], dict[int, list[Reachable]]]


class Roster:
    """Answers for one batch; constant queries whatever its size."""

    def __init__(self, parties: Iterable[tuple[Parties, int | None]], at: datetime) -> None:
        """``parties``: of each subject, with the department whose line its ladder climbs."""
        self.at = at
        self._lines: set[int] = set()
        self._centres_for: set[int] = set()
        self._known: set[int] = set()
        for one, line in parties:
            if line is not None:
                self._lines.add(line)
            if one.above is not None:
                self._known.add(one.above)
            base = one.issuer if one.issuer is not None else line
            if not one.command and base is not None:
                self._centres_for.add(base)
            self._known.update(one.command)
        self._known |= self._lines
        self._parents: dict[int, int | None] | None = None
        self._centres: dict[int, tuple[int, ...]] | None = None
        self._answers: dict[str, dict[int, list[Reachable]]] = {}
        self._leads: dict[tuple[str | None, str, int | None, str], list[Responsibility]] = {}

    def on_duty(self, department_id: int | None) -> list[Reachable]:
        """Shift, else deputy, else standing duty officers."""
        return self._ask("on_duty", queries.on_duty_many, department_id)

    def next_on_duty(self, department_id: int | None) -> list[Reachable]:
        """The deputy of the current shift, else the next shift's person."""
        return self._ask("next_on_duty", queries.next_on_duty_many, department_id)

    def heads(self, department_id: int | None) -> list[Reachable]:
        """Heads of the department."""
        return self._ask("heads", queries.heads_many, department_id)

    def holders(self, department_id: int | None, post: str) -> list[Reachable]:
        """Who holds a post in the department."""
        return self._ask(post, lambda ids, at: queries.holders_many(ids, post, at), department_id)

    def above(self, parties: Parties, line: int | None) -> int | None:
        """The department above the climbed line."""
        if parties.above is not None and line == parties.executing:
            return parties.above
        if line is None:
            return None
        if self._parents is None:
            found = queries.departments_by_id(self._lines)
            self._parents = {pk: department.parent_id for pk, department in found.items()}
            self._known.update(pk for pk in self._parents.values() if pk is not None)
        return self._parents.get(line)

    def command(self, parties: Parties, line: int | None) -> tuple[int, ...]:
        """The departments of the incident command, else the command centre nearest to the issuer."""
        if parties.command:
            return parties.command
        base = parties.issuer if parties.issuer is not None else line
        if base is None:
            return ()
        if self._centres is None:
            lists = queries.command_centres_of(self._centres_for)
            self._centres = {pk: tuple(centre.pk for centre in centres[:1]) for pk, centres in lists.items()}
            self._known.update(pk for found in self._centres.values() for pk in found)
        return self._centres.get(base, ())

    def leads(self, parties: Parties) -> list[Responsibility]:
        """Who should lead such a matter, the most specific first, without the department that has it now."""
        key = (parties.duty, parties.incident_type, parties.grade, parties.area)
        if key not in self._leads:
            self._leads[key] = queries.leads_for(*key)
        return [row for row in self._leads[key] if row.department_id != parties.executing]

    def _ask(self, name: str, lookup: Lookup, department_id: int | None) -> list[Reachable]:
        if department_id is None:
            return []
        answers = self._answers.setdefault(name, {})
        if department_id not in answers:
            self._known.add(department_id)
            answers.update(lookup(sorted(self._known - answers.keys()), self.at))
        return answers.get(department_id, [])

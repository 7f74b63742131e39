"""What may be chosen in the fields of an act?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from accounts import queries as accounts
from coordination.events.actor import Actor
from coordination.events.at_once import Steps
from sharing.catalogue import queries as catalogue

Options = list[tuple[Any, str]]
NOTHING = ("", "–")


class Choices:
    """The options of one page's forms; each list is read once, when a form first needs it."""

    def __init__(self, actor: Actor) -> None:
        """Options as ``actor`` has them."""
        self.actor = actor
        self._tables: dict[str, Options] = {}

    @cached_property
    def departments(self) -> Options:
        """Every department that is active."""
        return [(row.pk, row.name) for row in accounts.departments()]

    @cached_property
    def below(self) -> Options:
        """The departments below the actor's own."""
        under = (
            set(accounts.subtree_ids(self.actor.department_id)) - {self.actor.department_id}
            if self.actor.department_id
            else set()
        )
        return [option for option in self.departments if option[0] in under]

    def codes(self, table: str) -> Options:
        """A code table in the reader's language."""
        if table not in self._tables:
            self._tables[table] = [(row.code, row.name) for row in catalogue.codes(table)]
        return self._tables[table]

    def steps(self, tables: Sequence[str]) -> Steps[None]:
        """Read several tables beside other questions; one step."""
        found = yield from catalogue.codes_steps(tables)
        for table, rows in found.items():
            self._tables[table] = [(row.code, row.name) for row in rows]

    def name(self, table: str, code: str) -> str:
        """A code's name; the code itself where the table does not have it."""
        return dict(self.codes(table)).get(code, code) if code else ""

    def for_act(self, subject: str, name: str) -> dict[str, Options]:
        """Options by field name for one act."""
        if name == "decline":
            other = [option for option in self.departments if option[0] != self.actor.department_id]
            return {"code": [NOTHING, *self.codes("decline_reason")], "suggested": [("", _("I do not know")), *other]}
        if name in ("reassign", "assign"):
            return {"department": [NOTHING, *self.departments]}
        if name == "arbitrate":
            return {"owner": [NOTHING, *self.departments]}
        if name == "grant":
            return {"owner": [NOTHING, *self.departments]}
        if name == "cancel" and subject == "assignment":
            return {"successor": [NOTHING, *self.departments]}
        if name == "delegate":
            return {"department": [NOTHING, *self.below]}
        if name == "evaluate":
            timely = [("", _("as the clock has it")), *self.codes("timeliness")]
            return {"outcome": [NOTHING, *self.codes("outcome_grade")], "timeliness": timely}
        if name in ("feedback", "acknowledge"):
            return {"unit": [NOTHING, *self.codes("unit")]}
        return {}

    def for_content(self, others: Sequence[tuple[int, str, bool]] = ()) -> dict[str, Options]:
        """Options of the compose form. ``others``: instructions it may follow, and whether it may replace them."""
        return {
            "type": [NOTHING, *self.codes("incident_type")],
            "linked_id": [NOTHING, *((pk, words) for pk, words, _replace in others)],
            "supersedes_id": [NOTHING, *((pk, words) for pk, words, replace in others if replace)],
            "lead": [NOTHING, *self.departments],
            "support": self.departments,
            "verb": [NOTHING, *self.codes("verb")],
            "unit": [NOTHING, *self.codes("unit")],
        }

"""A small model of who holds which records of which dataset, written apart from the code it judges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.access.model import VIEWING, Tree

MASKS = ["full", "bucket", "generalise", "partial", "pseudonym", "constant", "null"]
"""From what hides least to what hides most."""


@dataclass(frozen=True)
class Looker:
    """Somebody of a department: a person by number with posts, another system (``client``) or a wall (``display``)."""

    kind: str
    number: int
    department: int
    posts: tuple[str, ...] = ()


@dataclass
class Given:
    """One grant on one dataset."""

    dataset: int
    holder: tuple[str, Any]
    fields: dict[str, Any]
    ceiling: int
    rows: Any
    since: datetime
    until: datetime | None
    revoked: datetime | None = None
    retired: bool = False

    def is_for(self, who: Looker, tree: Tree) -> bool:
        """Whether its holder is, or takes in, the one who looks."""
        kind, key = self.holder
        return {
            "department": who.department == key,
            "subtree": kind == "subtree" and who.department in tree.under(key),
            "post": kind == "post" and who.department == key[0] and key[1] in who.posts,
            "person": who.kind == "person" and who.number == key,
            "display": who.kind == "display" and who.number == key,
            "every_department": True,
        }[kind]

    def holds(self, who: Looker, tree: Tree, at: datetime) -> bool:
        """Whether it opens anything to them at a moment."""
        if who.kind == "person" and not VIEWING & set(who.posts):
            return False
        over = (self.until is not None and self.until <= at) or (self.revoked is not None and self.revoked <= at)
        return self.since <= at and not over and not self.retired and self.is_for(who, tree)

    def shows(self, record: dict[str, Any]) -> bool:
        """Whether a record is among its rows."""
        if not self.rows:
            return True
        value = record.get(self.rows["field"])
        if self.rows["op"] == "lt":
            return value is not None and value < self.rows["value"]
        return value in self.rows["value"]

    def field(self, name: str, level: int, who: Looker) -> str:
        """How it shows a field: full, a mask, or absent."""
        rule = self.fields.get(name)
        ceiling = min(self.ceiling, 2) if who.kind == "display" else self.ceiling
        if rule is None or level > ceiling:
            return "absent"
        return rule if isinstance(rule, str) else rule["mask"]


def best(ways: list[str]) -> str:
    """Of several ways to show a field that which hides least."""
    return min(ways, key=[*MASKS, "absent"].index, default="absent")

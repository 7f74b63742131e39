"""Which rights are there, and which posts give them?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from coordination.events.actor import Actor

Needs = Literal["view", "command", "department", "none"]


@dataclass(frozen=True, slots=True)
class Right:
    """One row of ``rights.yaml``; its head explains the fields."""

    name: str
    posts: frozenset[str]
    needs: Needs
    reach: int = 1
    clients: bool = False
    displays: bool = False

    def open_to(self, actor: Actor) -> bool:
        """Whether this kind of actor, with its posts, may have the right at all."""
        if actor.kind == "system":
            return True
        if actor.department_id is None or actor.id is None:
            return False
        if actor.kind == "person":
            return bool(actor.posts & self.posts)
        return (actor.kind == "client" and self.clients) or (actor.kind == "display" and self.displays)


class UnknownRightError(LookupError):
    """A right that ``rights.yaml`` does not name was asked for: an error of the program."""


def _load() -> dict[str, Right]:
    rows: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return {
        name: Right(
            name=name,
            posts=frozenset(row["posts"]),
            needs=row["needs"],
            reach=row.get("reach", 1),
            clients=row.get("clients", False),
            displays=row.get("displays", False),
        )
        for name, row in rows.items()
    }


RIGHTS = _load()


def right(name: str) -> Right:
    """The right of this name."""
    try:
        return RIGHTS[name]
    except KeyError:
        raise UnknownRightError(name) from None

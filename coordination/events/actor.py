"""Who acts?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["person", "client", "display", "system", "anonymous"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts or looks, in one department at a time.

    ``id``: primary key of the person, API client or display; None for system and anonymous.
    ``posts``: codes of the posts held in ``department_id`` at this moment (empty for all but persons).
    ``oauth_scopes``: what a client's token allows; they only narrow.
    """

    kind: Kind
    id: int | None = None
    department_id: int | None = None
    posts: frozenset[str] = frozenset()
    oauth_scopes: frozenset[str] = frozenset()
    language: str = "zh-hans"

    @property
    def key(self) -> str:
        """Stable name for logs, command ids and limits, like ``person:12``."""
        return f"{self.kind}:{self.id}" if self.id is not None else self.kind

    @property
    def is_person(self) -> bool:
        """Whether a human signed in as themself."""
        return self.kind == "person"

    @property
    def post(self) -> str:
        """The most telling post held, for the record; empty where none."""
        for code in ("commander", "head", "duty_officer", "approver"):
            if code in self.posts:
                return code
        return min(self.posts, default="")


SYSTEM = Actor("system")
ANONYMOUS = Actor("anonymous")

"""Why does somebody see an object, or why not: what is said of it?

Codes and facts only; the words stand in the templates. Nothing of the object's own content is among them: what it is,
where it hangs, whose it is, its class, and by what it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from coordination.events.actor import Actor
from sharing.access.models import Grant

IN_FORCE, NOT_YET, LAPSED, REVOKED, RETIRED = "in_force", "not_yet", "lapsed", "revoked", "retired"
"""How a grant stands at a moment; ``retired``: the holder that it was given to is no more."""


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was asked. ``holds``: whether it lets the object be seen; None where it does not matter.

    ========== ======================================================================================================
    may_view   a post held now (or the kind of a system or wall) lets one view at all; posts, wanted, kind, department
    hangs_on   which incident or dataset opens it; object (``incidents.incident:12``), empty where it hangs on nothing
    grants     a grant in force on that, of one of one's scopes; in_force, all
    reach      one of them reaches this kind of object; needed, widest
    class      one of those reaches up to the object's class; needed, widest
    filter     the row filter of one of them lets the record through
    own        it is one's own department's, or of one below; owner (``own``, ``below``, ``""``), alone (without grant)
    wall       what may hang on a wall; shown (the wall stands for this), class_most
    private    a draft is its keeper's alone; public, owner, commands
    ========== ======================================================================================================
    """

    code: str
    holds: bool | None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """One grant to one of the scopes of the person, with how it stands. ``passes``: whether its filter lets this record
    through; None where there is no record, or the grant does not hold.
    """

    grant: Grant
    state: str
    passes: bool | None = None

    def as_row(self) -> dict[str, Any]:
        """As it goes out."""
        grant = self.grant
        return {
            "id": grant.pk, "state": self.state, "holder": f"{grant.scope.kind}:{grant.scope.key}".rstrip(":"),
            "source": grant.source, "role": grant.role, "actions": grant.actions, "reach": grant.policy.reach,
            "max_class": grant.policy.max_class, "filter": grant.filter, "passes": self.passes,
            "purpose": grant.purpose, "incident_id": grant.incident_id, "because": grant.because,
            "valid_from": grant.valid_from, "valid_to": grant.valid_to, "revoked_at": grant.revoked_at,
            "revoked_by": grant.revoked_by, "revoked_why": grant.revoked_why,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldTold:
    """One field. ``shown``: full, the kind of its mask, or absent; ``why`` absent: unnamed, above_class, not_opened."""

    name: str
    classification: int
    shown: str
    grant_ids: tuple[int, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer: whether ``who`` sees the object at that moment, and every rule and grant that it rests on."""

    object: str
    who: Actor
    at: datetime
    seen: bool
    steps: tuple[Step, ...]
    grants: tuple[Told, ...]
    fields: tuple[FieldTold, ...] = ()

    @property
    def missing(self) -> str:
        """The code of the first rule that keeps it hidden; empty where it is seen."""
        return "" if self.seen else next((step.code for step in self.steps if step.holds is False), "grants")

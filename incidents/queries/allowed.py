"""What may this actor do with an incident now?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from coordination.events.actor import Actor
from incidents import states
from incidents.models import Incident
from sharing import access
from sharing.access.rights import right

_PATHS = {
    "set_scale": "scale",
    "set_end_condition": "end-condition",
    "set_objective": "objectives",
    "set_parent": "parent",
    "set_pace": "pace",
    "add_log": "log",
    "invite": "participations",
    "attach": "attachments",
}
"""Where an act is called something else than its own name."""


# where an act has another address in the API than its own name
_ADDRESS = {
    "set_scale": "scale", "invite": "participations", "set_objective": "objectives", "add_log": "log",
    "set_end_condition": "end-condition", "set_parent": "parent", "attach": "attachments", "set_pace": "pace",
}  # fmt: skip


class Standing:
    """What the actor's grants on one incident give: two decisions, from which every right follows.

    ``grants``: the rows of `access.grants_on`, where they have been read already.
    """

    def __init__(
        self, actor: Actor, incident: Incident, now: datetime, grants: Sequence[Any] | None = None
    ) -> None:
        self._actor = actor
        if grants is None:
            grants = list(access.grants_on(actor, incident.pk, now))
        seen = access.decide(actor, "view", incident, at=now, grants=grants)
        self.reach = seen.reach
        self.max_class = seen.max_class
        commands = access.decide(actor, "state", incident, at=now, grants=grants)
        self.commands = bool(commands.grant_ids) or actor.kind == "system"

    def may(self, name: str) -> bool:
        """Whether the actor holds a right on this incident."""
        asked = right(name)
        if not asked.open_to(self._actor):
            return False
        return self.commands if asked.needs == "command" else self.reach >= asked.reach


def allowed_actions(
    actor: Actor, incident: Incident, now: datetime, standing: Standing | None = None
) -> list[dict[str, Any]]:
    """``[{action, href, fields: [{name, required}], if_match}]``: everything that would be accepted now."""
    standing = standing or Standing(actor, incident, now)
    story = incident.exercise or incident.policy_set != "standard"
    moves = states.allowed_actions(
        standing.may, incident.state, story=story, paused=incident.paused_at is not None
    )
    return [
        {
            "action": move.name,
            "href": f"/api/v1/incidents/{incident.pk}/{_PATHS.get(move.name, move.name.replace('_', '-'))}",
            "fields": [{"name": name, "required": name in move.needed} for name in move.fields],
            "if_match": move.name in states.DECIDING,
        }
        for move in moves
    ]

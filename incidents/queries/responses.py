"""How far has the response to an incident come, for rooms below that must not know incidents?"""

from __future__ import annotations

from coordination.events.actor import Actor
from incidents.models import Incident
from incidents.states import OPEN
from sharing import access


def response_of(actor: Actor, incident_id: int) -> tuple[str, bool, int | None] | None:
    """Number, whether it is open, response level; None where hidden from the actor or absent. One query."""
    rows = access.scope(actor, Incident).filter(pk=incident_id).values_list("number", "state", "response_level")
    found = rows.first()
    return (found[0], found[1] in OPEN, found[2]) if found is not None else None

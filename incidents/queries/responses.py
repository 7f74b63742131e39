"""How far has the response to an incident come, for rooms below that must not know incidents?"""

from __future__ import annotations

from coordination.events.actor import Actor
from coordination.events.text import localized
from incidents.models import Incident
from incidents.states import OPEN
from sharing import access

MOST = 50
ASKING = "request_data"


def response_of(actor: Actor, incident_id: int) -> tuple[str, bool, int | None] | None:
    """Number, whether it is open, response level; None where hidden from the actor or absent. One query.

    By break-glass one looks on and asks for nothing; and an exercise is no emergency in which real data open sooner.
    """
    rows = access.scope(actor, Incident, action=ASKING).filter(pk=incident_id)
    found = rows.values_list("number", "state", "response_level", "exercise").first()
    return (found[0], found[1] in OPEN and not found[3], found[2]) if found is not None else None


def open_to(actor: Actor) -> list[tuple[int, str]]:
    """Open incidents that the actor sees, the newest first, 50 at most: id, number and headline. One query."""
    rows = access.scope(actor, Incident, action=ASKING).filter(state__in=OPEN).order_by("-opened_at")
    found = rows.values_list("pk", "number", "headline_zh", "headline_en")[:MOST]
    return [(pk, f"{number} {localized(zh, en)}") for pk, number, zh, en in found]

"""How is put right what an incident's head says?"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from coordination.events.actor import Actor
from coordination.events.command import action
from incidents import areas
from incidents.actions import acting, granting
from incidents.entered import Entered
from incidents.models import Incident
from sharing import access


class Same:
    """Stands for a field that is not to be changed."""


SAME: Final = Same()


@action("incident.describe")
def describe(
    *,
    actor: Actor,
    now: datetime,
    incident_id: int,
    type: str | Same = SAME,
    headline_zh: str | Same = SAME,
    headline_en: str | Same = SAME,
    description: str | Same = SAME,
    place: str | Same = SAME,
    region_code: str | Same = SAME,
    latitude: float | None | Same = SAME,
    longitude: float | None | Same = SAME,
    area: Any = SAME,
    occurred_at: datetime | None | Same = SAME,
    if_version: int | None = None,
) -> Incident:
    """Change what an incident is called, what it is and where; what is not named stays as it is."""
    given = {name: value for name, value in locals().items() if name in _FIELDS and not isinstance(value, Same)}
    incident = acting.lock(actor, incident_id, now=now)
    access.require(actor, "link", incident, at=now)
    acting.check_version(incident, if_version)
    acting.check_act(incident, "describe")
    changed = _checked({name: given.get(name, getattr(incident, name)) for name in _FIELDS}, given, now)
    different = [name for name, value in changed.items() if getattr(incident, name) != value]
    if not different:
        return incident
    for name in different:
        setattr(incident, name, changed[name])
    acting.index(incident)
    acting.save(incident, *different, "words", "words_in_full")
    if "type" in different:
        granting.follow_head(incident, now=now)
    acting.note(incident, "incident.described", payload={"fields": different})
    return incident


_FIELDS = (
    "type", "headline_zh", "headline_en", "description", "place", "region_code", "latitude", "longitude", "area",
    "occurred_at",
)


def _checked(values: dict[str, Any], given: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The whole head as it would stand; only what was given can be at fault, and what belongs to it."""
    entered = Entered()
    zh, en = entered.headlines(values["headline_zh"], values["headline_en"], needed=True)
    latitude, longitude = entered.place(values["latitude"], values["longitude"])
    found: dict[str, Any] = {
        "headline_zh": zh,
        "headline_en": en,
        "description": entered.text("description", values["description"], 20_000),
        "place": entered.text("place", values["place"], 200),
        "region_code": entered.region(values["region_code"]),
        "latitude": latitude,
        "longitude": longitude,
    }
    if "type" in given:
        found["type"] = entered.code("type", "incident_type", given["type"])
    if "area" in given:
        found["area"] = areas.checked(entered, given["area"])
    if "occurred_at" in given:
        found["occurred_at"] = entered.moment("occurred_at", given["occurred_at"], not_after=now)
    entered.done()
    return found

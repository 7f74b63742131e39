"""How do the three scales move, each on its own?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict
from incidents.actions import acting, granting
from incidents.entered import Entered
from incidents.models import Incident
from sharing import access

SCALES: dict[str, tuple[int | str | None, ...]] = {
    "grade": (None, 1, 2, 3, 4),
    "warning_level": ("", "red", "orange", "yellow", "blue"),
    "response_level": (None, 1, 2, 3, 4),
}


class Unchanged(Conflict):
    """The scale has this value already."""

    code = "unchanged"


@action("incident.set_scale")
def set_scale(
    *,
    actor: Actor,
    now: datetime,
    incident_id: int,
    scale: str,
    value: int | str | None,
    why: str,
    if_version: int | None = None,
) -> Incident:
    """Set grade, warning level or response level, with the reason; one never moves another.

    ``grade`` and ``response_level``: 1 to 4, None takes it back; ``warning_level``: red, orange, yellow, blue or
    empty. A new response level derives everybody's grants anew.
    """
    incident = acting.lock(actor, incident_id, now=now)
    access.require(actor, "scale", incident, at=now)
    acting.check_version(incident, if_version)
    entered = Entered()
    name = entered.choice("scale", scale, SCALES)
    value = "" if value is None and name == "warning_level" else value
    if name is not None:
        entered.choice("value", value, SCALES[name])
    text = entered.text("why", why, 300, needed=True)
    entered.done()
    acting.check_act(incident, "set_scale")
    before = getattr(incident, name)
    if before == value:
        raise Unchanged(_("The scale stands at this value already."))
    setattr(incident, name, value)
    acting.save(incident, name)
    change = acting.change(
        incident, scale=name, before=before or None, after=value or None, actor=actor, now=now, why=text
    )
    if name == "response_level":
        granting.follow_level(incident, now=now)
    parts = [row.department_id for row in acting.active_participants([incident.pk])]
    acting.note(
        incident, "incident.scale_changed", departments=parts,
        payload={"scale": name, "before": before, "after": value, "change": change.pk},
        tell=acting.duty_officers(parts, but=actor.department_id), urgency="urgent",
    )
    return incident

"""How is an incident shown to a department that takes no part in it?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import NotFound
from incidents.actions import acting, granting
from incidents.entered import Entered, reason, row_id
from incidents.models import Incident
from sharing import access
from sharing.access.models import Grant


class NoShare(NotFound):
    """There is no such share of this incident."""


@action("incident.share")
def share(
    *,
    actor: Actor,
    now: datetime,
    incident_id: int,
    department_id: int,
    reach: int = 1,
    max_class: int = 2,
    valid_to: datetime | None = None,
    why: str = "",
) -> Incident:
    """Show an incident to a department: ``reach`` 1 headline, 2 its own part, 3 all; class ceiling 1 to 3."""
    incident = acting.lock(actor, incident_id, now=now)
    access.require(actor, "share", incident, at=now)
    entered = Entered()
    entered.choice("reach", reach, (1, 2, 3))
    entered.choice("max_class", max_class, (1, 2, 3))
    until = entered.moment("valid_to", valid_to)
    text = entered.text("why", why, 200)
    entered.department("department", department_id)
    entered.done()
    for pk in acting.family_ids(incident.pk):
        access.share(
            actor=actor, incident_id=pk, department_id=department_id, reach=reach, max_class=max_class,
            valid_to=until, purpose=text, now=now,
        )
    granting.told(incident, department_id)
    acting.note(
        incident, "incident.shared", payload={"department": department_id, "reach": reach}, brief=False,
        departments=[department_id], tell=acting.duty_officers([department_id], but=actor.department_id),
    )
    return incident


@action("incident.unshare")
def unshare(
    *, actor: Actor, now: datetime, incident_id: int, department_id: int, why: str = ""
) -> Incident:
    """Take a share back; it ends at once."""
    incident = acting.lock(actor, incident_id, now=now)
    access.require(actor, "share", incident, at=now)
    text = reason("why", why, needed=False)[:200]
    family = acting.family_ids(incident.pk)
    found = [grant for pk in family for grant in by_hand(pk, now).get(row_id(department_id) or 0, [])]
    if not found:
        raise NoShare(_("This incident is not shared with that department."))
    for grant in found:
        access.revoke(actor=actor, grant_id=grant.pk, why=text, now=now)
    granting.told(incident, department_id)
    acting.note(
        incident, "incident.unshared", payload={"department": department_id}, brief=False, departments=[department_id]
    )
    return incident


def by_hand(incident_id: int, now: datetime) -> dict[int, list[Grant]]:
    """Shares given by hand that are in force, by department."""
    found: dict[int, list[Grant]] = {}
    for grant in access.shares_of(incident_id, now):
        if grant.source == Grant.Source.SHARED:
            found.setdefault(int(grant.scope.key), []).append(grant)
    return found


def carry_over(incident: Incident, survivor: Incident, *, actor: Actor, now: datetime) -> None:
    """Show both of two merged incidents to whom either was shown, unless it has a share of its own."""
    ours, theirs = by_hand(incident.pk, now), by_hand(survivor.pk, now)
    for source, known, target in ((ours, theirs, survivor), (theirs, ours, incident)):
        for department_id in sorted(set(source) - set(known)):
            grant = source[department_id][0]
            access.share(
                actor=actor, incident_id=target.pk, department_id=department_id, reach=grant.policy.reach,
                max_class=grant.policy.max_class, valid_to=grant.valid_to, purpose=grant.purpose, now=now,
            )
            granting.told(target, department_id)

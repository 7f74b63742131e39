"""How is one incident shared with a department that takes no part, and how is that taken back?

Called inside an action of the incidents' room, in its transaction, which records ``access.changed``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.apps import apps
from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.refused import Conflict, Invalid
from sharing.access.actions import grants
from sharing.access.actions.grants import Wanted
from sharing.access.guarded import Guarded
from sharing.access.models import Grant, VisIncident
from sharing.access.queries.decisions import INCIDENT, require
from sharing.access.queries.sight import Unseen, scope


class ShareTooWide(Invalid):
    """Nobody shares more than they see themselves, and nothing above class 3."""

    code = "share_too_wide"


class ShareAlreadyOver(Conflict):
    """The share has ended or was revoked before."""

    code = "share_over"


def share(
    *,
    actor: Actor,
    incident_id: int,
    department_id: int,
    reach: int,
    max_class: int,
    now: datetime,
    valid_to: datetime | None = None,
    purpose: str = "",
) -> Grant:
    """Open an incident to one more department; needs the right ``share`` on it.

    ``reach`` 1–3 and ``max_class`` 1–3 may not go beyond the actor's own (`ShareTooWide`, 422); ``valid_to`` must
    lie ahead. An earlier share with the same department is replaced.
    """
    incident = _incident(actor, incident_id, now)
    decision = require(actor, "share", incident, at=now)
    if not 1 <= reach <= min(3, decision.reach) or not 1 <= max_class <= min(3, decision.max_class):
        raise ShareTooWide(_("You cannot share more of this incident than you see yourself."))
    if valid_to is not None and valid_to <= now:
        raise Invalid(_("The share must end in the future."), errors=[{"pointer": "/valid_to", "code": "past"}])
    because = grants.because(department_id)
    grants.end(grants.live(incident_id, now).filter(because=because, source=Grant.Source.SHARED), now)
    wanted = Wanted(
        department_id, Grant.Source.SHARED, "", reach, max_class, because, valid_to=valid_to, purpose=purpose
    )
    return grants.write(incident_id, [wanted], incident.opened_at, now)[0]


def revoke(*, actor: Actor, grant_id: int, why: str, now: datetime) -> Grant:
    """Take a share back at once; needs the right ``share`` on its incident. Grants of a role end by leaving."""
    grant = (
        Grant.objects.select_for_update(no_key=True)
        .filter(pk=grant_id, source=Grant.Source.SHARED, object_type=INCIDENT)
        .first()
    )
    if grant is None:
        raise Unseen
    require(actor, "share", _incident(actor, grant.object_id, now), at=now)
    if grant.revoked_at is not None or (grant.valid_to is not None and grant.valid_to <= now):
        raise ShareAlreadyOver(_("This share is over already."))
    VisIncident.objects.filter(grant=grant).update(valid_to=now)
    grant.revoked_at, grant.revoked_by, grant.revoked_why = now, actor.key, why
    grant.save(update_fields=["revoked_at", "revoked_by", "revoked_why"])
    return grant


def _incident(actor: Actor, incident_id: int, now: datetime) -> Any:
    found = scope(actor, incident_model(), at=now).filter(pk=incident_id).first()
    if found is None:
        raise Unseen
    return found


def incident_model() -> type[Guarded]:
    """The table of incidents, which stands in a room above and is found by its name."""
    model: type[Guarded] = apps.get_model(INCIDENT)  # type: ignore[assignment]
    return model

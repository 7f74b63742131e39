"""When does broken glass propose a rule, and how is such a proposal settled?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.command import action, record
from coordination.events.refused import MoveNotAllowed
from sharing import access
from sharing.catalogue.entered import Entered
from sharing.catalogue.models import BreakGlass, RuleProposal
from sharing.catalogue.queries import emergencies


def propose(glass: BreakGlass, now: datetime) -> RuleProposal | None:
    """Propose a rule when a department breaks the glass for the same for the third time within ninety days.

    What was dismissed counts anew from then on. Called with the glass's rows open (`sharing.access.fence`).
    """
    same: dict[str, Any] = {"department_id": glass.department_id, "owner_id": glass.owner_id, "kind_of": glass.kind_of}
    since = now - timedelta(days=settings.MUSTER_BREAK_GLASS_RULE_DAYS)
    settled = RuleProposal.objects.filter(**same).exclude(state=RuleProposal.State.OPEN).order_by("-pk").first()
    uses = BreakGlass.objects.filter(**same, started_at__gt=since)
    if settled is not None:
        uses = uses.filter(started_at__gt=settled.last)
    moments = sorted(uses.values_list("started_at", flat=True))
    if len(moments) < settings.MUSTER_BREAK_GLASS_RULE_USES:
        return None
    dataset_id = glass.object_id if glass.object_type == "catalogue.dataset" else None
    row, made = RuleProposal.objects.update_or_create(
        **same, state=RuleProposal.State.OPEN,
        defaults={"uses": len(moments), "since": moments[0], "last": moments[-1], "dataset_id": dataset_id},
    )
    if made:
        record(
            type="rule.proposed", subject=row, streams=[streams.department(glass.owner_id)],
            payload={"uses": row.uses, "department": glass.department_id},
            tell=[{"department": glass.owner_id, "post": "data_steward", "text": "rule.proposed"}],
        )
    return row


@action("rule.settle")
def settle_proposal(
    *, actor: Actor, now: datetime, proposal_id: int, to: str, why: str, if_version: int | None = None
) -> RuleProposal:
    """Say that a rule was made (``taken_up``) or is not wanted (``dismissed``), and why; the owner's S or H."""
    row = emergencies.lock_proposal(actor, proposal_id, if_version)
    access.require(actor, "review_glass")
    entered = Entered()
    chosen = entered.choice("to", to, (RuleProposal.State.TAKEN_UP, RuleProposal.State.DISMISSED))
    text = entered.text("why", why, 300, needed=True)
    entered.done()
    if row.state != RuleProposal.State.OPEN:
        raise MoveNotAllowed(_("This was settled already."), state=row.state, allowed=[])
    row.state, row.why, row.settled_at, row.settled_by_id = chosen, text, now, actor.id
    row.version += 1
    row.save(update_fields=["state", "why", "settled_at", "settled_by", "version"])
    record(
        type="rule.settled", subject=row, streams=[streams.department(row.owner_id)], payload={"to": row.state},
    )
    return row

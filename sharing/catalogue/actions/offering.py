"""What of a dataset may every department have at once for the asking?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict
from sharing.catalogue import deciders, narrowing, stewards
from sharing.catalogue.actions import acting, answering, asking
from sharing.catalogue.entered import Entered
from sharing.catalogue.models import Dataset, StandingOffer
from sharing.catalogue.queries import entries

LONGEST_DAYS = 366


@action("offer.set")
def set_offer(
    *,
    actor: Actor,
    now: datetime,
    dataset_id: int,
    fields: Mapping[str, Any] | Sequence[str],
    longest_days: int,
    rows: Mapping[str, Any] | None = None,
    only_in_open_incident: bool = False,
) -> StandingOffer:
    """Set the standing offer of conditional data, instead of an earlier one. Never for class 3 and above."""
    dataset = entries.seen_one(actor, dataset_id, lock=True)
    stewards.require_steward(actor, dataset, now)
    if dataset.sharing != Dataset.Sharing.CONDITIONAL:
        raise Conflict(_("Only conditional data has a standing offer."), code="not_conditional")
    schema = asking.askable_schema(dataset)
    entered = Entered()
    if isinstance(longest_days, bool) or not isinstance(longest_days, int) or not 1 <= longest_days <= LONGEST_DAYS:
        entered.fault("longest_days", "out_of_range", _("From 1 to %(most)d days.") % {"most": LONGEST_DAYS})
    entered.done()
    shown = narrowing.checked_fields(fields, schema.document)
    if deciders.four_eyes(dataset, answering.class_of(dataset, shown, schema), now):
        raise deciders.FourEyes(_("Data of class 3 and above is never given by a rule: two persons decide each time."))
    offer, _made = StandingOffer.objects.update_or_create(
        dataset=dataset,
        defaults={
            "fields": shown, "rows": narrowing.checked_rows(rows, schema.document), "longest_days": longest_days,
            "only_in_open_incident": bool(only_in_open_incident), "since": now, "ended_at": None,
        },
    )
    acting.note(dataset, "offer.set")
    return offer


@action("offer.end")
def end_offer(*, actor: Actor, now: datetime, dataset_id: int) -> Dataset:
    """End the standing offer: from now on a person answers each request. What it gave stays."""
    dataset = entries.seen_one(actor, dataset_id, lock=True)
    stewards.require_steward(actor, dataset, now)
    if not StandingOffer.objects.filter(dataset=dataset, ended_at=None).update(ended_at=now):
        raise Conflict(_("There is no standing offer."), code="no_offer")
    acting.note(dataset, "offer.ended")
    return dataset

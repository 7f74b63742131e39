"""How is an entry of the catalogue published, confirmed each year, and retired?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import MoveNotAllowed
from sharing.catalogue import states
from sharing.catalogue.actions import acting, ruling
from sharing.catalogue.actions.describing import check_publishable
from sharing.catalogue.entered import Entered
from sharing.catalogue.models import Dataset


@action("dataset.publish")
def publish(*, actor: Actor, now: datetime, dataset_id: int, if_version: int | None = None) -> Dataset:
    """Show a draft to every department; it needs a schema and a contact, and its terms count as confirmed now."""
    dataset = acting.lock(actor, dataset_id, "publish", now=now, if_version=if_version)
    entered = Entered()
    check_publishable(entered, dataset, now)
    if acting.current_schema(dataset) is None:
        entered.fault("schema", "required", _("Add a schema first: others must know what the data holds."))
    entered.done()
    dataset.state = Dataset.State.PUBLISHED
    dataset.listed_at = now
    dataset.confirmed_at = now if dataset.restricted else None
    acting.save(dataset, "state", "listed_at", "confirmed_at")
    acting.note(dataset, "dataset.published")
    return dataset


@action("dataset.confirm")
def confirm(*, actor: Actor, now: datetime, dataset_id: int, if_version: int | None = None) -> Dataset:
    """Say again, for a year, that restricted sharing is still needed and its legal basis still in force."""
    dataset = acting.lock(actor, dataset_id, "confirm", now=now, if_version=if_version)
    if not dataset.restricted:
        raise MoveNotAllowed(
            _("What is shared unconditionally needs no confirmation."), state=dataset.state,
            allowed=states.moves_from(dataset.state, restricted=False),
        )
    entered = Entered()
    check_publishable(entered, dataset, now)
    entered.done()
    dataset.confirmed_at = now
    acting.save(dataset, "confirmed_at")
    acting.note(dataset, "dataset.confirmed")
    return dataset


@action("dataset.retire")
def retire(*, actor: Actor, now: datetime, dataset_id: int, if_version: int | None = None) -> Dataset:
    """Take an entry out of use, for good; it can still be read, and what it was is not forgotten."""
    dataset = acting.lock(actor, dataset_id, "retire", now=now, if_version=if_version)
    dataset.state = Dataset.State.RETIRED
    acting.save(dataset, "state")
    ruling.end_all(actor=actor, dataset=dataset, why=str(_("The dataset was retired.")), now=now)
    acting.note(dataset, "dataset.retired")
    return dataset

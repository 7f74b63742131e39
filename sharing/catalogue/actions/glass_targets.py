"""What does somebody break the glass for: which dataset or incident, whose is it, and may an emergency open it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.refused import Conflict, NotFound
from coordination.events.writing import is_storable
from sharing import access
from sharing.catalogue.entered import Entered
from sharing.catalogue.models import Dataset, SchemaVersion
from sharing.catalogue.queries import entries

DATASET, INCIDENT = "catalogue.dataset", "incidents.incident"


class NothingToOpen(NotFound):
    """There is no such dataset or incident, or none that an emergency opens."""


class NotReleased(Conflict):
    """The entry's terms do not let an emergency open it, or there is no glass to break: it is open to the actor."""

    code = "not_released"


@dataclass(frozen=True, slots=True)
class Target:
    """One dataset or incident. ``fields``: those of the dataset's schema, None for an incident."""

    type: str
    id: int
    name: str
    kind_of: str
    owner_id: int
    classification: int
    fields: tuple[str, ...] | None = None
    ceiling: int = 3
    opened_at: datetime | None = None


def target_of(
    actor: Actor, now: datetime, *, dataset_id: int | None, owner_id: int | None, code: str, incident: str
) -> Target:
    """What is named, one thing alone (422 otherwise); 404 where there is nothing that could be opened."""
    named = [bool(dataset_id), bool(owner_id or code), bool(incident)]
    entered = Entered()
    if named.count(True) != 1:
        entered.fault("incident", "one", _("Name one dataset or one incident."))
    elif named[1] and not (owner_id and code):
        entered.fault("dataset_code", "required", _("A dataset is named by its department and its code."))
    entered.done()
    if not all(is_storable(text) for text in (code, incident)):
        raise NothingToOpen(_("There is nothing of that name that an emergency opens."))
    if named[2]:
        return _incident(actor, incident.strip(), now)
    return _dataset(actor, dataset_id, owner_id, code.strip())


def released(dataset: Dataset) -> bool:
    """Whether an emergency may open the dataset, on its terms of now."""
    return dataset.emergency_release or (dataset.sharing != Dataset.Sharing.NONE and dataset.classification < 4)


def _dataset(actor: Actor, dataset_id: int | None, owner_id: int | None, code: str) -> Target:
    """An entry that the actor sees; or one they do not see, if it may be opened in an emergency."""
    rows = Dataset.objects.exclude(state=Dataset.State.DRAFT)
    named = rows.filter(pk=dataset_id) if dataset_id else rows.filter(department_id=owner_id, code=code)
    found = named.first()
    if found is not None and not entries.seen(actor).filter(pk=found.pk).exists():
        # a hidden entry's number tells nothing: only who knows its name may ask for it
        found = found if found.emergency_release and not dataset_id else None
    if found is None:
        raise NothingToOpen(_("There is nothing of that name that an emergency opens."))
    if found.department_id == actor.department_id:
        raise NotReleased(_("These are your own department's data: there is no glass to break."))
    if not released(found):
        raise NotReleased(_("Its terms do not let an emergency open it. Call its contact."))
    schema = SchemaVersion.objects.filter(dataset=found, current=True).first()
    fields = schema.document["fields"] if schema else []
    classes = [int(one.get("classification", 1)) for one in fields]
    return Target(
        DATASET, found.pk, found.code, f"dataset:{found.pk}", found.department_id, found.classification,
        tuple(one["name"] for one in fields), max([found.classification, *classes]),
    )


def _incident(actor: Actor, number: str, now: datetime) -> Target:
    found = access.incident_called(number)
    if found is None:
        raise NothingToOpen(_("There is nothing of that name that an emergency opens."))
    sight = access.decide(actor, "view", found, at=now)
    if sight.reach >= 3 and sight.max_class >= 3:
        raise NotReleased(_("You see all of this incident: there is no glass to break."))
    owner = found.commander_department_id or found.lead_department_id
    return Target(
        INCIDENT, found.pk, found.number, f"incident_type:{found.type}"[:120], owner, 3, opened_at=found.opened_at
    )

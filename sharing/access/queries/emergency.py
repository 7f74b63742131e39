"""What has a person open by break-glass at this moment, and which incident is called by a number?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from coordination.events import clock
from coordination.events.actor import Actor
from coordination.events.at_once import Steps
from coordination.events.kept import kept
from sharing.access.guarded import Guarded
from sharing.access.models import Grant, Scope
from sharing.access.queries.decisions import INCIDENT
from sharing.access.queries.records import DATASET


@dataclass(frozen=True, slots=True)
class Glass:
    """One grant of break-glass that holds now. ``because``: key of the breaking, ``break_glass:<id>``."""

    grant_id: int
    object_type: str
    object_id: int
    because: str

    @property
    def incident(self) -> bool:
        """Whether it opens an incident (else a dataset)."""
        return self.object_type == INCIDENT

    @property
    def id(self) -> int:
        """Which breaking it rests on."""
        return int(self.because.rpartition(":")[2])


def glass_steps(person_id: int, at: datetime) -> Steps[list[Glass]]:
    """What the person has open by break-glass, to be asked beside who they are; one step."""
    (rows,) = yield [kept(_held_alone, person_id, at)]
    return [Glass(*row) for row in rows]


def _held_alone(person_id: int, at: datetime) -> QuerySet[Grant, Any]:
    rows = Grant.objects.filter(
        scope__kind=Scope.Kind.PERSON, scope__key=f"{person_id}", scope__retired_at=None,
        source=Grant.Source.BREAK_GLASS, revoked_at=None, valid_from__lte=at, valid_to__gt=at,
    )
    return rows.order_by("pk").values_list("pk", "object_type", "object_id", "because")


def datasets_broken(actor: Actor) -> QuerySet[Grant, Any]:
    """Ids of the datasets that the person has open by break-glass, to be used inside other questions."""
    rows = Grant.objects.filter(
        scope__kind=Scope.Kind.PERSON, scope__key=f"{actor.id}", scope__retired_at=None, object_type=DATASET,
        source=Grant.Source.BREAK_GLASS, revoked_at=None, valid_to__gt=clock.inside(),
    )
    return rows.values("object_id")


def incident_called(number: str) -> Any:
    """The incident of this number whoever asks, or None: by break-glass one opens what one cannot see."""
    return _incidents().filter(number=number).first()


def incidents_named(ids: Iterable[int]) -> dict[int, Any]:
    """Incidents by id whoever asks; for the breakings that name them, shown to whom they concern."""
    return {row.pk: row for row in _incidents().filter(pk__in=list(ids))}


def _incidents() -> QuerySet[Any]:
    model: type[Guarded] = apps.get_model(INCIDENT)  # type: ignore[assignment]
    return model.everything.all()

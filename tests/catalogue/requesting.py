"""How do tests ask for data, answer, read it, and let time pass?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from accounts import actions as accounts
from accounts.models import Person
from coordination.deadlines.engine.fire import fire_batch
from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import Event
from sharing import access
from sharing.catalogue import actions, queries
from sharing.catalogue.models import Dataset, ShareRequest
from tests.catalogue.ground import T0, Ground

DAY = timedelta(days=1)
ROWS = [{"id": "a", "beds": 4, "phone": "13800138000"}, {"id": "b", "beds": 40, "phone": "13900139000"}]


def add(ground: Ground, code: str, post: str, name: str = "") -> Actor:
    """One more person in a post."""
    department = ground.departments[code]
    person = Person.objects.create(username=f"{code}-{post}-{name}", name_en=f"{code} {post} {name}")
    accounts.appoint(
        actor=SYSTEM, now=T0 - DAY, department_id=department.pk, person_id=person.pk, post=post
    )
    return Actor("person", person.pk, department.pk, frozenset({post}), language="en")


def conditional(ground: Ground, code: str = "beds", **more: Any) -> Dataset:
    """Conditional data of the health office, with two records."""
    given = {"sharing": "conditional", "legal_basis_id": ground.basis(article=f"c-{code}").pk,
             "conditions_en": "For rescue only."}  # fmt: skip
    row = ground.published(code, **(given | more))
    actions.deliver(actor=ground.actor("health"), now=T0, dataset_id=row.pk, records=ROWS)
    return row


def asked(ground: Ground, dataset: Dataset, **more: Any) -> ShareRequest:
    """The fire office asks for thirty days."""
    given: dict[str, Any] = {"fields": ["id", "beds"], "purpose": "Where can casualties go?",
                             "valid_to": T0 + 30 * DAY}  # fmt: skip
    return actions.ask(actor=ground.actor("fire"), now=T0, dataset_id=dataset.pk, **(given | more))


def read(actor: Actor, dataset: Dataset, at: datetime) -> list[dict[str, Any]]:
    """What an actor reads of a dataset at a moment."""
    return [row["data"] for row in queries.records(actor=actor, now=at, dataset_id=dataset.pk)[0]]


def sees_nothing(actor: Actor, dataset: Dataset, at: datetime) -> bool:
    try:
        access.held(actor, dataset.pk, at)
    except access.Unseen:
        return True
    return False


def granted(ground: Ground, request: ShareRequest, by: Actor | None = None, **more: Any) -> ShareRequest:
    more = {"now": T0} | more
    return actions.grant_request(actor=by or ground.actor("health"), request_id=request.pk, **more)


def run_clock(at: datetime) -> None:
    """Fire everything that is due, chains as far as they go."""
    while fire_batch(at, 100).due:
        pass


def told(event_type: str) -> list[dict[str, Any]]:
    return list(Event.objects.filter(type=event_type).order_by("pk").last().tell)  # type: ignore[union-attr]

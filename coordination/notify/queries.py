"""What has a person been told, and what became of each message?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.refused import NotFound
from coordination.notify import texts, urgency
from coordination.notify.models import Delivery, Notice, QuietRule, WebhookEndpoint


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice as its reader sees it, text in the active language."""

    id: int
    text: str
    text_key: str
    object_type: str
    object_id: int
    incident_id: int | None
    department_id: int | None
    urgency: str
    exercise: bool
    at: datetime
    read_at: datetime | None
    version: int


def notices(
    *, actor: Actor, unread: bool | None = None, after: int | None = None, size: int = 50
) -> tuple[list[NoticeRow], int | None]:
    """The actor's own notices, newest first: (rows, the ``after`` of the next page or None). One query.

    ``unread``: only unread (True) or read (False) ones. Only people have any.
    """
    if not actor.is_person or actor.id is None:
        return [], None
    rows = Notice.objects.filter(person_id=actor.id)
    if unread is not None:
        rows = rows.filter(read_at__isnull=unread)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: size + 1])
    return [_row(one) for one in found[:size]], found[size - 1].pk if len(found) > size else None


def notice(*, actor: Actor, notice_id: int) -> NoticeRow:
    """One of the actor's own notices; another's is not there (404)."""
    person_id = actor.id if actor.is_person else None
    found = Notice.objects.filter(person_id=person_id, pk=notice_id).first() if person_id is not None else None
    if found is None:
        raise NotFound(_("There is no such notice."))
    return _row(found)


def unread_count(*, actor: Actor) -> int:
    """How many unread notices the actor has."""
    if not actor.is_person or actor.id is None:
        return 0
    return Notice.objects.filter(person_id=actor.id, read_at=None).count()


def _row(notice: Notice) -> NoticeRow:
    return NoticeRow(
        id=notice.pk,
        text=texts.render(notice.text_key, notice.args),
        text_key=notice.text_key,
        object_type=notice.object_type,
        object_id=notice.object_id,
        incident_id=notice.incident_id,
        department_id=notice.department_id,
        urgency=notice.urgency,
        exercise=notice.exercise,
        at=notice.at,
        read_at=notice.read_at,
        version=notice.version,
    )


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """What became of one message to one person or system over one channel."""

    id: int
    person_id: int | None
    department_id: int | None
    channel: str
    state: str
    urgency: str
    text_key: str
    created_at: datetime
    sent_at: datetime | None
    attempts: int
    error: str


def deliveries(object_type: str, object_ids: Iterable[int]) -> dict[int, list[DeliveryRow]]:
    """Messages about these objects, oldest first, by object id ("not sent by …" per recipient). One query.

    The caller has made sure that the actor may see the objects.
    """
    found: dict[int, list[DeliveryRow]] = {}
    rows = Delivery.objects.filter(object_type=object_type, object_id__in=list(object_ids))
    for row in rows.order_by("created_at", "id"):
        found.setdefault(row.object_id, []).append(
            DeliveryRow(
                row.pk, row.person_id, row.department_id, row.channel, row.state, urgency.name(row.urgency),
                row.text_key, row.created_at, row.sent_at, row.attempts, row.error,
            )
        )  # fmt: skip
    return found


def outbox_counts() -> dict[str, int]:
    """How many messages are on their way, by ``channel:state``. One query."""
    rows = Delivery.objects.filter(state__in=("pending", "sending", "unknown")).order_by()
    counted = rows.values("channel", "state").annotate(count=Count("id"))
    return {f"{row['channel']}:{row['state']}": row["count"] for row in counted}


def stuck_leases(before: datetime) -> int:
    """How many leases ended before this moment and nobody took them up."""
    return Delivery.objects.filter(state=Delivery.State.SENDING, lease_until__lt=before).count()


def quiet_rules() -> list[QuietRule]:
    """All quiet hours with whose they are, departments first. One query."""
    rows = QuietRule.objects.select_related("person", "department")
    return list(rows.order_by("department__code", "person__username"))


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """Where a department's system is told; never with its secret."""

    id: int
    department_id: int
    url: str
    event_types: list[str]
    parked_at: datetime | None
    parked_why: str


def endpoints(department_ids: Iterable[int] | None = None) -> list[EndpointRow]:
    """The addresses in use, of these departments or all. The caller has made sure that they may be seen."""
    rows = WebhookEndpoint.objects.filter(is_active=True)
    if department_ids is not None:
        rows = rows.filter(department_id__in=list(department_ids))
    return [
        EndpointRow(row.pk, row.department_id, row.url, row.event_types, row.parked_at, row.parked_why)
        for row in rows.order_by("department_id", "id")
    ]

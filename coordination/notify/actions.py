"""How do messages get into the outbox, and notices out of the way?

Rows only: nothing is sent here. A message's key makes it single, whoever writes it and however often.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

import orjson
from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from coordination.events import streams
from coordination.events.actor import SYSTEM, Actor
from coordination.events.command import action, record
from coordination.events.refused import Forbidden, Invalid, NotFound
from coordination.notify import outbound, routes
from coordination.notify import urgency as urgencies
from coordination.notify.models import Delivery, Notice, QuietRule, WebhookEndpoint

# A message is written once by its key; what goes on screen gets its notice in the same statement.
_INSERT = """
WITH wanted AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS w(n int, dedupe_key text, person_id bigint, endpoint_id bigint,
    department_id bigint, channel text, guard jsonb, text_key text, args jsonb, object_type text, object_id bigint,
    incident_id bigint, event_id bigint, urgency int, level int, exercise bool, available_at timestamptz)),
new AS (
  INSERT INTO notify_delivery (dedupe_key, person_id, endpoint_id, department_id, channel, guard, state, text_key, args,
    object_type, object_id, incident_id, event_id, urgency, level, exercise, created_at, available_at, attempts,
    repeated, provider_ref, error)
  SELECT dedupe_key, person_id, endpoint_id, department_id, channel, guard, 'pending', text_key, args,
    object_type, object_id, incident_id, event_id, urgency, level, exercise, %(now)s, available_at, 0, false, '', ''
  FROM wanted ORDER BY dedupe_key
  ON CONFLICT (dedupe_key) DO NOTHING
  RETURNING dedupe_key),
noticed AS (
  INSERT INTO notify_notice (person_id, department_id, event_id, text_key, args, object_type, object_id, incident_id,
    urgency, exercise, at, version)
  SELECT person_id, department_id, event_id, text_key, args, object_type, object_id, incident_id,
    (%(urgencies)s::text[])[urgency + 1], exercise, %(now)s, 1
  FROM wanted JOIN new USING (dedupe_key) WHERE channel = 'in_app' ORDER BY n
  RETURNING id, person_id, object_type, object_id, incident_id, urgency, exercise)
SELECT (SELECT count(*) FROM new), noticed.* FROM (SELECT 1) AS once LEFT JOIN noticed ON true ORDER BY noticed.id
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell several people. ``key`` is what makes it single: person and channel are added to it.

    ``channels``: only these (None: what the urgency and the person's contacts allow). ``outside_after``: seconds
    that outside channels wait, and ``outside_guard``: what is then asked besides ``guard``; ``outside_args``: what only
    they say (a voice code). ``guard``: asked before each sending whether the message is still wanted. ``level``: how
    far a ladder has climbed.
    """

    person_ids: Sequence[int]
    department_id: int | None
    text_key: str
    args: Mapping[str, Any]
    object_type: str
    object_id: int
    incident_id: int | None
    urgency: str
    key: str
    guard: Mapping[str, Any] = field(default_factory=dict)
    channels: tuple[str, ...] | None = None
    exercise: bool = False
    event_id: int | None = None
    outside_after: float = 0.0
    outside_guard: Mapping[str, Any] = field(default_factory=dict)
    outside_args: Mapping[str, Any] = field(default_factory=dict)
    endpoint_ids: tuple[int, ...] = ()
    level: int = 0


def tell(
    *,
    people: Iterable[Any],
    department_id: int | None,
    text_key: str,
    args: Mapping[str, Any],
    subject: Any,
    incident_id: int | None,
    urgency: str,
    key: str,
    guard: Mapping[str, Any],
    now: datetime,
    channels: tuple[str, ...] | None = None,
    exercise: bool = False,
) -> int:
    """Tell people (ids, or anything with ``person_id``) about ``subject``; return how many messages were new.

    Joins a running action, or is one.
    """
    ids = tuple(dict.fromkeys(getattr(one, "person_id", one) for one in people))
    message = Message(
        ids, department_id, text_key, args, subject._meta.label_lower, subject.pk, incident_id, urgency, key, guard,
        channels, exercise,
    )  # fmt: skip
    return tell_many(actor=SYSTEM, now=now, messages=[message])


@action("notify.tell")
def tell_many(*, actor: Actor, now: datetime, messages: Sequence[Message]) -> int:
    """Write outbox rows and notices of many messages: two statements, whatever their number.

    Returns how many outbox rows were new.
    """
    people = accounts.people_by_id(pk for message in messages for pk in message.person_ids)
    contacts = {
        pk: routes.Contact(pk, person.phone, person.email, person.language) for pk, person in people.items()
        if person.is_active
    }  # fmt: skip
    rows: dict[str, dict[str, Any]] = {}
    for message in messages:
        for row in _rows(message, contacts, now):
            rows.setdefault(row["dedupe_key"], row)
    count, written = _insert(list(rows.values()), now)
    for notice in written:
        record(
            type="notice.new",
            subject=notice,
            streams=[streams.user(notice.person_id)],
            payload={"object": [notice.object_type, notice.object_id]},
            urgency=notice.urgency,
            incident_id=notice.incident_id,
            exercise=notice.exercise,
        )
    return count


def _rows(message: Message, contacts: Mapping[int, routes.Contact], now: datetime) -> Iterable[dict[str, Any]]:
    for person_id in message.person_ids:
        contact = contacts.get(person_id)
        if contact is None:
            continue
        for channel in routes.ways(contact, message.urgency, exercise=message.exercise, only=message.channels):
            late = channel != "in_app" and message.outside_after > 0
            guard = {**message.guard, **(message.outside_guard if late else {})}
            at = now + timedelta(seconds=message.outside_after) if late else now
            key = f"{message.key}:p{person_id}:{channel}"
            yield _row(message, key, channel, guard, at, person_id=person_id)
    if not message.exercise:
        for endpoint_id in message.endpoint_ids:
            key = f"{message.key}:w{endpoint_id}:webhook"
            yield _row(message, key, "webhook", message.guard, now, endpoint_id=endpoint_id)


def _row(
    message: Message,
    key: str,
    channel: str,
    guard: Mapping[str, Any],
    available_at: datetime,
    *,
    person_id: int | None = None,
    endpoint_id: int | None = None,
) -> dict[str, Any]:
    return {
        "dedupe_key": key[:160],
        "person_id": person_id,
        "endpoint_id": endpoint_id,
        "department_id": message.department_id,
        "channel": channel,
        "guard": guard,
        "text_key": message.text_key[:60],
        "args": {**message.args, **(message.outside_args if channel in ("sms", "email") else {})},
        "object_type": message.object_type,
        "object_id": message.object_id,
        "incident_id": message.incident_id,
        "event_id": message.event_id,
        "urgency": urgencies.rank(message.urgency),
        "level": message.level,
        "exercise": message.exercise,
        "available_at": available_at,
    }


def _insert(rows: list[dict[str, Any]], now: datetime) -> tuple[int, list[Notice]]:
    """Write outbox rows and notices; how many rows were new, and the new notices (what an event needs of them)."""
    if not rows:
        return 0, []
    numbered = [{"n": n, **row} for n, row in enumerate(rows)]
    values: dict[str, Any] = {"rows": orjson.dumps(numbered).decode(), "now": now, "urgencies": list(urgencies.NAMES)}
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        found = cursor.fetchall()
    names = ("id", "person_id", "object_type", "object_id", "incident_id", "urgency", "exercise")
    notices = [Notice(**dict(zip(names, row[1:], strict=True))) for row in found if row[1] is not None]
    return int(found[0][0]), notices


def next_way(delivery: Delivery, channel: str, now: datetime) -> bool:
    """Write the outbox row of the next channel after one has failed for good; whether it is new."""
    row = {
        "dedupe_key": f"{delivery.dedupe_key.rpartition(':')[0]}:{channel}"[:160],
        "person_id": delivery.person_id,
        "endpoint_id": None,
        "department_id": delivery.department_id,
        "channel": channel,
        "guard": delivery.guard,
        "text_key": delivery.text_key,
        "args": delivery.args,
        "object_type": delivery.object_type,
        "object_id": delivery.object_id,
        "incident_id": delivery.incident_id,
        "event_id": delivery.event_id,
        "urgency": delivery.urgency,
        "level": delivery.level,
        "exercise": delivery.exercise,
        "available_at": now,
    }
    return bool(_insert([row], now)[0])


@action("notice.read")
def read_notice(*, actor: Actor, now: datetime, notice_id: int) -> Notice:
    """Mark one of the actor's own notices as read; another's is not there (404). Reading twice changes nothing."""
    notice: Notice | None = _own(actor).select_for_update(no_key=True).filter(pk=notice_id).first()
    if notice is None:
        raise NotFound(_("There is no such notice."))
    if notice.read_at is None:
        notice.read_at = now
        notice.version += 1
        notice.save(update_fields=["read_at", "version"])
        _moved(notice)
    return notice


@action("notice.read_all")
def read_all(*, actor: Actor, now: datetime, up_to: int) -> int:
    """Mark the actor's notices up to this id as read; return how many were not."""
    notices = list(_own(actor).select_for_update(no_key=True).filter(read_at=None, pk__lte=up_to).order_by("pk"))
    for notice in notices:
        notice.read_at = now
        notice.version += 1
    Notice.objects.bulk_update(notices, ["read_at", "version"], batch_size=500)
    if notices:
        _moved(notices[-1])
    return len(notices)


def _own(actor: Actor) -> QuerySet[Notice]:
    if not actor.is_person or actor.id is None:
        raise Forbidden(_("Only people have notices."))
    return Notice.objects.filter(person_id=actor.id)


def _moved(notice: Notice) -> None:
    record(type="notice.read", subject=notice, streams=[streams.user(notice.person_id)])


def _quiet_owner(actor: Actor, person_id: int | None, department_id: int | None) -> dict[str, Any]:
    """Whose quiet hours: one's own, or those of a department that one administers."""
    if (person_id is None) == (department_id is None):
        raise Invalid(_("Quiet hours are one person's or one department's."))
    own = actor.is_person and actor.id == person_id
    theirs = department_id is not None and accounts.may_administer(actor, department_id)
    if actor.kind != "system" and not own and not theirs:
        raise Forbidden(_("These quiet hours are not yours to set."))
    return {"person_id": person_id, "department_id": department_id}


@action("quiet.set")
def set_quiet(
    *, actor: Actor, now: datetime, begins: time, ends: time, person_id: int | None = None,
    department_id: int | None = None,
) -> QuietRule:
    """Let routine messages to a person, or to a department's people, wait outside the screen between two times of day.

    A person's own hours count before the department's; the same time twice = never quiet.
    """
    owner = _quiet_owner(actor, person_id, department_id)
    rule, _made = QuietRule.objects.update_or_create(**owner, defaults={"begins": begins, "ends": ends})
    return rule


@action("quiet.drop")
def drop_quiet(
    *, actor: Actor, now: datetime, person_id: int | None = None, department_id: int | None = None
) -> None:
    """Let everything ring again; what waits keeps its time. Raises NotFound where there are no quiet hours."""
    count, _kinds = QuietRule.objects.filter(**_quiet_owner(actor, person_id, department_id)).delete()
    if not count:
        raise NotFound(_("There are no quiet hours."))


@action("webhook.add")
def add_endpoint(
    *, actor: Actor, now: datetime, department_id: int, url: str, secret: str, event_types: Sequence[str] = ()
) -> WebhookEndpoint:
    """Let a department's system be told at an address. The caller has made sure that the actor administers it.

    ``secret`` as Standard Webhooks has it (``whsec_`` and base64); ``event_types`` empty: all that concerns the
    department. Raises Invalid for an address that is not called.
    """
    try:
        outbound.check(url)
    except outbound.RefusedAddressError as error:
        raise Invalid(
            _("This address cannot be called."), errors=[{"pointer": "/url", "code": "address", "detail": str(error)}]
        ) from error
    endpoint = WebhookEndpoint.objects.create(
        department_id=department_id, url=url, secret=secret, event_types=list(event_types)
    )
    record(type="webhook.added", subject=endpoint, streams=[streams.department(department_id)])
    return endpoint


@action("webhook.remove")
def remove_endpoint(*, actor: Actor, now: datetime, endpoint_id: int) -> WebhookEndpoint:
    """Tell that address nothing more; what waited for it is dropped. An absent one is a 404."""
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id, is_active=True).first()
    if endpoint is None:
        raise NotFound(_("There is no such address."))
    endpoint.is_active = False
    endpoint.save(update_fields=["is_active"])
    waiting = Delivery.objects.filter(endpoint=endpoint, state__in=(Delivery.State.PENDING, Delivery.State.UNKNOWN))
    waiting.update(state=Delivery.State.SUPERSEDED)
    record(type="webhook.removed", subject=endpoint, streams=[streams.department(endpoint.department_id)])
    return endpoint

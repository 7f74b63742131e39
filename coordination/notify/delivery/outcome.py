"""What follows from what a channel answered?"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction

from coordination.events import command
from coordination.events.actor import SYSTEM
from coordination.notify import actions, channels, routes, urgency, wiring
from coordination.notify.channels import Answer
from coordination.notify.delivery.claim import Parcel
from coordination.notify.delivery.faults import plain, why
from coordination.notify.models import Delivery, WebhookEndpoint

#: waits between attempts (seconds); then the next channel
RETRIES = (15, 60, 240)
#: the same where the fault is the message's own: whoever waits for it is better told by the next way
BROKEN_RETRIES = (1, 4, 15)
#: waits (seconds) until a room that could not take note of its first message is told again
HEAR_AGAIN = (1, 2, 4, 8, 15, 30, 60, 120, 240)
#: how long until a provider is asked what became of a message
ASK_AFTER = timedelta(seconds=5)
#: in-app messages marked as sent in one transaction
NOTICES = 200
_log = logging.getLogger(__name__)


def settle(parcel: Parcel, answer: Answer, now: datetime) -> None:
    """Write what became of a parcel; what another process has taken over since is left to it."""
    ids = sorted(row.pk for row in parcel.deliveries)
    answer = Answer(answer.outcome, plain(answer.reference), plain(answer.error))
    with command.unit(SYSTEM, now):
        attempts = {row.pk: row.attempts for row in parcel.deliveries}
        rows = Delivery.objects.select_for_update(no_key=True, of=("self",)).select_related("person", "endpoint")
        mine = [
            row
            for row in rows.filter(pk__in=ids, state=Delivery.State.SENDING).order_by("pk")
            if row.attempts == attempts[row.pk]
        ]
        if not mine:
            return
        if answer.outcome == "sent":
            _sent(mine, answer, now)
        elif answer.outcome == "refused":
            _give_up(parcel, mine, answer, now)
        elif answer.outcome == "unknown" and not channels.channel(parcel.channel).RESEND_UNKNOWN:
            _unknown(parcel, mine, answer, now)
        else:
            _again(parcel, mine, answer, now)


def notices_sent(now: datetime) -> int:
    """Mark what goes on screen as sent: its notice was written with it. Return how many."""
    with command.unit(SYSTEM, now):
        rows = Delivery.objects.filter(state=Delivery.State.PENDING, channel="in_app", available_at__lte=now)
        free = rows.order_by("urgency", "available_at", "id").select_for_update(no_key=True, skip_locked=True)
        mine = list(free[:NOTICES])
        if mine:
            _sent(mine, Answer("sent"), now)
        return len(mine)


def _sent(rows: Sequence[Delivery], answer: Answer, now: datetime) -> None:
    late = _announce(rows, now)
    done = [row.pk for row in rows if (row.object_type, row.object_id) not in late]
    Delivery.objects.filter(pk__in=done).update(
        state=Delivery.State.SENT, sent_at=now, lease_until=None, provider_ref=answer.reference[:120], error=""
    )
    waiting = [row for row in rows if (row.object_type, row.object_id) in late]
    for row in waiting:
        if row.channel == "in_app" and row.attempts < len(HEAR_AGAIN):
            later = now + timedelta(seconds=HEAR_AGAIN[row.attempts])
            Delivery.objects.filter(pk=row.pk).update(available_at=later, attempts=row.attempts + 1)
        else:  # it has left: that stands, whoever could not take note of it
            Delivery.objects.filter(pk=row.pk).update(
                state=Delivery.State.SENT, sent_at=now, lease_until=None, provider_ref=answer.reference[:120], error=""
            )
    endpoints = {row.endpoint_id for row in rows if row.endpoint_id is not None}
    if endpoints:
        WebhookEndpoint.objects.filter(pk__in=endpoints).exclude(parked_at=None).update(parked_at=None, parked_why="")


def _announce(rows: Iterable[Delivery], now: datetime) -> set[tuple[str, int]]:
    """Tell the subject's room, once, that its first message has left; return those that could not take note now."""
    subjects = sorted({(row.object_type, row.object_id) for row in rows if row.object_type in wiring.sent})
    if not subjects:
        return set()
    before: set[tuple[str, int]] = set()
    for object_type in {object_type for object_type, _ in subjects}:
        ids = [pk for name, pk in subjects if name == object_type]
        found = Delivery.objects.filter(object_type=object_type, object_id__in=ids, state=Delivery.State.SENT)
        before.update(found.values_list("object_type", "object_id").distinct())
    late: set[tuple[str, int]] = set()
    for subject in subjects:
        if subject in before:
            continue
        try:
            with transaction.atomic():
                wiring.sent[subject[0]](subject[1], now)
        except Exception as error:  # noqa: BLE001 - another room's fault must not keep messages back
            _log.warning("%s:%s could not take note of its first message: %s", *subject, error)
            late.add(subject)
    return late


def _again(parcel: Parcel, rows: Sequence[Delivery], answer: Answer, now: datetime) -> None:
    """Try again after 15, 60, 240 s; then the next channel."""
    waits = BROKEN_RETRIES if parcel.broken else RETRIES
    tired = [row for row in rows if row.attempts > len(RETRIES)]
    fresh = [row for row in rows if row.attempts <= len(RETRIES)]
    for row in fresh:
        # a provider that never got it is no failed attempt of ours to wait for
        wait = 0 if parcel.what == "ask" and not parcel.broken else waits[row.attempts - 1]
        Delivery.objects.filter(pk=row.pk).update(
            state=Delivery.State.PENDING,
            lease_until=None,
            available_at=now + timedelta(seconds=wait),
            error=answer.error[:300],
        )
    if tired:
        _give_up(parcel, tired, answer, now)


def _unknown(parcel: Parcel, rows: Sequence[Delivery], answer: Answer, now: datetime) -> None:
    """Ask the provider; where it cannot say, send one "repeat"; after that the next channel."""
    for row in rows:
        changes: dict[str, object] = {"lease_until": None, "provider_ref": answer.reference[:120]}
        if parcel.what == "send" and not row.repeated:
            changes |= {"state": Delivery.State.UNKNOWN, "available_at": now + ASK_AFTER}
        elif not row.repeated:
            changes |= {"state": Delivery.State.PENDING, "available_at": now, "repeated": True}
        else:
            _give_up(parcel, [row], answer, now)
            continue
        Delivery.objects.filter(pk=row.pk).update(error=answer.error[:300], **changes)


def set_aside(parcel: Parcel, answer: Answer, fault: str, now: datetime) -> None:
    """Write no more of a parcel than that it is over: what follows from its answer cannot be written."""
    left = answer.outcome == "sent"  # then that stands, whatever else fails
    over = {"state": Delivery.State.SENT, "sent_at": now} if left else {"state": Delivery.State.FAILED}
    with command.unit(SYSTEM, now):
        for row in sorted(parcel.deliveries, key=lambda row: row.pk):
            mine = Delivery.objects.filter(pk=row.pk, state=Delivery.State.SENDING, attempts=row.attempts)
            if mine.update(lease_until=None, error=fault[:300], **over):
                _poisoned(row, fault, now)


def _give_up(parcel: Parcel, rows: Sequence[Delivery], answer: Answer, now: datetime) -> None:
    """This channel will not do it: the person's next one, or nobody was reached."""
    for row in rows:
        Delivery.objects.filter(pk=row.pk).update(
            state=Delivery.State.FAILED, lease_until=None, error=answer.error[:300]
        )
        fault = parcel.broken
        try:
            with transaction.atomic():
                _otherwise(row, answer, now, broken=bool(fault))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - another room's fault must not keep the next message back
            _log.exception("delivery %s: nothing can follow from its failure", row.pk)
            fault = why(error)
        if fault:
            _poisoned(row, fault, now)


def _otherwise(row: Delivery, answer: Answer, now: datetime, *, broken: bool) -> None:
    if row.endpoint_id is not None:
        if not broken:  # a fault of ours is none of the endpoint's
            WebhookEndpoint.objects.filter(pk=row.endpoint_id).update(parked_at=now, parked_why=answer.error[:300])
        return
    if row.person is None:
        return
    contact = routes.Contact(row.person.pk, row.person.phone, row.person.email, row.person.language)
    other = routes.following(contact, urgency.name(row.urgency), row.channel)
    if other is not None:
        actions.next_way(row, other, now)
    elif not _others_try(row):
        for call in wiring.unreached:
            call(row.object_type, row.object_id, {**row.guard, "department": row.department_id}, now)


def _poisoned(row: Delivery, fault: str, now: datetime) -> None:
    """Somebody must look at this one; an alarm that fails must not keep the others back."""
    _log.critical("delivery %s is poison: %s", row.pk, fault)
    what = {"channel": row.channel, "object": [row.object_type, row.object_id], "error": fault}
    try:
        with transaction.atomic():
            for call in wiring.poison:
                call(row.pk, what, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # noqa: BLE001 - see above
        _log.critical("no alarm could be raised for it", exc_info=True)


def _others_try(row: Delivery) -> bool:
    """Whether the same message has reached, or may still reach, somebody by a way out of the platform."""
    same = row.dedupe_key.rpartition(":p")[0]
    hopeful = (Delivery.State.PENDING, Delivery.State.SENDING, Delivery.State.UNKNOWN, Delivery.State.SENT)
    rows = Delivery.objects.filter(object_type=row.object_type, object_id=row.object_id, state__in=hopeful)
    return rows.filter(dedupe_key__startswith=f"{same}:p").exclude(channel="in_app").exclude(pk=row.pk).exists()

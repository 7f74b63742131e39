"""Which messages may be sent now, and which go together?"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db import OperationalError, transaction
from django.db.models import F, Q

from coordination.events import database
from coordination.notify import channels, quiet, wiring
from coordination.notify.delivery.faults import why
from coordination.notify.models import Delivery, WebhookEndpoint

LEASE = timedelta(seconds=30)
#: more than this many waiting for one person on one channel go as one
BUNDLE_OVER = 5
#: rows looked at in one claim; a bundle holds no more
LOOKED_AT = 200
#: a parked endpoint is tried again after this long
PARKED_FOR = timedelta(minutes=10)
#: calls to one endpoint at a time: a slow receiver keeps nobody else waiting
PER_ENDPOINT = 2
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One call to make: these rows are leased. ``what``: send them, or ask the provider what became of them.

    ``broken``: why there is no call to make, for a fault of the rows themselves; it counts as a failed attempt.
    """

    channel: str
    deliveries: tuple[Delivery, ...]
    what: Literal["send", "ask"] = "send"
    broken: str = ""

    @property
    def endpoint_id(self) -> int | None:
        """The webhook endpoint it goes to."""
        return self.deliveries[0].endpoint_id


def lapse(now: datetime) -> int:
    """Leases that are over: nobody knows what became of the call. Resend where that is safe, else ask; how many."""
    over = Q(state=Delivery.State.SENDING, lease_until__lt=now)
    safe = [name for name, one in channels.CHANNELS.items() if one.RESEND_UNKNOWN]
    again = Delivery.objects.filter(over, channel__in=safe).update(
        state=Delivery.State.PENDING, lease_until=None, available_at=now, error="lease over"
    )
    asked = Delivery.objects.filter(over).exclude(channel__in=safe).update(
        state=Delivery.State.UNKNOWN, lease_until=None, available_at=now, error="lease over"
    )
    return again + asked


def claim(now: datetime, channel: str, slots: int, in_flight: Counter[int]) -> list[Parcel]:
    """Lease up to ``slots`` parcels of one channel, most urgent first; drop what is no longer wanted.

    What quiet hours bind waits until they are over. What cannot be judged comes as a broken parcel, beyond the slots.

    ``in_flight``: running calls by endpoint id.
    """
    if slots <= 0:
        return []
    with transaction.atomic():
        rows = _waiting(now, channel, in_flight)
        if not rows:
            return []
        wanted, broken = _judged(rows, now)
        parcels = broken + _parcels(channel, wanted, slots, Counter(in_flight))
        leased = [row.pk for parcel in parcels for row in parcel.deliveries]
        if leased:
            until = now + LEASE
            Delivery.objects.filter(pk__in=leased).update(
                state=Delivery.State.SENDING, lease_until=until, attempts=F("attempts") + 1
            )
    for parcel in parcels:
        for row in parcel.deliveries:
            row.state, row.lease_until, row.attempts = Delivery.State.SENDING, until, row.attempts + 1
    return parcels


def hand_back(rows: Sequence[Delivery], now: datetime) -> None:
    """Let these wait on: they were leased for a call that is not made."""
    ids = [row.pk for row in rows]
    Delivery.objects.filter(pk__in=ids, state=Delivery.State.SENDING).update(
        state=Delivery.State.PENDING, lease_until=None, available_at=now, attempts=F("attempts") - 1
    )


def _judged(rows: Sequence[Delivery], now: datetime) -> tuple[list[Delivery], list[Parcel]]:
    """Those wanted now, and those of which nobody can say so: one row's fault is not another's."""
    try:
        with transaction.atomic():
            return _wanted(rows, now), []
    except Exception as error:
        if database.is_gone(error):
            raise
        _log.warning("messages are judged one by one: %s", error)
    wanted: list[Delivery] = []
    broken: list[Parcel] = []
    for row in rows:
        try:
            with transaction.atomic():
                wanted += _wanted([row], now)
        except OperationalError as error:  # a lock or a time-out: it is asked again in the next round
            if database.is_gone(error):
                raise
            _log.warning("delivery %s cannot be judged now: %s", row.pk, error)
        except Exception as error:  # noqa: BLE001 - whatever a guard raises
            _log.exception("delivery %s cannot be judged", row.pk)
            what: Literal["send", "ask"] = "ask" if row.state == Delivery.State.UNKNOWN else "send"
            broken.append(Parcel(row.channel, (row,), what, why(error)))
    return wanted, broken


def _wanted(rows: Sequence[Delivery], now: datetime) -> list[Delivery]:
    asleep = quiet.held(rows, now)
    wanted = []
    for row in rows:
        if row.pk in asleep:
            Delivery.objects.filter(pk=row.pk).update(available_at=asleep[row.pk])
        elif row.state == Delivery.State.UNKNOWN or is_wanted(row):
            wanted.append(row)
        else:
            Delivery.objects.filter(pk=row.pk).update(state=Delivery.State.SUPERSEDED, lease_until=None)
    return wanted


def _waiting(now: datetime, channel: str, in_flight: Counter[int]) -> list[Delivery]:
    rows = Delivery.objects.filter(
        state__in=(Delivery.State.PENDING, Delivery.State.UNKNOWN), available_at__lte=now, channel=channel
    )
    if channel == "webhook":
        full = [pk for pk, count in in_flight.items() if count >= PER_ENDPOINT]
        parked = WebhookEndpoint.objects.filter(parked_at__gt=now - PARKED_FOR).values("pk")
        rows = rows.exclude(endpoint_id__in=full).exclude(endpoint_id__in=parked)
    rows = rows.order_by("urgency", "available_at", "id").select_for_update(no_key=True, skip_locked=True, of=("self",))
    return list(rows.select_related("person", "endpoint")[:LOOKED_AT])


def is_wanted(row: Delivery) -> bool:
    """Ask whoever knows the subject whether this message still makes sense."""
    if not row.guard:
        return True
    ask = wiring.guards.get(str(row.guard.get("by") or row.object_type))
    return ask is None or ask(row.object_id, row.guard)


def _parcels(channel: str, rows: Sequence[Delivery], slots: int, in_flight: Counter[int]) -> list[Parcel]:
    waiting: dict[int, list[Delivery]] = defaultdict(list)
    for row in rows:
        if row.person_id is not None and row.state == Delivery.State.PENDING:
            waiting[row.person_id].append(row)
    parcels: list[Parcel] = []
    bundled: set[int] = set()
    for row in rows:
        if len(parcels) >= slots:
            break
        if row.pk in bundled:
            continue
        if row.state == Delivery.State.UNKNOWN:
            parcels.append(Parcel(channel, (row,), "ask"))
            continue
        if row.endpoint_id is not None:
            if in_flight[row.endpoint_id] >= PER_ENDPOINT:
                continue
            in_flight[row.endpoint_id] += 1
        together = waiting.get(row.person_id or 0, [])
        if len(together) > BUNDLE_OVER and not any(one.repeated for one in together):
            bundled.update(one.pk for one in together)
            parcels.append(Parcel(channel, tuple(together)))
        else:
            parcels.append(Parcel(channel, (row,)))
    return parcels

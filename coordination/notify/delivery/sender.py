"""How are calls made side by side without one slow receiver holding up the rest?

Threads only call; every row is read and written by the one who calls `Sender.step`. A row is leased and committed
before its call begins, so that a death in between is seen when the lease is over.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

from django.db.models import Min, Q

from coordination.events import tracing
from coordination.notify import channels
from coordination.notify.channels import Answer, Letter
from coordination.notify.delivery.claim import Parcel, claim, lapse
from coordination.notify.delivery.letters import letter
from coordination.notify.delivery.outcome import NOTICES, notices_sent, settle
from coordination.notify.models import Delivery

#: calls at the same time
SLOTS = {"email": 4, "sms": 4, "webhook": 8}
OTHER_SLOTS = 4
_log = logging.getLogger(__name__)


class Sender:
    """The calls of one process that are under way."""

    def __init__(self) -> None:
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._calls: dict[Future[Answer], Parcel] = {}

    def step(self, now: datetime) -> bool:
        """Write finished calls, begin new ones; whether there is more to do at once or something under way."""
        self._harvest(now)
        lapse(now)
        more = notices_sent(now) >= NOTICES
        for name in channels.CHANNELS:
            if name != "in_app":
                self._begin(name, now)
        return more or bool(self._calls)

    def finish(self, now: datetime) -> None:
        """Wait for the calls under way and write what they came to; ``now`` is when the waiting begins."""
        began = time.monotonic()
        while self._calls:
            wait(list(self._calls))
            self._harvest(now + timedelta(seconds=time.monotonic() - began))
        for pool in self._pools.values():
            pool.shutdown(wait=False)
        self._pools.clear()

    def _begin(self, name: str, now: datetime) -> None:
        slots = SLOTS.get(name, OTHER_SLOTS)
        mine = [parcel for parcel in self._calls.values() if parcel.channel == name]
        in_flight = Counter(parcel.endpoint_id for parcel in mine if parcel.endpoint_id is not None)
        for parcel in claim(now, name, slots - len(mine), in_flight):
            pool = self._pools.setdefault(name, ThreadPoolExecutor(slots, thread_name_prefix=f"send-{name}"))
            self._calls[pool.submit(_call, parcel, letter(parcel, now))] = parcel

    def _harvest(self, now: datetime) -> None:
        for future in [future for future in self._calls if future.done()]:
            settle(self._calls[future], future.result(), now)
            del self._calls[future]


def _call(parcel: Parcel, what: Letter) -> Answer:
    """One call; whatever goes wrong is an answer."""
    channel = channels.channel(parcel.channel)
    if not what.address:
        return Answer("refused", error="no address")
    try:
        with tracing.under([what.request_id]):
            if parcel.what == "ask":
                return channel.ask(what, parcel.deliveries[0].provider_ref)
            answer = channel.send(what)
            _log.info("%s %s: %s", parcel.channel, answer.outcome, parcel.deliveries[0].pk)
            return answer
    except Exception as error:  # noqa: BLE001 - a broken channel is a failed attempt
        _log.exception("channel %s broke", parcel.channel)
        return Answer("failed", error=f"{type(error).__name__}: {error}"[:300])


def run_once(now: datetime, limit: int = 10) -> int:
    """Send what waits, at most ``limit`` rounds, and wait for the answers; return the rounds made."""
    sender = Sender()
    rounds = 0
    try:
        while rounds < limit:
            rounds += 1
            busy = sender.step(now)
            sender.finish(now)
            if not busy:
                break
    finally:
        sender.finish(now)
    return rounds


def next_due(now: datetime) -> float | None:
    """Seconds until the next message wants to go or a lease ends; None when nothing waits. Index-only."""
    waiting = Q(state__in=(Delivery.State.PENDING, Delivery.State.UNKNOWN))
    found = Delivery.objects.filter(
        state__in=(Delivery.State.PENDING, Delivery.State.SENDING, Delivery.State.UNKNOWN)
    ).aggregate(first=Min("available_at", filter=waiting), lease=Min("lease_until"))
    moments = [moment for moment in found.values() if moment is not None]
    return (min(moments) - now).total_seconds() if moments else None

"""How are calls made side by side without one slow receiver holding up the rest?

Threads only call; every row is read and written by the one who calls `Sender.step`. A row is leased and committed
before its call begins, so that a death in between is seen when the lease is over.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.db import InterfaceError, OperationalError
from django.db.models import Min, Q

from coordination.events import database, tracing
from coordination.notify import channels
from coordination.notify.channels import Answer, Letter
from coordination.notify.delivery.claim import Parcel, claim, hand_back, lapse
from coordination.notify.delivery.faults import why
from coordination.notify.delivery.letters import letter
from coordination.notify.delivery.outcome import NOTICES, notices_sent, set_aside, settle
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
        """Write finished calls, begin new ones; whether there is more to do at once or something under way.

        What fails in one part keeps no other from its turn; the first such error comes out when all had theirs.
        """
        notices: list[int] = []
        self._each(
            partial(self._harvest, now),
            partial(lapse, now),
            lambda: notices.append(notices_sent(now)),
            *(partial(self._begin, name, now) for name in channels.CHANNELS if name != "in_app"),
        )
        return bool(self._calls) or notices[0] >= NOTICES

    def finish(self, now: datetime) -> None:
        """Wait for the calls under way and write what they came to; ``now`` is when the waiting begins."""
        began = time.monotonic()
        while self._calls:
            wait(list(self._calls))
            self._harvest(now + timedelta(seconds=time.monotonic() - began))
        for pool in self._pools.values():
            pool.shutdown(wait=False)
        self._pools.clear()

    @staticmethod
    def _each(*parts: Callable[[], object]) -> None:
        """Do each part, whatever becomes of the others; without a database none could be done."""
        errors: list[Exception] = []
        for part in parts:
            try:
                part()
            except Exception as error:
                if database.is_gone(error):
                    raise
                errors.append(error)
        for error in errors[1:]:
            _log.error("a part of the delivery failed", exc_info=error)
        if errors:
            raise errors[0]

    def _begin(self, name: str, now: datetime) -> None:
        slots = SLOTS.get(name, OTHER_SLOTS)
        mine = [parcel for parcel in self._calls.values() if parcel.channel == name]
        in_flight = Counter(parcel.endpoint_id for parcel in mine if parcel.endpoint_id is not None)
        parcels = claim(now, name, slots - len(mine), in_flight)
        self._each(*(partial(self._start, parcel, now) for parcel in parcels))

    def _start(self, parcel: Parcel, now: datetime) -> None:
        parcel, what = _written(parcel, now)
        if what is None:
            _settle(parcel, Answer("failed", error=parcel.broken), now)
            return
        name = parcel.channel
        slots = SLOTS.get(name, OTHER_SLOTS)
        pool = self._pools.setdefault(name, ThreadPoolExecutor(slots, thread_name_prefix=f"send-{name}"))
        self._calls[pool.submit(_call, parcel, what)] = parcel

    def _harvest(self, now: datetime) -> None:
        self._each(*[partial(self._take, future, now) for future in self._calls if future.done()])

    def _take(self, future: Future[Answer], now: datetime) -> None:
        parcel = self._calls.pop(future)
        try:
            _settle(parcel, future.result(), now)
        except (OperationalError, InterfaceError):  # a lock, a time-out, no database: written in the next round
            self._calls[future] = parcel
            raise


def _written(parcel: Parcel, now: datetime) -> tuple[Parcel, Letter | None]:
    """The parcel and its letter; without one, the rows at fault as a broken parcel: the rest of a bundle waits on."""
    if parcel.broken:
        return parcel, None
    try:
        return parcel, letter(parcel, now)
    except Exception as error:
        if database.is_gone(error):
            raise
        _log.exception("no letter can be made of delivery %s", parcel.deliveries[0].pk)
        bad = _at_fault(parcel, now)
        hand_back([row for row in parcel.deliveries if row not in bad], now)
        return replace(parcel, deliveries=bad, broken=why(error)), None


def _at_fault(parcel: Parcel, now: datetime) -> tuple[Delivery, ...]:
    """The rows of a bundle that make no letter by themselves either; all of them where each does."""
    bad = []
    for row in parcel.deliveries:
        try:
            letter(replace(parcel, deliveries=(row,)), now)
        except Exception as error:
            if database.is_gone(error):
                raise
            bad.append(row)
    return tuple(bad) or parcel.deliveries


def _settle(parcel: Parcel, answer: Answer, now: datetime) -> None:
    """Write what became of a parcel; where that cannot be, its rows are set aside and the others go on."""
    try:
        settle(parcel, answer, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - one row's fault must not end the round
        _log.exception("what became of delivery %s cannot be written", parcel.deliveries[0].pk)
        set_aside(parcel, answer, why(error), now)


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

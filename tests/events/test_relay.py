"""Does each subscriber hear of each event once, in order, whatever dies and however many relays run?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F

from accounts.models import Department, Duty
from coordination.events import clock, command, queries, relay
from coordination.events.actor import SYSTEM
from coordination.events.models import Event, RelayCursor, StreamEntry, StreamHead
from tests.events import outside
from tests.events.deeds import PERSON, department, note
from tests.events.test_command import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def write(row: Department, times: int, *streams: str) -> None:
    for _ in range(times):
        note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=streams)


class Ear:
    """A subscriber whose effect is a row an event; fails on the events it is told to."""

    def __init__(self, *poison: int, error: type[Exception] = ValueError) -> None:
        self.heard: list[int] = []
        self.poison, self.error = set(poison), error

    def handle(self, events: list[Event]) -> None:
        for event in events:
            if event.pk in self.poison:
                raise self.error(f"cannot take {event.pk}")
            Duty.objects.create(code=f"heard-{event.pk}", name_zh="x", name_en="x", sort=event.pk)
        self.heard += [event.pk for event in events]


@pytest.fixture(autouse=True)
def subscribers_as_before() -> Iterator[None]:
    """What a test configures ends with it: other tests of this process need the real subscribers."""
    before = (list(relay._subscribers), relay._on_poison)
    yield
    relay.configure(*before)


def effects() -> list[int]:
    return list(Duty.objects.order_by("sort").values_list("sort", flat=True))


def pauses_over() -> None:
    """Let every pause between tries be over."""
    RelayCursor.objects.update(retry_at=None)


def test_home_entries_alone_arrive_once_and_in_order() -> None:
    row, ear = department(), Ear()
    write(row, 5, "a", "b")
    write(row, 3, "b", "a")
    assert relay.run_once([("ear", ear.handle)]) == 8
    assert relay.run_once([("ear", ear.handle)]) == 0
    events = list(Event.objects.order_by("pk").values_list("pk", flat=True))
    assert ear.heard == events
    assert effects() == events


def test_each_subscriber_has_a_cursor_of_its_own() -> None:
    row, first, second = department(), Ear(), []
    write(row, 2, "a")
    relay.run_once([("first", first.handle)])
    write(row, 1, "a")
    relay.run_once([("first", first.handle), ("second", lambda events: second.extend(events))])
    assert len(first.heard) == len(second) == 3


def test_configured_subscribers_are_named_by_dotted_path() -> None:
    relay.configure([("none", "tests.events.test_relay.deaf")], None)
    write(department(), 1, "a")
    assert relay.run_once() == 1


def deaf(events: list[Event]) -> None:
    """Does nothing."""


def test_effects_and_cursor_are_one() -> None:
    """A subscriber that fails at its second event of a batch keeps the first one's effect once, not twice."""
    row = department()
    write(row, 3, "a")
    ids = list(Event.objects.order_by("pk").values_list("pk", flat=True))
    ear = Ear(ids[1])
    assert relay.run_once([("ear", ear.handle)]) == 1
    assert effects() == ids[:1]
    ear.poison.clear()
    pauses_over()
    assert relay.run_once([("ear", ear.handle)]) == 2
    assert effects() == ids


def test_poison_is_passed_over_after_five_tries_with_an_alarm() -> None:
    row, alarms = department(), []
    write(row, 4, "a")
    write(row, 1, "b")
    ids = list(Event.objects.order_by("pk").values_list("pk", flat=True))
    ear = Ear(ids[2])
    relay.configure([("ear", ear.handle)], lambda poison, now: alarms.append(poison))
    relay.run_once()
    assert effects() == [*ids[:2], ids[4]]  # the other stream does not wait
    for tries in range(2, 6):
        cursor = RelayCursor.objects.get(subscriber="ear", stream="a")
        assert (cursor.tries, cursor.seq) == (tries - 1, 2)
        assert "cannot take" in cursor.error
        assert relay.run_once() == 0  # the pause lasts
        assert alarms == []
        pauses_over()
        relay.run_once()
    assert effects() == [ids[0], ids[1], ids[3], ids[4]]
    assert [(alarm.event_id, alarm.seq, alarm.skipped) for alarm in alarms] == [(ids[2], 3, True)]
    assert RelayCursor.objects.get(subscriber="ear", stream="a").tries == 0


def test_what_the_database_refused_is_never_passed_over() -> None:
    row, alarms = department(), []
    write(row, 2, "a")
    ids = list(Event.objects.order_by("pk").values_list("pk", flat=True))
    ear = Ear(ids[0], error=OperationalError)
    relay.configure([("ear", ear.handle)], lambda poison, now: alarms.append(poison.skipped))
    for _ in range(8):
        relay.run_once()
        pauses_over()
    assert effects() == []
    assert alarms == [False]
    ear.poison.clear()
    assert relay.run_once() == 2
    assert effects() == ids


def test_an_alarm_that_fails_does_not_hold_the_stream_up() -> None:
    write(department(), 2, "a")
    ids = list(Event.objects.order_by("pk").values_list("pk", flat=True))
    ear = Ear(ids[0])

    def broken(poison: relay.Poison, now: object) -> None:
        raise RuntimeError("no alarm either")

    relay.configure([("ear", ear.handle)], broken)
    for _ in range(5):
        relay.run_once()
        pauses_over()
    assert effects() == ids[1:]


def test_an_alarm_that_waits_in_vain_for_a_lock_is_raised_later() -> None:
    write(department(), 2, "a")
    ids = list(Event.objects.order_by("pk").values_list("pk", flat=True))
    told: list[int] = []

    def busy(poison: relay.Poison, now: object) -> None:
        told.append(poison.event_id)
        if len(told) == 1:
            raise OperationalError("canceling statement due to lock timeout") from NotGiven()

    relay.configure([("ear", Ear(ids[0]).handle)], busy)
    for _ in range(5):
        assert effects() == []
        relay.run_once()
        pauses_over()
    assert (effects(), told) == ([], ids[:1]), "nothing is passed over without its alarm"
    relay.run_once()
    assert (effects(), told) == (ids[1:], [ids[0], ids[0]])


class NotGiven(Exception):
    """What the driver says of a lock."""

    pgcode = "55P03"


DIES_AT_THE_ALARM = """
import os, django
django.setup()
from coordination.events import relay
def broken(events):
    raise ValueError("cannot take it")
relay.configure([("ear", broken)], lambda poison, now: os._exit(9))
relay.run_once()
"""


def test_what_is_killed_at_the_alarm_has_not_passed_the_event_over() -> None:
    write(department(), 1, "a")
    ear, told = Ear(Event.objects.get().pk), []
    relay.configure([("ear", ear.handle)], lambda poison, now: told.append(poison.event_id))
    for _ in range(4):
        relay.run_once()
        pauses_over()
    assert outside.start("-c", DIES_AT_THE_ALARM).wait(60) == 9
    assert RelayCursor.objects.get(subscriber="ear", stream="a").seq == 0
    relay.run_once()
    assert told == [Event.objects.get().pk]
    assert RelayCursor.objects.get(subscriber="ear", stream="a").seq == 1


def test_four_relays_at_once_have_each_effect_once() -> None:
    row = department()
    for name in ("a", "b", "c", "d", "e"):
        write(row, 30, name)
    ears = [Ear() for _ in range(4)]
    results = at_once(
        lambda index: [relay.run_once([("ear", ears[index].handle)]) for _ in range(6)],
        4,
    )
    assert not [result for result in results if isinstance(result, Exception)]
    relay.run_once([("ear", ears[0].handle)])
    ids = list(Event.objects.order_by("pk").values_list("pk", flat=True))
    assert effects() == ids
    assert sorted(pk for ear in ears for pk in ear.heard) == ids


def test_a_cursor_that_another_relay_holds_is_left_and_looked_at_again() -> None:
    row, ear = department(), Ear()
    write(row, 1, "a")
    relay.run_once([("ear", ear.handle)])
    write(row, 1, "a")
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                list(RelayCursor.objects.select_for_update().filter(stream="a"))
                held.set()
                go_on.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(20)
    assert relay.run_once([("ear", ear.handle)]) == 0
    go_on.set()
    thread.join(20)
    assert relay.run_once([("ear", ear.handle)]) == 1


def test_a_subscriber_may_record_events_itself() -> None:
    row = department()
    write(row, 3, "a")

    def answer(events: list[Event]) -> None:
        for event in events:
            if event.type == "department.noted":
                command.record(
                    type="notice.new",
                    subject=row,
                    streams=("user:1",),
                    payload={"event": event.pk},
                )

    assert relay.run_once([("ear", answer)]) == 3
    assert StreamHead.objects.get(pk="user:1").last_seq == 3
    assert relay.run_once([("ear", answer)]) == 3  # its own entries, once
    assert StreamHead.objects.get(pk="user:1").last_seq == 3


def test_what_has_waited_for_hours_waits_still() -> None:
    row, ear = department(), Ear()
    write(row, 1, "a")
    relay.run_once([("ear", ear.handle)])
    write(row, 1, "a")
    old = clock.now() - timedelta(hours=3)
    StreamEntry.objects.filter(stream="a", seq=2).update(at=old)
    RelayCursor.objects.filter(stream="*").update(seq=int(old.timestamp() * 1000))
    assert queries.lag() > 10_000
    assert queries.lags()["ear"] > 10_000
    assert relay.run_once([("ear", ear.handle)]) == 1
    assert queries.lag() == 0


class TestSweep:
    def test_an_old_log_is_not_read_again_once_it_is_done_with(self) -> None:
        row, ear = department(), Ear()
        write(row, 2, "a")
        relay.run_once([("ear", ear.handle)])
        marker = RelayCursor.objects.get(subscriber="ear", stream="*")
        assert marker.seq > 0
        StreamEntry.objects.update(at=clock.now() - timedelta(days=3))
        RelayCursor.objects.filter(stream="a").update(seq=0)
        assert relay._behind("ear")[2] == []

    def test_an_entry_written_shortly_before_the_last_sweep_is_still_found(
        self,
    ) -> None:
        """Its transaction may have committed after the sweep looked."""
        row, ear = department(), Ear()
        write(row, 1, "a")
        relay.run_once([("ear", ear.handle)])
        write(row, 1, "a")
        marker = RelayCursor.objects.get(subscriber="ear", stream="*")
        entry = StreamEntry.objects.get(stream="a", seq=2)
        RelayCursor.objects.filter(pk=marker.pk).update(seq=int(entry.at.timestamp() * 1000) + 50_000)
        assert relay.run_once([("ear", ear.handle)]) == 1

    def test_what_is_written_after_the_clock_was_set_back_is_still_handed_on(self) -> None:
        row, ear = department(), Ear()
        write(row, 1, "a")
        relay.run_once([("ear", ear.handle)])
        hour = 3_600_000  # for a moment the server's clock was an hour ahead, and a relay looked
        RelayCursor.objects.filter(stream="*").update(seq=F("seq") + hour)
        write(row, 2, "a", "b")
        assert relay.run_once([("ear", ear.handle)]) == 2
        assert relay._behind("ear")[1] <= int(clock.now().timestamp() * 1000), "and the next look is a short one again"
        write(row, 1, "c")
        assert relay.run_once([("ear", ear.handle)]) == 1

    def test_nothing_leaves_the_window_while_something_is_left(self) -> None:
        write(department(), 1, "a")
        ear = Ear(Event.objects.get().pk)
        for _ in range(3):
            relay.run_once([("ear", ear.handle)])
        assert not RelayCursor.objects.filter(stream="*").exists()

    def test_an_entry_is_dated_by_the_server_however_the_clock_is_moved(self) -> None:
        row, before = department(), clock.now()
        clock.travel(timedelta(days=-30))
        try:
            write(row, 1, "a")
        finally:
            clock.travel(None)
        assert StreamEntry.objects.get().at >= before
        assert Event.objects.get().at < before
        assert relay.run_once([("ear", deaf)]) == 1

    def test_a_flood_in_one_stream_does_not_keep_the_others_waiting(self) -> None:
        row, now = department(), clock.now()
        with command.unit(SYSTEM, now):
            for _ in range(relay.BATCH * relay.BATCHES_A_RUN + 1):
                note(actor=SYSTEM, now=now, department_id=row.pk, streams=("a",))
        write(row, 1, "b")
        heard: list[int] = []

        def listen(events: list[Event]) -> None:
            heard.append(len(events))

        assert relay.run_once([("ear", listen)]) == relay.BATCH * relay.BATCHES_A_RUN + 1
        assert heard[-1] == 1
        assert relay.run_once([("ear", listen)]) == 1

    def test_lag_is_the_age_of_what_waits(self) -> None:
        row = department()
        write(row, 1, "a")
        relay.run_once([("ear", deaf)])
        assert queries.lag() == 0
        write(row, 1, "b")
        StreamEntry.objects.filter(stream="b").update(at=clock.now() - timedelta(seconds=40))
        assert queries.lag() >= 40


def test_a_round_with_nothing_to_do_costs_the_same_for_any_number_of_streams(
    django_assert_num_queries: Any,
) -> None:
    row = department()
    for size in (1, 25):
        for number in range(size):
            write(row, 1, f"department:{number}")
        relay.run_once([("ear", deaf)])
        with django_assert_num_queries(2):
            relay.run_once([("ear", deaf)])

"""Is an action done once, whole or not at all, and recorded with what it did?"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction

from accounts.models import Department
from coordination.events import clock, command
from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import Command, Event, StreamEntry, StreamHead
from coordination.events.refused import Conflict, KeyReused, NotFound
from tests.events.deeds import PERSON, department, note, rename

S = ("incident:1",)


def at_once(work: Callable[[int], Any], times: int) -> list[Any]:
    """Run ``work(0..n)`` in threads that start together; results or exceptions in order."""
    barrier, results = threading.Barrier(times), [None] * times

    def run(index: int) -> None:
        try:
            barrier.wait()
            results[index] = work(index)
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.mark.django_db
class TestOnce:
    def test_the_same_command_again_returns_the_earlier_result(self) -> None:
        row, key = department(), uuid.uuid4()
        ask = {
            "actor": PERSON,
            "department_id": row.pk,
            "name": "A",
            "streams": S,
            "command_id": key,
        }
        first = rename(now=clock.now(), **ask)
        again = rename(now=clock.now(), **ask)
        assert again == first
        assert again.version == 2
        assert Event.objects.get().command_id == key

    def test_another_content_under_the_same_command_id_is_refused(self) -> None:
        row, key = department(), uuid.uuid4()
        ask = {
            "actor": PERSON,
            "now": clock.now(),
            "department_id": row.pk,
            "streams": S,
            "command_id": key,
        }
        rename(name="A", **ask)
        with pytest.raises(KeyReused):
            rename(name="B", **ask)
        with pytest.raises(KeyReused):
            note(
                actor=PERSON,
                now=clock.now(),
                department_id=row.pk,
                streams=S,
                command_id=key,
            )
        with pytest.raises(KeyReused):
            rename(name="A", **(ask | {"actor": Actor("person", 1, department_id=2)}))
        assert Event.objects.count() == 1

    def test_another_actor_may_use_the_same_command_id(self) -> None:
        row, key = department(), uuid.uuid4()
        for person in (1, 2):
            rename(
                actor=Actor("person", person),
                now=clock.now(),
                department_id=row.pk,
                name="A",
                streams=S,
                command_id=key,
            )
        assert Command.objects.filter(key=key).count() == 2

    def test_a_refused_command_leaves_nothing_and_its_id_free(self) -> None:
        row, key = department(), uuid.uuid4()
        ask = {
            "actor": PERSON,
            "now": clock.now(),
            "department_id": row.pk,
            "name": "A",
            "streams": S,
            "command_id": key,
        }
        with pytest.raises(Conflict):
            rename(fail=True, **ask)
        assert not Command.objects.exists()
        assert not Event.objects.exists()
        assert not StreamHead.objects.exists()
        assert rename(**ask).name_en == "A"

    def test_a_file_counts_by_its_content_and_can_still_be_read(self) -> None:
        row, key = department(), uuid.uuid4()
        ask = {
            "actor": PERSON,
            "now": clock.now(),
            "department_id": row.pk,
            "name": "A",
            "streams": S,
            "command_id": key,
        }
        photo = ContentFile(b"one", name="photo.jpg")
        rename(photo=photo, **ask)
        assert photo.read() == b"one"
        rename(photo=ContentFile(b"one", name="photo.jpg"), **ask)
        with pytest.raises(KeyReused):
            rename(photo=ContentFile(b"two", name="photo.jpg"), **ask)

    @pytest.mark.parametrize(
        "odd",
        [2**70, float("nan"), "\ud800", {1: {2: (3, {4})}}, b"\x00", None],
        ids=lambda value: type(value).__name__,
    )
    def test_odd_arguments_have_one_fingerprint(self, odd: Any) -> None:
        row, key = department(), uuid.uuid4()
        ask = {
            "actor": PERSON,
            "now": clock.now(),
            "department_id": row.pk,
            "name": "A",
            "streams": S,
            "command_id": key,
        }
        assert rename(odd=odd, **ask) == rename(odd=odd, **ask)

    def test_an_argument_that_differs_in_each_process_is_a_fault_of_the_caller(
        self,
    ) -> None:
        row = department()
        with pytest.raises(TypeError, match="object"):
            rename(
                actor=PERSON,
                now=clock.now(),
                department_id=row.pk,
                name="A",
                streams=S,
                odd=object(),
                command_id=uuid.uuid4(),
            )

    def test_what_it_made_may_be_gone(self) -> None:
        row, key = department(), uuid.uuid4()
        ask = {
            "actor": PERSON,
            "now": clock.now(),
            "department_id": row.pk,
            "name": "A",
            "streams": S,
            "command_id": key,
        }
        rename(**ask)
        Department.objects.all().delete()
        with pytest.raises(NotFound):
            rename(**ask)


@pytest.mark.django_db(transaction=True)
class TestRace:
    def test_one_command_id_sent_eight_times_at_once_has_one_effect(self) -> None:
        row, key = department(), uuid.uuid4()
        results = at_once(
            lambda _: rename(
                actor=PERSON,
                now=clock.now(),
                department_id=row.pk,
                name="A",
                streams=S,
                command_id=key,
            ),
            8,
        )
        assert [result.version for result in results] == [2] * 8
        assert Event.objects.count() == 1

    def test_eight_contents_under_one_id_one_wins_the_rest_are_refused(self) -> None:
        row, key = department(), uuid.uuid4()
        results = at_once(
            lambda index: rename(
                actor=PERSON,
                now=clock.now(),
                department_id=row.pk,
                name=str(index),
                streams=S,
                command_id=key,
            ),
            8,
        )
        assert sorted(type(result).__name__ for result in results) == ["Department"] + ["KeyReused"] * 7

    def test_when_the_holder_of_an_id_rolls_back_the_next_one_does_it(self) -> None:
        row, key = department(), uuid.uuid4()
        results = at_once(
            lambda index: rename(
                actor=PERSON,
                now=clock.now(),
                department_id=row.pk,
                name="A",
                streams=S,
                command_id=key,
                fail=index % 2 == 0,
            ),
            6,
        )
        done = [result for result in results if isinstance(result, Department)]
        assert done
        assert all(isinstance(result, Department | Conflict | KeyReused) for result in results)
        assert Event.objects.count() == 1


@pytest.mark.django_db
class TestUnit:
    def test_a_nested_action_joins_the_unit(self, django_assert_num_queries: Any) -> None:
        row = department()

        @command.action("department.twice")
        def twice(*, actor: Actor, now: Any) -> None:
            note(actor=actor, now=now, department_id=row.pk, streams=("a", "b"))
            note(actor=actor, now=now, department_id=row.pk, streams=("b",))

        # two savepoints for the frames (4), and 2 + 2 around and 2 for the log
        now = clock.now()
        with django_assert_num_queries(2 + 4 + 2):
            twice(actor=PERSON, now=now)
        assert list(StreamEntry.objects.order_by("stream", "seq").values_list("stream", "seq", "home")) == [
            ("a", 1, True), ("b", 1, False), ("b", 2, True),
        ]  # fmt: skip

    def test_a_nested_refusal_that_is_caught_leaves_neither_rows_nor_events(
        self,
    ) -> None:
        row = department()

        @command.action("department.try")
        def attempt(*, actor: Actor, now: Any) -> None:
            note(actor=actor, now=now, department_id=row.pk, streams=("a",))
            with pytest.raises(Conflict):
                rename(
                    actor=actor,
                    now=now,
                    department_id=row.pk,
                    name="lost",
                    streams=("a",),
                    fail=True,
                )

        attempt(actor=PERSON, now=clock.now())
        row.refresh_from_db()
        assert row.name_en == "Fire"
        assert list(Event.objects.values_list("type", flat=True)) == ["department.noted"]

    def test_recording_needs_an_action_a_saved_subject_and_a_stream(self) -> None:
        row = department()
        with pytest.raises(RuntimeError):
            command.record(type="x", subject=row, streams=S)
        with (
            command.unit(SYSTEM, clock.now()),
            pytest.raises(ValueError, match="saved"),
        ):
            command.record(type="x", subject=Department(), streams=S)
        with (
            command.unit(SYSTEM, clock.now()),
            pytest.raises(ValueError, match="stream"),
        ):
            command.record(type="x", subject=row, streams=())

    def test_a_unit_of_many_actions_takes_each_counter_once(self, django_assert_num_queries: Any) -> None:
        row, now = department(), clock.now()
        with django_assert_num_queries(2 + 20 * 2 + 2), command.unit(SYSTEM, now):
            for _ in range(20):
                note(actor=SYSTEM, now=now, department_id=row.pk, streams=("b", "a"))
        assert StreamHead.objects.get(pk="a").last_seq == StreamHead.objects.get(pk="b").last_seq == 20

    def test_positional_arguments_are_refused(self) -> None:
        with pytest.raises(TypeError, match="keyword"):
            note(PERSON)


@pytest.mark.django_db(transaction=True)
def test_what_runs_on_commit_starts_units_of_its_own() -> None:
    row = department()

    @command.action("department.later")
    def later(*, actor: Actor, now: Any) -> None:
        note(actor=actor, now=now, department_id=row.pk, streams=("a",))
        transaction.on_commit(lambda: note(actor=actor, now=now, department_id=row.pk, streams=("a",)))

    later(actor=PERSON, now=clock.now())
    assert StreamHead.objects.get(pk="a").last_seq == 2

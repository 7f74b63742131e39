"""Does the sealer find every stream that waits, in time, without comparing all of them each time?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Department
from coordination.events import clock
from coordination.events.models import Seal
from coordination.events.sealing import line, looking, sealer
from tests.events.deeds import PERSON, department, note
from tests.events.sealed import execute, seal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    line.close()


class Telling:
    """A cursor that tells what it was asked."""

    def __init__(self, cursor: Any) -> None:
        self.cursor, self.connection = cursor, cursor.connection
        self.asked: list[str] = []

    def execute(self, statement: str, values: Any = None) -> None:
        """Ask."""
        self.asked.append(statement)
        self.cursor.execute(statement, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cursor, name)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let so many seconds pass for the sealer; the database's clock stays."""
    moved = [0.0]
    plain = time.monotonic
    monkeypatch.setattr(looking.time, "monotonic", lambda: plain() + moved[0])

    def pass_by(seconds: float) -> None:
        moved[0] += seconds

    return pass_by


def write(*names: str) -> None:
    """An event in each of these streams."""
    row = Department.objects.filter(code="fire").first() or department()
    for name in names:
        note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=(name,))


def looks() -> tuple[list[str], list[str]]:
    """The streams that are found to wait now, and what was asked for it."""
    with line.transaction() as cursor:
        telling = Telling(cursor)
        queue = looking.queue(telling)
        found = [one[0] for one in queue.next(telling, 1000)]
        for name in found:
            queue.put(name)
    return found, telling.asked


def test_what_is_written_after_a_look_is_found_at_once_without_comparing_everything() -> None:
    write("a", "b")
    assert looking._EVERYTHING in looks()[1]
    assert seal(patient=False).entries == 2
    write("c", "a", "a")
    found, asked = looks()
    assert sorted(found) == ["a", "c"]
    assert looking._OF_LATE in asked and looking._EVERYTHING not in asked
    assert seal(patient=False).entries == 3
    assert looks()[0] == []


def test_an_event_in_many_streams_is_found_in_each() -> None:
    row = department()
    seal(patient=False)
    note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=("home", "x", "y"))
    assert sorted(looks()[0]) == ["home", "x", "y"]


def test_what_a_long_transaction_wrote_before_is_found_by_the_next_look_at_everything(later: Any) -> None:
    write("a")
    seal(patient=False)
    write("late")
    execute("UPDATE events_streamentry SET at = at - interval '30 seconds' WHERE stream = 'late'")
    assert looks()[0] == []
    later(looking.EVERYTHING_SECONDS)
    assert looks()[0] == ["late"]
    assert seal(patient=False).entries == 1


def test_a_connection_that_failed_knows_nothing_any_more() -> None:
    write("a", "b")
    with pytest.raises(RuntimeError), line.transaction() as cursor:
        looking.queue(cursor).next(cursor, 1)
        raise RuntimeError
    assert sorted(looks()[0]) == ["a", "b"]
    assert seal(patient=False).entries == 2


def test_a_busy_stream_leaves_the_others_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "BATCH", 6)
    monkeypatch.setattr(sealer, "SHARE", 4)
    write(*["busy"] * 12, "b", "c", "d")
    done = sealer.run_once()
    assert (done.entries, done.more) == (6, True)
    assert dict(Seal.objects.filter(seq=1).values_list("stream", "seq")).keys() >= {"b", "busy"}
    assert Seal.objects.filter(stream="busy").count() <= 4
    assert done.entries + seal(patient=False).entries == 15
    assert not sealer.run_once().more


def test_a_stream_far_behind_does_not_hide_what_is_written_meanwhile(
    monkeypatch: pytest.MonkeyPatch, later: Any
) -> None:
    monkeypatch.setattr(sealer, "BATCH", 2)
    monkeypatch.setattr(sealer, "SHARE", 2)
    write(*["behind"] * 12)
    assert sealer.run_once().waiting == 1
    write("new")
    later(looking.LOOK_SECONDS)
    for _ in range(2):
        sealer.run_once()
    assert Seal.objects.filter(stream="new").exists()
    assert Seal.objects.filter(stream="behind").count() < 12


def test_found_in_parts_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "MOST", 3)
    write(*(f"s{number}" for number in range(10)))
    assert seal(patient=False).entries == 10


def test_a_look_costs_the_same_however_many_wait() -> None:
    counts = []
    for number in (2, 40):
        write(*(f"{number}-{n}" for n in range(number)))
        found, asked = looks()
        counts.append(len(asked))
        assert len(found) >= number
        seal(patient=False)
        line.close()
    assert counts[0] == counts[1] <= 3

"""What does a reader get from its cursor on, and what becomes of old command ids?"""

from __future__ import annotations

from typing import Any

import pytest

from coordination.events import clock, command, queries
from coordination.events.actor import SYSTEM
from coordination.events.models import StreamEntry, StreamHead
from tests.events.deeds import PERSON, department, note, rename

pytestmark = pytest.mark.django_db


@pytest.fixture
def three() -> int:
    row = department()
    for _ in range(3):
        note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=("a", "b"))
    return row.pk


def test_heads_of_streams_known_and_unknown(three: int, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert queries.heads(["a", "none"]) == {"a": (1, 3), "none": (1, 0)}
    assert queries.heads([]) == {}


def test_entries_follow_the_cursor_page_by_page(three: int) -> None:
    page = queries.entries_after("a", 1, 0, limit=2)
    assert ([entry.seq for entry in page.entries], page.seq, page.more) == (
        [1, 2],
        2,
        True,
    )
    page = queries.entries_after("a", page.epoch, page.seq, limit=2)
    assert ([entry.seq for entry in page.entries], page.seq, page.more) == (
        [3],
        3,
        False,
    )
    assert page.entries[0].object_id == three
    assert queries.entries_after("a", 1, 3).entries == ()


@pytest.mark.parametrize(("epoch", "seq"), [(2, 0), (1, 4), (1, -1), (0, 0)])
def test_a_cursor_of_another_numbering_starts_anew(three: int, epoch: int, seq: int) -> None:
    page = queries.entries_after("a", epoch, seq)
    assert (page.reset, page.epoch, page.seq, page.entries) == ("epoch", 1, 3, ())
    assert queries.all_after({"a": (epoch, seq)})["a"] == page


def test_entries_no_longer_kept_start_anew(three: int) -> None:
    StreamEntry.objects.filter(stream="a", seq__lte=2).delete()
    assert queries.entries_after("a", 1, 1).reset == "behind"
    assert queries.all_after({"a": (1, 1)})["a"].reset == "behind"
    assert [entry.seq for entry in queries.all_after({"a": (1, 2)})["a"].entries] == [3]
    StreamEntry.objects.filter(stream="a").delete()
    assert queries.all_after({"a": (1, 2)})["a"].reset == "behind"


def test_all_after_reads_any_number_of_streams_in_two_statements(three: int, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        pages = queries.all_after(
            {
                "a": (1, 1),
                "b": (1, 3),
                "none": (1, 0),
                **{f"x{n}": (1, 0) for n in range(60)},
            }
        )
    assert [entry.seq for entry in pages["a"].entries] == [2, 3]
    assert (pages["b"].entries, pages["b"].seq, pages["none"].seq) == ((), 3, 0)
    assert {page.reset for page in pages.values()} == {None}


def test_more_than_the_limit_is_no_part_but_a_reset(three: int) -> None:
    page = queries.all_after({"a": (1, 0)}, limit=2)["a"]
    assert (page.reset, page.seq, page.entries) == ("behind", 3, ())
    assert len(queries.all_after({"a": (1, 0)}, limit=3)["a"].entries) == 3


def test_a_new_epoch_is_told(three: int) -> None:
    StreamHead.objects.filter(pk="a").update(epoch=2)
    assert queries.all_after({"a": (1, 3)})["a"].reset == "epoch"


@pytest.mark.parametrize(("said", "read"), [(3, 3), ("secret", 1), (None, 1)])
def test_the_class_of_an_event_is_read_from_its_payload(said: Any, read: int) -> None:
    row = department()
    with command.unit(SYSTEM, clock.now()):
        command.record(
            type="x",
            subject=row,
            streams=("a",),
            payload={"class": said, "at": clock.now()},
        )
    assert queries.entries_after("a", 1, 0).entries[0].classification == read


def test_the_history_of_an_object_is_newest_first() -> None:
    row = department()
    for name in ("A", "B"):
        rename(
            actor=PERSON,
            now=clock.now(),
            department_id=row.pk,
            name=name,
            streams=("a",),
        )
    history = queries.object_history("accounts.department", row.pk)
    assert [(event["payload"]["name"], event["version"]) for event in history] == [
        ("B", 3),
        ("A", 2),
    ]
    assert queries.object_history("accounts.department", row.pk + 1) == []
    assert queries.incident_history(1) == []

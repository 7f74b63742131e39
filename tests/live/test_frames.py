"""What is said on a socket, and by a poll, about what is classified?"""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from coordination.events.queries import Entry, Page
from coordination.live import frames

AT = datetime(2026, 6, 18, 4, 28, tzinfo=UTC)


def entry(classification: int) -> Entry:
    return Entry(
        stream="incident:12", seq=7, event_id=1, at=AT, type="log.added", object_type="incidents.logentry",
        object_id=9, version=3, classification=classification,
    )  # fmt: skip


@pytest.mark.parametrize("classification", [1, 2])
def test_up_to_class_2_a_pointer_says_what_moved(classification: int) -> None:
    assert orjson.loads(frames.ev(entry(classification), 1)) == {
        "kind": "ev", "stream": "incident:12", "epoch": 1, "seq": 7, "type": "log.added", "id": 9, "version": 3,
    }


@pytest.mark.parametrize("classification", [3, 4])
def test_above_class_2_a_pointer_says_its_place_in_the_stream_alone(classification: int) -> None:
    bare = {"kind": "ev", "stream": "incident:12", "epoch": 1, "seq": 7}
    assert orjson.loads(frames.ev(entry(classification), 1)) == bare
    page = Page(epoch=1, seq=7, entries=(entry(classification),))
    assert frames.since(AT, {"incident:12": page}, [])["events"] == [bare]

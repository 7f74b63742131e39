"""Is whatever the owner of the database changes in the log found, and named?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from coordination.events import clock
from coordination.events.sealing import anchoring, anchors, line
from coordination.events.sealing.verify import verify
from tests.events.deeds import PERSON, department, note
from tests.events.sealed import KEY, asked, execute, long_ago, seal, written

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _signed(settings: Any) -> Iterator[None]:
    settings.MUSTER_ANCHOR_KEY = KEY
    yield
    line.close()


TAMPERING = [
    ("an edited event", "UPDATE events_event SET type = 'other' WHERE id = (SELECT event_id FROM events_streamentry"
     " WHERE stream = 'a' AND seq = 5)", "content: a 5: this is not what was sealed"),
    ("an edited payload", "UPDATE events_event SET payload = '{\"x\": 1}' WHERE id = (SELECT event_id FROM"
     " events_streamentry WHERE stream = 'a' AND seq = 5)", "content: b 3: this is not what was sealed"),
    ("another time", "UPDATE events_streamentry SET at = at + interval '1 microsecond' WHERE stream = 'a' AND seq = 5",
     "content: a 5: this is not what was sealed"),
    ("a deleted row", "DELETE FROM events_streamentry WHERE stream = 'a' AND seq = 5",
     "gap: a 5: the entry is gone, its seal is there"),
    ("a deleted row and its seal", "DELETE FROM events_streamentry WHERE stream = 'a' AND seq = 5;"
     "DELETE FROM events_seal WHERE stream = 'a' AND seq = 5", "gap: a 6: 4 is followed by 6"),
    ("one put in, the others moved up", "UPDATE events_streamentry SET seq = seq + 1000 WHERE stream = 'a' AND seq > 5;"
     "UPDATE events_streamentry SET seq = seq - 999 WHERE stream = 'a' AND seq > 1000;"
     "INSERT INTO events_streamentry SELECT stream, 6, home, at, event_id FROM events_streamentry"
     " WHERE stream = 'a' AND seq = 5", None),
    ("two swapped", "UPDATE events_streamentry SET seq = -1 WHERE stream = 'a' AND seq = 2;"
     "UPDATE events_streamentry SET seq = 2 WHERE stream = 'a' AND seq = 3;"
     "UPDATE events_streamentry SET seq = 3 WHERE stream = 'a' AND seq = -1",
     "content: a 2: this is not what was sealed"),
    ("a seal taken away", "DELETE FROM events_seal WHERE stream = 'a' AND seq = 5",
     "content: a 5: it stands among sealed entries and was never sealed"),
    ("a cut tail", "DELETE FROM events_streamentry WHERE stream = 'a' AND seq > 10;"
     "DELETE FROM events_seal WHERE stream = 'a' AND seq > 10", "gap: a: its head says 12, its last entry is 10"),
    ("a head put back", "UPDATE events_streamhead SET last_seq = 11 WHERE stream = 'a'",
     "gap: a: its head says 11, its last entry is 12"),
    ("no home", "UPDATE events_streamentry SET home = false WHERE stream = 'a' AND seq = 3",
     "gap: events: 1 events have no home entry, or several"),
    ("an edited read", "UPDATE events_readentry SET actor_key = 'user:99' WHERE id = (SELECT read_id FROM events_seal"
     " WHERE stream = 'access-log' AND seq = 3)", "content: access-log 3: this is not what was sealed"),
    ("other grants", "UPDATE events_readentry SET grants = '[99]' WHERE id = (SELECT read_id FROM events_seal"
     " WHERE stream = 'access-log' AND seq = 3)", "content: access-log 3: this is not what was sealed"),
    ("a deleted read", "DELETE FROM events_readentry WHERE id = (SELECT read_id FROM events_seal"
     " WHERE stream = 'access-log' AND seq = 3)", "gap: access-log 3: the entry is gone, its seal is there"),
    ("a read put in", "INSERT INTO events_readentry (at, actor_key, actor_post, purpose, operation, object_type, ids,"
     " count, request_id, xid) SELECT at, actor_key, actor_post, purpose, operation, object_type, ids, count,"
     " request_id, xid - 1 FROM events_readentry ORDER BY id DESC LIMIT 1",
     "content: access-log: 1 lines stand among sealed ones and were never sealed"),
    ("an anchor edited", "UPDATE events_anchor SET at = at - interval '1 hour'",
     "anchor: anchors 1: its heads are not those that were signed"),
    ("an anchor's heads edited", "UPDATE events_anchorhead SET seq = 11 WHERE stream = 'a'",
     "anchor: anchors 1: its heads are not those that were signed"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "says"), [row[1:] for row in TAMPERING], ids=[row[0] for row in TAMPERING])
def test_whatever_the_owner_of_the_database_changes_is_found_and_named(change: str, says: str | None) -> None:
    written()
    seal()
    assert anchoring.make_due() is not None
    assert asked().exit == 0
    execute(change)
    found = asked()
    assert found.exit == 1
    assert (says or "content: a 6: this is not what was sealed") in found.problems, found.problems


def cut() -> None:
    """Take the last two of a stream away, and mend every head."""
    for table in ("events_streamentry", "events_seal"):
        execute(f"DELETE FROM {table} WHERE stream = 'a' AND seq > 10")
    execute("UPDATE events_streamhead SET last_seq = 10 WHERE stream = 'a'")
    execute(
        "UPDATE events_sealhead SET seq = 10, hash = (SELECT hash FROM events_seal WHERE stream = 'a' AND seq = 10)"
        " WHERE stream = 'a'"
    )
    execute("DELETE FROM events_event v WHERE NOT EXISTS (SELECT FROM events_streamentry e WHERE e.event_id = v.id)")
    execute("UPDATE events_streamentry SET home = true WHERE event_id NOT IN"
            " (SELECT event_id FROM events_streamentry WHERE home)")  # fmt: skip


def reckoned_anew(after: int = 4) -> None:
    """Change an event, and make every seal of its chain from there on anew."""
    execute("UPDATE events_event SET type = 'other' WHERE id = (SELECT event_id FROM events_streamentry"
            " WHERE stream = 'a' AND seq = 5)")  # fmt: skip
    for stream, left in (("a", after), ("b", 2), ("c", 2)):
        execute("DELETE FROM events_seal WHERE stream = %s AND seq > %s", stream, left)
        execute("UPDATE events_sealhead h SET seq = s.seq, hash = s.hash FROM events_seal s"
                " WHERE h.stream = s.stream AND s.stream = %s AND s.seq = %s", stream, left)  # fmt: skip
    seal()


def test_a_cut_tail_with_a_mended_head_is_found_by_the_anchor_alone() -> None:
    row = department()
    for _ in range(12):
        note(actor=PERSON, now=clock.now(), department_id=row.pk, streams=("a",))
    seal()
    made = long_ago()
    cut()
    assert verify(connection.connection).problems == [], "without anchors nobody would see it"
    assert "anchor: a 12: it was anchored, and neither the entry nor its seal is there" in asked().problems
    assert "anchor: a 12: it was anchored, and its seal is gone" in asked(since_anchor=True).problems
    execute("DELETE FROM events_anchorhead; DELETE FROM events_anchor")  # the anchors too
    assert asked().problems == []
    just_now = replace(made, at=clock.now())
    just_now = replace(just_now, digest=anchors.digest(1, just_now.at, made.prev, made.heads))
    key = anchoring.key()
    assert key is not None
    just_now = replace(just_now, signature=anchors.sign(key, just_now.digest))
    assert asked(witness=[just_now]).problems == [], "an anchor of after the snapshot is none that is missing"
    assert asked(witness=[made]).problems == [
        "anchor: anchors 1: the anchor that the witness holds is not here any more",
        "anchor: a 12: the chain ends at 10, and 12 was anchored",
    ]


def test_a_chain_reckoned_anew_is_found_by_the_anchor_alone_even_after_the_next_one() -> None:
    written()
    seal()
    assert anchoring.make_due() is not None
    reckoned_anew()
    assert verify(connection.connection).problems == []
    said = "anchor: a 12: something up to here is not what was anchored"
    assert said in asked().problems and said in asked(stream="a").problems and said in asked(since_anchor=True).problems
    written(2)
    seal()
    with line.transaction() as cursor:  # the next anchor signs what is there now
        key = anchoring.key()
        assert key is not None
        anchoring._make(cursor, key, 2, bytes(anchoring.after(cursor, 0, 9)[0].digest))
    assert said in asked().problems
    assert "anchor: anchors" not in " ".join(asked().problems), "both anchors were signed"

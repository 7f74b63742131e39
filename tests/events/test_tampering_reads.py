"""Is whatever is changed in the access log found: in the database, by the anchor, and in a file without a database?

Reads carry the grants that opened what was read, and their seals cover these (version 2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import connection

from coordination.events import clock, reads
from coordination.events.models import ReadEntry, Seal
from coordination.events.sealing import anchoring, bundle, line
from coordination.events.sealing.verify import verify
from tests.events.deeds import PERSON
from tests.events.sealed import KEY, asked, execute, seal
from tests.events.test_bundles import resigned

pytestmark = pytest.mark.django_db(transaction=True)
READS = 8
OF = "(SELECT read_id FROM events_seal WHERE stream = 'access-log' AND seq = {})"


@pytest.fixture(autouse=True)
def _signed(settings: Any) -> Iterator[None]:
    settings.MUSTER_ANCHOR_KEY = KEY
    yield
    line.close()


@pytest.fixture
def log() -> None:
    """Reads by grants, sealed and anchored."""
    for n in range(READS):
        reads.note(PERSON, "records_list", "records", [n, n + 1], purpose="rescue", grants=[n + 7])
    seal()
    assert anchoring.make_due() is not None
    assert asked().exit == 0
    assert set(Seal.objects.filter(stream="access-log").values_list("version", flat=True)) == {2}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (f"UPDATE events_readentry SET grants = '[]' WHERE id = {OF.format(3)}", "content: access-log 3"),
        (f"UPDATE events_readentry SET purpose = 'winter' WHERE id = {OF.format(3)}", "content: access-log 3"),
        (f"UPDATE events_readentry SET ids = '[4]' WHERE id = {OF.format(3)}", "content: access-log 3"),
        (f"DELETE FROM events_readentry WHERE id = {OF.format(3)}", "gap: access-log 3"),
        (f"DELETE FROM events_readentry WHERE id = {OF.format(3)};"
         "DELETE FROM events_seal WHERE stream = 'access-log' AND seq = 3", "gap: access-log 4: 2 is followed by 4"),
        ("UPDATE events_seal SET read_id = -read_id WHERE stream = 'access-log' AND seq IN (3, 4);"
         "UPDATE events_seal s SET read_id = -(SELECT o.read_id FROM events_seal o WHERE o.stream = s.stream AND"
         " o.seq = 7 - s.seq) WHERE stream = 'access-log' AND seq IN (3, 4)", "content: access-log 3"),
        (f"UPDATE events_readentry r SET grants = o.grants FROM events_readentry o WHERE (r.id = {OF.format(3)} AND"
         f" o.id = {OF.format(4)}) OR (r.id = {OF.format(4)} AND o.id = {OF.format(3)})", "content: access-log 3"),
        ("INSERT INTO events_readentry (at, actor_key, actor_post, purpose, operation, object_type, ids, grants, count,"
         " request_id, xid) SELECT at, actor_key, actor_post, purpose, operation, object_type, ids, grants, count,"
         f" request_id, xid FROM events_readentry WHERE id = {OF.format(3)}",
         "content: access-log: 1 lines stand among sealed ones and were never sealed"),
        ("UPDATE events_seal SET version = 1 WHERE stream = 'access-log' AND seq = 3", "content: access-log 3"),
    ],
    ids=["other grants", "another purpose", "other objects", "a read gone", "with its seal", "two places swapped",
         "the grants of two swapped", "one put in the middle", "sealed as before there were grants"],
)  # fmt: skip
def test_whatever_is_changed_is_found_and_named(log: None, change: str, says: str) -> None:
    execute(change)
    found = asked()
    assert found.exit == 1
    assert any(one.startswith(says) for one in found.problems), found.problems


def put_back(to: int) -> None:
    """Take the seals after that away, and mend the head of the chain."""
    execute("DELETE FROM events_seal WHERE stream = 'access-log' AND seq > %s", to)
    execute("UPDATE events_sealhead h SET seq = s.seq, hash = s.hash, read_id = r.id, read_xid = r.xid"
            " FROM events_seal s JOIN events_readentry r ON r.id = s.read_id"
            " WHERE h.stream = s.stream AND s.stream = 'access-log' AND s.seq = %s", to)  # fmt: skip


def test_a_cut_tail_is_found_by_the_anchor_alone(log: None) -> None:
    execute("DELETE FROM events_readentry WHERE id IN"
            " (SELECT read_id FROM events_seal WHERE stream = 'access-log' AND seq > 6)")  # fmt: skip
    put_back(6)
    assert verify(connection.connection).problems == [], "without anchors nobody would see it"
    for found in (asked(), asked(since_anchor=True), asked(stream="access-log")):
        assert any(one.startswith("anchor: access-log 8") for one in found.problems), found.problems


def test_a_chain_reckoned_anew_is_found_by_the_anchor_alone(log: None) -> None:
    execute(f"UPDATE events_readentry SET grants = '[99]' WHERE id = {OF.format(5)}")
    put_back(4)
    seal()
    assert Seal.objects.filter(stream="access-log").count() == READS
    assert verify(connection.connection).problems == []
    said = "anchor: access-log 8: something up to here is not what was anchored"
    assert said in asked().problems and said in asked(since_anchor=True).problems


def _edited(lines: list[dict[str, Any]]) -> None:
    lines[3]["record"] = lines[3]["record"].replace("3:[9]", "3:[1]")


def _dropped(lines: list[dict[str, Any]]) -> None:
    del lines[3]


def _swapped(lines: list[dict[str, Any]]) -> None:
    lines[2]["record"], lines[3]["record"] = lines[3]["record"], lines[2]["record"]


def _doubled(lines: list[dict[str, Any]]) -> None:
    lines.insert(3, dict(lines[3]))


def _anew(lines: list[dict[str, Any]]) -> None:
    _edited(lines)
    prev = bytes.fromhex(lines[3]["prev"])
    for one in lines[3:]:
        if "record" in one:
            made = bundle.fields.sealed(prev, bundle.fields.leaf_of(one["record"]))
            one["prev"], one["hash"], prev = prev.hex(), made.hex(), made


@pytest.mark.parametrize(
    ("change", "says"),
    [(_edited, "content: access-log 3"), (_dropped, "gap: access-log 4"), (_swapped, "content: access-log 2"),
     (_doubled, "access-log 3"), (_anew, "anchor: access-log 8")],
)  # fmt: skip
def test_a_file_of_reads_is_proven_and_no_change_of_it_is_overlooked(
    log: None, tmp_path: Path, change: Callable[[Any], None], says: str
) -> None:
    """Even by somebody who has the key and signs the file anew; only the chain and its anchor then tell."""
    path, keys, key = tmp_path / "reads", anchoring.public_keys(), anchoring.key()
    assert key is not None
    wanted = bundle.Asked.of_lines([], list(ReadEntry.objects.values_list("pk", flat=True)))
    assert bundle.export(path, wanted, key, clock.now()) == READS
    lines = [orjson.loads(one) for one in path.read_bytes().splitlines()]
    assert bundle.verify(path, keys).exit == 0
    assert "3:[9]" in lines[3]["record"], "the grants are in what was sealed"
    change(lines)
    path.write_bytes(resigned(lines))
    found = bundle.verify(path, keys)
    assert found.exit == 1
    assert any(says in one for one in found.problems), found.problems


def test_a_file_whose_tail_is_gone_is_not_proven(log: None, tmp_path: Path) -> None:
    """Nothing in it contradicts what is left; that no anchor covers it says that it is no proof."""
    path, key = tmp_path / "reads", anchoring.key()
    assert key is not None
    wanted = bundle.Asked.of_lines([], list(ReadEntry.objects.values_list("pk", flat=True)))
    bundle.export(path, wanted, key, clock.now())
    lines = [orjson.loads(one) for one in path.read_bytes().splitlines()]
    for n in [n for n, one in enumerate(lines) if "record" in one][:-3:-1]:
        del lines[n]
    path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in lines))
    assert bundle.verify(path, anchoring.public_keys()).exit == 1, "its signature is of the whole"
    path.write_bytes(resigned(lines))
    assert bundle.verify(path, anchoring.public_keys()).exit == 2

"""Does a download hand out what is open and nothing else, end when that ends, and stay on record?"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts import actions as accounts
from coordination.events.actor import SYSTEM, Actor
from coordination.events.models import Event, ReadEntry
from coordination.events.refused import Invalid, NotFound
from sharing import access
from sharing.access.filters import BadFilter
from sharing.catalogue.queries import NoGrant
from sharing.exchange import downloads
from tests.catalogue.ground import SCHEMA as PLAIN
from tests.catalogue.ground import T0, Ground, held
from tests.exchange.store import SCHEMA, WHOLE, begun, filled, opened, records, store, taken

pytestmark = pytest.mark.django_db


def rows_of(content: bytes) -> list[list[str]]:
    found = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    return [line for line in found if not line[0].startswith("# ")]


def said() -> dict[str, Any]:
    found: dict[str, Any] = Event.objects.filter(type="records.exported").latest("pk").payload
    return found


def test_a_file_says_for_whom_it_was_made_and_the_log_what_left(ground: Ground) -> None:
    row = store(ground)
    filled(ground, row, records(3))
    grant = opened(ground, row)
    with translation.override("en"):
        content = taken(begun(ground, row, "json", purpose="drill"))
    found = json.loads(content)
    assert [one["data"] for one in found["records"]] == records(3)
    assert found["about"]["purpose"] == "drill" and found["about"]["grants"] == str(grant)
    assert found["about"]["recipient"] == "Fire office · duty_officer" and "transfer 1" in found["about"]["as_of"]
    told = said()
    assert (told["rows"], told["complete"], told["why"], told["format"]) == (3, True, "", "json")
    assert told["sha256"] == hashlib.sha256(content).hexdigest() and told["size"] == len(content)
    (read,) = ReadEntry.objects.filter(operation="records_export")
    assert (read.object_type, read.ids, read.grants, read.purpose) == ("datasets", [row.pk], [grant], "drill")


def test_it_is_on_record_before_a_byte_leaves(ground: Ground) -> None:
    row = store(ground)
    filled(ground, row, records(3))
    download = begun(ground, row, by="health")
    assert ReadEntry.objects.filter(operation="records_export").count() == 1
    download.close()
    assert (said()["rows"], said()["complete"], said()["why"], said()["size"]) == (0, False, "left", 0)


def test_masks_and_filters_hold_in_a_file(ground: Ground) -> None:
    row = store(ground)
    filled(ground, row, records(40))
    fields = {"id": "full", "place": {"mask": "generalise"}, "tons": "full"}
    opened(ground, row, fields=fields, filter={"field": "tons", "op": "lt", "value": 5})
    found = rows_of(taken(begun(ground, row, where={"field": "tons", "op": "gte", "value": 4})))
    assert found[0] == ["id", "tons", "place"]
    assert [line[1] for line in found[1:]] == ["4", "4.25", "4.5", "4.75"] and found[1][0] == "s00016"
    assert {line[2] for line in found[1:]} == {"121.0, 31.5"}
    for field in ("place", "note", "nobody"):
        with pytest.raises(BadFilter):
            begun(ground, row, where={"field": field, "op": "eq", "value": "x"})
    assert said()["filter_sha256"] and "tons" not in str(said())


@pytest.mark.parametrize("form", ["csv", "json", "xlsx", "geojson"])
def test_what_is_revoked_in_the_middle_ends_there_and_says_why(ground: Ground, form: str) -> None:
    row = store(ground)
    filled(ground, row, records(1_800))
    grant = opened(ground, row)
    with translation.override("en"):
        download = begun(ground, row, form)
    pieces = []
    for piece in download:
        pieces.append(piece)
        if download.end.rows == 500:
            access.close_dataset(actor=SYSTEM, grant_ids=[grant], why="over", now=T0 + timedelta(seconds=1))
    download.close()
    assert (said()["rows"], said()["complete"], said()["why"]) == (500, False, "withdrawn")
    content = b"".join(pieces)
    assert said()["sha256"] == hashlib.sha256(content).hexdigest()
    if "json" in form:
        found = json.loads(content)
        assert len(found.get("records") or found["features"]) == 500
        assert found["end"]["why"].endswith("was changed or taken back while the download ran.")
    elif form == "csv":
        assert len(rows_of(content)) == 501 and "taken back while the download ran" in content.decode().splitlines()[-1]


@pytest.mark.parametrize("what", ["narrowed", "raised", "post", "client"])
def test_whatever_makes_it_less_ends_it(ground: Ground, what: str) -> None:
    row = store(ground)
    filled(ground, row, records(700))
    grant = opened(ground, row)
    download = begun(ground, row)
    next(download)
    next(download)
    if what == "narrowed":
        access.close_dataset(actor=SYSTEM, grant_ids=[grant], why="less", now=ground.now)
        opened(ground, row, fields={**WHOLE, "note": {"mask": "partial", "start": 1}})
    elif what == "raised":
        type(row).objects.filter(pk=row.pk).update(classification=4, sharing="none", legal_basis=ground.basis())
    elif what == "post":
        accounts.end_membership(actor=SYSTEM, now=ground.now, membership_id=held(ground, "fire", "duty_officer").pk)
    else:
        access.close_dataset(actor=SYSTEM, grant_ids=[grant], why="over", now=ground.now)
    taken(download)
    assert (said()["rows"], said()["complete"]) == (500, False)
    assert said()["why"] == ("post" if what == "post" else "withdrawn")


def test_a_grant_renewed_by_a_like_one_ends_nothing(ground: Ground) -> None:
    row = store(ground)
    filled(ground, row, records(700))
    grant = opened(ground, row)
    download = begun(ground, row)
    next(download)
    opened(ground, row)
    access.close_dataset(actor=SYSTEM, grant_ids=[grant], why="renewed", now=ground.now)
    taken(download)
    assert (said()["rows"], said()["complete"]) == (700, True)


def test_a_delivery_meanwhile_leaves_the_file_as_of_its_beginning(ground: Ground) -> None:
    row = store(ground)
    filled(ground, row, records(900))
    opened(ground, row)
    download = begun(ground, row, "json")
    first = [next(download), next(download)]
    filled(ground, row, [one | {"tons": 1} for one in records(600)] + [{"id": "new"}])
    found = json.loads(b"".join([*first, taken(download)]))
    assert [one["data"] for one in found["records"]] == records(900)


def test_who_leaves_is_on_record_with_what_had_left(ground: Ground) -> None:
    row = store(ground)
    filled(ground, row, records(1_200))
    opened(ground, row)
    download = begun(ground, row)
    sent = next(download) + next(download)
    download.close()
    assert (said()["rows"], said()["complete"], said()["why"], said()["size"]) == (500, False, "left", len(sent))
    download.close()
    assert Event.objects.filter(type="records.exported").count() == 1


def test_what_does_not_leave_in_bulk(ground: Ground) -> None:
    row, secret = store(ground), ground.confidential()
    with pytest.raises(NoGrant):
        begun(ground, row)
    with pytest.raises(NotFound):
        begun(ground, secret)
    with pytest.raises(downloads.NotInBulk):
        begun(ground, secret, by="health")
    opened(ground, row, source="break_glass")
    with pytest.raises(access.NotForExport):
        begun(ground, row)
    opened(ground, row)
    with pytest.raises((downloads.NotInBulk, NotFound, NoGrant)):
        wall = Actor("display", 1, ground.departments["fire"].pk)
        downloads.begin(actor=wall, now=ground.now, dataset_id=row.pk, format="csv")
    with pytest.raises(Invalid):
        begun(ground, row, "pdf")
    plain = store(ground, "plain", PLAIN)
    with pytest.raises(downloads.NoPlace):
        begun(ground, plain, "geojson", by="health", purpose="drill")
    assert not Event.objects.filter(type="records.exported").exists()


def test_what_is_restricted_leaves_for_a_stated_purpose(ground: Ground) -> None:
    row = store(ground, classification=3, sharing="conditional", legal_basis_id=ground.basis().pk, conditions_en="Ask.")
    filled(ground, row, records(1))
    opened(ground, row, purpose="drill")
    with pytest.raises(downloads.PurposeNeeded):
        begun(ground, row)
    with pytest.raises(NoGrant):
        begun(ground, row, purpose="sightseeing")
    assert len(rows_of(taken(begun(ground, row, purpose="drill")))) == 2


def test_one_restricted_field_leaves_for_a_stated_purpose_and_only_where_it_is_open(ground: Ground) -> None:
    note = {"classification": 3}
    fields = [field | (note if field["name"] == "note" else {}) for field in SCHEMA["fields"]]
    row = store(ground, schema=SCHEMA | {"fields": fields})
    filled(ground, row, records(1))
    opened(ground, row, "water", max_class=2)
    assert b"note 0" not in taken(begun(ground, row, by="water"))
    opened(ground, row)
    with pytest.raises(downloads.PurposeNeeded):
        begun(ground, row)
    assert b"note 0" in taken(begun(ground, row, purpose="drill"))


def test_only_so_many_run_at_once_and_each_gives_its_place_back(ground: Ground) -> None:
    row = store(ground)
    running = [begun(ground, row, by="health") for _ in range(downloads.AT_ONCE)]
    with pytest.raises(downloads.TooManyDownloads):
        begun(ground, row, by="health")
    for one in running:
        one.close()
    taken(begun(ground, row, by="health"))


def test_what_fails_before_it_begins_keeps_no_place(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    row = store(ground)

    def broken(*_given: Any) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(downloads, "_head", broken)
        for _time in range(downloads.AT_ONCE):
            with pytest.raises(OperationalError):
                begun(ground, row, by="health")
    taken(begun(ground, row, by="health"))


def test_the_cost_of_a_turn_does_not_grow(ground: Ground) -> None:
    row = store(ground)
    opened(ground, row)

    def asked(count: int) -> int:
        filled(ground, row, records(count))
        download = begun(ground, row)
        with CaptureQueriesContext(connection) as found:
            taken(download)
        return len(found)

    one, four, eight = asked(400), asked(1_900), asked(3_900)
    assert (eight - four) == 4 * (four - one) / 3, "the same for each turn"


def test_three_hundred_fields(ground: Ground) -> None:
    fields = [{"name": "id", "type": "string", "title_en": "Id"}]
    fields += [{"name": f"f{n}", "type": "integer", "title_en": f"F {n}"} for n in range(299)]
    row = store(ground, "wide", {"fields": fields, "primaryKey": ["id"]})
    filled(ground, row, [{"id": f"r{k}"} | {f"f{n}": n * k for n in range(299)} for k in range(20)])
    found = rows_of(taken(begun(ground, row, by="health")))
    assert len(found) == 21 and {len(line) for line in found} == {300}
    assert found[-1][-1] == str(298 * 19)


def test_ten_thousand_rows(ground: Ground) -> None:
    row = store(ground)
    filled(ground, row, records(10_000))
    found = json.loads(taken(begun(ground, row, "geojson", by="health")))
    assert len(found["features"]) == 10_000 and found["end"] == {"rows": 10_000, "complete": True, "why": ""}
    assert len({one["id"] for one in found["features"]}) == 10_000

"""Does a delivered file become records whole or not at all, and is each fault named by its place in the file?"""

from __future__ import annotations

import io
import json
import time
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from sharing.catalogue.models import Record, Transfer
from sharing.exchange.reading import as_typed, table_of
from tests.catalogue.ground import Ground
from tests.catalogue.test_pages import enter, plain_static
from tests.exchange.store import begun, filled, records, store, taken
from tests.screens.forms import form

pytestmark = pytest.mark.django_db
__all__ = ["enter", "plain_static"]


def sent(client: Any, row: Any, name: str, content: bytes, **more: Any) -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post(f"/data/{row.pk}/deliver/", form(file=file, **({"mode": "whole"} | more)))


def kept(row: Any) -> list[dict[str, Any]]:
    return list(Record.everything.filter(dataset=row, until=None).order_by("pk").values_list("data", flat=True))


def workbook(lines: list[list[Any]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for line in lines:
        book.active.append(line)
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("form_", ["csv", "xlsx", "json"])
def test_what_left_comes_back_the_same(ground: Ground, enter: Any, form_: str) -> None:
    client = enter("health/data_steward")
    first, second = store(ground, "first", SCHEMA_OBJECT), store(ground, "second", SCHEMA_OBJECT)
    given = [{"id": "=1+1", "tons": -2.5, "full": True, "note": "a\nb"}, {"id": "007", "tons": 4, "full": False}]
    filled(ground, first, given)
    content = taken(begun(ground, first, form_, by="health"))
    if form_ == "json":
        content = json.dumps([one["data"] for one in json.loads(content)["records"]]).encode()
    answer = sent(client, second, f"records.{form_}", content)
    assert answer.status_code == 303, answer.content.decode()[-3000:]
    assert kept(second) == kept(first)


SCHEMA_OBJECT: dict[str, Any] = {
    "fields": [
        {"name": "id", "type": "string", "title_zh": "编号", "title_en": "Number"},
        {"name": "tons", "type": "number", "title_zh": "吨", "title_en": "Tons"},
        {"name": "full", "type": "boolean", "title_zh": "满", "title_en": "Full"},
        {"name": "note", "type": "string", "title_zh": "备注", "title_en": "Note"},
    ],
    "primaryKey": ["id"],
}


def test_columns_may_be_named_by_their_titles(ground: Ground, enter: Any) -> None:
    client, row = enter("health/data_steward"), store(ground, "first", SCHEMA_OBJECT)
    assert sent(client, row, "a.csv", "编号;吨;满\n1;2;是\n".encode("utf-8-sig")).status_code == 303
    assert kept(row) == [{"id": "1", "tons": 2, "full": True}]
    assert sent(client, row, "a.xlsx", workbook([["Number", "Tons"], [12, 0.5], ["x", None]])).status_code == 303
    assert kept(row) == [{"id": "12", "tons": 0.5}, {"id": "x"}]


def test_every_fault_stands_at_its_row_and_column_and_nothing_is_kept(ground: Ground, enter: Any) -> None:
    client, row = enter("health/data_steward"), store(ground, "first", SCHEMA_OBJECT)
    filled(ground, row, [{"id": "old"}])
    content = b'# a note\r\nid,tons,full\r\n1,2,yes\r\n"2\r\n3",many,true\r\n4,5,perhaps,more\r\n'
    answer = sent(client, row, "a.csv", content)
    assert answer.status_code == 422
    found = {(one["row"], one["column"]) for one in answer.context["faults"]}
    assert found == {(5, "tons"), (6, "full"), (6, "#4")}
    assert kept(row) == [{"id": "old"}] and Transfer.objects.filter(dataset=row).count() == 1
    again = sent(client, row, "a.xlsx", workbook([["id", "tons"], ["1", 2], [None, None], ["2", "x"]]))
    assert [(one["row"], one["column"]) for one in again.context["faults"]] == [(4, "tons")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"id\n1"), ("a", b"id\n1"), ("a.csv", b""), ("a.csv", b"id,id\n1,2"), ("a.csv", b"\xff\xfe"),
        ("a.xlsx", b"PK"), ("a.json", b"{}"), ("a.json", b"[]"), ("a.csv", b"x" * (10 * 1024 * 1024 + 1)),
        ("a.csv", b"id\n" + b"\n".join(b"%d" % n for n in range(10_001))), ("a.json", b'[{"id": "a\\u0000"}]'),
        ("a.json", b'[{"id": "a", "id\\u0000": 1}]'), ("a.json", b'[{"id": {"a": [1]}}]'),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_said(ground: Ground, enter: Any, name: str, content: bytes) -> None:
    client, row = enter("health/data_steward"), store(ground, "first", SCHEMA_OBJECT)
    answer = sent(client, row, name, content)
    assert answer.status_code == 422 and answer.context["errors"]["title"]
    assert not Transfer.objects.filter(dataset=row).exists()


def test_a_part_replaces_what_it_names_and_a_second_click_nothing(ground: Ground, enter: Any) -> None:
    client, row = enter("health/data_steward"), store(ground, "first", SCHEMA_OBJECT)
    filled(ground, row, [{"id": "a", "tons": 1}, {"id": "b", "tons": 2}])
    given = form(file=SimpleUploadedFile("a.csv", b"id,tons\nb,3\n"), mode="part")
    assert client.post(f"/data/{row.pk}/deliver/", given).status_code == 303
    given["file"] = SimpleUploadedFile("a.csv", b"id,tons\nb,3\n")
    assert client.post(f"/data/{row.pk}/deliver/", given).status_code == 303
    assert sorted((one["id"], one["tons"]) for one in kept(row)) == [("a", 1), ("b", 3)]
    assert Transfer.objects.filter(dataset=row).count() == 2


def test_only_its_department_sees_and_delivers(ground: Ground, enter: Any) -> None:
    row = store(ground, "first", SCHEMA_OBJECT)
    assert sent(enter("fire/data_steward"), row, "a.csv", b"id\n1").status_code == 403
    assert enter("fire/data_steward").get(f"/data/{row.pk}/deliver/").status_code == 403
    assert enter("health/duty_officer").get(f"/data/{row.pk}/deliver/").status_code == 200
    secret = ground.confidential()
    assert enter("fire/data_steward").get(f"/data/{secret.pk}/deliver/").status_code == 404
    assert not Transfer.objects.exists()


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("7", "integer", 7), ("-7", "integer", -7), ("7.0", "integer", 7.0), ("1e3", "number", 1000.0),
        ("", "number", ""),
        ("nan", "number", "nan"), ("1,5", "number", "1,5"), ("TRUE", "boolean", True), ("否", "boolean", False),
        ("2", "boolean", "2"), ("007", "string", "007"), ("9" * 40, "integer", "9" * 40), ("1e999", "number", "1e999"),
    ],
)  # fmt: skip
def test_a_text_becomes_what_its_field_says_where_it_can(text: str, kind: str, value: Any) -> None:
    assert as_typed(text, kind) == value and type(as_typed(text, kind)) is type(value)


def test_transfers_are_paged(ground: Ground, enter: Any) -> None:
    row = store(ground)
    for count in range(1, 24):
        filled(ground, row, records(count))
    client = enter("health/duty_officer")
    first = client.get(f"/data/{row.pk}/deliver/")
    assert [one["number"] for one in first.context["transfers"]] == list(range(23, 3, -1))
    second = client.get(f"/data/{row.pk}/deliver/{first.context['next']}")
    assert [one["number"] for one in second.context["transfers"]] == [3, 2, 1] and not second.context["next"]


@pytest.mark.parametrize("name", ["wide.csv", "wide.json"])
def test_a_file_of_very_many_columns_is_refused_at_once(name: str) -> None:
    columns = [f"c{n}" for n in range(100_000)]
    text = ",".join(columns) if name.endswith("csv") else json.dumps([dict.fromkeys(columns)])
    began = time.process_time()
    assert len(table_of(name, text.encode()).names) == 100_000
    assert time.process_time() - began < 5  # each compared with each: minutes

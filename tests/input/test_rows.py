"""Does the table of bad input stand somewhere, whole, and does it grow with what can be sent?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import get_resolver, path

from coordination.config import sockets
from sharing.access.rest.reading import MAX_BYTES, Malformed, TooBig, decode
from tests.input import places, table
from tests.input.making import bytes_of
from tests.input.table import LAST, Row
from tests.permissions import bodies
from tests.permissions import operations as ops
from tests.permissions.operations import Operation
from tests.permissions.world import World

ROOT = Path(__file__).parents[2]
WITH_A_TEST = {"repeated", "twice", "socket", "origin"}
# DCAT in JSON-LD comes and goes there, no alert and no table; what takes it is tried with the rows of JSON. Of grants
# a CSV goes out, and no spreadsheet.
DOCUMENTS = {"api/v1/datasets/import", "api/v1/datasets/export", "data/sharing/export/"}
# B36 to B38 of these are proved where their files are read and written: tests/exchange/test_formats.py
DOCUMENTS |= {"api/v1/datasets/<str:dataset_id>/records/export", "data/<int:pk>/records/download/"}
# and of a part of the log: tests/events/test_checking.py
DOCUMENTS |= {"audit/export/"}
# words of an address, a media type or a field by which an alert or a table would come or go
_WORD = re.compile(r"[a-z0-9]+")


def test_every_number_is_there_once_or_more_and_each_has_tries_a_proof_or_a_reason_to_wait() -> None:
    assert {row.row for row in table.rows()} == {f"B{number}" for number in range(1, LAST + 1)}
    for row in table.rows():
        assert row.place in {*places.PLACES, *WITH_A_TEST, ""}, row
        assert row.place or row.proof or row.not_yet, row
        assert all((ROOT / one).exists() for one in row.proof), row
        assert not row.place or row.answer or row.place == "socket", row
        assert not any(status >= 500 for status in row.answer), row


def test_every_row_fits_somewhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_CELLS", "all")
    waiting = {row.row for row in table.rows() if row.place in places.PLACES}
    for operation in ops.operations():
        waiting -= places.places_of(operation, world)
        if not waiting:
            break
    assert waiting == set()


def signs(operation: Operation) -> set[str]:
    """The words by which an operation could be told to take or give alerts or tables."""
    declared = operation.declared
    media = [declared.media, *declared.offers] if declared is not None else []
    return set(_WORD.findall(" ".join([re.sub(r"<[^>]*>", "", operation.route), operation.name, *media]).lower()))


def uncovered(operations: list[Operation]) -> Iterator[str]:
    """Operations with the sign of a row that says it cannot be sent yet."""
    for row in table.rows():
        for operation in operations:
            if set(row.not_yet) & signs(operation) and operation.route not in DOCUMENTS:
                yield f"{row.row} has no tries, and here they could be sent: {operation.key}"


def test_what_cannot_be_sent_yet_cannot_be_sent() -> None:
    assert sorted(set(uncovered(ops.operations()))) == []


@pytest.mark.parametrize("route", ["alerts/cap/", "api/v1/incidents/<int:pk>/export.csv", "tables/import/", "x.xlsx"])
def test_an_operation_that_takes_them_fails_until_the_row_has_tries(
    route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = path(route, lambda request, **named: HttpResponse())
    monkeypatch.setattr(get_resolver(), "url_patterns", [*get_resolver().url_patterns, new])
    assert any(route in one for one in uncovered(ops.operations()))


def test_a_new_form_is_tried_without_a_word_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An act that is added to a page is an operation, and its fields are found in its form."""
    monkeypatch.setenv("MUSTER_CELLS", "all")
    from coordination.screens import incident_deeds

    monkeypatch.setitem(incident_deeds.DEEDS, "brand_new", incident_deeds.DEEDS["set_scale"])
    (operation,) = [one for one in ops.operations() if one.name == "brand_new"]
    names = {attempt.at_field for attempt in places.attempts(operation, world)} - {""}
    form = bodies.form_of(operation)
    assert form is not None
    assert names == set(form.base_fields) - {"command_id"}


def test_every_socket_is_one_of_those_that_frames_are_sent_to() -> None:
    assert [str(one.pattern) for one in sockets.routes()] == ["live/ws"]


JSON = [(row, one) for row in table.at("json") if row.row in {f"B{n}" for n in range(1, 13)} for one in row.tries]


@pytest.mark.parametrize(
    ("row", "one"), [pair for pair in JSON if pair[1].kind is None], ids=lambda one: getattr(one, "name", "") or one.row
)
def test_hostile_json_is_refused_by_the_reader(row: Row, one: Any) -> None:
    """Each way of each row at the one place where all operations read JSON."""
    body = bytes_of(one.sent) or b""
    if one.name in ("list", "null", "text", "number", "unknown"):
        decode(body)  # well-formed; that it is no object, or has a strange name, is seen by the operation
        return
    with pytest.raises(Malformed):
        decode(body)


def test_one_byte_too_many_is_too_big() -> None:
    with pytest.raises(TooBig):
        decode(b'"' + b"x" * MAX_BYTES + b'"')


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", {}),
        (b"  ", {}),
        (b'{"a": [1, 2.5, true, null, "\\u4e2d\\ud83d\\ude00"]}', {"a": [1, 2.5, True, None, "中😀"]}),
        (b'{"a": "{\\"b\\": 1, \\"b\\": 2}", "c": {"a": 1}}', {"a": '{"b": 1, "b": 2}', "c": {"a": 1}}),
        (b"[" * 32 + b"]" * 32, None),
    ],
)
def test_what_is_well_formed_is_read(body: bytes, value: Any) -> None:
    assert decode(body) == (decode(body) if value is None else value)

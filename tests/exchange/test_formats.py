"""Do independent readers find in each format what was written, whatever the texts are?"""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest

from sharing.exchange.formats import FORMATS
from sharing.exchange.formats.sheet import End, Head, Unreadable

HOSTILE = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "'=1", "# no", "\u202egnp.exe", 'a"b', "a,b", "a\r\nb", "中文",
    "<b>&amp;", "_x0041_", "\x07bell", "' plain", "", "=HYPERLINK(\"http://x\")", "😀", "DDE|x", "\ufeffx",
]  # fmt: skip


def head(*names: str, place: str = "") -> Head:
    return Head({"purpose": ("Purpose", "flood\ndrill"), "grants": ("By grants", "7")}, names, place)


def row(n: int, masked: list[str] | None = None, /, **data: Any) -> dict[str, Any]:
    return {"id": n, "since": 1, "data": data, "masked": masked or []}


def written(form: str, given: Head, rows: list[dict[str, Any]], why: str = "", size: int = 500) -> bytes:
    end = End()

    def batches() -> Iterator[Any]:
        for begin in range(0, len(rows), size):
            end.rows += len(rows[begin : begin + size])
            yield rows[begin : begin + size]
        end.complete, end.why, end.words = not why, why, why or "Complete."

    return b"".join(FORMATS[form].write(given, batches(), end))


def lines(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_csv_runs_nothing_and_numbers_stay_numbers() -> None:
    content = written("csv", head("text", "n"), [row(k, text=text, n=-k) for k, text in enumerate(HOSTILE)])
    assert content.startswith(b"\xef\xbb\xbf")
    found = lines(content)
    assert found[0] == ["# Purpose: flood\ndrill"] and found[1] == ["# By grants: 7"] and found[-1] == ["# Complete."]
    assert found[2] == ["text", "n"]
    cells = found[3:-1]
    assert [int(n) for _text, n in cells] == [-k for k in range(len(HOSTILE))]
    assert not any(text[:1] in "=+-@\t\r\n#" for text, _n in cells if text)
    assert [text.removeprefix("'") if text[1:2] in "=+-@\t\r\n#'" else text for text, _n in cells][:9] == HOSTILE[:9]


def test_csv_comes_back_as_it_left() -> None:
    rows = [row(k, text=text, n=k, b=k % 2 == 0, p=[121.5, 31.25]) for k, text in enumerate(HOSTILE)]
    table = FORMATS["csv"].read(written("csv", head("text", "n", "b", "p"), rows), 10_000)  # type: ignore[misc]
    assert table.names == ["text", "n", "b", "p"]
    assert [one["text"] for _line, one in table.rows] == HOSTILE
    assert {one["p"] for _line, one in table.rows} == {"121.5, 31.25"}
    assert {one["b"] for _line, one in table.rows} == {"true", "false"}


def test_a_workbook_is_read_by_another_library() -> None:
    rows = [row(k, text=text, n=-k / 2, b=k % 2 == 0) for k, text in enumerate(HOSTILE)]
    book = openpyxl.load_workbook(io.BytesIO(written("xlsx", head("text", "n", "b", "none"), rows)))
    assert book.sheetnames == ["Records", "About"]
    found = [list(one) for one in book["Records"].iter_rows(values_only=True)]
    assert found[0] == ["text", "n", "b", "none"]
    assert [one[1] for one in found[1:]] == [-k / 2 for k in range(len(HOSTILE))]
    assert [one[2] for one in found[1:]] == [k % 2 == 0 for k in range(len(HOSTILE))]
    kept = [(one[0] or "") for one in found[1:]]
    assert kept == [text.replace("\x07", "�").replace("\r\n", "\n").replace("\r", "\n") for text in HOSTILE]
    assert {cell.data_type for line in book["Records"].iter_rows() for cell in line} <= {"s", "n", "b", "inlineStr"}
    assert [one[:2] for one in book["About"].iter_rows(values_only=True)][0] == ("Purpose", "flood\ndrill")


def test_json_says_what_it_is_and_how_it_ended() -> None:
    found = json.loads(written("json", head("text"), [row(k, text=text) for k, text in enumerate(HOSTILE)], size=4))
    assert found["about"] == {"purpose": "flood\ndrill", "grants": "7"}
    assert [one["data"]["text"] for one in found["records"]] == HOSTILE
    assert found["end"] == {"rows": len(HOSTILE), "complete": True, "why": ""}


def test_a_masked_place_is_a_square_and_never_a_point() -> None:
    rows = [row(1, place=[121.5, 31.25], id="a"), row(2, ["place"], place=[121.51, 31.2], id="b"), row(3, id="c")]
    rows += [row(4, ["place"], place="***", id="d")]
    found = json.loads(written("geojson", head("id", "place", place="place"), rows))
    assert found["type"] == "FeatureCollection" and found["end"]["complete"]
    shapes = [one["geometry"] for one in found["features"]]
    assert shapes[0] == {"type": "Point", "coordinates": [121.5, 31.25]}
    ring = shapes[1]["coordinates"][0]
    assert shapes[1]["type"] == "Polygon" and ring[0] == ring[-1] == [121.51, 31.2] and len(ring) == 5
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:], strict=False))
    assert area > 0, "counter-clockwise, RFC 7946 3.1.6"
    assert shapes[2:] == [None, None]
    assert [one["properties"]["id"] for one in found["features"]] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_what_ends_early_is_whole_as_a_file_and_says_why(form: str) -> None:
    content = written(form, head("id", place="id"), [row(k, id=str(k)) for k in range(700)], why="Taken back.")
    if form == "csv":
        assert lines(content)[-1] == ["# Taken back."]
    elif form == "xlsx":
        found = list(openpyxl.load_workbook(io.BytesIO(content))["Records"].iter_rows(values_only=True))
        assert found[-1][0] == "# Taken back."
    else:
        assert json.loads(content)["end"] == {"rows": 700, "complete": False, "why": "Taken back."}


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_an_empty_file_is_one(form: str) -> None:
    content = written(form, head("id", place="id"), [])
    assert (json.loads(content)["end"]["rows"] == 0) if "json" in form else len(content) > 20


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_memory_is_flat_over_a_hundred_thousand_rows(form: str) -> None:
    """As much for ten times the rows: what a turn holds, and no more."""

    def most(count: int) -> int:
        end = End()

        def batches() -> Iterator[Any]:
            for begin in range(0, count, 500):
                yield [row(k, id=f"s{k}", text="x" * 50, place=[121.0, 31.0]) for k in range(begin, begin + 500)]
            end.complete, end.words = True, "Complete."

        pieces = FORMATS[form].write(head("id", "text", "place", place="place"), batches(), end)
        tracemalloc.start()
        try:
            for _piece in pieces:
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    most(1_000)
    assert most(100_000) < most(5_000) * 1.5 + 300_000


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("csv", "编号".encode("gb18030")), ("csv", b"a\0b"), ("csv", b'id\n"' + b"x" * 300_000),
        ("xlsx", b"PK\x03\x04 no"), ("xlsx", b""), ("json", b"{"), ("json", b"7"), ("json", b"[1]"),
        ("json", b"[" * 5_000), ("json", b'{"records": 1}'),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(form: str, content: bytes) -> None:
    read = FORMATS[form].read
    assert read is not None
    with pytest.raises(Unreadable):
        read(content, 100)


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", b"\0" * (101 * 1024 * 1024))
    read = FORMATS["xlsx"].read
    assert read is not None
    with pytest.raises(Unreadable):
        read(out.getvalue(), 100)


def test_more_rows_than_are_taken_are_not_even_read() -> None:
    for form in ("csv", "xlsx", "json"):
        content = written(form, head("id"), [row(k, id=f"s{k}") for k in range(1_000)])
        if form == "json":
            content = json.dumps([{"id": str(k)} for k in range(1_000)]).encode()
        read = FORMATS[form].read
        assert read is not None and len(read(content, 10).rows) == 11

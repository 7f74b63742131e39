"""How do records look as a workbook (Office Open XML), written as it is sent and read within bounds?

Written by hand, since libraries put a whole workbook on a disk before its first byte leaves. Texts are inline strings,
which no spreadsheet runs as formulas.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.utils.exceptions import InvalidFileException

from sharing.exchange.formats.sheet import Batches, End, Format, Head, Table, Unreadable, plain

MOST_ROWS = 1_048_000
MOST_UNPACKED, MOST_PARTS, MOST_COLUMNS = 100 * 1024 * 1024, 500, 1_000
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet2.xml" ContentType="{_KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>'
    '<sheet name="Records" sheetId="1" r:id="rId1"/><sheet name="About" sheetId="2" r:id="rId2"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_REL}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_REL}/worksheet" Target="worksheets/sheet2.xml"/></Relationships>',
}
_BEGIN = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
    'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
_ABOUT = f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'
_END = "</sheetData></worksheet>"


class _Pipe(io.RawIOBase):
    """A file that is emptied as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        found, self.parts = b"".join(self.parts), []
        return found


def write(head: Head, batches: Batches, end: End) -> Iterator[bytes]:
    """Yield the file."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in _PARTS.items():
            book.writestr(_part(name), _XML + text)
        with book.open(_part("xl/worksheets/sheet1.xml"), "w") as sheet:
            sheet.write((_BEGIN + _row(head.names)).encode())
            for rows in batches:
                sheet.write("".join(_row(row["data"].get(one) for one in head.names) for row in rows).encode())
                yield pipe.taken()
            ended = "" if end.complete else _row([f"# {end.words}"])
            sheet.write((ended + _END).encode())
        facts = [*head.about.values(), (_("End"), end.words)]
        book.writestr(_part("xl/worksheets/sheet2.xml"), _ABOUT + "".join(_row(one) for one in facts) + _END)
    yield pipe.taken()


def _part(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name)  # of 1980: what was sent hangs on nothing but what is in it
    found.compress_type = zipfile.ZIP_DEFLATED
    return found


def _row(values: Iterable[Any]) -> str:
    return f"<row>{''.join(map(_cell, values))}</row>"


def _cell(value: Any) -> str:
    value = plain(value)
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value!r}</v></c>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(_UNFIT.sub("�", value))}</t></is></c>'


def read(content: bytes, most: int) -> Table:
    """Read the first sheet; raises `Unreadable`."""
    broken = _("The file is no workbook (.xlsx) that can be read.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            sizes = [one.file_size for one in parts.infolist()]
        if len(sizes) > MOST_PARTS or sum(sizes) > MOST_UNPACKED:
            raise Unreadable(_("The workbook is too big. Deliver it as CSV."))
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            return _table(book.worksheets[0].iter_rows(values_only=True, max_col=MOST_COLUMNS), most)
        finally:
            book.close()
    except Unreadable:
        raise
    except (zipfile.BadZipFile, InvalidFileException, *_BREAKS) as error:
        raise Unreadable(broken) from error


# What openpyxl lets through of a hostile or broken file: it promises no error of its own. NotImplementedError is
# zipfile's word for an archive that needs a later version of ZIP than it reads.
_BREAKS = (KeyError, ValueError, TypeError, IndexError, AttributeError, SyntaxError, OSError, EOFError, OverflowError,
           NotImplementedError, RuntimeError, zlib.error)  # fmt: skip


def _table(lines: Iterable[tuple[Any, ...]], most: int) -> Table:
    table = Table()
    for number, cells in enumerate(lines, start=1):
        if all(one is None for one in cells) or (isinstance(cells[0], str) and cells[0].startswith("# ")):
            continue
        if not table.names:
            last = max(place for place, one in enumerate(cells) if one is not None)
            table.names = [str("" if one is None else one).strip() for one in cells[: last + 1]]
            continue
        if len(table.rows) > most:
            break
        row = {name: _value(one) for name, one in zip(table.names, cells, strict=False)}
        beyond = next((one for one in cells[len(table.names) :] if one is not None), None)
        if beyond is not None:
            row[f"#{len(table.names) + 1}"] = str(beyond)
        table.rows.append((number, row))
    return table


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and (not math.isfinite(value) or value == int(value)):
        return int(value) if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


FORMAT = Format(
    "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", write, read, most=MOST_ROWS
)

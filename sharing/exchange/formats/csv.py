"""How do records look as CSV (RFC 4180, UTF-8 with its mark, so that every spreadsheet reads it)?

Lines about the download begin with ``#``. A text that a spreadsheet would run as a formula gets an apostrophe before
it, which is taken off again when the file comes back; numbers are numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from sharing.exchange.formats.sheet import Batches, End, Format, Head, Table, Unreadable, plain

BOM = "\ufeff"
_RUN = re.compile(r"'*[=+\-@\t\r\n#]")
"""How a text begins that would be run, or taken for a line about the download; also one that only looks neutralised."""
_NEUTRAL = re.compile(r"'+[=+\-@\t\r\n#]")
LONGEST_CELL = 200_000


def write(head: Head, batches: Batches, end: End) -> Iterator[bytes]:
    """Yield the file."""
    lines = [[f"# {label}: {text}"] for label, text in head.about.values()]
    yield (BOM + _lines([*lines, list(head.names)])).encode()
    for rows in batches:
        yield _lines([_cell(row["data"].get(name)) for name in head.names] for row in rows).encode()
    yield _lines([[f"# {end.words}"]]).encode()


def _lines(rows: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    value = plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return neutral(value)
    return "" if value is None else value


def neutral(text: str) -> str:
    """The text so that no spreadsheet runs it."""
    return f"'{text}" if _RUN.match(text) else text


def read(content: bytes, most: int) -> Table:
    """Read the file; raises `Unreadable`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(_("The file is not in UTF-8. Save it as “CSV UTF-8”.")) from None
    if "\0" in text:
        raise Unreadable(_("The file contains the character NUL."))
    first = text.split("\n", 1)[0]
    csv.field_size_limit(LONGEST_CELL)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    table = Table()
    try:
        for cells in lines:
            if not any(cells) or cells[0].startswith("#"):
                continue
            if not table.names:
                table.names = [one.strip() for one in cells]
                continue
            if len(table.rows) > most:
                break
            table.rows.append((lines.line_num, _row(table.names, cells)))
    except csv.Error as error:
        raise Unreadable(_("The file is no CSV: %(error)s.") % {"error": error}) from error
    return table


def _row(names: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    found = {
        name: cell[1:] if _NEUTRAL.match(cell) else cell for name, cell in zip(names, cells, strict=False)
    }
    if len(cells) > len(names):
        found[f"#{len(names) + 1}"] = cells[len(names)]  # a fault of its own: there is no field of this name
    return found


FORMAT = Format("csv", "text/csv; charset=utf-8", "csv", write, read, typed=False)

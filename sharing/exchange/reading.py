"""How does a delivered file become records, and its faults places in the file?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from coordination.events.refused import Invalid
from sharing.exchange.formats import FORMATS, READ
from sharing.exchange.formats.sheet import Table, Unreadable

MOST_BYTES = 10 * 1024 * 1024
MOST_ROWS = 10_000
_WHOLE = re.compile(r"[+-]?\d{1,16}")
_NUMBER = re.compile(r"[+-]?(\d{1,16}(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?")
_TRUTHS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "是": True, "否": False}
_POINTER = re.compile(r"/records/(\d+)(?:/(.*))?")


def table_of(name: str, content: bytes) -> Table:
    """Read a file by the end of its name. Raises `Invalid` (422) with what is wrong."""
    form = name.rpartition(".")[2].lower()
    if form not in READ:
        raise _wrong("not_a_choice", _("Deliver a file that ends in .csv, .xlsx or .json."))
    if len(content) > MOST_BYTES:
        raise _wrong("too_big", _("The file is larger than 10 MB. Deliver it in parts."))
    read = FORMATS[form].read
    try:
        table = read(content, MOST_ROWS) if read is not None else Table()
    except Unreadable as error:
        raise _wrong("unreadable", str(error)) from error
    doubled = sorted(one for one, times in Counter(table.names).items() if one and times > 1)
    if doubled:
        raise _wrong("repeated", _("Two columns have the name %(name)s.") % {"name": doubled[0][:80]})
    if not table.names:
        raise _wrong("empty", _("The file is empty. Its first line names the fields."))
    return table


def records_of(table: Table, fields: Sequence[Mapping[str, Any]], *, typed: bool) -> list[dict[str, Any]]:
    """The rows as records: titles of columns become names, and texts what their fields' types say where they can."""
    kinds = {one["name"]: one.get("type", "string") for one in fields}
    names = {}
    for one in fields:
        for title in (one.get("title"), one.get("title_zh"), one.get("title_en")):
            names.setdefault(title, one["name"])
    named = {column: column if column in kinds else names.get(column, column) for column in table.names}
    return [
        {
            named.get(column, column): as_typed(value, kinds.get(named.get(column, column), ""), typed=typed)
            for column, value in row.items() if column or value not in (None, "")
        }
        for _line, row in table.rows
    ]


def as_typed(value: Any, kind: str, *, typed: bool = False) -> Any:
    """A cell as a value of a type; what is none stays as it is, to be refused where it stands."""
    if kind == "string" and not typed:
        return value
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)  # a spreadsheet takes every number of a house for a number
    if not isinstance(value, str):
        return value
    text = value.strip()
    if kind == "integer" and _WHOLE.fullmatch(text):
        return int(text)
    if kind in ("number", "integer") and _NUMBER.fullmatch(text):
        return float(text)
    if kind == "boolean":
        return _TRUTHS.get(text.lower(), value)
    return value


def faults_of(refused: Invalid, table: Table, fields: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every fault with its row in the file and its column; row None for one of the whole file."""
    titles = {one["name"]: one.get("title_en") or one.get("title") or one["name"] for one in fields}
    found = []
    for one in refused.errors:
        match = _POINTER.fullmatch(str(one["pointer"]))
        row = table.rows[int(match[1])][0] if match and int(match[1]) < len(table.rows) else None
        name = (match[2] or "").replace("~1", "/").replace("~0", "~") if match else ""
        found.append({"row": row, "column": name, "title": titles.get(name, ""), "text": str(one.get("detail", ""))})
    return found


def _wrong(code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[{"pointer": "/file", "code": code, "detail": detail}])

"""How do records look as JSON: about, records, end?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from django.utils.translation import gettext as _

from sharing.exchange.formats.sheet import Batches, End, Format, Head, Table, Unreadable


def write(head: Head, batches: Batches, end: End) -> Iterator[bytes]:
    """Yield the file."""
    yield b'{"about": ' + about(head) + b', "records": ['
    between = b"\n"
    for rows in batches:
        piece = b""
        for row in rows:
            said = {"id": row["id"], "since": row["since"], "data": row["data"], "masked": row["masked"]}
            piece += between + orjson.dumps(said)
            between = b",\n"
        yield piece
    yield b'\n], "end": ' + orjson.dumps(end.said()) + b"}\n"


def about(head: Head) -> bytes:
    """The facts about the download, by key."""
    return orjson.dumps({key: value for key, (_label, value) in head.about.items()})


def read(content: bytes, most: int) -> Table:
    """Read a list of objects, or an object with such a list as ``records``; raises `Unreadable`."""
    try:
        found: Any = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Unreadable(_("The file is no JSON: %(error)s.") % {"error": str(error)[:200]}) from error
    if isinstance(found, dict) and isinstance(found.get("records"), list):
        found = found["records"]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found[: most + 1]):
        raise Unreadable(_("The file must hold a list of records, each an object with its fields."))
    names = list(dict.fromkeys(name for one in found[: most + 1] for name in one))
    return Table(names, list(enumerate(found[: most + 1], start=1)))


FORMAT = Format("json", "application/json", "json", write, read)

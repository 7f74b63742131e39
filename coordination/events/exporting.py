"""How does what an auditor has found leave as a file, made beside all other work?

As a table (CSV, ids and codes only) or as a bundle that proves itself; the engine makes both, since it signs.
"""

from __future__ import annotations

import csv
import hashlib
import io
import logging
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import Error, transaction
from django.utils.dateparse import parse_datetime

from coordination.events import clock
from coordination.events.models import LogExport
from coordination.events.sealing import anchoring, anchors, bundle
from coordination.events.searching import Asked, Line, search

PAGE = 500
MOST = 50_000
"""Lines of one file; who needs more asks for two times."""
LONGEST = timedelta(hours=1)
KEPT = timedelta(days=7)
COLUMNS = (
    "at", "source", "act", "actor", "department", "post", "object_type", "objects", "count", "grants", "purpose",
    "request_id", "id",
)  # fmt: skip
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
_log = logging.getLogger(__name__)


def stored(asked: Asked) -> dict[str, Any]:
    """What was searched for, as a document that `restored` reads."""
    given = {name: value for name, value in asdict(asked).items() if value not in (None, "")}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in given.items()}


def restored(document: dict[str, Any]) -> Asked:
    """What `stored` wrote down."""
    known = {field.name for field in fields(Asked)}
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items() if name in known
    }
    for name in ("begin", "end"):
        if isinstance(given.get(name), str):
            given[name] = parse_datetime(given[name])
    return Asked(**given)


def run_next(now: datetime) -> LogExport | None:
    """Make the file that waits longest, if any; forget files that are a week old."""
    LogExport.objects.filter(finished_at__lt=now - KEPT, content__isnull=False).update(content=None)
    row = _claim(now)
    if row is None:
        return None
    try:
        made = _table(row) if row.form == LogExport.Form.CSV else _bundle(row, now)
        row.content, row.digest = zlib.compress(made), hashlib.sha256(made).hexdigest()
        row.state = LogExport.State.READY
    except (bundle.NoBundle, anchors.BadKey, Error, OSError) as error:
        _log.exception("a part of the log could not be exported")
        row.state, row.error = LogExport.State.FAILED, str(error)[:200]
    row.finished_at = clock.now()
    row.save(update_fields=["state", "content", "digest", "error", "finished_at", "lines", "cut"])
    return row


def file_of(row: LogExport) -> bytes:
    """The file, as it is handed out."""
    return zlib.decompress(row.content) if row.content is not None else b""


def _claim(now: datetime) -> LogExport | None:
    with transaction.atomic():
        rows = LogExport.objects.select_for_update(no_key=True, skip_locked=True).defer("content").order_by("id")
        row = rows.filter(state=LogExport.State.WAITING).first()
        if row is None:
            row = rows.filter(state=LogExport.State.RUNNING, began_at__lt=now - LONGEST).first()
        if row is not None:
            row.state, row.began_at, row.lines = LogExport.State.RUNNING, now, 0
            row.save(update_fields=["state", "began_at", "lines"])
    return row


def _lines(row: LogExport) -> Iterator[Line]:
    """Every line, with the number of those read so far written down page by page."""
    asked, after = restored(row.asked), None
    while True:
        lines, after = search(asked, row.within, after, PAGE)
        row.lines += len(lines)
        row.cut = after is not None and row.lines >= MOST
        LogExport.objects.filter(pk=row.pk).update(lines=row.lines, cut=row.cut)
        yield from lines
        if after is None or row.cut:
            return


def _table(row: LogExport) -> bytes:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for line in _lines(row):
        table.writerow([_plain(value) for value in (
            line.at.isoformat(), line.source, line.act, line.actor, line.department_id, line.post, line.object_type,
            " ".join(map(str, line.ids)), line.count, " ".join(map(str, line.grants)), line.purpose, line.request_id,
            line.id,
        )])  # fmt: skip
    return text.getvalue().encode("utf-8-sig")


def _plain(value: Any) -> str:
    """The value as text that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def _bundle(row: LogExport, now: datetime) -> bytes:
    key = anchoring.key()
    if key is None:
        raise bundle.NoBundle("there is no key to sign it with (MUSTER_ANCHOR_KEY)")
    found: dict[str, list[int]] = {"event": [], "read": []}
    for line in _lines(row):
        found[line.source].append(line.id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        bundle.export(path, bundle.Asked.of_lines(found["event"], found["read"]), key, now)
        return path.read_bytes()

"""Does the ledger of every assignment charge each microsecond once?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from tests.api.client import Api, Party
from tests.faults.checker import Breach
from tests.faults.records import Records


def check(api: Api, readers: list[Party], records: Records) -> list[Breach]:
    """Ask the first of ``readers`` who sees it for each ledger: no gap, no overlap, the sum is the whole."""
    began: dict[int, datetime] = {}
    for row in records["transitions"]:
        began[row[9]] = min(row[7], began.get(row[9], row[7]))
    found = []
    for pk, instruction, _state, _version, ended, effective in records["assignments"]:
        said = _wrong(_rows(api, readers, pk), began[instruction], effective if ended else None)
        if said:
            found.append(Breach("a ledger does not add up", f"assignment {pk}: {said}", "assignment", pk))
    return found


def _rows(api: Api, readers: list[Party], pk: int) -> list[dict[str, Any]]:
    for party in readers:
        answer = party.http.get(urljoin(api.base, f"/api/v1/assignments/{pk}/ledger"), timeout=30)
        if answer.status_code == 200:
            return list(answer.json()["items"])
    return []


def _wrong(rows: list[dict[str, Any]], began: datetime, ended: datetime | None) -> str:
    if not rows:
        return "nobody is shown a ledger"
    start, end = _at(rows[0]["start"]), _at(rows[-1]["end"])
    if start != began:
        return f"it begins {start}, the draft {began}"
    if ended is not None and end != ended:
        return f"it ends {end}, the work {ended}"
    for one, two in zip(rows, rows[1:], strict=False):
        if one["end"] != two["start"]:
            return f"{one} is followed by {two}"
    whole = sum((timedelta(seconds=row["seconds"]) for row in rows), timedelta())
    return "" if whole == end - start else f"the parts sum to {whole}, the whole is {end - start}"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)

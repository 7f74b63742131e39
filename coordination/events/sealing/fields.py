"""Which fields are sealed, in which order, and written how?

Each field is the text that PostgreSQL gives for it (times in UTC, documents as ``jsonb`` writes them) after its length
in bytes: ``5:hello``; one that is NULL is ``-``; commas between, the version first. So no two rows make the same text,
the *record*. A seal is SHA-256 over the seal before it and the SHA-256 of the record: who holds a part of a chain can
be shown that it leads to an anchor without being shown what else was written. What is added to the log later gets a
version of its own; old seals keep theirs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

VERSION = 1
"""How seals follow from each other; a base says it. Which fields one covers: `ENTRIES` and `READS`."""
BEGINNING = hashlib.sha256(b"muster log 1").digest()
"""What stands before the first seal of a chain."""

#: of the entry ``e`` and its event ``v``
ENTRY = (
    "e.stream", "e.seq", "e.home", "e.at", "e.event_id", "v.type", "v.at", "v.actor_kind", "v.actor_id",
    "v.actor_department", "v.actor_post", "v.object_type", "v.object_id", "v.version", "v.incident_id", "v.payload",
    "v.tell", "v.urgency", "v.exercise", "v.command_id", "v.request_id",
)  # fmt: skip
#: of a line ``r`` of the access log and its place ``h`` in their chain
READ = (
    "h.stream", "h.seq", "r.id", "r.xid", "r.at", "r.actor_key", "r.actor_department", "r.actor_post", "r.purpose",
    "r.operation", "r.object_type", "r.ids", "r.count", "r.request_id",
)  # fmt: skip
#: the same with the grants that opened what was read
READ_BY_GRANT = (*READ, "r.grants")
#: which fields each version of a seal covers; the last is what is sealed now
ENTRIES: Mapping[int, Sequence[str]] = {1: ENTRY}
READS: Mapping[int, Sequence[str]] = {1: READ, 2: READ_BY_GRANT}
VERSIONS = frozenset({*ENTRIES, *READS})
#: so set, a field has one text on every server
SETTINGS = "SET LOCAL TIME ZONE 'UTC'; SET LOCAL datestyle = 'ISO'"


class NoRecord(ValueError):
    """A text that is no record of a version known here."""


def lateral(versions: Mapping[int, Sequence[str]]) -> str:
    """What a FROM needs for `record`: each column as text, once (OFFSET 0 keeps it from being made twice)."""
    columns = versions[max(versions)]
    made = ", ".join(f"{column}::text AS f{n}" for n, column in enumerate(columns))
    return f"CROSS JOIN LATERAL (SELECT {made} OFFSET 0) f"


def record(versions: Mapping[int, Sequence[str]], version: str = "") -> str:
    """The record as an expression of SQL, over `lateral`: as it is sealed now, or as the seal's ``version`` says.

    Later versions add fields at the end. A version that is not known gives a text that nothing was sealed as.
    """
    if not version:
        return _record(max(versions), versions[max(versions)])
    known = " ".join(f"WHEN {number} THEN {_record(number, columns)}" for number, columns in versions.items())
    return f"CASE {version} {known} ELSE '' END"


def _record(number: int, columns: Sequence[str]) -> str:
    parts = (f"coalesce(octet_length(f.f{n}) || ':' || f.f{n}, '-')" for n in range(len(columns)))
    return f"'{number},' || " + " || ',' || ".join(parts)


def leaf_of(text: str) -> bytes:
    """The digest of a record."""
    return hashlib.sha256(text.encode()).digest()


def sealed(prev: bytes, leaf: bytes) -> bytes:
    """The seal (32 bytes) after ``prev`` of the record with this digest."""
    return hashlib.sha256(prev + leaf).digest()


def read(text: str) -> list[str | None]:
    """The fields of a record; raises NoRecord for anything else."""
    raw = text.encode()
    mark = next((mark for mark in (b"%d," % version for version in VERSIONS) if raw.startswith(mark)), None)
    if mark is None:
        raise NoRecord("a version that is not known here")
    found: list[str | None] = []
    at = len(mark) - 1
    while at < len(raw):
        if raw[at : at + 1] != b",":
            raise NoRecord("a field of another length than it says")
        if raw[at + 1 : at + 2] == b"-":
            found.append(None)
            at += 2
            continue
        colon = raw.find(b":", at)
        size = raw[at + 1 : colon]
        if colon < 0 or not size.isdigit() or colon + 1 + int(size) > len(raw):
            raise NoRecord("a field without its length")
        found.append(raw[colon + 1 : colon + 1 + int(size)].decode())
        at = colon + 1 + int(size)
    return found

"""When is the next anchor made, and which are there?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from coordination.events.sealing import anchors, line

EVERY = timedelta(minutes=10)
_LOCK = 7_305_092

# The server's clock, as the seals': who moves the application's makes no anchor early or late.
_LAST = """
SELECT number, heads, clock_timestamp() - at < %s FROM events_anchor ORDER BY number DESC LIMIT 1
"""
_MOVED = """
SELECT s.stream, s.seq, s.hash FROM events_sealhead s
LEFT JOIN LATERAL (SELECT n.hash FROM events_anchorhead n WHERE n.stream = s.stream
                   ORDER BY n.number DESC LIMIT 1) a ON true
WHERE s.hash IS DISTINCT FROM a.hash ORDER BY s.stream
"""
_KEEP = """
INSERT INTO events_anchor (number, at, streams, heads, prev, key, signature)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_KEEP_HEADS = """
INSERT INTO events_anchorhead (number, stream, seq, hash)
SELECT %s, stream, seq, decode(hash, 'hex') FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS h(stream, seq, hash)
"""
_AFTER = """
SELECT a.number, a.at, a.prev, a.heads, a.key, a.signature, h.stream, h.seq, h.hash
FROM events_anchor a LEFT JOIN events_anchorhead h ON h.number = a.number
WHERE a.number > %s AND a.number <= %s ORDER BY a.number, h.stream
"""


def key() -> Ed25519PrivateKey | None:
    """The signing key of this installation; None: there is none, and no anchors are made. Raises anchors.BadKey."""
    said = settings.MUSTER_ANCHOR_KEY
    return anchors.private(said, "MUSTER_ANCHOR_KEY") if said else None


def public_keys() -> list[Ed25519PublicKey]:
    """The keys that this installation's anchors may be signed with: its own, and those it had before."""
    own = key()
    former = [anchors.public(text, "MUSTER_ANCHOR_FORMER_KEYS") for text in settings.MUSTER_ANCHOR_FORMER_KEYS]
    return ([own.public_key()] if own else []) + former


def make_due() -> anchors.Signed | None:
    """Make the next anchor if the last is ten minutes old and there is a key; any number of engines may ask.

    The first waits until something is sealed; later ones are made whether or not anything moved: they show that nothing
    did.
    """
    signing = key()
    if signing is None:
        return None
    with line.transaction() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return None
        cursor.execute(_LAST, [EVERY])
        number, prev, young = cursor.fetchone() or (0, anchors.FIRST, False)
        return None if young else _make(cursor, signing, number + 1, bytes(prev))


def _make(cursor: Any, signing: Ed25519PrivateKey, number: int, prev: bytes) -> anchors.Signed | None:
    cursor.execute("SELECT clock_timestamp()")
    at = cursor.fetchone()[0]
    cursor.execute(_MOVED)
    heads = tuple(sorted((stream, seq, bytes(made)) for stream, seq, made in cursor.fetchall()))
    if number == 1 and not heads:
        return None
    digest = anchors.digest(number, at, prev, heads)
    made = anchors.Signed(
        number, at, prev, heads, digest, anchors.name(signing.public_key()), anchors.sign(signing, digest)
    )
    cursor.execute(_KEEP, [number, at, len(heads), digest, prev, made.key, made.signature])
    cursor.execute(
        _KEEP_HEADS, [number, [one[0] for one in heads], [one[1] for one in heads], [one[2].hex() for one in heads]]
    )
    return made


def newest(cursor: Any) -> tuple[int, float | None]:
    """(number of the newest anchor, seconds since it was made); (0, None) where there is none."""
    cursor.execute(
        "SELECT number, extract(epoch FROM clock_timestamp() - at)::float8 FROM events_anchor"
        " ORDER BY number DESC LIMIT 1"
    )
    return cursor.fetchone() or (0, None)


def after(cursor: Any, number: int, most: int) -> list[anchors.Signed]:
    """Up to ``most`` anchors after this one, in their order."""
    cursor.execute(_AFTER, [number, number + most])
    found: dict[int, tuple[tuple[Any, ...], list[tuple[str, int, bytes]]]] = {}
    for row in cursor.fetchall():
        kept = found.setdefault(row[0], (row[:6], []))
        if row[6] is not None:
            kept[1].append((row[6], row[7], bytes(row[8])))
    return [
        anchors.Signed(
            number, at, bytes(prev), tuple(sorted(heads)), bytes(digest), name, bytes(signature)
        )
        for (number, at, prev, digest, name, signature), heads in found.values()
    ]


def all_of(cursor: Any, at_once: int = 50) -> Iterator[anchors.Signed]:
    """Every anchor, in its order, a few in memory at a time."""
    cursor.execute("SELECT coalesce(max(number), 0) FROM events_anchor")
    newest, number = cursor.fetchone()[0], 0
    while number < newest:
        yield from after(cursor, number, at_once)
        number += at_once

"""How does a part of the log leave the house so that anybody can prove it without a database?

One file of JSON lines. First what it is about; then, chain by chain, the lines asked for, each with its seal and its
record; behind them, up to the next anchor, seals with the digest of their record only, which show that the chain leads
there and nothing else; then the anchors; last the signed digest of all lines before, so that nothing can be left out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import connection as default

from coordination.events import streams
from coordination.events.sealing import anchoring, anchors, fields
from coordination.events.sealing.proof import CONTENT, UNSEALED, Chains, Line, Report

FORMAT = "muster-log-1"
ROWS = 2_000

_LINES = f"""
SELECT e.seq, s.prev, s.hash, {fields.record(fields.ENTRIES, 's.version')}
FROM events_streamentry e JOIN events_seal s ON s.stream = e.stream AND s.seq = e.seq
LEFT JOIN events_event v ON v.id = e.event_id {fields.lateral(fields.ENTRIES)}
WHERE e.stream = %(stream)s AND e.seq BETWEEN %(first)s AND %(last)s ORDER BY e.seq
"""  # noqa: S608 - our own constants
_READS = f"""
SELECT s.seq, s.prev, s.hash, {fields.record(fields.READS, 'h.version')}
FROM events_seal s JOIN events_readentry r ON r.id = s.read_id
CROSS JOIN LATERAL (SELECT s.stream, s.seq, s.version) h {fields.lateral(fields.READS)}
WHERE s.stream = %(stream)s AND s.seq BETWEEN %(first)s AND %(last)s ORDER BY s.seq
"""  # noqa: S608 - our own constants
_SEALED = "SELECT seq FROM events_sealhead WHERE stream = %s"
_PLACES = """
SELECT e.stream, e.seq FROM events_streamentry e WHERE e.event_id = ANY(%s) AND e.home
UNION ALL SELECT s.stream, s.seq FROM events_seal s WHERE s.stream = %s AND s.read_id = ANY(%s) ORDER BY 1, 2
"""
_SPAN = """
SELECT min(e.seq), max(e.seq) FROM events_streamentry e JOIN events_sealhead h ON h.stream = e.stream AND e.seq <= h.seq
WHERE e.stream = %(stream)s AND (%(begin)s::timestamptz IS NULL OR e.at >= %(begin)s)
  AND (%(end)s::timestamptz IS NULL OR e.at < %(end)s)
"""
_ANCHORED = """
SELECT number, seq FROM events_anchorhead WHERE stream = %s AND seq >= %s ORDER BY number LIMIT 1
"""


class NoBundle(ValueError):
    """A file that is no bundle, or nothing to make one of; says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What goes out: the named chains (None: all), from ``begin`` to before ``end`` (None: without bound).

    ``chosen``: instead, these places of these chains; those between are there by their digests alone.
    """

    names: tuple[str, ...] | None = None
    begin: datetime | None = None
    end: datetime | None = None
    chosen: Mapping[str, frozenset[int]] | None = None

    @classmethod
    def of_incident(cls, pk: int, begin: datetime | None = None, end: datetime | None = None) -> Asked:
        """Everything about one incident."""
        return cls((streams.incident(pk), streams.brief(pk)), begin, end)

    @classmethod
    def of_lines(cls, events: Sequence[int], reads: Sequence[int]) -> Asked:
        """These events, each where it is at home, and these lines of the access log, as far as they are sealed."""
        with default.cursor() as cursor:
            cursor.execute(_PLACES, [list(events), streams.ACCESS_LOG, list(reads)])
            chosen: dict[str, set[int]] = {}
            for stream, seq in cursor.fetchall():
                chosen.setdefault(stream, set()).add(seq)
        return cls(tuple(chosen), chosen={stream: frozenset(seqs) for stream, seqs in chosen.items()})


class _Writer:
    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest, self.count = file, hashlib.sha256(), 0

    def put(self, said: Any) -> None:
        line = orjson.dumps(said) + b"\n"
        self.digest.update(line)
        self.file.write(line)
        self.count += 1


def export(path: Path, asked: Asked, key: Ed25519PrivateKey, now: datetime) -> int:
    """Write a bundle, whole or not at all; return how many lines of the log are in it. Raises NoBundle for none.

    What is not sealed yet stays out. One snapshot.
    """
    default.ensure_connection()
    connection = default.connection
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    previous, connection.autocommit = connection.autocommit, False
    try:
        with beside.open("xb") as file, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(f"{fields.SETTINGS}; SET LOCAL statement_timeout = 0; SET LOCAL transaction_timeout = 0")
            count = _write(connection, cursor, _Writer(file), asked, key, now)
            if not count:
                raise NoBundle("there is no sealed line of the log in it")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        connection.rollback()
        connection.autocommit = previous
        beside.unlink(missing_ok=True)
    return count


def _write(
    connection: Any, cursor: Any, out: _Writer, asked: Asked, key: Ed25519PrivateKey, now: datetime
) -> int:
    names = asked.names
    if names is None:
        cursor.execute("SELECT stream FROM events_sealhead WHERE stream <> %s", [streams.ACCESS_LOG])
        names = tuple(name for (name,) in cursor.fetchall())
    out.put({
        "format": FORMAT, "made": now.astimezone(UTC), "chains": asked.names, "from": asked.begin, "to": asked.end,
        "key": anchors.raw(key.public_key()).hex(), "fields": fields.ENTRY,
    })  # fmt: skip
    count, needed = 0, set()
    for name in sorted(names):
        first, last = _span(cursor, name, asked)
        if first is None:
            continue
        cursor.execute(_ANCHORED, [name, last])
        number, until = cursor.fetchone() or (None, last)
        if number is not None:
            needed.add(number)
        for seq, prev, made, record in _rows(connection, {"stream": name, "first": first, "last": until}):
            said = {"stream": name, "seq": seq, "prev": bytes(prev).hex(), "hash": bytes(made).hex()}
            inside = seq <= last if asked.chosen is None else seq in asked.chosen[name]
            out.put({**said, "record": record} if inside else {**said, "leaf": fields.leaf_of(record).hex()})
            count += inside
    for number in sorted(needed):
        for anchor in anchoring.after(cursor, number - 1, 1):
            out.put({"anchor": anchor.shown()})
    digest = out.digest.digest()
    out.put({"lines": out.count, "digest": digest.hex(), "signature": anchors.sign(key, digest).hex()})
    return count


def _span(cursor: Any, name: str, asked: Asked) -> tuple[int | None, int]:
    """The first and the last place that goes out of a chain, if any."""
    if asked.chosen is None:
        cursor.execute(_SPAN, {"stream": name, "begin": asked.begin, "end": asked.end})
        first, last = cursor.fetchone()
        return first, last
    cursor.execute(_SEALED, [name])
    (head,) = cursor.fetchone() or (0,)
    seqs = [seq for seq in asked.chosen[name] if seq <= head]
    return (min(seqs), max(seqs)) if seqs else (None, 0)


def _rows(connection: Any, values: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(name="muster_bundle") as cursor:
        cursor.itersize = ROWS
        cursor.execute(_READS if values["stream"] == streams.ACCESS_LOG else _LINES, values)
        yield from cursor


def verify(path: Path, keys: Sequence[Ed25519PublicKey]) -> Report:
    """Prove a bundle by the keys that may have signed it; no database. Raises NoBundle, or OSError.

    Reads it twice: the anchors, then the chains. Chains that no anchor reaches yet are *unsealed*.
    """
    report = Report()
    _whole(report, path, keys)
    row = anchors.Row(report, keys, alone=True)
    anchored: dict[tuple[str, int], bytes] = {}
    for said in _said(path):
        if "anchor" in said:
            anchor = _anchor(said["anchor"])
            if row.take(anchor):
                anchored.update({(stream, seq): made for stream, seq, made in anchor.heads})
    _chains(report, path, anchored)
    return report


def _whole(report: Report, path: Path, keys: Sequence[Ed25519PublicKey]) -> None:
    digest, held, count = hashlib.sha256(), b"", 0
    with path.open("rb") as file:
        for line in file:
            digest.update(held)
            count += bool(held)
            held = line
    said = _read(held)
    if "signature" not in said:
        report.add(CONTENT, "bundle", 0, "it is cut off: its last line, the signature, is missing")
        return
    if said.get("lines") != count or said.get("digest") != digest.hexdigest():
        report.add(CONTENT, "bundle", 0, "its lines are not those that were signed")
        return
    for key in keys:
        try:
            key.verify(bytes.fromhex(said["signature"]), anchors.MARK + digest.digest())
            return
        except (InvalidSignature, ValueError):
            continue
    report.add(CONTENT, "bundle", 0, "none of the keys given has signed it")


def _chains(report: Report, path: Path, anchored: Mapping[tuple[str, int], bytes]) -> None:
    chains: Chains | None = None
    stream, open_since = "", 0
    for said in _said(path):
        if "stream" not in said:
            continue
        line = _line(said)
        if line.stream != stream or chains is None:
            _end(report, stream, open_since)
            stream, open_since = line.stream, 0
            chains = Chains(report, begin={stream: (line.seq - 1, line.seal[0] if line.seal else b"")})
        made = anchored.get((line.stream, line.seq))
        line.anchored = () if made is None else (made,)
        chains.take(line)
        if "record" in said:
            open_since = open_since or line.seq
            if _place(said["record"]) != (line.stream, str(line.seq)):
                report.add(CONTENT, line.stream, line.seq, "its record is that of another place")
        if made is not None:
            open_since = 0  # whatever came before is under this anchor
    _end(report, stream, open_since)


def _end(report: Report, stream: str, open_since: int) -> None:
    if open_since:
        report.add(UNSEALED, stream, open_since, "no anchor in the bundle covers it and what follows yet")


def _place(record: str) -> tuple[str | None, ...]:
    try:
        return tuple(fields.read(record)[:2])
    except (fields.NoRecord, UnicodeDecodeError):
        return ()


def _said(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        first = _read(file.readline())
        if first.get("format") != FORMAT:
            raise NoBundle(f"{path} is no bundle of the log")
        for line in file:
            yield _read(line)


def _read(line: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise NoBundle("a line of it cannot be read") from error
    if not isinstance(said, dict):
        raise NoBundle("a line of it cannot be read")
    return said


def _anchor(said: Any) -> anchors.Signed:
    try:
        return anchors.read(said)
    except (ValueError, KeyError, TypeError) as error:
        raise NoBundle("an anchor of it cannot be read") from error


def _line(said: dict[str, Any]) -> Line:
    try:
        leaf = fields.leaf_of(said["record"]) if "record" in said else bytes.fromhex(said["leaf"])
        return Line(said["stream"], int(said["seq"]), leaf, (bytes.fromhex(said["prev"]), bytes.fromhex(said["hash"])))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise NoBundle("a line of it cannot be read") from error

"""Is the log in the database the one that was written?

One snapshot; entries, seals and anchored heads are read beside each other in the order of chains, so that memory does
not grow with the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from coordination.events.sealing import anchoring, anchors, fields
from coordination.events.sealing.proof import ANCHOR, CHANGED, CONTENT, GAP, UNSEALED, Chains, Head, Line, Report
from coordination.events.streams import ACCESS_LOG

LATE_SECONDS = 60.0
"""An entry is sealed within seconds; later than this, something is wrong with the sealer."""
ROWS = 5_000

_RECORD = (
    f"v.id IS NOT NULL, e.at < clock_timestamp() - interval '{LATE_SECONDS:g} seconds', {fields.record(fields.ENTRIES)}"
)
_JOINED = f"LEFT JOIN events_event v ON v.id = e.event_id {fields.lateral(fields.ENTRIES)}"
_ALL_HEADS = "SELECT stream, last_seq FROM events_streamhead WHERE last_seq > 0"
_HOMELESS = """
SELECT count(*) FROM events_event v
WHERE (SELECT count(*) FROM events_streamentry e WHERE e.event_id = v.id AND e.home) <> 1
"""
_READS = f"""
SELECT h.stream, h.seq, r.id IS NOT NULL, {fields.record(fields.READS, 'h.version')}, h.prev, h.hash, h.version,
  a.hashes
FROM events_seal h LEFT JOIN events_readentry r ON r.id = h.read_id {fields.lateral(fields.READS)}
LEFT JOIN (SELECT n.seq, string_agg(n.hash, '') AS hashes FROM events_anchorhead n
           WHERE %(anchors)s AND n.stream = '{ACCESS_LOG}' GROUP BY n.seq) a ON a.seq = h.seq
WHERE h.stream = '{ACCESS_LOG}' AND h.seq > %(seq)s ORDER BY h.seq
"""  # noqa: S608 - our own constants
_UNSEALED_READS = f"""
SELECT count(*) FILTER (WHERE NOT behind), count(*) FILTER (WHERE behind AND late), count(*) FILTER (WHERE NOT late)
FROM (SELECT (r.xid, r.id) > (coalesce(h.read_xid, -1), coalesce(h.read_id, 0)) AS behind,
             r.at < clock_timestamp() - interval '{LATE_SECONDS:g} seconds' AS late
      FROM events_readentry r LEFT JOIN events_sealhead h ON h.stream = '{ACCESS_LOG}'
      WHERE NOT EXISTS (SELECT FROM events_seal s WHERE s.stream = '{ACCESS_LOG}' AND s.read_id = r.id)) u
"""  # noqa: S608 - our own constants


@dataclass(slots=True)
class Scope:
    """What is verified: everything, one chain, or what came after the newest anchor (``begin``: where that stands)."""

    stream: str | None = None
    begin: dict[str, Head] | None = None
    names: list[str] = field(default_factory=list)
    collate: str = ""

    def query(self, table: str, selected: str, joined: str = "", place: str = "seq") -> tuple[str, dict[str, Any]]:
        """The rows ``e`` of ``table`` that belong to it, ordered by chain and place."""
        order = f"ORDER BY e.stream{self.collate}, e.{place}"
        if self.begin is not None:
            source = (  # our own names
                "unnest(%(names)s::text[], %(seqs)s::bigint[]) AS w(stream, seq) CROSS JOIN LATERAL"  # noqa: S608
                f" (SELECT * FROM {table} n WHERE n.stream = w.stream AND n.seq > w.seq) e"
            )
            values = {"names": self.names, "seqs": [self.begin.get(name, (0, b""))[0] for name in self.names]}
            return f"SELECT {selected} FROM {source} {joined} WHERE true {order}", values  # noqa: S608 - our own
        where = "e.stream = %(stream)s" if self.stream is not None else f"e.stream <> '{ACCESS_LOG}'"
        return f"SELECT {selected} FROM {table} e {joined} WHERE {where} {order}", {"stream": self.stream}  # noqa: S608


def verify(
    connection: Any,
    anchored: Mapping[str, Head] | None = None,
    *,
    stream: str | None = None,
    since_anchor: bool = False,
    keys: Sequence[Ed25519PublicKey] | None = None,
    witness: Iterable[anchors.Signed] = (),
    progress: Callable[[int], None] = lambda entries: None,
) -> Report:
    """Read the log over ``connection`` (psycopg2) and compare it with its seals and with what was anchored.

    ``anchored``: heads that were kept elsewhere. ``keys``: whose anchors count; None: nobody here knows the keys, and
    anchors are not looked at. ``witness``: anchors as a witness kept them. ``since_anchor``: believe what the newest
    anchor covers, read only what came after. ``progress``: told now and then how many entries have been read.
    """
    report = Report()
    previous, connection.autocommit = connection.autocommit, False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(f"{fields.SETTINGS}; SET LOCAL statement_timeout = 0; SET LOCAL transaction_timeout = 0")
            cursor.execute("SET LOCAL cursor_tuple_fraction = 0.001")  # rows in the order of the key, none sorted
            wanted = dict(anchored or {})
            newest = _anchors(cursor, report, keys, witness, wanted) if keys is not None else {}
            scope = _scope(cursor, stream, newest if since_anchor else None)
            if ACCESS_LOG in newest:
                wanted.setdefault(ACCESS_LOG, newest[ACCESS_LOG])
            cursor.execute("SELECT stream, seq FROM events_sealhead")
            chains = Chains(report, anchored=_within(wanted, scope), begin=scope.begin, sealed=dict(cursor.fetchall()))
            if scope.begin:
                _still_there(cursor, report, scope.begin)
            if stream != ACCESS_LOG:
                for line in _lines(connection, scope, anchors_too=keys is not None):
                    chains.take(line)
                    if not report.entries % ROWS:
                        progress(report.entries)
                _compare_heads(cursor, report, scope)
            if stream in (None, ACCESS_LOG):
                _access_log(connection, cursor, chains, scope, anchors_too=keys is not None)
            chains.end()
            if stream is None and scope.begin is None:
                _homes(cursor, report)
    finally:
        connection.rollback()
        connection.autocommit = previous
    return report


def _scope(cursor: Any, stream: str | None, newest: dict[str, Head] | None) -> Scope:
    cursor.execute(
        "SELECT datcollate IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8') AND datlocprovider <> 'i' FROM pg_database"
        " WHERE datname = current_database()"
    )
    collate = "" if cursor.fetchone()[0] else ' COLLATE "C"'  # Python's own order of texts
    if newest is None:
        return Scope(stream, collate=collate)
    cursor.execute("SELECT stream FROM events_streamhead UNION SELECT stream FROM events_sealhead")
    names = sorted({name for (name,) in cursor.fetchall()} | set(newest))
    if stream is not None:
        names = [name for name in names if name == stream]
    begin = {name: newest[name] for name in names if name in newest}
    return Scope(stream, begin, [name for name in names if name != ACCESS_LOG], collate)


def _within(wanted: dict[str, Head], scope: Scope) -> dict[str, Head]:
    begin = scope.begin or {}
    return {
        name: head for name, head in wanted.items()
        if scope.stream in (None, name) and head[0] > begin.get(name, (0, b""))[0]
    }  # fmt: skip


def _anchors(
    cursor: Any, report: Report, keys: Sequence[Ed25519PublicKey], witness: Iterable[anchors.Signed],
    wanted: dict[str, Head],
) -> dict[str, Head]:  # fmt: skip
    """Judge the anchors here and those of the witness; return where chains stand by the newest that may be believed."""
    cursor.execute("SELECT transaction_timestamp()")
    young = cursor.fetchone()[0] - timedelta(seconds=LATE_SECONDS)  # may have come after our snapshot
    row = anchors.Row(report, keys)
    for one in anchoring.all_of(cursor):
        row.take(one)
    beside = anchors.Row(report, keys, where="witness")
    for one in witness:
        if not beside.take(one):
            continue
        cursor.execute("SELECT heads FROM events_anchor WHERE number = %s", [one.number])
        found = cursor.fetchone()
        if (found is None and one.at > young) or (found is not None and bytes(found[0]) == one.digest):
            continue
        said = "is not here any more" if found is None else "is another one here"
        report.add(ANCHOR, "anchors", one.number, f"the anchor that the witness holds {said}")
        for stream, seq, made in one.heads:
            wanted.setdefault(stream, (seq, made))  # the first that is missed: from there on nothing is proven
    return row.heads


def _lines(connection: Any, scope: Scope, *, anchors_too: bool) -> Iterator[Line]:
    """Every place of which an entry, a seal or an anchor tells."""
    entries = _rows(connection, "entries", *scope.query("events_streamentry", f"e.stream, e.seq, {_RECORD}", _JOINED))
    seals = _rows(connection, "seals", *scope.query("events_seal", "e.stream, e.seq, e.prev, e.hash, e.version"))
    heads = _rows(connection, "heads", *scope.query("events_anchorhead", "e.stream, e.seq, e.hash", place="number"))
    after = next(heads, None) if anchors_too else None
    entry, seal = next(entries, None), next(seals, None)
    leaf, hashed = None, fields.leaf_of
    while entry is not None or seal is not None or after is not None:
        first = min(one[:2] for one in (entry, seal, after) if one is not None)
        line = Line(first[0], first[1], None, None)
        if entry is not None and entry[:2] == first:
            leaf = hashed(entry[4])
            line.leaf, line.whole, line.late = leaf, entry[2], entry[3]
            entry = next(entries, None)
        if seal is not None and seal[:2] == first:
            line.seal = (bytes(seal[2]), bytes(seal[3]))
            line.known = seal[4] in fields.ENTRIES
            seal = next(seals, None)
        while after is not None and after[:2] == first:
            line.anchored += (bytes(after[2]),)
            after = next(heads, None)
        yield line


def _rows(connection: Any, name: str, statement: str, values: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(name=f"muster_{name}") as cursor:
        cursor.itersize = ROWS
        cursor.execute(statement, values)
        yield from cursor


def _still_there(cursor: Any, report: Report, begin: Mapping[str, Head]) -> None:
    """Find the chains whose seal at the anchor is gone or another one."""
    names = sorted(begin)
    cursor.execute(
        "SELECT w.stream, s.hash FROM unnest(%s::text[], %s::bigint[]) AS w(stream, seq)"
        " LEFT JOIN events_seal s ON s.stream = w.stream AND s.seq = w.seq",
        [names, [begin[name][0] for name in names]],
    )
    for stream, made in cursor.fetchall():
        seq, wanted = begin[stream]
        if made is None:
            report.add(ANCHOR, stream, seq, "it was anchored, and its seal is gone")
        elif bytes(made) != wanted:
            report.add(ANCHOR, stream, seq, CHANGED)


def _compare_heads(cursor: Any, report: Report, scope: Scope) -> None:
    cursor.execute(_ALL_HEADS)
    said = dict(cursor.fetchall())
    begin = scope.begin or {}
    names = said.keys() | report.heads.keys() if scope.stream is None else {scope.stream}
    for name in sorted(names - {ACCESS_LOG}):
        read = (report.heads.get(name) or begin.get(name, (0, b"")))[0]
        if read != said.get(name, 0):
            report.add(GAP, name, 0, f"its head says {said.get(name, 0)}, its last entry is {read}")


def _homes(cursor: Any, report: Report) -> None:
    cursor.execute(_HOMELESS)
    homeless = cursor.fetchone()[0]
    if homeless:
        report.add(GAP, "events", 0, f"{homeless} events have no home entry, or several")


def _access_log(connection: Any, cursor: Any, chains: Chains, scope: Scope, *, anchors_too: bool) -> None:
    begin = (scope.begin or {}).get(ACCESS_LOG, (0, b""))[0]
    asked = {"seq": begin, "anchors": anchors_too}
    for stream, seq, there, record, prev, made, version, hashes in _rows(connection, "reads", _READS, asked):
        leaf = fields.leaf_of(record) if there else None
        several = bytes(hashes or b"")
        anchored = tuple(several[at : at + len(made)] for at in range(0, len(several), len(made)))
        known = version in fields.READS
        chains.take(Line(stream, seq, leaf, (bytes(prev), bytes(made)), known=known, anchored=anchored))
    cursor.execute(_UNSEALED_READS)
    put_in, late, fresh = cursor.fetchone()
    if put_in:
        chains.report.add(CONTENT, ACCESS_LOG, 0, f"{put_in} lines stand among sealed ones and were never sealed")
    if late:
        chains.report.add(UNSEALED, ACCESS_LOG, 0, f"{late} lines should be sealed by now and are not")
    chains.report.fresh += fresh

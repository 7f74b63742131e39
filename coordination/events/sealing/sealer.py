"""How is the log sealed behind those who write it?

The sealer follows each stream in its order, many streams and entries at once, one transaction a batch: who is killed
leaves a whole batch or none, and the next begins where the last seal stands. One sealer works at a time, whatever the
number of engines. Writers never wait for it: it takes no lock that they take. Where there is work is told by
`sealing.looking`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from coordination.events.sealing import fields, line, looking
from coordination.events.streams import ACCESS_LOG

BATCH = 5_000
SHARE = 1_000
"""Entries of one stream in one batch, so that the others get their turn beside a busy one."""
_LOCK = 7_305_091
_log = logging.getLogger(__name__)

_ENTRIES = f"""
SELECT e.stream, e.seq, v.id IS NOT NULL, {fields.record(fields.ENTRIES)}
FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[]) AS w(stream, done, last, most)
CROSS JOIN LATERAL (SELECT * FROM events_streamentry n WHERE n.stream = w.stream AND n.seq > w.done AND n.seq <= w.last
                    ORDER BY n.seq LIMIT w.most) e
LEFT JOIN events_event v ON v.id = e.event_id {fields.lateral(fields.ENTRIES)} ORDER BY e.stream, e.seq
"""  # noqa: S608 - our own constants
_READS = f"""
SELECT r.id, r.xid, {fields.record(fields.READS)}
FROM (SELECT n.*, %(seq)s + row_number() OVER (ORDER BY n.xid, n.id) AS place FROM events_readentry n
      WHERE (n.xid, n.id) > (%(xid)s, %(id)s) AND n.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
      ORDER BY n.xid, n.id LIMIT %(limit)s) r
CROSS JOIN LATERAL (SELECT %(stream)s AS stream, r.place AS seq) h {fields.lateral(fields.READS)} ORDER BY r.place
"""  # noqa: S608 - our own constants
# A seal that stands there stays: whoever took the head away has not made it anew, and verifying shows what differs.
_KEEP = """
INSERT INTO events_seal (stream, seq, prev, hash, version, read_id)
SELECT stream, seq, decode(prev, 'hex'), decode(hash, 'hex'), %s, read_id
FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::bigint[]) AS s(stream, seq, prev, hash, read_id)
ON CONFLICT DO NOTHING
"""
_MOVE = """
INSERT INTO events_sealhead (stream, seq, hash, at, read_xid, read_id)
SELECT stream, seq, decode(hash, 'hex'), clock_timestamp(), %s, %s
FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS s(stream, seq, hash)
ON CONFLICT (stream) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, at = excluded.at,
  read_xid = excluded.read_xid, read_id = excluded.read_id
"""


@dataclass(slots=True)
class Done:
    """``entries`` and ``reads`` sealed; ``gaps``: stream → the place after which an entry was missing.

    ``waiting``: streams known to have more.
    """

    entries: int = 0
    reads: int = 0
    gaps: dict[str, int] = field(default_factory=dict)
    waiting: int = 0

    @property
    def more(self) -> bool:
        """Whether there is surely more to do now."""
        return self.waiting > 0 or self.reads >= BATCH


@dataclass(slots=True)
class _Batch:
    """Seals made and not yet kept."""

    streams: list[str] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    prevs: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    reads: list[int | None] = field(default_factory=list)
    heads: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def add(self, stream: str, seq: int, record: str, read_id: int | None = None) -> None:
        prev = self.heads[stream][1]
        made = fields.sealed(prev, fields.leaf_of(record))
        self.streams.append(stream)
        self.seqs.append(seq)
        self.prevs.append(prev.hex())
        self.hashes.append(made.hex())
        self.reads.append(read_id)
        self.heads[stream] = (seq, made)

    def keep(self, cursor: Any, version: int, xid: int = 0, read_id: int = 0) -> None:
        if self.streams:
            cursor.execute(_KEEP, [version, self.streams, self.seqs, self.prevs, self.hashes, self.reads])
        names = sorted(self.heads)
        values = [self.heads[name] for name in names]
        cursor.execute(_MOVE, [xid, read_id, names, [seq for seq, _ in values], [made.hex() for _, made in values]])


def run_once() -> Done:
    """Seal one batch of entries and one of reads, unless another sealer is at it. Raises what the database raises."""
    done = Done()
    with line.transaction() as cursor:
        cursor.execute(fields.SETTINGS)
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if cursor.fetchone()[0]:
            _entries(cursor, done)
            _reads(cursor, done)
    for stream, seq in done.gaps.items():
        _log.critical("%s: after %s an entry is missing", stream, seq)
    return done


def _entries(cursor: Any, done: Done) -> None:
    queue = looking.queue(cursor)
    work, takes = _work(cursor, queue)
    batch = _Batch(heads={name: (at, bytes(made or fields.BEGINNING)) for name, at, _last, made in work})
    if work:
        cursor.execute(_ENTRIES, [[w[0] for w in work], [w[1] for w in work], [w[2] for w in work], takes])
        for stream, seq, whole, record in cursor:
            if seq != batch.heads[stream][0] + 1 or not whole:
                done.gaps.setdefault(stream, batch.heads[stream][0])
            batch.add(stream, seq, record)
    for stream, at, last, _made in work:
        reached = batch.heads[stream][0]
        if reached == at:  # its head says that there are more, and there is none
            done.gaps.setdefault(stream, at)
        elif reached < last:
            queue.put(stream)
    done.entries, done.waiting = len(batch.seqs), len(queue)
    if work:
        batch.keep(cursor, max(fields.ENTRIES))


def _work(cursor: Any, queue: looking.Queue) -> tuple[list[looking.Waiting], list[int]]:
    """Streams to be sealed in this batch, and how many entries of each; what is too much stays in the queue."""
    work: list[looking.Waiting] = []
    takes: list[int] = []
    left = BATCH
    for one in queue.next(cursor, BATCH):
        if left <= 0:
            queue.put(one[0])
            continue
        takes.append(min(one[2] - one[1], SHARE, left))
        work.append(one)
        left -= takes[-1]
    return work, takes


def _reads(cursor: Any, done: Done) -> None:
    cursor.execute("SELECT seq, hash, read_xid, read_id FROM events_sealhead WHERE stream = %s", [ACCESS_LOG])
    seq, made, xid, read_id = cursor.fetchone() or (0, fields.BEGINNING, -1, 0)
    cursor.execute(_READS, {"stream": ACCESS_LOG, "seq": seq, "xid": xid, "id": read_id, "limit": BATCH})
    batch = _Batch(heads={ACCESS_LOG: (seq, bytes(made))})
    for read_id, xid, record in cursor.fetchall():  # noqa: B007 - the last of them is where to go on
        batch.add(ACCESS_LOG, batch.heads[ACCESS_LOG][0] + 1, record, read_id)
    done.reads = len(batch.seqs)
    if done.reads:
        batch.keep(cursor, max(fields.READS), xid, read_id)


_UNSEALED = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - least(
  (SELECT min(e.at) FROM events_streamhead h LEFT JOIN events_sealhead s USING (stream)
   CROSS JOIN LATERAL (SELECT n.at FROM events_streamentry n WHERE n.stream = h.stream AND n.seq > coalesce(s.seq, 0)
                       ORDER BY n.seq LIMIT 1) e WHERE h.last_seq > coalesce(s.seq, 0)),
  (SELECT r.at FROM events_readentry r
   WHERE (r.xid, r.id) > (coalesce((SELECT read_xid FROM events_sealhead WHERE stream = %(reads)s), -1),
                          coalesce((SELECT read_id FROM events_sealhead WHERE stream = %(reads)s), 0))
   ORDER BY r.xid, r.id LIMIT 1)
)), 0)::float8
"""


def unsealed(cursor: Any) -> float:
    """Seconds that the oldest line of the log waits for its seal; 0: none waits."""
    cursor.execute(_UNSEALED, {"reads": ACCESS_LOG})
    return max(0.0, float(cursor.fetchone()[0]))

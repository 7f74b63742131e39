"""Does a chain hold together, seal by seal, and is it the one that was anchored?

Asks no database: the lines come from one, or from a bundle that was carried elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from coordination.events.sealing import fields

CONTENT, GAP, FORK, ANCHOR, UNSEALED = "content", "gap", "fork", "anchor", "unsealed"
CHANGED = "something up to here is not what was anchored"
MOST = 1_000
"""Findings that are kept; those beyond are counted."""

Head = tuple[int, bytes]
"""Where a chain stands: (seq, seal)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong: ``kind`` as above, at which place (0: no single one) of which chain."""

    kind: str
    stream: str
    seq: int
    said: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.stream}{f' {self.seq}' if self.seq else ''}: {self.said}"


@dataclass(slots=True)
class Report:
    """``heads``: where each chain ends, sealed or not yet. ``findings``: none, and the log is the one that was written.

    ``counts``: findings of each kind, those beyond `MOST` too. ``fresh``: entries too young to be sealed.
    """

    entries: int = 0
    fresh: int = 0
    heads: dict[str, Head] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, stream: str, seq: int, said: str) -> None:
        """Keep a finding."""
        self.counts[kind] += 1
        if len(self.findings) < MOST:
            self.findings.append(Finding(kind, stream, seq, said))

    @property
    def problems(self) -> list[str]:
        """What shows that somebody changed the log: everything but what only waits for its seal."""
        return [str(one) for one in self.findings if one.kind != UNSEALED]

    @property
    def exit(self) -> int:
        """0: proven; 1: something was changed; 2: nothing was found changed, but not all of it is proven."""
        return 1 if self.problems else 2 if self.findings else 0


@dataclass(slots=True)
class Line:
    """One place of a chain. ``leaf``: digest of its record (None: the entry is gone); ``seal``: (prev, hash), if any.

    ``whole``: its event is there; ``late``: it should have been sealed by now; ``known``: its seal is of a
    version that says which fields it covers; ``anchored``: its seal in the anchors.
    """

    stream: str
    seq: int
    leaf: bytes | None
    seal: tuple[bytes, bytes] | None
    whole: bool = True
    late: bool = False
    known: bool = True
    anchored: tuple[bytes, ...] = ()


class Chains:
    """Reads lines ordered by chain and place, and compares them with each other and with what was anchored.

    ``anchored``: where chains stood when it was written down elsewhere; an empty seal: only the place is known.
    ``begin``: where chains are taken up, if not at their beginning. ``sealed``: the last place that the sealer reached.
    """

    def __init__(
        self,
        report: Report,
        *,
        anchored: Mapping[str, Head] | None = None,
        begin: Mapping[str, Head] | None = None,
        sealed: Mapping[str, int] | None = None,
    ) -> None:
        self.report = report
        self._wanted = dict(anchored or {})
        self._begin = begin or {}
        self._sealed = sealed or {}
        self._late: dict[str, tuple[int, int]] = {}

    def take(self, line: Line) -> None:
        """Judge the next line."""
        report, stream, seq = self.report, line.stream, line.seq
        if line.leaf is None and line.seal is None:
            report.add(ANCHOR, stream, seq, "it was anchored, and neither the entry nor its seal is there")
            return
        last, made = report.heads.get(stream) or self._begin.get(stream, (0, fields.BEGINNING))
        if seq != last + 1:
            report.add(GAP, stream, seq, f"{last} is followed by {seq}")
        if line.leaf is None:
            report.add(GAP, stream, seq, "the entry is gone, its seal is there")
        elif not line.whole:
            report.add(GAP, stream, seq, "the entry has no event")
        if line.seal is None:
            made = self._unsealed(line, made)
        else:
            prev, kept = line.seal
            if prev != made:
                report.add(FORK, stream, seq, "its seal does not follow from the one before")
            if not line.known:
                report.add(CONTENT, stream, seq, "its seal is of a version that is not known here")
            elif line.leaf is not None and fields.sealed(prev, line.leaf) != kept:
                report.add(CONTENT, stream, seq, "this is not what was sealed")
            made = kept
        report.heads[stream] = (seq, made)
        report.entries += 1
        wanted = self._wanted.get(stream)
        if wanted is not None and wanted[0] == seq:
            del self._wanted[stream]
            if wanted[1] and wanted[1] != made:
                report.add(ANCHOR, stream, seq, CHANGED)
        if any(one != made for one in line.anchored):
            report.add(ANCHOR, stream, seq, CHANGED)

    def _unsealed(self, line: Line, made: bytes) -> bytes:
        if line.seq <= self._sealed.get(line.stream, 0):
            self.report.add(CONTENT, line.stream, line.seq, "it stands among sealed entries and was never sealed")
        elif line.late:
            first, count = self._late.get(line.stream, (line.seq, 0))
            self._late[line.stream] = (first, count + 1)
        else:
            self.report.fresh += 1
        return fields.sealed(made, line.leaf or b"")

    def end(self) -> None:
        """Judge what did not come."""
        for stream, (seq, count) in self._late.items():
            self.report.add(UNSEALED, stream, seq, f"{count} from here on should be sealed by now and are not")
        for stream, (seq, _made) in self._wanted.items():
            last = self.report.heads.get(stream, self._begin.get(stream, (0, b"")))[0]
            if last < seq:
                self.report.add(ANCHOR, stream, seq, f"the chain ends at {last}, and {seq} was anchored")

"""Whose time was it, second by second?

From draft to the end (or now) every moment is charged to exactly one party: the one whose move it was. Neighbouring
moments are subtracted, so the parts sum to the whole whatever happens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from coordination.deadlines.models import EngineGap
from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer
from coordination.events.kept import kept
from coordination.instructions.models import Assignment, Instruction, Transition
from coordination.instructions.queries.shapes import Row, ball
from coordination.instructions.queries.single import as_id
from incidents.queries.shapes import Names
from sharing import access

PLATFORM = "platform"
_WHY = "the ledger of a part the reader sees also holds what came before it"


@dataclass(frozen=True, slots=True)
class Moment:
    """From ``at`` on it was ``party``'s move ("platform" or a department id as text)."""

    at: datetime
    party: str


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of time charged to one party."""

    party: str
    start: datetime
    end: datetime


def spread(moments: Sequence[Moment], end: datetime) -> list[Part]:
    """Moments in order of time, telescoped: each party is charged until the next moment, the last until ``end``.

    A moment before its predecessor counts from there on; what lies past ``end`` is cut.
    """
    parts: list[Part] = []
    at = min(moments[0].at, end) if moments else end
    for index, moment in enumerate(moments):
        following = moments[index + 1].at if index + 1 < len(moments) else end
        stop = max(at, min(following, end))
        _add(parts, Part(moment.party, at, stop))
        at = stop
    return parts


def without_outages(parts: Sequence[Part], gaps: Iterable[tuple[datetime, datetime]]) -> list[Part]:
    """Time in which the platform itself stood still is the platform's; everything else stays."""
    cut = sorted(gaps)
    found: list[Part] = []
    for part in parts:
        at = part.start
        for began, ended in cut:
            began, ended = max(began, at), min(ended, part.end)
            if began >= ended:
                continue
            _add(found, Part(part.party, at, began))
            _add(found, Part(PLATFORM, began, ended))
            at = ended
        _add(found, Part(part.party, at, part.end))
    return found


def _add(found: list[Part], part: Part) -> None:
    if part.end <= part.start:
        return
    if found and found[-1].party == part.party and found[-1].end == part.start:
        found[-1] = Part(part.party, found[-1].start, part.end)
    else:
        found.append(part)


def ledger(*, actor: Actor, assignment_id: Any, now: datetime) -> list[Row]:
    """The ledger of one part: [{party, start, end, seconds}]; party is ``platform`` or a department."""
    part = access.get(actor, Assignment, as_id(assignment_id), now=now, select=("instruction",))
    return answer(_ledgers(part.instruction_id, {part.pk}, now))[part.pk]


def ledgers(*, actor: Actor, instruction_id: Any, now: datetime) -> dict[int, list[Row]]:
    """The ledgers of all parts of an instruction that the actor sees; a constant number of queries."""
    return answer(ledgers_steps(actor=actor, instruction_id=instruction_id, now=now))


def ledgers_steps(*, actor: Actor, instruction_id: Any, now: datetime) -> Steps[dict[int, list[Row]]]:
    """`ledgers`, to be asked beside other questions; four steps."""
    pk = as_id(instruction_id)
    there, seen = yield [kept(_itself, actor, pk, now), kept(_visible_parts, actor, pk, now)]
    if not there:
        raise access.Unseen
    return (yield from _ledgers(pk, set(seen), now))


def _itself(actor: Actor, pk: int, now: datetime) -> QuerySet[Instruction, int]:
    return access.scope(actor, Instruction, at=now).filter(pk=pk).values_list("pk", flat=True)


def _visible_parts(actor: Actor, pk: int, now: datetime) -> QuerySet[Assignment, int]:
    return access.scope(actor, Assignment, at=now).filter(instruction_id=pk).values_list("pk", flat=True)


def _all_parts(pk: int) -> QuerySet[Assignment]:
    return access.unscoped(Assignment, reason=_WHY).filter(instruction_id=pk).select_related("instruction")


def _all_moves(pk: int) -> QuerySet[Transition]:
    return access.unscoped(Transition, reason=_WHY).filter(instruction_id=pk).order_by("version", "pk")


def _ledgers(pk: int, wanted: set[int], now: datetime) -> Steps[dict[int, list[Row]]]:
    found, moves = yield [kept(_all_parts, pk), kept(_all_moves, pk)]
    parts = {row.pk: row for row in found}
    head, own = _by_part(moves)
    lines = {pk: line_of(parts[pk], parts, head, own) for pk in wanted}
    began = min((line[0].at for line in lines.values() if line), default=now)
    (stood_still,) = yield [kept(_gaps, began, now)]
    gaps = [(row.began_at, row.ended_at or now) for row in stood_still]
    split = {pk: without_outages(spread(line, _end(parts[pk], now)), gaps) for pk, line in lines.items()}
    names = yield from Names.steps(
        departments={int(part.party) for rows in split.values() for part in rows if part.party.isdigit()}
    )
    return {
        pk: [
            {"party": ball(part.party, names), "start": part.start, "end": part.end,
             "seconds": (part.end - part.start).total_seconds()}
            for part in rows
        ]
        for pk, rows in split.items()
    }


def _end(part: Assignment, now: datetime) -> datetime:
    return part.effective_at if part.ended_at is not None else max(now, part.moved_at)


def _gaps(began: datetime, now: datetime) -> QuerySet[EngineGap]:
    return EngineGap.objects.filter(Q(ended_at=None) | Q(ended_at__gt=began), began_at__lt=now)


def _by_part(moves: Iterable[Transition]) -> tuple[list[Moment], dict[int, list[Moment]]]:
    """The moments of the instruction itself, and of each of its parts by id."""
    head: list[Moment] = []
    own: dict[int, list[Moment]] = defaultdict(list)
    for move in moves:
        if move.subject_type == "assignment":
            own[move.subject_id].append(Moment(move.effective_at, move.ball))
        elif move.subject_type == "instruction" and move.ball:
            head.append(Moment(move.effective_at, move.ball))
    return head, own


def line_of(
    part: Assignment, parts: dict[int, Assignment], head: list[Moment], by_part: dict[int, list[Moment]]
) -> list[Moment]:
    """The moments of one part, with what came before it: its instruction's way out, or whom it succeeds.

    A part added later begins when it was added: before that nobody waited for it.
    """
    own = by_part.get(part.pk, [])
    issued_at = part.instruction.issued_at
    if part.successor_of_id is not None:
        before = line_of(parts[part.successor_of_id], parts, head, by_part)
    elif issued_at is not None and part.created_at > issued_at:
        before = []
    else:
        # a draft that was discarded and taken back was its issuer's all along
        before = head
    return [moment for moment in before if own and moment.at < own[0].at] + own

"""How are many assignments or instructions read for one reader at a constant number of queries?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from coordination.deadlines import queries as clocks
from coordination.deadlines.models import Deadline
from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer, hang, side_by_side
from coordination.events.kept import Kept, kept
from coordination.instructions import states
from coordination.instructions.models import (
    Acknowledgement,
    Approval,
    Ask,
    Assignment,
    Evaluation,
    Feedback,
    Instruction,
    InstructionVersion,
)
from coordination.instructions.queries import cases, shapes
from coordination.instructions.queries.shapes import Row
from incidents.queries import attachments_steps
from incidents.queries.shapes import Names
from incidents.queries.shapes import department as department_row
from sharing import access

_WHY = "what hangs on an assignment or instruction the reader sees"


def rich(rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """Join what `Assignments` lays out; what hangs on each it reads itself."""
    return cases.assignment_rows(rows).select_related("suggested")


class Assignments:
    """Assignments from `rich`, laid out for one reader; a few queries whatever their number."""

    def __init__(self, actor: Actor, rows: Sequence[Assignment], now: datetime, known: cases.Centres) -> None:
        answer(self._read(actor, rows, now, known))

    @classmethod
    def steps(
        cls, actor: Actor, rows: Sequence[Assignment], now: datetime, known: cases.Centres
    ) -> Steps[Assignments]:
        """The same, to be asked beside other questions: what hangs on them, its files and names, the files' names."""
        made = cls.__new__(cls)
        yield from made._read(actor, rows, now, known)
        return made

    def _read(self, actor: Actor, rows: Sequence[Assignment], now: datetime, known: cases.Centres) -> Steps[None]:
        self._actor, self._known = actor, known
        ids = [row.pk for row in rows]
        (versions, reports, judged, spoken, asks, children, below), self._clocks = yield from side_by_side(
            _hanging(actor, ids, {row.instruction_id for row in rows}, now),
            clocks.live_steps("instructions.assignment", ids),
        )
        hang((row.instruction for row in rows), "versions", versions)
        hang(rows, "feedback", reports)
        hang(reports, "evaluations", judged)
        hang(rows, "acknowledgements", spoken)
        hang(children, "versions", below)
        _note(rows, "open_asks", asks, "assignment_id")
        _note(rows, "handed_down", children, "parent_id")
        self._files, self._names = yield from side_by_side(
            attachments_steps(
                actor=actor, subject_type="instructions.feedback", subject_ids=[one.pk for one in reports], now=now
            ),
            Names.steps(departments=_departments(rows), keys={one.actor_key for one in reports}),
        )

    def shown(self, row: Assignment) -> Row:
        """One of them."""
        instruction, notes = row.instruction, _notes(row)
        version = cases.version_of(instruction, instruction.current)
        found: Row = {
            "id": row.pk, "version": row.version, "state": row.state, "role": row.role, "post": row.post,
            "department": department_row(row.department),
            "instruction": shapes.instruction_ref(instruction, version),
            "acknowledged_version": row.acknowledged_version, "acknowledged_at": row.acknowledged_at,
            "stale": stale(row), "grade": row.evidence_grade, "mismatch": shapes.mismatch(row, version),
            "ball": shapes.ball(row.ball, self._names), "percent": row.percent, "due_at": row.due_at,
            "overdue_since": row.overdue_since, "level": row.escalated_level,
            "deadlines": [shapes.deadline(clock) for clock in self._clocks.get(row.pk, ())],
            "open_ask": next((self._ask(one, row) for one in notes.open_asks), None),
            "decline_reason": row.decline_reason, "declines": row.declines,
            "suggested": department_row(row.suggested) if row.suggested else None,
            "revisit_at": row.revisit_at, "supervised_since": row.supervised_since,
            "supervised_note": row.supervised_note, "who_goes": row.who_goes, "eta": row.eta,
            "returns": row.returns, "cancel_owed": row.cancel_owed, "created_at": row.created_at,
            "ended_at": row.ended_at, "successor_of": row.successor_of_id,
            "arbiter": self._names.department(row.arbiter_department_id),
            "feedback": [
                shapes.feedback(one, row, self._names, self._files.get(one.pk, []))
                for one in sorted(row.feedback.all(), key=lambda one: one.pk)
            ],
            "children": [shapes.child(one, self._names) for one in notes.handed_down],
            "allowed_actions": shapes.actions(
                states.allowed(self._actor, cases.assignment_case(row, self._known)), "assignment", row.pk
            ),
        }
        found["outcome"] = "misunderstood" if found["mismatch"] and found["stale"] else ""
        if shapes.may_hear_code(self._actor, row.department_id):
            found["voice_code"] = version.voice_code
        return found

    def _ask(self, row: Ask, assignment: Assignment) -> Row:
        row.assignment = assignment
        return shapes.ask(row, self._names, states.allowed(self._actor, cases.ask_case(row, self._known)))


def _hanging(
    actor: Actor, ids: Sequence[int], heads: Collection[int], now: datetime
) -> Steps[list[list[Any]]]:
    """Versions, feedback, its evaluations, acknowledgements, open asks, what was handed down and its versions."""
    return (
        yield [
            kept(_of, InstructionVersion, "instruction", list(heads)),
            kept(_of, Feedback, "assignment", ids),
            kept(_of, Evaluation, "feedback__assignment", ids),
            kept(_of, Acknowledgement, "assignment", ids),
            kept(_open_asks, ids),
            kept(_below, actor, "parent", ids, now),
            kept(_of, InstructionVersion, "instruction__parent", ids),
        ]
    )


def _of(model: type[Any], lookup: str, ids: list[int]) -> QuerySet[Any]:
    return access.unscoped(model, reason=_WHY).filter(**{f"{lookup}__in": ids})


def _open_asks(ids: list[int]) -> QuerySet[Ask]:
    return cases.ask_rows(_of(Ask, "assignment", ids).filter(state="open"))


def _below(actor: Actor, lookup: str, ids: list[int], now: datetime) -> QuerySet[Instruction]:
    """What was handed down, as far as the reader sees it: before its issue it is its issuer's own."""
    return access.scope(actor, Instruction, at=now).filter(**{f"{lookup}__in": ids}).order_by("pk")


def _note(rows: Iterable[Any], name: str, found: Iterable[Any], key: str) -> None:
    """Keep on each row, under ``name``, those that refer to it by ``key``."""
    mine: dict[int, list[Any]] = defaultdict(list)
    for one in found:
        mine[getattr(one, key)].append(one)
    for row in rows:
        setattr(row, name, mine[row.pk])


def _notes(row: Any) -> Any:
    return row


def _departments(rows: Iterable[Assignment]) -> set[int | None]:
    found: set[int | None] = set()
    for row in rows:
        found |= {row.department_id, row.arbiter_department_id, *(one.decider_id for one in _notes(row).open_asks)}
        if row.ball.isdigit():
            found.add(int(row.ball))
        for child in _notes(row).handed_down:
            found |= {target["department"] for version in child.versions.all() for target in version.targets}
    return found


def stale(row: Assignment) -> bool:
    """Whether the department has yet to acknowledge what stands now."""
    return row.state not in states.TERMINAL and (row.acknowledged_version or 0) < row.instruction.current


class Instructions:
    """Instructions from `listed`, as rows of a list."""

    def __init__(self, actor: Actor, known: cases.Centres) -> None:
        self._actor, self._known = actor, known

    def shown(self, row: Instruction) -> Row:
        """One row: what it is, how far, how many have acknowledged, how many are late."""
        version = shown_version(row)
        parts = [part for part in row.assignments.all() if part.state not in ("cancelled", "superseded")]
        late = [part for part in parts if part.overdue_since and part.state not in states.TERMINAL]
        return {
            "id": row.pk, "version": row.version, "number": row.number, "state": row.state, "basis": row.basis,
            "urgency": version.urgency, "headline": version.headline, "incident": shapes.incident_ref(row.incident),
            "issuer": department_row(row.issuer), "current": row.current, "due_at": version.due_at,
            "percent": row.percent, "issued_at": row.issued_at, "created_at": row.created_at,
            "ended_at": row.ended_at, "total": len(parts), "overdue": len(late),
            "acknowledged": sum(1 for part in parts if part.acknowledged_version is not None),
            "allowed_actions": shapes.actions(
                states.allowed(self._actor, cases.instruction_case(row, self._known)), "instruction", row.pk
            ),
        }


def listed(rows: QuerySet[Instruction]) -> QuerySet[Instruction]:
    """Join and prefetch what `Instructions` lays out."""
    return cases.instruction_rows(rows).prefetch_related("assignments")


def heads_hung(heads: Sequence[Instruction]) -> Steps[None]:
    """Hang on instructions from `cases.joined` what `listed` prefetches; one step."""
    ids = [head.pk for head in heads]
    _versions, (parts,) = yield from side_by_side(versions_hung(heads), _all(kept(_of, Assignment, "instruction", ids)))
    hang(heads, "assignments", parts)


def versions_hung(heads: Sequence[Instruction]) -> Steps[None]:
    """Hang on instructions from `cases.joined` what `cases.instruction_rows` prefetches; one step."""
    ids = [head.pk for head in heads]
    versions, approvals = yield [
        kept(_of, InstructionVersion, "instruction", ids),
        kept(_of, Approval, "version__instruction", ids),
    ]
    hang(heads, "versions", versions)
    hang(versions, "approvals", approvals)


def _all(*asked: Kept) -> Steps[list[list[Any]]]:
    return (yield asked)


def below_steps(actor: Actor, instruction_id: int, now: datetime) -> Steps[list[Instruction]]:
    """What was handed down from any part of an instruction and is seen, with its versions; one step."""
    children, versions = yield [
        kept(_below, actor, "parent__instruction", [instruction_id], now),
        kept(_of, InstructionVersion, "instruction__parent__instruction", [instruction_id]),
    ]
    found = sorted(children, key=lambda one: one.pk)
    hang(found, "versions", versions)
    return found


def shown_version(row: Instruction) -> Any:
    """What is shown of an instruction: the version in force, before the first issue the one on its way."""
    pending = cases.open_version(row)
    if pending is not None and row.issued_at is None:
        return pending
    return cases.version_of(row, row.current)


def clocks_of(subject_type: str, pk: int) -> list[Deadline]:
    """Live deadlines of one subject."""
    return clocks.live_of(subject_type, [pk]).get(pk, [])

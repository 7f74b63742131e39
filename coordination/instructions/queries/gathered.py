"""How are many assignments or instructions read for one reader at a constant number of queries?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from coordination.deadlines import queries as clocks
from coordination.deadlines.models import Deadline
from coordination.events.actor import Actor
from coordination.instructions import states
from coordination.instructions.models import Ask, Assignment, Instruction
from coordination.instructions.queries import cases, shapes
from coordination.instructions.queries.shapes import Row
from incidents.queries import attachments_of
from incidents.queries.shapes import Names
from incidents.queries.shapes import department as department_row
from sharing import access

_WHY = "what hangs on an assignment or instruction the reader sees"


def rich(rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """Join and prefetch what `Assignments` lays out."""
    asks = cases.ask_rows(access.unscoped(Ask, reason=_WHY).filter(state="open"))
    children = access.unscoped(Instruction, reason=_WHY).order_by("pk").prefetch_related("versions")
    return cases.assignment_rows(rows).select_related("suggested").prefetch_related(
        "instruction__versions", "feedback__evaluations", "acknowledgements",
        Prefetch("asks", queryset=asks, to_attr="open_asks"),
        Prefetch("children", queryset=children, to_attr="handed_down"),
    )


class Assignments:
    """Assignments from `rich`, laid out for one reader; about ten queries whatever their number."""

    def __init__(self, actor: Actor, rows: Sequence[Assignment], now: datetime, known: cases.Centres) -> None:
        self._actor, self._known = actor, known
        self._clocks = clocks.live_of("instructions.assignment", [row.pk for row in rows]) if rows else {}
        reports = [report.pk for row in rows for report in row.feedback.all()]
        self._files = attachments_of(
            actor=actor, subject_type="instructions.feedback", subject_ids=reports, now=now
        ) if reports else {}
        self._names = Names(
            departments=_departments(rows),
            keys={report.actor_key for row in rows for report in row.feedback.all()},
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


def shown_version(row: Instruction) -> Any:
    """What is shown of an instruction: the version in force, before the first issue the one on its way."""
    pending = cases.open_version(row)
    if pending is not None and row.issued_at is None:
        return pending
    return cases.version_of(row, row.current)


def clocks_of(subject_type: str, pk: int) -> list[Deadline]:
    """Live deadlines of one subject."""
    return clocks.live_of(subject_type, [pk]).get(pk, [])

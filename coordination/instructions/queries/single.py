"""What does one instruction, one assignment, one ask look like to this reader, whole?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from coordination.deadlines import queries as deadlines
from coordination.events import queries as log
from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer, at_once, side_by_side
from coordination.events.kept import kept
from coordination.events.refused import NotFound
from coordination.instructions import states
from coordination.instructions.models import Ask, Assignment, Instruction, InstructionVersion, Transition
from coordination.instructions.queries import cases, gathered, shapes
from coordination.instructions.queries.contradictions import findings
from coordination.instructions.queries.shapes import Row
from incidents.entered import row_id
from incidents.queries.shapes import Names
from incidents.queries.shapes import department as department_row
from sharing import access

_WHY = "what hangs on an instruction the reader sees"


def as_id(value: object) -> int:
    """An id as it came from outside; what no row can have is answered as absent."""
    found = row_id(int(value)) if isinstance(value, str) and value.isdecimal() and len(value) < 20 else row_id(value)
    if found is None:
        raise access.Unseen
    return found


def one_instruction(actor: Actor, instruction_id: object, now: datetime) -> Instruction:
    """The row with what its case needs, when the actor sees it, else 404."""
    return answer(one_steps(actor, instruction_id, now))


def one_steps(actor: Actor, instruction_id: object, now: datetime) -> Steps[Instruction]:
    """`one_instruction`, to be asked beside other questions; two steps."""
    (rows,) = yield [kept(_head_row, actor, as_id(instruction_id), now)]
    if not rows:
        raise access.Unseen
    yield from gathered.versions_hung(rows)
    row: Instruction = rows[0]
    return row


def _head_row(actor: Actor, pk: int, now: datetime) -> QuerySet[Instruction]:
    return cases.joined(access.scope(actor, Instruction, at=now)).select_related("drafter").filter(pk=pk)


def readable_versions(actor: Actor, row: Instruction, known: cases.Centres) -> list[InstructionVersion]:
    """Versions oldest first; what is not issued yet is the issuer's, of those above it and of command."""
    rows = sorted(row.versions.all(), key=lambda one: one.n)
    if _inside(actor, row, known):
        return rows
    return [one for one in rows if one.state == InstructionVersion.State.ISSUED]


def _inside(actor: Actor, row: Instruction, known: cases.Centres) -> bool:
    insiders = {"issuer", "above_issuer", "command", "system"}
    return bool(states.relations(actor, cases.instruction_case(row, known)) & insiders)


def instruction(*, actor: Actor, instruction_id: Any, now: datetime) -> Row:
    """An instruction with its parts, versions, clocks and what the actor may do with it now."""
    return answer(instruction_steps(actor=actor, instruction_id=instruction_id, now=now))


def instruction_steps(*, actor: Actor, instruction_id: Any, now: datetime) -> Steps[Row]:
    """`instruction`, to be asked beside other questions: itself, what is around it, what hangs on that."""
    row, known = yield from side_by_side(one_steps(actor, instruction_id, now), cases.centres_steps())
    # up to where the log had come is read with the parts, in one statement
    at, (parts,), below, clocks = yield from side_by_side(
        as_of_steps(actor, row, now),
        _parts_of(actor, row.pk, now),
        gathered.below_steps(actor, row.pk, now),
        deadlines.live_steps("instructions.instruction", [row.pk]),
    )
    laid, names = yield from side_by_side(
        gathered.Assignments.steps(actor, parts, now, known),
        _names_steps(row, [*row.versions.all(), *(one for child in below for one in child.versions.all())]),
    )
    moves = states.allowed(actor, cases.instruction_case(row, known))
    versions_seen = readable_versions(actor, row, known)
    pending = next((one for one in versions_seen[::-1] if one.state in cases.PENDING), None)
    edits = any(move.action == "edit" for move in moves)
    version = pending if pending is not None and (row.issued_at is None or edits) else gathered.shown_version(row)
    return {
        **shapes.content(version, names), **_head(row, version, names),
        "approvals": [
            {"person": {"id": one.person_id, "name": names.person(f"person:{one.person_id}")}, "at": one.at,
             "remark": one.remark, "signed_conflicts": one.signed_conflicts}
            for one in version.approvals.all()
        ],
        "approvals_needed": version.approvals_needed,
        "deadlines": [shapes.deadline(one) for one in clocks.get(row.pk, [])],
        "versions": [shapes.version_ref(one) for one in versions_seen],
        "pending": pending.n if pending is not None and row.issued_at is not None else None,
        "children": [shapes.child(one, names) for one in below],
        "assignments": [laid.shown(one) for one in parts],
        "who_acts_on_which": who_acts_on_which(parts),
        "as_of": at,
        "allowed_actions": shapes.actions(moves, "instruction", row.pk),
        **({"voice_code": version.voice_code} if any(
            shapes.may_hear_code(actor, one.department_id) for one in parts) else {}),
    }


def _parts_of(actor: Actor, pk: int, now: datetime) -> Steps[list[list[Any]]]:
    return (yield [kept(_part_rows, actor, pk, now)])


def _part_rows(actor: Actor, pk: int, now: datetime) -> QuerySet[Assignment]:
    return gathered.rich(access.scope(actor, Assignment, at=now).filter(instruction_id=pk)).order_by("pk")


def _names_of(row: Instruction, versions: list[InstructionVersion]) -> Names:
    return answer(_names_steps(row, versions))


def _names_steps(row: Instruction, versions: list[InstructionVersion]) -> Steps[Names]:
    departments: set[int | None] = {target["department"] for one in versions for target in one.targets}
    if row.ball.isdigit():
        departments.add(int(row.ball))
    keys = {f"person:{one.person_id}" for version in row.versions.all() for one in version.approvals.all()}
    return (yield from Names.steps(departments=departments, keys=keys))


def _head(row: Instruction, version: InstructionVersion, names: Names) -> Row:
    drafter = row.drafter
    return {
        "id": row.pk, "version": row.version, "number": row.number, "state": row.state, "basis": row.basis,
        "incident": shapes.incident_ref(row.incident), "issuer": department_row(row.issuer),
        "issuer_post": row.issuer_post, "current": row.current, "change_note": version.change_note,
        "drafter": {"id": drafter.pk, "name": drafter.name} if drafter is not None else None,
        "issued_first": row.issued_first, "issued_first_reason": row.issued_first_reason,
        "confirmed_at": row.confirmed_at, "confirm_refused": row.confirm_refused, "keep_owed": row.keep_owed,
        "cancel_reason": row.cancel_reason, "percent": row.percent, "ball": shapes.ball(row.ball, names),
        "created_at": row.created_at, "issued_at": row.issued_at, "ended_at": row.ended_at,
        "parent": row.parent_id, "linked": row.linked_id, "supersedes": row.supersedes_id,
    }


def who_acts_on_which(parts: list[Assignment]) -> list[Row]:
    """Open parts by the version they have acknowledged, newest first: [{n, departments}]."""
    found: dict[int, list[Row]] = {}
    for part in parts:
        if part.state not in states.TERMINAL:
            found.setdefault(part.acknowledged_version or 0, []).append(department_row(part.department))
    return [{"n": n or None, "departments": rows} for n, rows in sorted(found.items(), reverse=True)]


def streams_of(*, actor: Actor, instruction_id: Any, now: datetime) -> list[str]:
    """The streams in which the actor hears of this instruction."""
    (found,) = at_once(kept(_incident_of, actor, as_id(instruction_id), now))
    if not found:
        raise access.Unseen
    names = _streams(actor, found[0])
    return sorted(access.readable(actor, names, now), reverse=True)


def _incident_of(actor: Actor, pk: int, now: datetime) -> QuerySet[Instruction, int]:
    return access.scope(actor, Instruction, at=now).filter(pk=pk).values_list("incident_id", flat=True)


def _streams(actor: Actor, incident_id: int) -> list[str]:
    names = [streams.incident(incident_id)]
    if actor.department_id is not None:
        names.append(streams.department(actor.department_id))
    return names


def as_of(actor: Actor, row: Instruction, now: datetime) -> Row:
    """Up to where the log had come before the rest was read."""
    return answer(as_of_steps(actor, row, now))


def as_of_steps(actor: Actor, row: Instruction, now: datetime) -> Steps[Row]:
    """`as_of`, to be asked beside other questions; one step."""
    wanted, otherwise = _streams(actor, row.incident_id), streams.department(actor.department_id or row.issuer_id)
    readable, heads = yield from side_by_side(
        access.readable_steps(actor, wanted, now), log.heads_steps([*wanted, otherwise])
    )
    name = max(readable, default=otherwise)
    epoch, seq = heads[name]
    return {"stream": name, "epoch": epoch, "seq": seq}


def assignment(*, actor: Actor, assignment_id: Any, now: datetime) -> Row:
    """An assignment, whole."""
    rows = list(gathered.rich(access.scope(actor, Assignment, at=now).filter(pk=as_id(assignment_id))))
    if not rows:
        raise access.Unseen
    at = as_of(actor, rows[0].instruction, now)
    laid = gathered.Assignments(actor, rows, now, cases.centres())
    return {**laid.shown(rows[0]), "as_of": at}


def ask(*, actor: Actor, ask_id: Any, now: datetime) -> Row:
    """A question, whole."""
    row = cases.ask_rows(access.scope(actor, Ask, at=now)).filter(pk=as_id(ask_id)).first()
    if row is None:
        raise access.Unseen
    moves = states.allowed(actor, cases.ask_case(row, cases.centres()))
    return shapes.ask(row, Names(departments=[row.assignment.department_id, row.decider_id]), moves)


def about(*, actor: Actor, subject: str, pk: Any, now: datetime) -> Row:
    """What an edge needs before an act: {instruction_id, incident_id, version, current, read_back, kind}."""
    head: Instruction
    if subject == "instruction":
        row: Any = access.get(actor, Instruction, as_id(pk), now=now)
        head = row
    elif subject == "assignment":
        row = access.get(actor, Assignment, as_id(pk), now=now, select=("instruction",))
        head = row.instruction
    elif subject == "ask":
        row = access.get(actor, Ask, as_id(pk), now=now, select=("assignment__instruction",))
        head = row.assignment.instruction
    else:
        raise NotFound
    version = head.versions.get(n=head.current)
    return {
        "instruction_id": head.pk, "incident_id": head.incident_id, "version": row.version,
        "current": head.current, "read_back": version.read_back, "kind": getattr(row, "kind", ""),
    }


def versions(*, actor: Actor, instruction_id: Any, now: datetime) -> list[Row]:
    """Every version, whole, oldest first."""
    row = one_instruction(actor, instruction_id, now)
    rows = readable_versions(actor, row, cases.centres())
    names = _names_of(row, rows)
    return [shapes.version_row(one, names) for one in rows]


def conflicts(*, actor: Actor, instruction_id: Any, now: datetime, n: int | None = None) -> list[Row]:
    """Findings of the conflict check on version n (else the one on its way, or in force)."""
    row = one_instruction(actor, instruction_id, now)
    seen = readable_versions(actor, row, cases.centres())
    pending = next((one for one in seen[::-1] if one.state in cases.PENDING), None)
    version = pending or cases.version_of(row, row.current)
    if n is not None and pending is None:
        version = next((one for one in row.versions.all() if one.n == n), version)
    signed = {
        entry["key"]: entry["reason"] for approval in version.approvals.all() for entry in approval.signed_conflicts
    }
    return [
        {**found.shown(), "text": found.name, "signed_by": signed.get(found.key),
         "other": {
             "id": found.instruction_id, "number": found.number, "state": found.state, "headline": found.headline,
         }}
        for found in findings(version)
    ]


def conflicts_of(*, actor: Actor, instruction_id: Any, now: datetime) -> list[Row]:
    """As `conflicts`."""
    return conflicts(actor=actor, instruction_id=instruction_id, now=now)


def transitions(*, actor: Actor, instruction_id: Any, now: datetime) -> list[Row]:
    """Every move of the instruction and of its parts, oldest first."""
    return answer(transitions_steps(actor=actor, instruction_id=instruction_id, now=now))


def transitions_steps(*, actor: Actor, instruction_id: Any, now: datetime) -> Steps[list[Row]]:
    """`transitions`, to be asked beside other questions; three steps.

    What was done with a version that is not in force is told to those alone who may read that version.
    """
    one, known, (rows,) = yield from side_by_side(
        one_steps(actor, instruction_id, now), cases.centres_steps(), _moves(actor, as_id(instruction_id), now)
    )
    if not _inside(actor, one, known):
        rows = [row for row in rows if (row.data.get("n") or 0) <= one.current]
    return (yield from _told(rows))


def _moves(actor: Actor, pk: int, now: datetime) -> Steps[list[list[Transition]]]:
    return (yield [kept(_moves_of, actor, pk, now)])


def _moves_of(actor: Actor, pk: int, now: datetime) -> QuerySet[Transition]:
    return access.scope(actor, Transition, at=now).filter(instruction_id=pk).order_by("at", "pk")


def assignment_transitions(*, actor: Actor, assignment_id: Any, now: datetime) -> list[Row]:
    """Every move of one part, oldest first."""
    part = access.get(actor, Assignment, as_id(assignment_id), now=now)
    rows = access.scope(actor, Transition, at=now).filter(subject_type="assignment", subject_id=part.pk)
    return answer(_told(list(rows.order_by("at", "pk"))))


def _told(rows: Sequence[Transition]) -> Steps[list[Row]]:
    (pairs,) = yield [kept(_owners, {row.subject_id for row in rows if row.subject_type == "assignment"})]
    owners = dict(pairs)
    departments: set[int | None] = {*owners.values(), *(row.actor_department for row in rows)}
    departments |= {int(row.ball) for row in rows if row.ball.isdigit()}
    names = yield from Names.steps(departments=departments, keys={row.actor_key for row in rows})
    return [
        shapes.transition(row, names, owners.get(row.subject_id) if row.subject_type == "assignment" else None)
        for row in rows
    ]


def _owners(ids: set[int]) -> QuerySet[Assignment, Any]:
    return access.unscoped(Assignment, reason=_WHY).filter(pk__in=ids).values_list("pk", "department_id")

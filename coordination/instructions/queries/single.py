"""What does one instruction, one assignment, one ask look like to this reader, whole?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from coordination.events import queries as log
from coordination.events import streams
from coordination.events.actor import Actor
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
    rows = cases.instruction_rows(access.scope(actor, Instruction, at=now)).select_related("drafter")
    row = rows.filter(pk=as_id(instruction_id)).first()
    if row is None:
        raise access.Unseen
    return row


def readable_versions(actor: Actor, row: Instruction, known: cases.Centres) -> list[InstructionVersion]:
    """Versions oldest first; what is not issued yet is the issuer's, of those above it and of command."""
    rows = sorted(row.versions.all(), key=lambda one: one.n)
    insiders = {"issuer", "above_issuer", "command", "system"}
    if states.relations(actor, cases.instruction_case(row, known)) & insiders:
        return rows
    return [one for one in rows if one.state == InstructionVersion.State.ISSUED]


def instruction(*, actor: Actor, instruction_id: Any, now: datetime) -> Row:
    """An instruction with its parts, versions, clocks and what the actor may do with it now."""
    row = one_instruction(actor, instruction_id, now)
    known = cases.centres()
    at = as_of(actor, row, now)
    moves = states.allowed(actor, cases.instruction_case(row, known))
    versions_seen = readable_versions(actor, row, known)
    pending = next((one for one in versions_seen[::-1] if one.state in cases.PENDING), None)
    edits = any(move.action == "edit" for move in moves)
    version = pending if pending is not None and (row.issued_at is None or edits) else gathered.shown_version(row)
    parts = list(gathered.rich(access.scope(actor, Assignment, at=now).filter(instruction=row)).order_by("pk"))
    laid = gathered.Assignments(actor, parts, now, known)
    below = list(
        access.unscoped(Instruction, reason=_WHY).filter(parent__instruction=row).order_by("pk")
        .prefetch_related("versions")
    )
    names = _names_of(row, [*row.versions.all(), *(one for child in below for one in child.versions.all())])
    return {
        **shapes.content(version, names), **_head(row, version, names),
        "approvals": [
            {"person": {"id": one.person_id, "name": names.person(f"person:{one.person_id}")}, "at": one.at,
             "remark": one.remark, "signed_conflicts": one.signed_conflicts}
            for one in version.approvals.all()
        ],
        "approvals_needed": version.approvals_needed,
        "deadlines": [shapes.deadline(one) for one in gathered.clocks_of("instructions.instruction", row.pk)],
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


def _names_of(row: Instruction, versions: list[InstructionVersion]) -> Names:
    departments: set[int | None] = {target["department"] for one in versions for target in one.targets}
    if row.ball.isdigit():
        departments.add(int(row.ball))
    keys = {f"person:{one.person_id}" for version in row.versions.all() for one in version.approvals.all()}
    return Names(departments=departments, keys=keys)


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
    rows = access.scope(actor, Instruction, at=now).filter(pk=as_id(instruction_id))
    incident_id = rows.values_list("incident_id", flat=True).first()
    if incident_id is None:
        raise access.Unseen
    return _streams(actor, incident_id, now)


def _streams(actor: Actor, incident_id: int, now: datetime) -> list[str]:
    names = [streams.incident(incident_id)]
    if actor.department_id is not None:
        names.append(streams.department(actor.department_id))
    return sorted(access.readable(actor, names, now), reverse=True)


def as_of(actor: Actor, row: Instruction, now: datetime) -> Row:
    """Up to where the log had come before the rest was read."""
    readable = _streams(actor, row.incident_id, now)
    name = readable[0] if readable else streams.department(actor.department_id or row.issuer_id)
    epoch, seq = log.heads([name]).get(name, (1, 0))
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
    row = one_instruction(actor, instruction_id, now)
    return _moves(actor, now, instruction=row)


def assignment_transitions(*, actor: Actor, assignment_id: Any, now: datetime) -> list[Row]:
    """Every move of one part, oldest first."""
    part = access.get(actor, Assignment, as_id(assignment_id), now=now)
    return _moves(actor, now, subject_type="assignment", subject_id=part.pk)


def _moves(actor: Actor, now: datetime, **which: Any) -> list[Row]:
    rows = list(access.scope(actor, Transition, at=now).filter(**which).order_by("at", "pk"))
    parts = {row.subject_id for row in rows if row.subject_type == "assignment"}
    owners = dict(
        access.unscoped(Assignment, reason=_WHY).filter(pk__in=parts).values_list("pk", "department_id")
    )
    departments: set[int | None] = {*owners.values(), *(row.actor_department for row in rows)}
    departments |= {int(row.ball) for row in rows if row.ball.isdigit()}
    names = Names(departments=departments, keys={row.actor_key for row in rows})
    return [
        shapes.transition(row, names, owners.get(row.subject_id) if row.subject_type == "assignment" else None)
        for row in rows
    ]

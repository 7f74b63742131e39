"""What does an instruction, an assignment or an ask look like to a reader?

Plain dicts from rows already read; nothing here asks the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from coordination.deadlines.models import Deadline
from coordination.events.actor import Actor
from coordination.instructions import states
from coordination.instructions.models import (
    Ask,
    Assignment,
    Evaluation,
    Feedback,
    Instruction,
    InstructionVersion,
    Transition,
)
from coordination.instructions.queries import cases
from incidents.models import Incident
from incidents.queries.shapes import Names
from incidents.queries.shapes import department as department_row

Row = dict[str, Any]
CONTENT = (
    "headline", "headline_zh", "headline_en", "text", "type", "verb", "what", "place", "latitude", "longitude",
    "quantity", "unit", "objects_named", "starts_at", "due_at", "due_in", "urgency", "evidence", "read_back",
    "recheck", "progress_every",
)


def actions(moves: Iterable[states.Move], subject: str, pk: int) -> list[Row]:
    """Moves as [{action, href, fields, if_match}]; the platform's own are left out."""
    return [
        {
            "action": move.action,
            "href": f"/api/v1/{subject}s/{pk}/{move.action.replace('_', '-')}",
            "fields": [_field(field) for field in move.fields],
            "if_match": move.deciding,
        }
        for move in moves
        if not move.system_only
    ]


def _field(field: states.Field) -> Row:
    row: Row = {"name": field.name, "type": field.type, "required": field.required}
    if field.choices:
        row["choices"] = list(field.choices)
    return row


def incident_ref(incident: Incident) -> Row:
    """The incident in short."""
    return {
        "id": incident.pk, "number": incident.number, "headline": incident.headline, "state": incident.state,
        "exercise": incident.exercise, "response_level": incident.response_level,
    }


def instruction_ref(instruction: Instruction, version: InstructionVersion) -> Row:
    """The instruction in short; ``version`` is the number of the version in force."""
    return {
        "id": instruction.pk, "number": instruction.number, "version": instruction.current,
        "headline": version.headline, "urgency": version.urgency, "due_at": version.due_at,
        "read_back": version.read_back, "evidence": version.evidence, "state": instruction.state,
        "issuer": department_row(instruction.issuer), "incident": incident_ref(instruction.incident),
    }


def deadline(row: Deadline) -> Row:
    """One live clock."""
    return {
        "kind": row.kind, "state": row.state, "level": row.level, "due_at": row.due_at, "base_due": row.base_due,
        "held_why": row.held_why,
    }


def ball(party: str, names: Names) -> Any:
    """Who must move next: ``platform``, a department, or None."""
    if party.isdigit():
        return names.department(int(party))
    return party or None


def content(version: InstructionVersion, names: Names) -> Row:
    """What a version says."""
    row: Row = {name: getattr(version, name) for name in CONTENT}
    row["targets"] = [
        {"department": names.department(target["department"]), "role": target["role"], "post": target["post"]}
        for target in version.targets
    ]
    return row


def version_ref(version: InstructionVersion) -> Row:
    """A version in short."""
    return {
        "n": version.n, "state": version.state, "change_note": version.change_note, "issued_at": version.issued_at,
        "is_cancel": version.is_cancel,
    }


def version_row(version: InstructionVersion, names: Names) -> Row:
    """A version, whole."""
    return {**content(version, names), **version_ref(version)}


def child(instruction: Instruction, names: Names) -> Row:
    """A delegated instruction in short, with the department that leads it."""
    first = cases.open_version(instruction) if instruction.issued_at is None else None
    version = first or cases.version_of(instruction, instruction.current)
    lead = next((target["department"] for target in version.targets if target["role"] == "lead"), None)
    return {
        "id": instruction.pk, "number": instruction.number, "state": instruction.state,
        "headline": version.headline, "department": names.department(lead),
    }


def ask(row: Ask, names: Names, moves: Iterable[states.Move]) -> Row:
    """A question and what may be done with it."""
    return {
        "id": row.pk, "version": row.version, "assignment_id": row.assignment_id, "kind": row.kind,
        "state": row.state, "reason": row.reason, "wanted_until": row.wanted_until, "answer": row.answer,
        "granted_until": row.granted_until, "asked_at": row.asked_at, "decided_at": row.decided_at,
        "department": names.department(row.assignment.department_id), "decider": names.department(row.decider_id),
        "allowed_actions": actions(moves, "ask", row.pk),
    }


def evaluation(row: Evaluation) -> Row:
    """What the issuer thought."""
    return {
        "accepted": row.accepted, "outcome": row.outcome, "timeliness": row.timeliness, "remark": row.remark,
        "new_due": row.new_due, "at": row.at,
    }


def feedback(row: Feedback, assignment: Assignment, names: Names, files: list[Row]) -> Row:
    """One report with its files and what came of it."""
    found = sorted(row.evaluations.all(), key=lambda one: one.pk)
    judged = [evaluation(one) for one in found]
    who = row.reader or names.person(row.actor_key)
    return {
        "id": row.pk, "at": row.at, "by": " · ".join(part for part in (who, assignment.department.short) if part),
        "percent": row.percent, "text": row.text, "final": row.final, "figures": row.figures, "place": row.place,
        "latitude": row.latitude, "longitude": row.longitude, "early_reason": row.early_reason, "n": row.n,
        "attachments": [{**file, "image": file["kind"] == "picture"} for file in files],
        "evaluations": judged, "evaluation": judged[-1] if judged else None,
    }


def mismatch(assignment: Assignment, version: InstructionVersion) -> list[Row]:
    """Where the last read-back of the version in force differs: name, given, wanted."""
    rows = [row for row in assignment.acknowledgements.all() if row.n == version.n]
    last = max(rows, key=lambda row: row.pk, default=None)
    if last is None or not last.mismatch:
        return []
    wanted = {
        "place": version.place, "object": ", ".join(item["code"] for item in version.objects_named),
        "quantity": f"{version.quantity} {version.unit}", "due_at": str(version.due_at),
    }
    given = dict(last.read_back or {})
    given["quantity"] = f"{given.get('quantity')} {given.get('unit', '')}"
    return [{"name": name, "given": given.get(name), "wanted": wanted[name]} for name in last.mismatch]


def transition(row: Transition, names: Names, department_id: int | None) -> Row:
    """One move on the record; ``department`` is whose part it was."""
    return {
        "id": row.pk, "at": row.at, "effective_at": row.effective_at, "subject_type": row.subject_type,
        "subject_id": row.subject_id, "department": names.department(department_id), "move": row.move,
        "before": row.before, "after": row.after, "cause": row.cause, "reason": row.reason, "data": row.data,
        "version": row.version, "ball": ball(row.ball, names),
        "actor": {
            "kind": row.actor_key.partition(":")[0], "name": names.person(row.actor_key),
            "department": names.department(row.actor_department), "post": row.actor_post,
        },
    }


def may_hear_code(actor: Actor, department_id: int) -> bool:
    """The voice code proves that a text arrived: whoever else read it could speak in the department's name."""
    return actor.department_id == department_id

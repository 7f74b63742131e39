"""What holds right now around an instruction, an assignment or an ask, for the table of moves?

Rows come in with what `instruction_rows`, `assignment_rows` and `ask_rows` join and annotate; building a case reads
nothing further, so that a list costs a constant number of queries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)

from accounts.models import Department
from coordination.events.at_once import Steps, answer, at_once
from coordination.events.kept import kept
from coordination.instructions.models import (
    Acknowledgement,
    Approval,
    Ask,
    Assignment,
    Feedback,
    Instruction,
    InstructionVersion,
)
from coordination.instructions.states import TERMINAL, UNTOUCHED, Case
from incidents.models import Incident

INCIDENT_ENDED = frozenset({"closed", "rejected"})
"""States in which no order goes on; on a merged incident those that were begun do, under its survivor."""

PENDING = ("draft", "in_approval", "approved")


@dataclass(frozen=True, slots=True)
class Centres:
    """Every command centre by its own id and by the department it is a child of; one query."""

    own: frozenset[int]
    by_parent: dict[int, int]

    def of(self, department: Department) -> int | None:
        """The nearest command centre: itself, or a child of it or of a department above it."""
        if department.pk in self.own:
            return department.pk
        for above in (department.pk, *reversed(department.ancestor_ids)):
            if above in self.by_parent:
                return self.by_parent[above]
            if above in self.own:
                return above
        return None


def centres() -> Centres:
    """All active command centres."""
    return answer(centres_steps())


def centres_steps() -> Steps[Centres]:
    """`centres`, to be asked beside other questions; one step."""
    (rows,) = yield [kept(_active_centres)]
    return Centres(frozenset(pk for pk, _ in rows), {parent: pk for pk, parent in rows if parent is not None})


def _active_centres() -> QuerySet[Department, Any]:
    rows = Department.objects.filter(kind=Department.Kind.COMMAND_CENTRE, is_active=True)
    return rows.order_by("-id").values_list("id", "parent_id")


def command_ids(incident: Incident, known: Centres) -> frozenset[int]:
    """C: the commander's department and the command centre of the lead department."""
    found = {incident.commander_department_id, known.of(incident.lead_department)}
    return frozenset(pk for pk in found if pk is not None)


def insiders(instruction: Instruction, known: Centres) -> list[int]:
    """Departments that know of what is not issued yet: the issuer first, those above it, command."""
    others = {*instruction.issuer.ancestor_ids, *command_ids(instruction.incident, known)} - {instruction.issuer_id}
    return [instruction.issuer_id, *sorted(others)]


def instruction_rows(rows: QuerySet[Instruction]) -> QuerySet[Instruction]:
    """Join what `instruction_case` needs."""
    return joined(rows).prefetch_related("versions__approvals")


def joined(rows: QuerySet[Instruction]) -> QuerySet[Instruction]:
    """The same without versions and approvals, for whoever hangs them on the rows themselves."""
    return rows.select_related("issuer", "incident", "incident__lead_department", "incident__commander_department")


def assignment_rows(rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """Join and annotate what `assignment_case` needs."""
    lead = Assignment.everything.filter(
        instruction=OuterRef("instruction"), role=Assignment.Role.LEAD
    ).exclude(state__in=["cancelled", "superseded"])
    declined = ExpressionWrapper(Q(state="declined"), output_field=BooleanField())
    final = Feedback.everything.filter(assignment=OuterRef("pk"), final=True).order_by("-id")
    successors = Assignment.everything.filter(successor_of=OuterRef("pk")).exclude(state__in=TERMINAL)
    spoken = Acknowledgement.everything.filter(
        assignment=OuterRef("pk"), grade__in=["voice", "assumed"], contested_at=None
    )
    return rows.select_related(
        "department",
        "instruction__issuer",
        "instruction__incident__lead_department",
        "instruction__incident__commander_department",
    ).annotate(
        # who has declined it leads only until somebody else does
        lead_department=Subquery(
            lead.order_by(declined, "-id").values("department_id")[:1], output_field=BigIntegerField()
        ),
        submitter_key=Subquery(final.values("actor_key")[:1]),
        successor_open=Exists(successors),
        appealed=Exists(
            Ask.everything.filter(assignment=OuterRef("pk"), kind="appeal", state__in=["granted", "refused"])
        ),
        asks_open=Exists(Ask.everything.filter(assignment=OuterRef("pk"), state="open")),
        spoken_for=Exists(spoken),
    )


def ask_rows(rows: QuerySet[Ask]) -> QuerySet[Ask]:
    """Join and annotate what `ask_case` needs."""
    return rows.select_related(
        "assignment__department",
        "assignment__instruction__issuer",
        "assignment__instruction__incident__lead_department",
    ).annotate(
        extensions=Count(
            "assignment__asks", filter=Q(assignment__asks__kind="extension", assignment__asks__state="granted")
        )
    )


def open_version(instruction: Instruction) -> InstructionVersion | None:
    """The version now on its way (draft to approved), if any. Reads ``versions``, prefetched in lists."""
    found = [version for version in instruction.versions.all() if version.state in PENDING]
    return max(found, key=lambda version: version.n, default=None)


def version_of(instruction: Instruction, n: int) -> InstructionVersion:
    """Version n; of ``versions`` where they were read with the instruction, as in lists."""
    if "versions" in getattr(instruction, "_prefetched_objects_cache", ()):
        return next(version for version in instruction.versions.all() if version.n == n)
    found: InstructionVersion = at_once(kept(_version, instruction.pk, n))[0][0]
    found.instruction = instruction
    return found


def _version(instruction_id: int, n: int) -> QuerySet[InstructionVersion]:
    return InstructionVersion.everything.filter(instruction_id=instruction_id, n=n)


def instruction_case(instruction: Instruction, known: Centres) -> Case:
    """The case of an instruction; ``phase`` is the state of the version on its way."""
    pending = open_version(instruction)
    shown = pending or version_of(instruction, instruction.current)
    conditions = {
        "incident_open": instruction.incident.state not in INCIDENT_ENDED,
        "immediate": shown.urgency == "immediate",
        "lateral": instruction.basis == Instruction.Basis.LATERAL,
        "unconfirmed": _unconfirmed(instruction),
        "confirm_refused": bool(instruction.confirm_refused),
        "pending": instruction.state == "issued" and pending is not None,
        "standing": instruction.ended_at is None,
        "keep_owed": instruction.keep_owed,
    }
    approvals: Iterable[Approval] = pending.approvals.all() if pending else ()
    return Case(
        subject="instruction",
        state=instruction.state,
        phase=pending.state if pending else "",
        issuer_id=instruction.issuer_id,
        issuer_above=frozenset(instruction.issuer.ancestor_ids),
        command_ids=command_ids(instruction.incident, known),
        commander_id=instruction.incident.commander_id,
        drafter_key=f"person:{shown.drafter_id}" if shown.drafter_id else "",
        conditions=frozenset(name for name, holds in conditions.items() if holds),
        persons={
            "author": frozenset(f"person:{pk}" for pk in (pending.authors if pending else ())),
            "approver": frozenset(f"person:{approval.person_id}" for approval in approvals),
            "issuer_person": _key(instruction.issuer_person_id),
        },
    )


def _unconfirmed(instruction: Instruction) -> bool:
    return instruction.issued_first and instruction.confirmed_at is None and not instruction.confirm_refused


def _key(person_id: int | None) -> frozenset[str]:
    return frozenset() if person_id is None else frozenset({f"person:{person_id}"})


def owes_acknowledgement(assignment: Assignment) -> bool:
    """Whether the department has yet to acknowledge what stands now."""
    if assignment.state in TERMINAL:
        return False
    if assignment.cancel_owed or assignment.state in UNTOUCHED:
        return True
    read = assignment.acknowledged_version
    return read is not None and read < assignment.instruction.current


def assignment_case(assignment: Assignment, known: Centres) -> Case:
    """The case of an assignment from `assignment_rows`."""
    instruction = assignment.instruction
    notes: Any = assignment
    conditions = {
        "live": instruction.state == "issued" and not assignment.cancel_owed,
        "owes_acknowledgement": owes_acknowledgement(assignment),
        "may_decline": assignment.may_decline,
        "arbiter": assignment.arbiter,
        "ruled": not assignment.may_decline,
        "appealed": notes.appealed,
        "handed_on": notes.successor_open,
        "own_order": instruction.issuer_id == assignment.department_id,
        "ask_open": notes.asks_open,
        "support": assignment.role == Assignment.Role.SUPPORT,
        "supervised": assignment.supervised_since is not None,
        "spoken_for": notes.spoken_for,
    }
    return Case(
        subject="assignment",
        state=assignment.state,
        **_parties(assignment, known),
        lead_id=notes.lead_department,
        arbiter_id=assignment.arbiter_department_id if assignment.arbiter else None,
        conditions=frozenset(name for name, holds in conditions.items() if holds),
        persons={"submitter": frozenset({notes.submitter_key} if notes.submitter_key else ())},
    )


def ask_case(ask: Ask, known: Centres) -> Case:
    """The case of an ask from `ask_rows`; from the third extension on command decides, an appeal who hears it."""
    notes: Any = ask
    third = ask.kind == Ask.Kind.EXTENSION and notes.extensions >= 2
    appeal = ask.kind == Ask.Kind.APPEAL
    return Case(
        subject="ask",
        state=ask.state,
        **_parties(ask.assignment, known),
        decider_id=ask.decider_id,
        conditions=frozenset({"third_extension" if third else "appeal" if appeal else "issuers"}),
        persons={"ruler": frozenset({ask.ruled_by} if ask.ruled_by else ())},
    )


def _parties(assignment: Assignment, known: Centres) -> dict[str, Any]:
    instruction = assignment.instruction
    return {
        "issuer_id": instruction.issuer_id,
        "issuer_above": frozenset(instruction.issuer.ancestor_ids),
        "executing_id": assignment.department_id,
        "executing_above": frozenset(assignment.department.ancestor_ids),
        "command_ids": command_ids(instruction.incident, known),
        "commander_id": instruction.incident.commander_id,
    }

"""Which moves of the closed loop do other systems and scripts make, and what do they read?"""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from coordination.instructions import actions, queries, states
from coordination.instructions import serializers as shapes
from sharing.access.rest import Call, Page, Resource, act_view, lists, shows, writes

LOOP = ("receive", "acknowledge", "feedback")
"""Moves counted apart from other writes, so that no limit ever stands between a department and its acknowledgement."""


def show_instruction(call: Call, changed: Any) -> Any:
    """Return the instruction as it is now, as the caller may see it."""
    return queries.instruction(**call.who, instruction_id=call.ids.get("instruction_id", changed.pk))


def show_assignment(call: Call, changed: Any) -> Any:
    """Return the assignment as it is now, as the caller may see it."""
    return queries.assignment(**call.who, assignment_id=changed.pk)


def show_asking(call: Call, asked: Any) -> Any:
    """Return the assignment that a question was asked about, with the question in it."""
    return queries.assignment(**call.who, assignment_id=asked.assignment_id)


def show_ask(call: Call, changed: Any) -> Any:
    """Return the ask as it is now, as the caller may see it."""
    return queries.ask(**call.who, ask_id=changed.pk)


class Instructions(Resource):
    """Instructions seen by me."""

    resource = "instructions"

    @lists("instructions_list", shapes.InstructionRowShape, query=shapes.InstructionFilters, summary="Instructions")
    def get(self, call: Call) -> Page:
        """Instructions that my department sees, newest first."""
        query = dict(call.query)
        rows, after = queries.instructions(
            **call.who, incident_id=query.pop("incident", None), **query, after=call.after, size=call.size
        )
        return Page(rows, after)

    @writes(
        "instructions_draft", shapes.InstructionShape, body=shapes.body_of(states.move_named("instruction", "draft")),
        status=201, show=show_instruction, place=lambda done: f"/api/v1/instructions/{done['id']}",
        summary="Draft an instruction",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Begin an instruction of my department; it stays a draft until it is submitted."""
        return actions.draft(**call.act, **call.body)


class Instruction(Resource):
    """One instruction."""

    resource = "instructions"

    @shows("instructions_show", shapes.InstructionShape, summary="One instruction")
    def get(self, call: Call) -> Any:
        """The instruction with its assignments, versions and what may be done with it now."""
        return queries.instruction(**call.who, instruction_id=call.ids["instruction_id"])

    @writes(
        "instructions_change", shapes.InstructionShape, body=shapes.body_of(states.move_named("instruction", "edit")),
        decides=True, show=show_instruction, summary="Edit a draft",
    )  # fmt: skip
    def patch(self, call: Call) -> Any:
        """Change fields of a version in draft; what is not sent stays."""
        return actions.edit(**call.act, **call.ids, if_version=call.if_version, **call.body)


class Versions(Resource):
    """The versions of an instruction."""

    resource = "instructions"

    @lists("instructions_versions", shapes.VersionShape, summary="Versions of an instruction")
    def get(self, call: Call) -> Any:
        """All versions, whole."""
        return queries.versions(**call.who, instruction_id=call.ids["instruction_id"])


class Conflicts(Resource):
    """What stands against an instruction."""

    resource = "instructions"

    @lists("instructions_conflicts", shapes.ConflictShape, summary="Conflicts of an instruction")
    def get(self, call: Call) -> Any:
        """Findings of the conflict check on the version on its way, or in force."""
        return queries.conflicts_of(**call.who, instruction_id=call.ids["instruction_id"])


class Burden(Resource):
    """How much the addressees have to do already."""

    resource = "instructions"
    people = True

    @lists("instructions_burden", shapes.BurdenShape, summary="Load of the addressees")
    def get(self, call: Call) -> Any:
        """Each addressee with people on duty, open assignments and usual time."""
        return queries.burden_of(**call.who, instruction_id=call.ids["instruction_id"])


class Ladder(Resource):
    """Who hears when."""

    resource = "instructions"
    people = True

    @lists("instructions_ladder", shapes.RungShape, summary="Escalation of an instruction")
    def get(self, call: Call) -> Any:
        """The ladder as frozen at issue, or as it would be now."""
        return queries.ladder_of(**call.who, instruction_id=call.ids["instruction_id"])


class InstructionTransitions(Resource):
    """The record of an instruction."""

    resource = "instructions"

    @lists("instructions_transitions", shapes.TransitionShape, summary="Moves of an instruction on the record")
    def get(self, call: Call) -> Any:
        """Every move of the instruction and its assignments that I may see, oldest first."""
        return queries.transitions(**call.who, instruction_id=call.ids["instruction_id"])


class Assignments(Resource):
    """Assignments seen by me."""

    resource = "assignments"

    @lists("assignments_list", shapes.AssignmentShape, query=shapes.AssignmentFilters, summary="Assignments")
    def get(self, call: Call) -> Page:
        """Assignments that my department sees, newest first."""
        query = dict(call.query)
        rows, after = queries.assignments(
            **call.who, incident_id=query.pop("incident", None), **query, after=call.after, size=call.size
        )
        return Page(rows, after)


class Assignment(Resource):
    """One assignment."""

    resource = "assignments"

    @shows("assignments_show", shapes.AssignmentShape, summary="One assignment")
    def get(self, call: Call) -> Any:
        """The assignment with its deadlines, feedback and what may be done with it now."""
        return queries.assignment(**call.who, assignment_id=call.ids["assignment_id"])


class AssignmentTransitions(Resource):
    """The record of an assignment."""

    resource = "assignments"

    @lists("assignments_transitions", shapes.TransitionShape, summary="Moves of an assignment on the record")
    def get(self, call: Call) -> Any:
        """Its moves, oldest first."""
        return queries.assignment_transitions(**call.who, assignment_id=call.ids["assignment_id"])


class AssignmentDeadlines(Resource):
    """The clocks of an assignment."""

    resource = "assignments"

    @lists("assignments_deadlines", shapes.DeadlineShape, summary="Deadlines of an assignment")
    def get(self, call: Call) -> Any:
        """Its live deadlines."""
        return queries.assignment(**call.who, assignment_id=call.ids["assignment_id"])["deadlines"]


class AssignmentLedger(Resource):
    """Whose time it was."""

    resource = "assignments"

    @lists("assignments_ledger", shapes.LedgerShape, summary="Time ledger of an assignment")
    def get(self, call: Call) -> Any:
        """Every second from draft to the end (or now), charged to exactly one party."""
        return queries.ledger(**call.who, assignment_id=call.ids["assignment_id"])


class Ask(Resource):
    """One ask."""

    resource = "asks"

    @shows("asks_show", shapes.AskShape, summary="One ask")
    def get(self, call: Call) -> Any:
        """The ask and what may be done with it now."""
        return queries.ask(**call.who, ask_id=call.ids["ask_id"])


_CALLED = {("assignment", "cancel"): "cancel_assignment", ("ask", "withdraw"): "withdraw_ask"}
_SHOWN = {
    "instruction": (shapes.InstructionShape, show_instruction),
    "assignment": (shapes.AssignmentShape, show_assignment),
    "ask": (shapes.AskShape, show_ask),
}


def move_view(move: states.Move) -> Any:
    """Return the view of one move: POST, its fields, one call to its action."""
    answer, show = _SHOWN["instruction" if move.action == "delegate" else move.subject]
    if move.action in ("ask", "appeal"):
        show = show_asking
    words = move.action.replace("_", " ")
    return act_view(
        getattr(actions, _CALLED.get((move.subject, move.action), move.action)),
        resource=f"{move.subject}s",
        name=f"{move.subject}s_{move.action}",
        answer=answer,
        body=shapes.body_of(move),
        show=show,
        decides=move.deciding,
        status=201 if move.action == "delegate" else 200,
        limit="loop" if move.action in LOOP else "",
        text=f"{words.capitalize()}: {move.note}." if move.note else "",
    )


def moves() -> list[URLPattern]:
    """Return an address for each move that is not the platform's own."""
    return [
        path(
            f"{move.subject}s/<str:{move.subject}_id>/{move.action.replace('_', '-')}",
            move_view(move),
            name=f"api-{move.subject}-{move.action.replace('_', '-')}",
        )
        for move in states.MOVES
        if not move.system_only and move.action != "draft"
    ]


urlpatterns = [
    path("instructions", Instructions.as_view(), name="api-instructions"),
    path("instructions/<str:instruction_id>", Instruction.as_view(), name="api-instruction"),
    path("instructions/<str:instruction_id>/versions", Versions.as_view(), name="api-instruction-versions"),
    path("instructions/<str:instruction_id>/conflicts", Conflicts.as_view(), name="api-instruction-conflicts"),
    path("instructions/<str:instruction_id>/burden", Burden.as_view(), name="api-instruction-burden"),
    path("instructions/<str:instruction_id>/ladder", Ladder.as_view(), name="api-instruction-ladder"),
    path(
        "instructions/<str:instruction_id>/transitions",
        InstructionTransitions.as_view(),
        name="api-instruction-transitions",
    ),
    path("assignments", Assignments.as_view(), name="api-assignments"),
    path("assignments/<str:assignment_id>", Assignment.as_view(), name="api-assignment"),
    path(
        "assignments/<str:assignment_id>/transitions",
        AssignmentTransitions.as_view(),
        name="api-assignment-transitions",
    ),
    path("assignments/<str:assignment_id>/deadlines", AssignmentDeadlines.as_view(), name="api-assignment-deadlines"),
    path("assignments/<str:assignment_id>/ledger", AssignmentLedger.as_view(), name="api-assignment-ledger"),
    path("asks/<str:ask_id>", Ask.as_view(), name="api-ask"),
    *moves(),
]

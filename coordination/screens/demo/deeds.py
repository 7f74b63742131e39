"""Which ordinary action does each step of the story take?

A deed gets the actor, the moment, the command id, its target (id, department code or empty), the step's fields and
the telling; it takes one action and returns the id of what was made (None where nothing is named after it).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from coordination.events.actor import Actor
from coordination.instructions import actions as instructions
from coordination.instructions.models import Assignment, Instruction
from coordination.screens.models import StoryRun
from incidents import actions as incidents
from incidents.models import Incident
from sharing import access
from sharing.catalogue import actions as catalogue
from sharing.catalogue.models import Dataset

Target = tuple[int, str]


class Deed(Protocol):
    """One kind of step."""

    def __call__(
        self, *, actor: Actor, now: datetime, command_id: UUID, target: Target, fields: dict[str, Any], run: StoryRun
    ) -> int | None:
        """Take the action."""
        ...


def _plain(function: Callable[..., Any], key: str = "") -> Deed:
    """A deed whose action takes the target's id as ``key`` and the fields as they are."""

    def deed(
        *, actor: Actor, now: datetime, command_id: UUID, target: Target, fields: dict[str, Any], run: StoryRun
    ) -> int | None:
        about = {key: target[0]} if key else {}
        made = function(actor=actor, now=now, command_id=command_id, **about, **_timed(fields, run, now))
        return made.pk if made is not None else None

    return deed


def _timed(fields: dict[str, Any], run: StoryRun, now: datetime) -> dict[str, Any]:
    """``due_in`` and ``new_due_in`` (seconds of the story) as real moments at the telling's speed."""
    timed = dict(fields)
    for name, into in (("due_in", "due_at"), ("new_due_in", "new_due")):
        if name in timed:
            timed[into] = now + timedelta(seconds=timed.pop(name) / run.speed)
    return timed


def _assignment(target: Target, now: datetime) -> Assignment:
    """The newest assignment of a department under an instruction."""
    instruction_id, code = target
    return (
        access.unscoped(Assignment, reason="the story names its own assignments")
        .filter(instruction_id=instruction_id, department__code=code)
        .latest("id")
    )


def _on_assignment(function: Callable[..., Any]) -> Deed:
    def deed(
        *, actor: Actor, now: datetime, command_id: UUID, target: Target, fields: dict[str, Any], run: StoryRun
    ) -> int | None:
        row = _assignment(target, now)
        made = function(actor=actor, now=now, command_id=command_id, assignment_id=row.pk, **_timed(fields, run, now))
        return made.pk if made is not None else None

    return deed


def _versioned(function: Callable[..., Any]) -> Deed:
    """A deed that names the version of the instruction it answers."""

    def deed(
        *, actor: Actor, now: datetime, command_id: UUID, target: Target, fields: dict[str, Any], run: StoryRun
    ) -> int | None:
        row = _assignment(target, now)
        current = access.unscoped(Instruction, reason="the story reads its own instruction").get(pk=target[0]).current
        made = function(actor=actor, now=now, command_id=command_id, assignment_id=row.pk, version=current, **fields)
        return made.pk if made is not None else None

    return deed


def _open_incident(
    *, actor: Actor, now: datetime, command_id: UUID, target: Target, fields: dict[str, Any], run: StoryRun
) -> int | None:
    made = incidents.open_incident(
        actor=actor, now=now, command_id=command_id, policy_set="story", pace=run.speed, **fields
    )
    return made.pk


def _take_command(
    *, actor: Actor, now: datetime, command_id: UUID, target: Target, fields: dict[str, Any], run: StoryRun
) -> int | None:
    incidents.transfer_command(
        actor=actor,
        now=now,
        command_id=command_id,
        incident_id=target[0],
        department_id=actor.department_id or 0,
        person_id=actor.id,
        why="值班指挥 · Commander on duty",
    )
    return None


def _delegate(
    *, actor: Actor, now: datetime, command_id: UUID, target: Target, fields: dict[str, Any], run: StoryRun
) -> int | None:
    """Delegate and submit the child for approval; the child instruction is what the step is named after."""
    parent = _assignment(target, now)
    child = instructions.delegate(
        actor=actor, now=now, command_id=command_id, assignment_id=parent.pk, **_timed(fields, run, now)
    )
    if child.state == Instruction.State.DRAFT:
        instructions.submit(actor=actor, now=now, instruction_id=child.pk)
    return child.pk


def _ask_for_data(
    *, actor: Actor, now: datetime, command_id: UUID, target: Target, fields: dict[str, Any], run: StoryRun
) -> int | None:
    """Ask for a dataset (``dataset``: department/code) in the incident; the request is what the step is named after."""
    department, _slash, code = fields["dataset"].partition("/")
    dataset = Dataset.objects.get(department__code=department, code=code)
    request = catalogue.ask(
        actor=actor, now=now, command_id=command_id, dataset_id=dataset.pk, fields=fields["fields"],
        purpose=fields["purpose"], valid_to=now + timedelta(days=fields["days"]), incident_id=target[0],
    )
    return request.pk


def story_incident(run: StoryRun) -> Incident | None:
    """The incident this telling opened, if it has come that far."""
    if "incident" not in run.names:
        return None
    return access.unscoped(Incident, reason="the story shows where it stands").get(pk=run.names["incident"])


DEEDS: dict[str, Deed] = {
    "receive_report": _plain(incidents.receive_report),
    "verify_report": _plain(incidents.verify_report, "report_id"),
    "open_incident": _open_incident,
    "take_command": _take_command,
    "move_incident": _plain(incidents.move, "incident_id"),
    "set_scale": _plain(incidents.set_scale, "incident_id"),
    "invite": _plain(incidents.invite, "incident_id"),
    "participate": _plain(incidents.change_participation, "incident_id"),
    "set_objective": _plain(incidents.set_objective, "incident_id"),
    "set_end_condition": _plain(incidents.set_end_condition, "incident_id"),
    "add_log": _plain(incidents.add_log, "incident_id"),
    "draft": _plain(instructions.draft),
    "submit": _plain(instructions.submit, "instruction_id"),
    "approve": _plain(instructions.approve, "instruction_id"),
    "issue": _plain(instructions.issue, "instruction_id"),
    "issue_first": _plain(instructions.issue_first, "instruction_id"),
    "confirm": _plain(instructions.confirm, "instruction_id"),
    "acknowledge": _versioned(instructions.acknowledge),
    "start": _on_assignment(instructions.start),
    "feedback": _versioned(instructions.feedback),
    "evaluate": _on_assignment(instructions.evaluate),
    "decline": _on_assignment(instructions.decline),
    "reassign": _on_assignment(instructions.reassign),
    "delegate": _delegate,
    "ask_for_data": _ask_for_data,
    "grant_request": _plain(catalogue.grant_request, "request_id"),
}

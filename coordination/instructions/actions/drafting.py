"""How does an order come into being, get handed in, approved, or taken back?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.queries import departments_by_id
from coordination.deadlines import actions as deadlines
from coordination.events.actor import Actor
from coordination.events.command import action
from coordination.events.refused import Conflict, Forbidden, Invalid
from coordination.instructions import states
from coordination.instructions.actions import arming, content, moving
from coordination.instructions.models import Approval, Assignment, Instruction, InstructionVersion
from coordination.instructions.queries import cases, chain, contradictions, rules
from incidents.entered import reason as entered_reason
from incidents.models import Incident
from sharing import access


class PastParentDue(Invalid):
    """A delegated part would be due after the whole."""

    code = "past_parent_due"


class ConflictsUnsigned(Conflict):
    """Findings of the conflict check stand open; the approver signs each with a reason. ``extra``: findings."""

    code = "conflicts_unsigned"


class NotOnIncident(Invalid):
    """A lateral request needs both sides on the incident."""

    code = "not_on_incident"


@action("instruction.draft")
def draft(
    *, actor: Actor, now: datetime, incident_id: int, linked_id: int | None = None,
    supersedes_id: int | None = None, **given: Any,
) -> Instruction:
    """Begin an order of the actor's department. ``given``: fields of `states.CONTENT`.

    ``linked_id``: an earlier instruction this one follows; ``supersedes_id``: one of the own department it replaces
    when it is issued.
    """
    incident: Incident = access.get(actor, Incident, incident_id, now=now)
    _may_draft(actor, incident)
    access.require_more_than_glass(actor, incident, "draft", now)
    linked = moving.see_instruction(actor, linked_id, now) if linked_id is not None else None
    replaced = _replaced(actor, supersedes_id, incident, now)
    return new_instruction(actor=actor, now=now, incident=incident, given=given, linked=linked, supersedes=replaced)


def _may_draft(actor: Actor, incident: Incident) -> None:
    if actor.department_id is None:
        raise Forbidden(_("Only a department can give an instruction."), right="draft")
    case = states.Case(
        subject="instruction",
        state="",
        issuer_id=actor.department_id,
        conditions=frozenset({"incident_open"} if incident.state not in cases.INCIDENT_ENDED | {"merged"} else ()),
    )
    states.check(actor, states.move_named("instruction", "draft"), case)


def _replaced(actor: Actor, supersedes_id: int | None, incident: Incident, now: datetime) -> Instruction | None:
    if supersedes_id is None:
        return None
    replaced = moving.see_instruction(actor, supersedes_id, now)
    if replaced.issuer_id != actor.department_id or replaced.incident_id != incident.pk:
        raise Invalid(_("An instruction replaces one of the same department on the same incident."))
    if replaced.state != Instruction.State.ISSUED:
        raise Conflict(_("Only an instruction in force can be replaced."), code="not_in_force")
    return replaced


def new_instruction(
    *, actor: Actor, now: datetime, incident: Incident, given: dict[str, Any],
    linked: Instruction | None = None, supersedes: Instruction | None = None, parent: Assignment | None = None,
) -> Instruction:
    """Write the instruction with version 1 in draft; numbered within its incident."""
    counter = access.unscoped(Incident, reason="numbers of an incident's instructions").filter(pk=incident.pk)
    number = counter.select_for_update(no_key=True).values_list("next_instruction_number", flat=True)[0]
    counter.update(next_instruction_number=number + 1)
    person = actor.id if actor.is_person else None
    version = InstructionVersion(n=1, drafter_id=person, authors=[person] if person else [], created_at=now)
    content.enter(version, given)
    assert actor.department_id is not None  # noqa: S101 - a draft has been refused without one
    instruction = Instruction(
        incident=incident, number=number, issuer_id=actor.department_id, issuer_post=actor.post, drafter_id=person,
        drafted_by_client=actor.id if actor.kind == "client" else None, ball=str(actor.department_id),
        linked=linked, supersedes=supersedes, parent=parent, created_at=now, moved_at=now, effective_at=now,
    )
    instruction.basis = _basis(instruction, version)
    instruction.save()
    version.instruction = instruction
    version.save()
    moving.note_move(instruction, "draft", actor=actor, before="")
    return instruction


def _basis(instruction: Instruction, version: InstructionVersion) -> str:
    known = departments_by_id(content.addressed(version))
    return rules.basis_of(instruction.issuer, instruction.incident, known.values(), cases.centres())


@action("instruction.edit")
def edit(
    *, actor: Actor, now: datetime, instruction_id: int, if_version: int | None = None, **given: Any
) -> Instruction:
    """Change what a version in draft says. Whoever writes cannot approve it."""
    instruction = moving.take_instruction(
        actor=actor, now=now, instruction_id=instruction_id, action="edit", if_version=if_version
    )
    version = pending(instruction)
    change = entered_reason("change_note", given.pop("change_note", version.change_note), needed=False)
    content.enter(version, given, targets_too=version.n == 1)
    version.change_note = change
    add_author(version, actor)
    version.save()
    if version.n == 1:
        instruction.basis = _basis(instruction, version)
    moving.carry(instruction, "edit", actor=actor, now=now)
    return instruction


def pending(instruction: Instruction) -> InstructionVersion:
    """The version on its way; the table has made sure that there is one."""
    version = cases.open_version(instruction)
    if version is None:
        raise Conflict(_("No version is on its way."))
    return version


def add_author(version: InstructionVersion, actor: Actor) -> None:
    """Remember who had a hand in it."""
    if actor.is_person and actor.id is not None and actor.id not in version.authors:
        version.authors = [*version.authors, actor.id]
    if version.drafter_id is None and actor.is_person:
        version.drafter_id = actor.id


@action("instruction.submit")
def submit(
    *, actor: Actor, now: datetime, instruction_id: int, if_version: int | None = None
) -> Instruction:
    """Hand the version in for approval; where the rule asks for none it is approved by this."""
    instruction = moving.take_instruction(
        actor=actor, now=now, instruction_id=instruction_id, action="submit", if_version=if_version
    )
    return hand_in(instruction, actor=actor, now=now)


def hand_in(instruction: Instruction, *, actor: Actor, now: datetime) -> Instruction:
    """Check that the version is complete and put it to approval (or past it)."""
    version = pending(instruction)
    content.headline_from(version)
    content.complete(instruction, version, now=now)
    check_reach(instruction, version, now=now)
    add_author(version, actor)
    version.approvals_needed = rules.approvals_needed(instruction, version)
    version.submitted_at = now
    done = version.approvals_needed == 0
    version.state = InstructionVersion.State.APPROVED if done else InstructionVersion.State.IN_APPROVAL
    version.approved_at = now if done else None
    version.save()
    _carry_version(
        instruction, version, "submit", actor=actor, now=now,
        tell=[] if done else [moving.duty(instruction.issuer_id, "approver")],
    )
    deadlines.arm_many(
        [arming.order(instruction, instruction, "start" if done else "approve", now=now, armed_version=version.n)],
        now=now,
    )
    return instruction


def _carry_version(
    instruction: Instruction, version: InstructionVersion, move: str, *, actor: Actor, now: datetime,
    reason: str = "", data: dict[str, Any] | None = None, tell: list[dict[str, Any]] | None = None,
) -> None:
    """Carry a move of a version; with version 1 the instruction takes its state."""
    moving.carry(
        instruction, move, actor=actor, now=now, reason=reason,
        after=str(version.state) if version.n == 1 else None,
        ball=instruction.issuer_id if version.n == 1 else None,
        data={"n": version.n, "version_state": str(version.state), **(data or {})}, tell=tell or [],
    )


def check_reach(instruction: Instruction, version: InstructionVersion, *, now: datetime) -> None:
    """Both sides of a lateral request take part; a delegated part fits into the whole."""
    addressed = list(content.addressed(version))
    if instruction.basis == Instruction.Basis.LATERAL:
        missing = rules.not_on_incident(instruction.incident_id, [*addressed, instruction.issuer_id])
        if missing:
            raise NotOnIncident(
                _("A lateral request needs both departments on the incident; invite them first."),
                departments=sorted(missing),
            )
    if instruction.parent_id is None:
        return
    parent = moving.assignments(pk=instruction.parent_id).get()
    if content.due_of(version, now=now, pace=instruction.incident.pace) > parent.due_at:
        raise PastParentDue(
            _("A delegated part cannot be due after the whole."),
            errors=[{"pointer": "/due_at", "code": "past_parent_due", "detail": parent.due_at.isoformat()}],
        )
    chain.check(parent, addressed)


@action("instruction.withdraw")
def withdraw(
    *, actor: Actor, now: datetime, instruction_id: int, reason: str = "", if_version: int | None = None
) -> Instruction:
    """The drafter takes the version back into draft."""
    return _back_to_draft("withdraw", actor, now, instruction_id, reason, if_version)


@action("instruction.return_draft")
def return_draft(
    *, actor: Actor, now: datetime, instruction_id: int, reason: str, if_version: int | None = None
) -> Instruction:
    """An approver sends the version back with a reason."""
    return _back_to_draft("return_draft", actor, now, instruction_id, reason, if_version)


def _back_to_draft(
    move: str, actor: Actor, now: datetime, instruction_id: int, reason: str, if_version: int | None
) -> Instruction:
    instruction = moving.take_instruction(
        actor=actor, now=now, instruction_id=instruction_id, action=move, if_version=if_version
    )
    why = entered_reason("reason", reason, needed=move == "return_draft")
    version = pending(instruction)
    version.state = InstructionVersion.State.DRAFT
    version.approvals_needed, version.submitted_at, version.approved_at = None, None, None
    version.save()
    Approval.everything.filter(version=version).delete()
    _carry_version(
        instruction, version, move, actor=actor, now=now, reason=why,
        tell=[{"person": version.drafter_id}] if version.drafter_id else [],
    )
    deadlines.cancel(subject=instruction, kinds=["approve", "start"], now=now)
    return instruction


@action("instruction.approve")
def approve(
    *, actor: Actor, now: datetime, instruction_id: int, remark: str = "", signed_conflicts: Any = (),
    if_version: int | None = None,
) -> Instruction:
    """One person's yes. ``signed_conflicts``: [{"key", "reason"}] for each finding of the conflict check."""
    instruction = moving.take_instruction(
        actor=actor, now=now, instruction_id=instruction_id, action="approve", if_version=if_version
    )
    version = pending(instruction)
    assert actor.id is not None  # noqa: S101 - the table lets only persons approve
    remark = entered_reason("remark", remark, needed=False)
    signed = _signed(signed_conflicts, [finding.key for finding in contradictions.findings(version)])
    Approval.everything.create(
        version=version, person_id=actor.id, drafter_id=version.drafter_id, remark=remark,
        signed_conflicts=signed, at=now,
    )
    given = Approval.everything.filter(version=version).count()
    done = given >= (version.approvals_needed or 1)
    if done:
        version.state, version.approved_at = InstructionVersion.State.APPROVED, now
        version.save()
    _carry_version(
        instruction, version, "approve", actor=actor, now=now, reason=remark,
        data={"given": given, "needed": version.approvals_needed},
        tell=[moving.duty(instruction.issuer_id)] if done else [moving.duty(instruction.issuer_id, "approver")],
    )
    if done:
        deadlines.cancel(subject=instruction, kinds=["approve"], now=now)
        arming.arm(instruction, instruction, "start", now=now, armed_version=version.n)
    return instruction


def _signed(given: Any, needed: list[str]) -> list[dict[str, str]]:
    rows = given if isinstance(given, list | tuple) else []
    reasons = {
        str(row.get("key")): entered_reason("signed_conflicts", row.get("reason"), needed=True)
        for row in rows
        if isinstance(row, dict)
    }
    missing = [key for key in needed if key not in reasons]
    if missing:
        raise ConflictsUnsigned(
            _("Orders contradict each other. Sign each finding with a reason, or send the draft back."),
            findings=missing,
        )
    return [{"key": key, "reason": reasons[key]} for key in needed]

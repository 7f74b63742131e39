"""Which clock does a move set, and how long does it run?

When an order leaves, the policy of the incident's response level is copied into it; from then on every clock of it
is cut from that copy, so that a later change of the policy changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from coordination.deadlines import actions as deadlines
from coordination.deadlines import queries as clocks
from coordination.deadlines.models import Deadline, Policy
from coordination.instructions.actions.moving import urgency_of
from coordination.instructions.models import Ask, Assignment, Instruction
from incidents.models import Incident

HOLD_AT_MOST = {1: timedelta(hours=4), 2: timedelta(hours=4)}
HOLD_OTHERWISE = timedelta(hours=24)
KINDS = ("approve", "acknowledge", "start", "progress", "complete", "evaluate", "revisit", "confirm")


def freeze(incident: Incident) -> dict[str, Any]:
    """Copy the policy that counts now, as it will stand in the instruction."""
    policy = clocks.policy(incident.policy_set, incident.response_level)
    return {
        "set": policy.set,
        "response_level": policy.response_level,
        "version": policy.version,
        "within": policy.within,
        "wait": policy.wait,
        "ladders": policy.ladders,
        "pace": incident.pace,
    }


def policy_of(frozen: dict[str, Any]) -> Policy:
    """The frozen copy as a policy again (unsaved)."""
    return Policy(
        set=frozen["set"],
        response_level=frozen["response_level"],
        version=frozen["version"],
        within=frozen["within"],
        wait=frozen["wait"],
        ladders=frozen["ladders"],
    )


def frozen_of(instruction: Instruction) -> dict[str, Any]:
    """The instruction's own copy, or (before it is issued) the policy that counts now."""
    return instruction.ladder or freeze(instruction.incident)


def allowed_time(instruction: Instruction, kind: str) -> timedelta:
    """How long this instruction's policy allows for a kind of deadline."""
    frozen = frozen_of(instruction)
    return timedelta(seconds=clocks.within(policy_of(frozen), kind, frozen["pace"]))


def order(
    subject: Instruction | Assignment | Ask,
    instruction: Instruction,
    kind: str,
    *,
    now: datetime,
    due_at: datetime | None = None,
    every: float | None = None,
    armed_version: int | None = None,
) -> deadlines.Order:
    """One deadline as this instruction's frozen policy has it; ``due_at`` empty = now + what it allows."""
    frozen = frozen_of(instruction)
    policy = policy_of(frozen)
    due = due_at or now + timedelta(seconds=clocks.within(policy, kind, frozen["pace"]))
    term = max(0.0, (due - now).total_seconds())
    return deadlines.Order(
        subject=subject,
        kind=kind,
        due_at=due,
        ladder=clocks.ladder(policy, kind, term, frozen["pace"]),
        urgency=urgency_of(instruction),
        incident_id=instruction.incident_id,
        armed_version=armed_version or instruction.current,
        every=every,
    )


def arm(
    subject: Instruction | Assignment | Ask, instruction: Instruction, kind: str, *, now: datetime, **how: Any
) -> Deadline:
    """Arm one deadline (see `order`); a live one of the same kind gives way."""
    return deadlines.arm_many([order(subject, instruction, kind, now=now, **how)], now=now)[0]


def arm_for_new(assignments: Iterable[Assignment], *, now: datetime) -> None:
    """The clocks of assignments that begin: acknowledge, complete."""
    orders = []
    for row in assignments:
        orders.append(order(row, row.instruction, "acknowledge", now=now))
        orders.append(order(row, row.instruction, "complete", now=now, due_at=row.due_at))
    deadlines.arm_many(orders, now=now)


def progress_seconds(assignment: Assignment) -> float:
    """Seconds between two owed progress reports: set by supervision, by the order, or by the frozen policy."""
    instruction = assignment.instruction
    frozen = frozen_of(instruction)
    current = next(version for version in instruction.versions.all() if version.n == instruction.current)
    wanted = assignment.progress_every or current.progress_every
    if wanted:
        return float(wanted) / (frozen["pace"] or 1)
    return clocks.within(policy_of(frozen), "progress", frozen["pace"])


def arm_progress(assignment: Assignment, *, now: datetime) -> None:
    """Owe the next progress report, on a grid that begins now."""
    seconds = progress_seconds(assignment)
    arm(
        assignment, assignment.instruction, "progress", now=now,
        due_at=now + timedelta(seconds=seconds), every=seconds,
    )


def arm_work(assignment: Assignment, *, now: datetime) -> None:
    """The clocks of work that goes on after a return or a failed recheck: complete, progress."""
    arm(assignment, assignment.instruction, "complete", now=now, due_at=assignment.due_at)
    arm_progress(assignment, now=now)


def hold_at_most(instruction: Instruction) -> timedelta:
    """How long a hold may last before it lapses: 4 h at response level I and II, else 24 h, at the pace."""
    frozen = frozen_of(instruction)
    return HOLD_AT_MOST.get(frozen["response_level"], HOLD_OTHERWISE) / (frozen["pace"] or 1)

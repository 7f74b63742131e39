"""How is one move of the loop carried out: locked, judged by the table, saved, written down?

Locks are taken in one order everywhere: instructions by id (a parent is older than its child), assignments by id,
then deadlines, then stream heads. Rows are locked FOR NO KEY UPDATE, so that paper trails of neighbours may still
point at them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from coordination.events import command, streams
from coordination.events.actor import Actor
from coordination.events.at_once import at_once
from coordination.events.kept import kept
from coordination.events.refused import Forbidden, VersionConflict
from coordination.instructions import states
from coordination.instructions.models import Ask, Assignment, Instruction, InstructionVersion, Transition
from coordination.instructions.queries import cases, chain
from sharing import access

_WHY_LOCK = "a move locks the rows it will write after the actor has seen the subject"


def lock_instructions(ids: Iterable[int]) -> dict[int, Instruction]:
    """The rows by id, locked root to leaf, read fresh."""
    wanted = set(ids)
    rows = access.unscoped(Instruction, reason=_WHY_LOCK).filter(pk__in=wanted).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
    found = cases.instruction_rows(access.unscoped(Instruction, reason=_WHY_LOCK).filter(pk__in=wanted))
    return {row.pk: row for row in found}


def lock_tree(root_ids: Iterable[int]) -> dict[int, Instruction]:
    """These and every open instruction delegated below them, locked level by level from the root.

    Whoever hands work down locks the instruction above first, so that no child slips in behind a locked parent.
    """
    locked = lock_instructions(root_ids)
    level: set[int] = set(locked)
    while level:
        below = access.unscoped(Instruction, reason=_WHY_LOCK).filter(parent__instruction_id__in=level)
        level = set(below.exclude(state__in=chain.ENDED).values_list("pk", flat=True)) - set(locked)
        if level:
            locked |= lock_instructions(level)
    return locked


def lock_assignments(rows: QuerySet[Assignment]) -> dict[int, Assignment]:
    """The rows by id, locked in the order of their ids, read fresh."""
    ids = list(rows.order_by("pk").select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
    (fresh,) = at_once(kept(_fresh, ids))
    return {row.pk: row for row in fresh}


def _fresh(ids: list[int]) -> QuerySet[Assignment]:
    return cases.assignment_rows(access.unscoped(Assignment, reason=_WHY_LOCK).filter(pk__in=ids))


def assignments(**filters: Any) -> QuerySet[Assignment]:
    """Assignments behind a subject the actor has already been let to."""
    return access.unscoped(Assignment, reason=_WHY_LOCK).filter(**filters)


def see_instruction(actor: Actor, instruction_id: int, now: datetime) -> Instruction:
    """The instruction, unlocked, or `NotFound` (hidden = absent)."""
    row: Instruction = access.get(actor, Instruction, instruction_id, now=now)
    return row


def see_assignment(actor: Actor, assignment_id: int, now: datetime) -> Assignment:
    """The assignment, unlocked, or `NotFound` (hidden = absent)."""
    row: Assignment = access.get(actor, Assignment, assignment_id, now=now)
    return row


def judge(actor: Actor, move: states.Move, case: states.Case, row: Any, if_version: int | None) -> None:
    """Refuse in this order: not your move (403), decided on an older version (412), not now (409)."""
    if not states.is_party(actor, move, case):
        raise Forbidden(_("This step belongs to another department or post."), right=move.action)
    if if_version is not None and not _still_true(row, if_version):
        raise VersionConflict(
            _("This has changed since you opened it. Look again, then decide."), version=row.version
        )
    states.check(actor, move, case)


def _still_true(row: Any, seen: int) -> bool:
    """Whether whoever saw version ``seen`` decides on what stands: since then only quiet moves, each on the record."""
    if seen == row.version:
        return True
    if seen > row.version or isinstance(row, Ask):
        return False
    kind = "assignment" if isinstance(row, Assignment) else "instruction"
    since = access.unscoped(Transition, reason=_WHY_LOCK).filter(
        subject_type=kind, subject_id=row.pk, version__gt=seen, version__lte=row.version
    )
    moves = list(since.values_list("subject_type", "move"))
    return len(moves) == row.version - seen and states.QUIET.issuperset(moves)


def take_instruction(
    *, actor: Actor, now: datetime, instruction_id: int, action: str, if_version: int | None = None
) -> Instruction:
    """Lock one instruction for ``action``, judged."""
    see_instruction(actor, instruction_id, now)
    instruction = lock_instructions([instruction_id])[instruction_id]
    case = cases.instruction_case(instruction, cases.centres())
    judge(actor, states.move_named("instruction", action), case, instruction, if_version)
    return instruction


def take_assignment(
    *,
    actor: Actor,
    now: datetime,
    assignment_id: int,
    action: str,
    if_version: int | None = None,
    with_instruction: bool = False,
    also: Sequence[int] = (),
) -> Assignment:
    """Lock one assignment for ``action`` (its instruction and other assignments first where asked), judged."""
    seen = see_assignment(actor, assignment_id, now)
    if with_instruction:
        lock_instructions([seen.instruction_id])
    locked = lock_assignments(assignments(pk__in={assignment_id, *also}))
    assignment = locked[assignment_id]
    case = cases.assignment_case(assignment, cases.centres())
    judge(actor, states.move_named("assignment", action), case, assignment, if_version)
    return assignment


def take_ask(
    *, actor: Actor, now: datetime, ask_id: int, action: str, if_version: int | None = None
) -> tuple[Ask, Assignment]:
    """Lock an ask behind its assignment, judged."""
    seen: Ask = access.get(actor, Ask, ask_id, now=now, select=("assignment",))
    also: list[int] = []
    if seen.kind == Ask.Kind.APPEAL:  # whoever hears it may give the work to another
        lock_instructions([seen.assignment.instruction_id])
        also = chain.before(seen.assignment)
    assignment = lock_assignments(assignments(pk__in={seen.assignment_id, *also}))[seen.assignment_id]
    ask = cases.ask_rows(access.unscoped(Ask, reason=_WHY_LOCK)).get(pk=ask_id)
    ask.assignment = assignment
    judge(actor, states.move_named("ask", action), cases.ask_case(ask, cases.centres()), ask, if_version)
    return ask, assignment


def cause_of(actor: Actor) -> str:
    """Who set a move off: a person or client (user) or the platform."""
    return Transition.Cause.SYSTEM if actor.kind == "system" else Transition.Cause.USER


def carry(
    subject: Instruction | Assignment,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    after: str | None = None,
    ball: int | str | None = None,
    reason: str = "",
    data: dict[str, Any] | None = None,
    cause: str = "",
    effective_at: datetime | None = None,
    tell: Sequence[dict[str, Any]] = (),
    urgency: str = "",
) -> Transition:
    """Save the subject one version on, write its transition, record its event.

    ``after``: the new state (None = unchanged). ``ball``: department id, ``platform`` or "" (None = unchanged).
    ``effective_at``: when it truly happened (a telephone call); clamped between the last move and this one.
    """
    before = subject.state
    if ball is not None and action in _GOES_ON and isinstance(subject, Assignment) and _question_open(subject):
        ball = None  # whoever was asked what is meant still has to say so
    at = max(now, subject.moved_at)
    effective = min(max(effective_at or at, subject.effective_at), at)
    subject.state = after or before
    if ball is not None:
        subject.ball = str(ball)
    subject.moved_at, subject.effective_at = at, effective
    subject.version += 1
    if subject.state in states.TERMINAL and subject.ended_at is None:
        subject.ended_at = at
        subject.ball = ""
    subject.save()
    return note_move(
        subject, action, actor=actor, before=before, reason=reason, data=data, cause=cause, tell=tell, urgency=urgency
    )


_BEFORE_ISSUE = frozenset({"amend", "submit", "withdraw", "return_draft", "approve"})
"""Moves of a version that is not in force, also where an earlier one is."""
_GOES_ON = frozenset({
    "reach", "receive", "acknowledge", "acknowledge_for", "misunderstood", "hand_down", "take_back", "resume",
})
"""Moves that pass the work on, and leave an open question where it is."""


def _question_open(row: Assignment) -> bool:
    maybe = getattr(row, "asks_open", True)  # read with the lock
    return bool(maybe and row.asks.filter(state=Ask.State.OPEN, kind=Ask.Kind.CLARIFY).exists())


def note_move(
    subject: Instruction | Assignment,
    action: str,
    *,
    actor: Actor,
    before: str,
    reason: str = "",
    data: dict[str, Any] | None = None,
    cause: str = "",
    tell: Sequence[dict[str, Any]] = (),
    urgency: str = "",
) -> Transition:
    """Write the transition of a move just saved, and record its event."""
    instruction = subject.instruction if isinstance(subject, Assignment) else subject
    kind = "assignment" if isinstance(subject, Assignment) else "instruction"
    transition = Transition.everything.create(
        incident_id=instruction.incident_id,
        instruction=instruction,
        subject_type=kind,
        subject_id=subject.pk,
        version=subject.version,
        move=action,
        before=before,
        after=subject.state,
        actor_key=actor.key,
        actor_department=actor.department_id,
        actor_post=actor.post,
        cause=cause or cause_of(actor),
        reason=reason[:300],
        data=data or {},
        command_id=command.current_id(),
        at=subject.moved_at,
        effective_at=subject.effective_at,
        ball=subject.ball,
    )
    _record(subject, instruction, action, tell, urgency)
    return transition


def _record(
    subject: Instruction | Assignment,
    instruction: Instruction,
    move: str,
    tell: Sequence[dict[str, Any]],
    urgency: str,
) -> None:
    payload: dict[str, Any] = {"instruction": instruction.pk, "state": subject.state, "n": instruction.current}
    if isinstance(subject, Assignment):
        payload |= {"assignment": subject.pk, "department": subject.department_id}
    command.record(
        type=f"{'assignment' if isinstance(subject, Assignment) else 'instruction'}.{move}",
        subject=subject,
        streams=_audience(subject, instruction, move),
        payload=payload,
        tell=tell,
        urgency=urgency or urgency_of(instruction),
        incident_id=instruction.incident_id,
        exercise=instruction.incident.exercise,
    )


def _audience(subject: Instruction | Assignment, instruction: Instruction, move: str) -> list[str]:
    """Everybody who sees the incident; what is not issued yet is for those alone who may read it."""
    if instruction.issued_at is None or (subject is instruction and move in _BEFORE_ISSUE):
        return [streams.department(pk) for pk in cases.insiders(instruction, cases.centres())]
    concerned = [instruction.issuer_id, *([subject.department_id] if isinstance(subject, Assignment) else [])]
    return [streams.incident(instruction.incident_id), *map(streams.department, concerned)]


def urgency_of(instruction: Instruction) -> str:
    """The urgency of what stands now (the version on its way before the first issue)."""
    version: InstructionVersion = cases.version_of(instruction, instruction.current)
    return version.urgency


def duty(department_id: int, post: str = "duty_officer", text: str = "") -> dict[str, Any]:
    """Whom to tell: one post of one department; ``text`` names other words than those of the event."""
    entry: dict[str, Any] = {"department": department_id, "post": post}
    return {**entry, "text": text} if text else entry

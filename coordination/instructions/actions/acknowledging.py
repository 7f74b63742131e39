"""How does a department take an order into its hands, itself or by telephone?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.deadlines import actions as deadlines
from coordination.events.actor import SYSTEM, Actor
from coordination.events.command import action
from coordination.events.refused import Conflict, Invalid
from coordination.instructions.actions import arming, asking, ending, moving, reading
from coordination.instructions.models import Acknowledgement, Ask, Assignment, InstructionVersion, Transition
from coordination.instructions.queries import cases, chain
from coordination.instructions.states import TERMINAL, UNTOUCHED
from incidents.entered import Entered
from incidents.entered import reason as entered_reason
from sharing import access

GRADES = ("assumed", "voice", "api", "system")
TOUCHED_BY = {"person": "system", "client": "api"}


WRONG_CODES = 5
"""Of 10,000: whoever does not know a version's code does not find it."""


class VoiceCodeSpent(Conflict):
    """Too many wrong codes were given for this version; none counts any more."""

    code = "voice_code_spent"


class StaleVersion(Conflict):
    """A newer version stands. ``extra``: current."""

    code = "stale_version"


def check_version(assignment: Assignment, version: Any) -> InstructionVersion:
    """The version the reader names must be the one that stands now."""
    if isinstance(version, bool) or not isinstance(version, int):
        raise Invalid(
            _("Name the version you have read."),
            errors=[{"pointer": "/version", "code": "not_number", "detail": _("This must be a whole number.")}],
        )
    if version != assignment.instruction.current:
        raise StaleVersion(
            _("Another version stands now; read it first."), current=assignment.instruction.current
        )
    return cases.version_of(assignment.instruction, version)


def settle_overdue(assignment: Assignment, *, now: datetime) -> None:
    """What was late is done; the whole is late only when its own time has passed."""
    working = assignment.state in ("issued", "delivered", "acknowledged", "in_progress")
    assignment.overdue_since = assignment.due_at if working and assignment.due_at <= now else None
    if assignment.overdue_since is None:
        assignment.escalated_level = 0


@action("assignment.reach")
def reach(*, actor: Actor, now: datetime, assignment_id: int) -> None:
    """The platform has got a message out; nothing to do where the department was quicker."""
    rows = moving.lock_assignments(moving.assignments(pk=assignment_id))
    row = rows.get(assignment_id)
    if row is None or row.state != Assignment.State.ISSUED or row.ball != "platform":
        return
    moving.carry(row, "reach", actor=actor, now=now, ball=row.department_id)


@action("assignment.receive")
def receive(*, actor: Actor, now: datetime, assignment_id: int, version: int) -> Assignment:
    """Somebody of the department has the order on the screen."""
    row = moving.take_assignment(actor=actor, now=now, assignment_id=assignment_id, action="receive")
    check_version(row, version)
    moving.carry(row, "receive", actor=actor, now=now, after="delivered", ball=row.department_id)
    return row


@action("assignment.acknowledge")
def acknowledge(
    *, actor: Actor, now: datetime, assignment_id: int, version: int, reader: str = "",
    read_back: dict[str, Any] | None = None,
) -> Assignment:
    """The department answers for the version it names. A client names the reader; without it this is a receipt.

    Where read-back is wanted and differs, the difference is kept, the issuer told, nothing stops: the assignment
    comes back unacknowledged (``queries.outcome`` says misunderstood).
    """
    row = _take(actor, now, assignment_id, "acknowledge")
    stands = check_version(row, version)
    who = entered_text("reader", reader, 80)
    if actor.kind == "client" and not who:
        if row.state == Assignment.State.ISSUED:
            moving.carry(row, "receive", actor=actor, now=now, after="delivered", ball=row.department_id)
        return row
    evidence = Acknowledgement(
        assignment=row, n=stands.n, grade=TOUCHED_BY[actor.kind], reader=who, actor_key=actor.key, at=now
    )
    if stands.read_back and not stands.is_cancel and not row.cancel_owed:
        evidence.read_back = reading.enter(read_back)
        evidence.mismatch = reading.compare(stands, evidence.read_back)
        if evidence.mismatch:
            return _misunderstood(row, evidence, actor=actor, now=now)
    _count(evidence)
    _take_in_hand(row, stands, evidence, "acknowledge", actor=actor, now=now)
    return row


def entered_text(name: str, value: Any, most: int, *, needed: bool = False) -> str:
    """One short text, refused at once when unfit."""
    entered = Entered()
    text = entered.text(name, value, most, needed=needed)
    entered.done()
    return text


def _take(actor: Actor, now: datetime, assignment_id: int, move: str) -> Assignment:
    """Lock the assignment; also whom it succeeds with what they handed down; the instruction when this may end it."""
    seen = moving.see_assignment(actor, assignment_id, now)
    before = chain.before(seen)
    if before:
        moving.lock_instructions([seen.instruction_id])
        moving.lock_tree(child.pk for child in chain.open_children(before))
    row = moving.take_assignment(
        actor=actor, now=now, assignment_id=assignment_id, action=move, also=before,
        with_instruction=seen.cancel_owed,
    )
    if row.cancel_owed and not seen.cancel_owed:  # taken back while we waited: the reader has not seen that
        raise StaleVersion(_("Another version stands now; read it first."), current=row.instruction.current)
    return row


def _misunderstood(row: Assignment, evidence: Acknowledgement, *, actor: Actor, now: datetime) -> Assignment:
    evidence.counted = False
    evidence.save()
    row.misread += 1
    untouched = row.state in UNTOUCHED
    moving.carry(
        row, "misunderstood", actor=actor, now=now, after="delivered" if untouched else None,
        ball=row.department_id if untouched else None, data={"differs": evidence.mismatch, "n": evidence.n},
        tell=[moving.duty(row.instruction.issuer_id)], urgency="immediate",
    )
    if row.misread >= 2 and not row.asks.filter(state="open").exists():
        reason = str(_("Read back wrongly twice: what is meant?"))
        asking.open_ask(row, Ask.Kind.CLARIFY, reason, actor=SYSTEM, now=now)
    return row


def _count(evidence: Acknowledgement) -> None:
    """Evidence of one version counts once: the best grade, the first of them."""
    others = evidence.assignment.acknowledgements.filter(n=evidence.n, counted=True)
    better = [row for row in others if GRADES.index(row.grade) >= GRADES.index(evidence.grade)]
    evidence.counted = not better
    if not better:
        others.update(counted=False)
    evidence.save()


def _take_in_hand(
    row: Assignment, stands: InstructionVersion, evidence: Acknowledgement, move: str, *, actor: Actor,
    now: datetime,
) -> None:
    first = row.acknowledged_version is None
    again = row.acknowledged_version == stands.n and not row.cancel_owed and row.state not in UNTOUCHED
    row.acknowledged_version, row.evidence_grade = stands.n, evidence.grade
    row.acknowledged_at = row.acknowledged_at or now
    how: dict[str, Any] = {"actor": actor, "now": now, "effective_at": evidence.spoken_at}
    data = {"n": stands.n, "grade": evidence.grade}
    if row.cancel_owed:
        ended = "superseded" if row.instruction.state == "superseded" else "cancelled"
        deadlines.cancel(subject=row, now=now)
        row.cancel_owed, row.overdue_since = False, None
        moving.carry(row, move, after=ended, data=data, **how)
        ending.roll_up(row.instruction, now=now)
        return
    if again:
        moving.carry(row, move, data={**data, "better": True}, **how)
        return
    deadlines.cancel(subject=row, kinds=["acknowledge"], now=now)
    if row.state in UNTOUCHED:
        if first:
            asking.settle_misreading(row, now=now)
        moving.carry(
            row, move, after="acknowledged", ball=row.department_id, data=data,
            tell=[moving.duty(row.instruction.issuer_id)], **how,
        )
        arming.arm(row, row.instruction, "start", now=now)
        hand_over(row, now=now)
    else:
        moving.carry(row, move, data=data, **how)
    settle_overdue(row, now=now)
    row.save(update_fields=["overdue_since", "escalated_level"])


def hand_over(row: Assignment, *, now: datetime) -> None:
    """The successor has it: everybody who declined before is free, and what they handed down ends with their part."""
    line = chain.before(row)
    if not line:
        return
    waiting = moving.assignments(pk__in=line).exclude(state__in=TERMINAL)
    rows = moving.lock_assignments(waiting)
    below = moving.lock_tree(child.pk for child in chain.open_children(rows))
    for old in rows.values():
        deadlines.cancel(subject=old, now=now)
        moving.carry(
            old, "hand_over", actor=SYSTEM, now=now, after="cancelled", data={"successor": row.pk},
            tell=[moving.duty(old.department_id, old.post)],
        )
    ending.cascade(below, 0, "", now=now)


@action("assignment.acknowledge_for")
def acknowledge_for(
    *, actor: Actor, now: datetime, assignment_id: int, version: int, speaker: str, number: str,
    spoken_at: datetime, voice_code: str = "",
) -> Assignment:
    """Issuer or command notes an acknowledgement by telephone: who spoke, from which number, when.

    With the version's voice code, which only the executing department can read, it counts as voice; without, it is
    assumed: kept, and nothing changes or stops.
    """
    row = _take(actor, now, assignment_id, "acknowledge_for")
    stands = check_version(row, version)
    entered = Entered()
    evidence = Acknowledgement(
        assignment=row, n=stands.n, actor_key=actor.key, at=now,
        reader=entered.text("speaker", speaker, 80, needed=True),
        number=entered.text("number", number, 40, needed=True),
        spoken_at=entered.moment("spoken_at", spoken_at, not_after=now),
    )
    code = entered.text("voice_code", voice_code, 4)
    if code and _wrong_codes(row, stands.n) >= WRONG_CODES:
        raise VoiceCodeSpent(_("Too many wrong codes: the department acknowledges this version by itself now."))
    if spoken_at is None:
        entered.fault("spoken_at", "required", _("This must not be empty."))
    entered.done()
    evidence.grade = "voice" if code and code == stands.voice_code else "assumed"
    if evidence.grade == "assumed":
        evidence.counted = False
        evidence.save()
        moving.carry(
            row, "acknowledge_for", actor=actor, now=now,
            data={"n": stands.n, "grade": "assumed", **({"wrong_code": True} if code else {})},
            tell=[moving.duty(row.department_id, row.post)],
        )
        return row
    _count(evidence)
    _take_in_hand(row, stands, evidence, "acknowledge_for", actor=actor, now=now)
    return row


def _wrong_codes(row: Assignment, n: int) -> int:
    """How often a wrong code was given for this part and version."""
    rows = access.unscoped(Transition, reason="guesses are counted whoever made them")
    mine = rows.filter(instruction_id=row.instruction_id, subject_type="assignment", subject_id=row.pk)
    return mine.filter(move="acknowledge_for", data__contains={"n": n, "wrong_code": True}).count()


@action("assignment.contest")
def contest(*, actor: Actor, now: datetime, assignment_id: int, reason: str) -> Assignment:
    """The department disputes what was noted by telephone; the record stays, beside it that it is disputed."""
    row = moving.take_assignment(actor=actor, now=now, assignment_id=assignment_id, action="contest")
    why = entered_reason("reason", reason, needed=True)
    spoken = row.acknowledgements.filter(grade__in=["voice", "assumed"], contested_at=None)
    count = spoken.update(contested_at=now, contested_why=why)
    moving.carry(
        row, "contest", actor=actor, now=now, reason=why, data={"evidence": count},
        tell=[moving.duty(row.instruction.issuer_id)],
    )
    return row

"""How does a department ask for time, for a pause or for what is meant, and how is it answered?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.deadlines import actions as deadlines
from coordination.deadlines import queries as clocks
from coordination.events.actor import SYSTEM, Actor
from coordination.events.command import action
from coordination.events.refused import Conflict
from coordination.instructions import states
from coordination.instructions.actions import arming, content, declining, moving
from coordination.instructions.models import Ask, Assignment
from coordination.instructions.queries import cases
from incidents.entered import Entered
from incidents.entered import reason as entered_reason

MINUTE = timedelta(minutes=1)


class AskOpen(Conflict):
    """One question at a time. ``extra``: ask."""

    code = "ask_open"


@action("assignment.ask")
def ask(
    *, actor: Actor, now: datetime, assignment_id: int, kind: str, reason: str,
    wanted_until: datetime | None = None,
) -> Ask:
    """Ask for an extension (until when), a hold (until when it is looked at again) or a clarification."""
    seen = moving.see_assignment(actor, assignment_id, now)
    row = moving.lock_assignments(moving.assignments(pk=seen.pk))[seen.pk]
    case = cases.assignment_case(row, cases.centres())
    move = states.move_named("assignment", "ask")
    if "ask_open" in case.conditions and states.is_party(actor, move, case):
        still_open = row.asks.get(state="open")
        raise AskOpen(_("One question is open already; withdraw it or wait for the answer."), ask=still_open.pk)
    moving.judge(actor, move, case, row, None)
    entered = Entered()
    what = entered.choice("kind", kind, Ask.Kind.values)
    why = entered.text("reason", reason, 300, needed=True)
    until = entered.moment("wanted_until", wanted_until)
    if until is None and what in (Ask.Kind.EXTENSION, Ask.Kind.HOLD):
        entered.fault("wanted_until", "required", _("Until when?"))
    if until is not None and until <= now:
        entered.fault("wanted_until", "past", _("This time has passed already."))
    if what == Ask.Kind.EXTENSION and until is not None and until <= row.due_at:
        entered.fault("wanted_until", "not_later", _("This is not later than the present due time."))
    entered.done()
    return open_ask(row, what, why, actor=actor, now=now, until=until)


@action("assignment.appeal")
def appeal(*, actor: Actor, now: datetime, assignment_id: int, reason: str) -> Ask:
    """The department a ruling has named is heard once more; the work and its clocks are its own meanwhile."""
    row = moving.take_assignment(actor=actor, now=now, assignment_id=assignment_id, action="appeal")
    why = entered_reason("reason", reason, needed=True)
    decider, ruled_by = declining.hears_appeal(row)
    return open_ask(row, Ask.Kind.APPEAL, why, actor=actor, now=now, decider_id=decider, ruled_by=ruled_by)


def open_ask(
    row: Assignment, kind: str, why: str, *, actor: Actor, now: datetime, until: datetime | None = None,
    decider_id: int | None = None, ruled_by: str = "",
) -> Ask:
    """Write the ask of a locked assignment; its answer is due within the time to confirm."""
    made: Ask = Ask.everything.create(
        assignment=row, kind=kind, reason=why, wanted_until=until, asked_by=actor.key, asked_at=now,
        decider_id=decider_id, ruled_by=ruled_by,
    )
    decider = _deciders(row, made)
    moving.carry(
        row, "appeal" if kind == Ask.Kind.APPEAL else "ask", actor=actor, now=now, reason=why,
        data={"ask": made.pk, "kind": kind},
        ball=row.instruction.issuer_id if kind == Ask.Kind.CLARIFY else None,
        tell=[moving.duty(pk) for pk in decider],
    )
    arming.arm(made, row.instruction, "confirm", now=now)
    return made


def _deciders(row: Assignment, made: Ask) -> list[int]:
    if made.decider_id is not None:
        return [made.decider_id]
    granted = row.asks.filter(kind=Ask.Kind.EXTENSION, state=Ask.State.GRANTED).count()
    if made.kind == Ask.Kind.EXTENSION and granted >= 2:
        return sorted(cases.command_ids(row.instruction.incident, cases.centres()))
    return [row.instruction.issuer_id]


def settle_misreading(row: Assignment, *, now: datetime) -> None:
    """Read back rightly after all: the question the platform had opened is answered."""
    for made in row.asks.filter(state="open", asked_by=SYSTEM.key):
        made.state, made.decided_by, made.decided_at = Ask.State.WITHDRAWN, SYSTEM.key, now
        made.version += 1
        made.save()
        deadlines.cancel(subject=made, now=now)


@action("ask.grant")
def grant(
    *, actor: Actor, now: datetime, ask_id: int, until: datetime | None = None, answer: str = "",
    consented: bool = False, owner: int | None = None, if_version: int | None = None,
) -> Ask:
    """Grant: a new due time, a time to look again, the answer, or (an appeal) whose the work is instead.

    ``consented``: the waiting is charged to us.
    """
    made, row = moving.take_ask(actor=actor, now=now, ask_id=ask_id, action="grant", if_version=if_version)
    entered = Entered()
    made.answer = entered.text("answer", answer, 300, needed=made.kind == Ask.Kind.CLARIFY)
    when = entered.moment("until", until) or made.wanted_until
    ours = content.flag(entered, "consented", consented)
    timed = made.kind in (Ask.Kind.EXTENSION, Ask.Kind.HOLD)
    if timed:
        _check_until(entered, made, row, when, now=now)
    instead = content.department(entered, "owner", owner) if made.kind == Ask.Kind.APPEAL else None
    entered.done()
    made.granted_until = when if timed else None
    if ours and made.kind == Ask.Kind.HOLD:
        made.consented_by_id = actor.department_id
    _decide(made, Ask.State.GRANTED, actor=actor, now=now)
    if instead is not None:
        declining.rule_again(row, instead, made.answer, _data(made), actor=actor, now=now)
        return made
    {Ask.Kind.EXTENSION: _extend, Ask.Kind.HOLD: _hold, Ask.Kind.CLARIFY: _answer}[Ask.Kind(made.kind)](
        made, row, actor=actor, now=now
    )
    return made


def _check_until(entered: Entered, made: Ask, row: Assignment, when: datetime | None, *, now: datetime) -> None:
    if when is None or when <= now:
        entered.fault("until", "past", _("This time has passed already."))
        return
    if made.kind == Ask.Kind.HOLD and when > now + arming.hold_at_most(row.instruction) + MINUTE:
        entered.fault("until", "too_long", _("A hold of this response level lasts at most %(hours)g hours.") % {
            "hours": arming.hold_at_most(row.instruction).total_seconds() / 3600
        })
    parent = row.instruction.parent
    if made.kind == Ask.Kind.EXTENSION and parent is not None and when > parent.due_at:
        entered.fault("until", "past_parent_due", _("A delegated part cannot be due after the whole."))


def _decide(made: Ask, state: str, *, actor: Actor, now: datetime) -> None:
    made.state, made.decided_by, made.decided_at = state, actor.key, now
    made.version += 1
    made.save()
    deadlines.cancel(subject=made, now=now)


def _data(made: Ask) -> dict[str, Any]:
    until = made.granted_until.isoformat() if made.granted_until else None
    return {"ask": made.pk, "kind": made.kind, "until": until}


def _tell(row: Assignment) -> list[dict[str, Any]]:
    return [moving.duty(row.department_id, row.post)]


def _extend(made: Ask, row: Assignment, *, actor: Actor, now: datetime) -> None:
    assert made.granted_until is not None  # noqa: S101 - checked when it was entered
    row.due_at = made.granted_until
    if row.state in states.UNTOUCHED | states.WORKING:
        row.overdue_since = None
    moving.carry(row, "grant", actor=actor, now=now, reason=made.answer, data=_data(made), tell=_tell(row))
    if row.state == "on_hold":
        return  # armed anew when the work goes on
    arming.arm(row, row.instruction, "complete", now=now, due_at=row.due_at)


def _hold(made: Ask, row: Assignment, *, actor: Actor, now: datetime) -> None:
    if row.state != "on_hold":
        row.state_before = row.state
        deadlines.hold(subject=row, why="on_hold", now=now)
    row.revisit_at = made.granted_until
    moving.carry(
        row, "grant", actor=actor, now=now, after="on_hold", ball=made.consented_by_id or row.department_id,
        reason=made.answer, data=_data(made), tell=_tell(row),
    )
    arming.arm(row, row.instruction, "revisit", now=now, due_at=row.revisit_at)


def _answer(made: Ask, row: Assignment, *, actor: Actor, now: datetime) -> None:
    moving.carry(
        row, "grant", actor=actor, now=now, ball=holder(row), reason=made.answer, data=_data(made), tell=_tell(row)
    )


def holder(row: Assignment) -> int:
    """Who has the work in hand: the department, or the one it was handed down to."""
    if row.state not in states.WORKING:
        return row.department_id
    child = (
        moving.assignments(instruction__parent=row, instruction__state="issued", role="lead")
        .exclude(state__in=states.TERMINAL)
        .order_by("-pk")
        .values_list("department_id", flat=True)
        .first()
    )
    return child if child is not None else row.department_id


@action("ask.refuse")
def refuse(
    *, actor: Actor, now: datetime, ask_id: int, answer: str, if_version: int | None = None
) -> Ask:
    """Refuse, with the answer why."""
    made, row = moving.take_ask(actor=actor, now=now, ask_id=ask_id, action="refuse", if_version=if_version)
    made.answer = entered_reason("answer", answer, needed=True)
    _decide(made, Ask.State.REFUSED, actor=actor, now=now)
    ball = holder(row) if made.kind == Ask.Kind.CLARIFY else None
    moving.carry(row, "refuse", actor=actor, now=now, ball=ball, reason=made.answer, data=_data(made), tell=_tell(row))
    return made


@action("ask.withdraw")
def withdraw_ask(*, actor: Actor, now: datetime, ask_id: int, if_version: int | None = None) -> Ask:
    """The department takes its question back."""
    made, row = moving.take_ask(actor=actor, now=now, ask_id=ask_id, action="withdraw", if_version=if_version)
    _decide(made, Ask.State.WITHDRAWN, actor=actor, now=now)
    ball = holder(row) if made.kind == Ask.Kind.CLARIFY else None
    moving.carry(row, "withdraw_ask", actor=actor, now=now, ball=ball, data=_data(made))
    return made


@action("assignment.resume")
def resume(
    *, actor: Actor, now: datetime, assignment_id: int, if_version: int | None = None
) -> Assignment:
    """The work goes on in the state before the hold; held clocks run with the time they had left."""
    row = moving.take_assignment(
        actor=actor, now=now, assignment_id=assignment_id, action="resume", if_version=if_version
    )
    go_on(row, actor=actor, now=now)
    return row


def go_on(row: Assignment, *, actor: Actor, now: datetime, cause: str = "") -> None:
    """End the hold of a locked assignment."""
    deadlines.cancel(subject=row, kinds=["revisit"], now=now)
    deadlines.resume(subject=row, now=now)
    last = row.asks.filter(kind=Ask.Kind.EXTENSION, state=Ask.State.GRANTED).order_by("-pk").first()
    hold = row.asks.filter(kind=Ask.Kind.HOLD, state=Ask.State.GRANTED).order_by("-pk").first()
    before, row.state_before, row.revisit_at = row.state_before or "acknowledged", "", None
    row.state = before
    ball = holder(row)
    row.state = "on_hold"
    live = _complete_due(row)
    longer = last is not None and hold is not None and last.decided_at > hold.decided_at  # type: ignore[operator]
    if longer:
        arming.arm(row, row.instruction, "complete", now=now, due_at=row.due_at)
    elif live is not None:
        row.due_at = live
    moving.carry(row, "resume", actor=actor, now=now, after=before, ball=ball, cause=cause, tell=_tell(row))


def _complete_due(row: Assignment) -> datetime | None:
    """When the whole is due now that the clock runs again."""
    live = clocks.live_of("instructions.assignment", [row.pk]).get(row.pk, [])
    return next((one.base_due for one in live if one.kind == "complete"), None)

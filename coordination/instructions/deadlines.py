"""What does the closed loop do itself when one of its deadlines comes due, and who stands around it?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from coordination.deadlines.handlers import BaseHandler, Firing, Parties
from coordination.deadlines.models import Deadline
from coordination.events import streams
from coordination.events.actor import SYSTEM
from coordination.instructions.actions import arming, asking, declining, executing
from coordination.instructions.models import Ask, Assignment, Instruction
from coordination.instructions.queries import cases
from coordination.instructions.states import TERMINAL
from incidents.models import Incident
from sharing import access

_WHY = "the engine works for the platform"
LATE_KINDS = frozenset({"acknowledge", "start", "progress", "complete"})
# a part may be late for two things at once
_LATE = """
UPDATE instructions_assignment AS a
SET overdue_since = coalesce(a.overdue_since, l.due), escalated_level = greatest(a.escalated_level, l.level)
FROM (SELECT id, min(due) AS due, max(level) AS level
      FROM unnest(%(ids)s::bigint[], %(dues)s::timestamptz[], %(levels)s::int[]) AS w(id, due, level) GROUP BY id) l
WHERE a.id = l.id
"""
_WORKING = ("issued", "delivered", "acknowledged", "in_progress")


def number(instruction: Instruction) -> str:
    """How an instruction is called: its incident's number and its own."""
    return f"{instruction.incident.number}-{instruction.number}"


def words(instruction: Instruction) -> dict[str, Any]:
    """What a message may say of an instruction (``versions`` prefetched)."""
    version = cases.open_version(instruction) if instruction.issued_at is None else None
    shown = version or cases.version_of(instruction, instruction.current)
    return {
        "number": number(instruction), "headline_zh": shown.headline_zh, "headline_en": shown.headline_en,
    }


def _around(instruction: Instruction, known: cases.Centres) -> dict[str, Any]:
    incident: Incident = instruction.incident
    return {
        "issuer": instruction.issuer_id,
        "command": tuple(sorted(cases.command_ids(incident, known))),
        "incident_id": incident.pk,
        "incident_type": incident.type,
        "grade": incident.grade,
        "area": incident.region_code,
        "exercise": incident.exercise,
    }


class _Handler(BaseHandler):
    """Shared: the command centres are read once per batch, in ``lock``."""

    def __init__(self) -> None:
        self._known: cases.Centres | None = None

    def _look(self) -> None:
        self._known = cases.centres()

    @property
    def known(self) -> cases.Centres:
        """Command centres as of the last lock."""
        if self._known is None:
            self._look()
        assert self._known is not None  # noqa: S101 - just looked
        return self._known


class AssignmentHandler(_Handler):
    """Clocks of one department's part."""

    def lock(self, ids: Sequence[int]) -> Mapping[int, Assignment]:
        """Lock what is free; a declined part only together with its instruction, which a ruling writes into."""
        self._look()
        rows = access.unscoped(Assignment, reason=_WHY).filter(pk__in=ids).order_by("pk")
        locking = rows.select_for_update(no_key=True, skip_locked=True, of=("self",))
        free = list(locking.values_list("pk", "instruction_id", "state"))
        ruled = {instruction_id for _pk, instruction_id, state in free if state == "declined"}
        held = set(
            access.unscoped(Instruction, reason=_WHY).filter(pk__in=ruled).order_by("pk")
            .select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)
        ) if ruled else set()
        ours = [pk for pk, instruction_id, state in free if state != "declined" or instruction_id in held]
        found = cases.assignment_rows(access.unscoped(Assignment, reason=_WHY).filter(pk__in=ours))
        return {row.pk: row for row in found.prefetch_related("instruction__versions")}

    def still_due(self, subject: Assignment, deadline: Deadline) -> bool:
        """Whether the part still waits for this."""
        notes: Any = subject
        if deadline.kind == "acknowledge":
            fresh = subject.cancel_owed or deadline.armed_version >= subject.instruction.current
            return fresh and cases.owes_acknowledgement(subject)
        if deadline.kind == "confirm":
            return (subject.state == "declined" and not notes.successor_open) or subject.state == "evaluated"
        return subject.state in {
            "start": ("acknowledged",),
            "progress": ("in_progress",),
            "complete": _WORKING,
            "evaluate": ("feedback_submitted",),
            "revisit": ("on_hold",),
        }.get(deadline.kind, ())

    def parties(self, subject: Assignment) -> Parties:
        """I, E, A and C; a delegated part's ladder reaches the delegator first above E."""
        instruction = subject.instruction
        around = _around(instruction, self.known)
        climbs: dict[str, int] = {}
        if subject.state == "declined" and subject.arbiter_department_id is not None:
            climbs["confirm"] = subject.arbiter_department_id
        elif subject.state == "evaluated":
            climbs["confirm"] = next(iter(around["command"]), instruction.issuer_id)
        if subject.state == "feedback_submitted":
            climbs["evaluate"] = executing.evaluator(subject)
        above = instruction.issuer_id if instruction.parent_id is not None else None
        return Parties(executing=subject.department_id, above=above, climbs=climbs, **around)

    def describe(self, subject: Assignment) -> dict[str, Any]:
        """Number and headline."""
        return {"args": words(subject.instruction)}

    def fire_many(self, firings: Sequence[Firing], now: datetime) -> None:
        """Note who is late (one statement); a hold lapses; a decline nobody answers is ruled on."""
        late = [one for one in firings if one.deadline.kind in LATE_KINDS and one.deadline.base_due <= now]
        if late:
            with connection.cursor() as cursor:
                cursor.execute(_LATE, {
                    "ids": [one.subject.pk for one in late], "dues": [one.deadline.base_due for one in late],
                    "levels": [one.deadline.level + 1 for one in late],
                })  # fmt: skip
        for one in firings:
            if one.deadline.kind == "revisit" and one.deadline.base_due <= now:
                asking.go_on(one.subject, actor=SYSTEM, now=now, cause="deadline")
            elif one.deadline.kind == "confirm" and one.subject.state == "declined" and one.deadline.level >= 1:
                self._rule(one.subject, now)

    def _rule(self, row: Assignment, now: datetime) -> None:
        if row.instruction.state != "issued" or row.cancel_owed:
            return
        if row.arbiter:
            declining.assign_by_rule(row, now=now)
            return
        declining.call_arbiter(row, now=now)
        arming.arm(row, row.instruction, "confirm", now=now)

    def without_deadline(self, now: datetime, limit: int) -> Sequence[int]:
        """Open parts that wait for nobody's clock and for no successor that has one."""
        live = Deadline.objects.filter(
            subject_type="instructions.assignment", subject_id=OuterRef("pk"), state__in=["armed", "held"]
        )
        heir = Assignment.everything.filter(successor_of=OuterRef("pk")).exclude(state__in=TERMINAL)
        rows = access.unscoped(Assignment, reason=_WHY).exclude(state__in=TERMINAL)
        return list(rows.filter(~Exists(live), ~Exists(heir)).order_by("pk").values_list("pk", flat=True)[:limit])

    def rearm(self, ids: Iterable[int], now: datetime) -> int:
        """Set the clock each state needs."""
        rows = self.lock(list(ids))
        for row in rows.values():
            owed = cases.owes_acknowledgement(row)
            kind = "acknowledge" if owed else _NEEDED[row.state]
            due = row.due_at if kind == "complete" else row.revisit_at if kind == "revisit" else None
            arming.arm(row, row.instruction, kind, now=now, due_at=due)
        return len(rows)


_NEEDED = {
    "issued": "acknowledge", "delivered": "acknowledge", "acknowledged": "start", "in_progress": "complete",
    "feedback_submitted": "evaluate", "evaluated": "confirm", "on_hold": "revisit", "declined": "confirm",
}


class InstructionHandler(_Handler):
    """Clocks of an order before it leaves, and of what must be confirmed after."""

    def lock(self, ids: Sequence[int]) -> Mapping[int, Instruction]:
        """Lock what is free."""
        self._look()
        rows = access.unscoped(Instruction, reason=_WHY).filter(pk__in=ids).order_by("pk")
        free = list(rows.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True))
        found = cases.instruction_rows(access.unscoped(Instruction, reason=_WHY).filter(pk__in=free))
        return {row.pk: row for row in found}

    def still_due(self, subject: Instruction, deadline: Deadline) -> bool:
        """Whether the order still waits for this."""
        pending = cases.open_version(subject)
        if deadline.kind == "approve":
            return pending is not None and pending.state == "in_approval"
        if deadline.kind == "start":
            return pending is not None and pending.state == "approved"
        unconfirmed = subject.issued_first and subject.confirmed_at is None
        return subject.state == "issued" and (unconfirmed or subject.keep_owed or bool(subject.confirm_refused))

    def parties(self, subject: Instruction) -> Parties:
        """I and C; what an approver has refused to confirm is command's to mend."""
        around = _around(subject, self.known)
        climbs = {}
        if subject.confirm_refused and around["command"]:
            climbs["confirm"] = around["command"][0]
        pending = cases.open_version(subject) is not None
        told = [streams.department(pk) for pk in cases.insiders(subject, self.known)] if pending else ()
        return Parties(executing=subject.issuer_id, climbs=climbs, streams=tuple(told), **around)

    def describe(self, subject: Instruction) -> dict[str, Any]:
        """Number and headline."""
        return {"args": words(subject)}

    def without_deadline(self, now: datetime, limit: int) -> Sequence[int]:
        """Orders in approval or approved that nobody is asked about."""
        live = Deadline.objects.filter(
            subject_type="instructions.instruction", subject_id=OuterRef("pk"), state__in=["armed", "held"]
        )
        waiting = Q(versions__state__in=["in_approval", "approved"])
        rows = access.unscoped(Instruction, reason=_WHY).filter(waiting, ended_at=None).filter(~Exists(live))
        return list(rows.order_by("pk").values_list("pk", flat=True).distinct()[:limit])

    def rearm(self, ids: Iterable[int], now: datetime) -> int:
        """Set the clock the version on its way needs."""
        rows = self.lock(list(ids))
        for row in rows.values():
            pending = cases.open_version(row)
            if pending is not None:
                kind = "approve" if pending.state == "in_approval" else "start"
                arming.arm(row, row, kind, now=now, armed_version=pending.n)
        return len(rows)


class AskHandler(_Handler):
    """Clocks of a question that waits for its answer."""

    def lock(self, ids: Sequence[int]) -> Mapping[int, Ask]:
        """Lock what is free."""
        self._look()
        rows: QuerySet[Ask] = access.unscoped(Ask, reason=_WHY).filter(pk__in=ids).order_by("pk")
        free = list(rows.select_for_update(no_key=True, skip_locked=True, of=("self",)).values_list("pk", flat=True))
        found = cases.ask_rows(access.unscoped(Ask, reason=_WHY).filter(pk__in=free))
        return {row.pk: row for row in found.prefetch_related("assignment__instruction__versions")}

    def still_due(self, subject: Ask, deadline: Deadline) -> bool:
        """Whether it is still open."""
        return bool(subject.state == Ask.State.OPEN)

    def parties(self, subject: Ask) -> Parties:
        """The issuer answers; the third extension is command's, an appeal theirs who hear it."""
        notes: Any = subject
        around = _around(subject.assignment.instruction, self.known)
        climbs = {}
        if subject.kind == Ask.Kind.EXTENSION and notes.extensions >= 2 and around["command"]:
            climbs["confirm"] = around["command"][0]
        if subject.decider_id is not None:
            climbs["confirm"] = subject.decider_id
        return Parties(executing=subject.assignment.department_id, climbs=climbs, **around)

    def describe(self, subject: Ask) -> dict[str, Any]:
        """Number and headline of the order it is about."""
        return {"args": words(subject.assignment.instruction)}


def assignment_words(ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What messages may say of assignments, with the voice code of the version they have yet to acknowledge."""
    rows = cases.assignment_rows(access.unscoped(Assignment, reason=_WHY).filter(pk__in=list(ids)))
    found = {}
    for row in rows.prefetch_related("instruction__versions"):
        said = words(row.instruction)
        if cases.owes_acknowledgement(row):
            said["voice_department"] = row.department_id
            said["voice_code"] = cases.version_of(row.instruction, row.instruction.current).voice_code
        found[row.pk] = said
    return found


def instruction_words(ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What messages may say of instructions."""
    rows = cases.instruction_rows(access.unscoped(Instruction, reason=_WHY).filter(pk__in=list(ids)))
    return {row.pk: words(row) for row in rows}


def ask_words(ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What messages may say of asks."""
    rows = access.unscoped(Ask, reason=_WHY).filter(pk__in=list(ids))
    rows = rows.select_related("assignment__instruction__incident")
    rows = rows.prefetch_related("assignment__instruction__versions")
    return {row.pk: words(row.assignment.instruction) for row in rows}


def still_wanted(subject_id: int, guard: Mapping[str, Any]) -> bool:
    """Whether a message about an assignment makes sense still: not once its system has taken the order in."""
    row = access.unscoped(Assignment, reason=_WHY).filter(pk=subject_id).first()
    if row is None or row.state in TERMINAL:
        return False
    if guard.get("client_silent"):
        return row.version <= int(guard.get("version", row.version)) + 1 and row.state == "issued"
    return True

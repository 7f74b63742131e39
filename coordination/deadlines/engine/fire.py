"""What happens when a batch of deadlines fires?

One transaction: steps are resolved against the roster of this moment, fired rows and their successors are written
in bulk, people are told, subjects do what they do themselves, events enter their streams as the last statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from coordination.deadlines import alarms, steps
from coordination.deadlines.actions import next_on_grid
from coordination.deadlines.engine.claim import Claim, Due, claim
from coordination.deadlines.handlers import Firing, Handler
from coordination.deadlines.models import Deadline
from coordination.deadlines.queries import step_at, wait_after
from coordination.deadlines.roster import Roster
from coordination.deadlines.steps import Context, StepResult
from coordination.events import command, streams
from coordination.events.actor import SYSTEM
from coordination.notify import actions as notify
from coordination.notify import urgency as urgencies

_FIRED = """
UPDATE deadlines_deadline AS d SET state = 'fired', fired_at = %(now)s, step = f.step, attempts = 0
FROM unnest(%(ids)s::bigint[], %(steps)s::text[]) AS f(id, step) WHERE d.id = f.id
"""
# The successor is its predecessor but for what the climb changed.
_FOLLOWING = """
INSERT INTO deadlines_deadline (subject_type, subject_id, kind, level, generation, due_at, base_due, armed_at, urgency,
  state, held_why, armed_version, on_outage, ladder, every, incident_id, attempts, step)
SELECT d.subject_type, d.subject_id, d.kind, f.level, f.generation, f.due_at, f.base_due,
  CASE WHEN f.generation = d.generation THEN d.armed_at ELSE %(now)s END, d.urgency,
  'armed', '', d.armed_version, d.on_outage, d.ladder, d.every, d.incident_id, 0, f.step
FROM unnest(%(ids)s::bigint[], %(levels)s::int[], %(generations)s::int[], %(dues)s::timestamptz[],
            %(bases)s::timestamptz[], %(steps)s::text[]) AS f(id, level, generation, due_at, base_due, step)
JOIN deadlines_deadline d ON d.id = f.id ORDER BY d.id
"""


@dataclass(slots=True)
class Climb:
    """What one due deadline came to: the step that ran at ``level``, whom it tells, which steps were empty."""

    due: Due
    level: int
    step: str = ""
    result: StepResult = field(default_factory=StepResult)
    skipped: list[str] = field(default_factory=list)

    @property
    def people(self) -> tuple[int, ...]:
        """Ids of those told."""
        return tuple(dict.fromkeys(one.person_id for one in self.result.people))


def fire_batch(
    now: datetime, limit: int, *, ids: Collection[int] | None = None, skip: Collection[int] = ()
) -> Claim:
    """Fire up to ``limit`` due deadlines in one transaction; what was taken, fired or not."""
    with command.unit(SYSTEM, now):
        found = claim(now, limit, ids=ids, skip=skip)
        if found.stale:
            Deadline.objects.filter(pk__in=[row.pk for row in found.stale]).update(state=Deadline.State.CANCELLED)
        if found.due:
            roster = Roster(((due.parties, due.line) for due in found.due), now)
            climbs = [_climb(due, roster, now) for due in found.due]
            _write(climbs, now)
            _tell(climbs, now)
            _record(climbs)
            _alarm(climbs, roster, now)
            _effects(climbs, now)
    return found


def _climb(due: Due, roster: Roster, now: datetime) -> Climb:
    """Find the step to run: past reminders before due that time has overtaken, and past empty steps."""
    ladder, level = due.deadline.ladder, due.deadline.level
    while level + 1 < len(ladder) and float(ladder[level + 1][0]) <= 0 and _at(due.deadline, level + 1) <= now:
        level += 1
    climb = Climb(due, level)
    context = Context(due.subject, due.deadline, due.parties, due.line, roster, now)
    while True:
        name = step_at(ladder, climb.level)
        if not name:
            return climb
        result = steps.run(name, context)
        if result.people:
            climb.step, climb.result = name, result
            return climb
        climb.skipped.append(name)
        if climb.level + 1 >= len(ladder):
            return climb
        climb.level += 1


def _at(deadline: Deadline, level: int) -> datetime:
    return deadline.base_due + timedelta(seconds=float(deadline.ladder[level][0]))


@dataclass(frozen=True, slots=True)
class Following:
    """What the row of the next ladder step changes."""

    deadline_id: int
    level: int
    generation: int
    due_at: datetime
    base_due: datetime
    step: str


def _write(climbs: Sequence[Climb], now: datetime) -> None:
    following = [row for climb in climbs if (row := _next(climb, now)) is not None]
    fired: dict[str, Any] = {
        "now": now,
        "ids": [climb.due.deadline.pk for climb in climbs],
        "steps": [climb.step for climb in climbs],
    }
    coming: dict[str, Any] = {
        "now": now,
        "ids": [row.deadline_id for row in following],
        "levels": [row.level for row in following],
        "generations": [row.generation for row in following],
        "dues": [row.due_at for row in following],
        "bases": [row.base_due for row in following],
        "steps": [row.step for row in following],
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIRED, fired)
        if following:
            cursor.execute(_FOLLOWING, coming)


def _next(climb: Climb, now: datetime) -> Following | None:
    """The next ladder step: at now + its wait, so that a chain climbs one step after an outage."""
    done, level = climb.due.deadline, climb.level
    wait = wait_after(done.ladder, level)
    if wait is not None:
        level += 1
        due_at = now + timedelta(seconds=wait)
        if level < len(done.ladder) and float(done.ladder[level][0]) <= 0:
            due_at = _at(done, level)  # still before due: it keeps its own time
        return Following(done.pk, level, done.generation, due_at, done.base_due, step_at(done.ladder, level))
    if not done.every:
        return None
    base = next_on_grid(done.base_due, done.every, now)
    first = float(done.ladder[0][0]) if done.ladder else 0.0
    due_at = max(now, base + timedelta(seconds=first))
    return Following(done.pk, 0, done.generation + 1, due_at, base, step_at(done.ladder, 0))


def _tell(climbs: Sequence[Climb], now: datetime) -> None:
    messages = [_message(climb) for climb in climbs if climb.people]
    if messages:
        notify.tell_many(actor=SYSTEM, now=now, messages=messages)


def _message(climb: Climb) -> notify.Message:
    due, deadline = climb.due, climb.due.deadline
    guard = {
        "by": "deadline",
        "subject": deadline.subject_type,
        "kind": deadline.kind,
        "generation": deadline.generation,
        "level": climb.level,
    }
    return notify.Message(
        person_ids=climb.people,
        department_id=climb.result.department_id,
        text_key=f"deadline.{climb.step}",
        args={
            **due.handler.describe(due.subject).get("args", {}),
            **climb.result.args,
            "kind": deadline.kind,
            "due": deadline.base_due.isoformat(),
            "before_due": _before_due(climb),
        },
        object_type=deadline.subject_type,
        object_id=deadline.subject_id,
        incident_id=deadline.incident_id,
        urgency=urgencies.name(deadline.urgency),
        key=f"{deadline.subject_type}:{deadline.subject_id}:{deadline.kind}:{deadline.generation}:{climb.level}",
        guard=guard,
        exercise=due.parties.exercise,
        level=climb.level,
    )


def _before_due(climb: Climb) -> bool:
    ladder = climb.due.deadline.ladder
    return climb.level < len(ladder) and float(ladder[climb.level][0]) < 0


def _streams(climb: Climb) -> list[str]:
    parties = climb.due.parties
    if parties.streams:
        return list(parties.streams)
    incident_id = climb.due.deadline.incident_id or parties.incident_id
    audience = [streams.incident(incident_id)] if incident_id is not None else []
    concerned = (parties.executing, parties.issuer, climb.result.department_id)
    audience += [streams.department(pk) for pk in concerned if pk is not None]
    return audience or [streams.SYSTEM]


def _record(climbs: Sequence[Climb]) -> None:
    for climb in climbs:
        deadline = climb.due.deadline
        command.record(
            type="deadline.fired",
            subject=climb.due.subject,
            streams=_streams(climb),
            payload={
                "deadline": deadline.pk,
                "kind": deadline.kind,
                "generation": deadline.generation,
                "level": climb.level,
                "step": climb.step,
                "people": list(climb.people),
                "department": climb.result.department_id,
                "skipped": climb.skipped,
                "outage": climb.due.outage,
                "due": deadline.base_due.isoformat(),
            },
            urgency=urgencies.name(deadline.urgency),
            incident_id=deadline.incident_id,
            exercise=climb.due.parties.exercise,
        )


def _alarm(climbs: Sequence[Climb], roster: Roster, now: datetime) -> None:
    """Each empty step alarms the department whose line it is and the incident command."""
    calls = []
    for climb in climbs:
        due, deadline = climb.due, climb.due.deadline
        for step in climb.skipped:
            key = f"{deadline.subject_type}:{deadline.subject_id}:{deadline.kind}:{deadline.generation}:{step}"
            command_ids = roster.command(due.parties, due.line)
            calls.append(
                alarms.Call(
                    kind=alarms.STEP_EMPTY,
                    key=key,
                    detail={
                        "step": step,
                        "kind": deadline.kind,
                        "object": [deadline.subject_type, deadline.subject_id],
                        **_named(due.handler.describe(due.subject)),
                    },
                    department_id=due.line,
                    incident_id=deadline.incident_id,
                    tell=tuple(pk for pk in (due.line, *command_ids) if pk is not None),
                    exercise=due.parties.exercise,
                )
            )
    if calls:
        alarms.raise_many(actor=SYSTEM, now=now, calls=calls)


def _named(description: dict[str, Any]) -> dict[str, Any]:
    args = description.get("args", {})
    return {key: args[key] for key in ("number", "headline_zh", "headline_en") if key in args}


def _effects(climbs: Sequence[Climb], now: datetime) -> None:
    """What the subjects do themselves; the next step is armed already, so that an effect may cancel it."""
    by_type: dict[str, tuple[Handler, list[Firing]]] = {}
    grouped: dict[str, list[Firing]] = defaultdict(list)
    for climb in climbs:
        due = climb.due
        grouped[due.deadline.subject_type].append(
            Firing(due.subject, due.deadline, climb.step, climb.people, tuple(climb.skipped), due.outage)
        )
        by_type[due.deadline.subject_type] = (due.handler, grouped[due.deadline.subject_type])
    for who, firings in by_type.values():
        who.fire_many(firings, now)

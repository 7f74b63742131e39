"""Before an order leaves: who is on duty there, how loaded are they, who will hear when?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, F, Q

from accounts import queries as accounts
from coordination.deadlines import queries as clocks
from coordination.deadlines import steps
from coordination.deadlines.handlers import Parties
from coordination.deadlines.models import Deadline, Policy
from coordination.deadlines.roster import Roster
from coordination.events.actor import Actor
from coordination.events.text import localized
from coordination.instructions.models import Assignment, Instruction, InstructionVersion
from coordination.instructions.queries import cases, gathered
from coordination.instructions.queries.shapes import Row
from coordination.instructions.queries.single import as_id, one_instruction
from coordination.instructions.states import TERMINAL
from incidents.entered import row_id
from incidents.models import Incident
from incidents.queries.shapes import Names
from incidents.queries.shapes import department as department_row
from sharing import access

HISTORY = timedelta(days=90)
HOUR = timedelta(hours=1)
_WHY = "how loaded a department is shows as a number, not as whose work it is"
_HELD = ("issued", "delivered", "acknowledged", "in_progress", "on_hold")


def burden(*, department_ids: Iterable[int], now: datetime) -> dict[int, Row]:
    """Per department: open assignments, orders of the last hour, people on duty, usual seconds to acknowledge."""
    ids = sorted(set(department_ids))
    rows = access.unscoped(Assignment, reason=_WHY).filter(department_id__in=ids)
    counts = {
        row["department_id"]: row
        for row in rows.filter(Q(created_at__gt=now - HISTORY) | ~Q(state__in=TERMINAL))
        .values("department_id")
        .annotate(
            open=Count("pk", filter=Q(state__in=_HELD)),
            recent=Count("pk", filter=Q(created_at__gt=now - HOUR)),
            usual=Avg(F("acknowledged_at") - F("created_at"), filter=Q(acknowledged_at__isnull=False)),
        )
    }
    duty = accounts.on_duty_many(ids, now)
    return {pk: _load(counts.get(pk), duty.get(pk, [])) for pk in ids}


def _load(counts: Mapping[str, Any] | None, duty: Sequence[Any]) -> Row:
    usual = counts["usual"] if counts else None
    return {
        "open_assignments": counts["open"] if counts else 0,
        "asks_last_hour": counts["recent"] if counts else 0,
        "on_duty": [_person(one) for one in duty],
        "empty_shift": not duty,
        "usual_seconds": usual.total_seconds() if usual is not None else None,
    }


def _person(one: Any) -> Row:
    return {"id": one.person_id, "name": localized(one.name_zh, one.name_en), "phone": one.phone, "via": one.via}


def recipients_preview(
    *, actor: Actor, incident_id: Any, targets: Iterable[Mapping[str, Any]], now: datetime
) -> list[Row]:
    """For each addressee of an order not yet sent: its load, who is on duty, to whom it falls where nobody is."""
    access.get(actor, Incident, as_id(incident_id), now=now)
    wanted: dict[int, str] = {}
    for target in targets:
        pk = row_id(target.get("department"))
        if pk is not None:
            wanted.setdefault(pk, str(target.get("role") or "support"))
    known = accounts.departments_by_id(wanted)
    loads = burden(department_ids=known, now=now)
    heads = accounts.heads_many([pk for pk in known if loads[pk]["empty_shift"]], now)
    return [
        {
            "department": department_row(known[pk]), "role": role, **loads[pk],
            "falls_to": [localized(one.name_zh, one.name_en) for one in heads.get(pk, [])],
        }
        for pk, role in wanted.items()
        if pk in known
    ]


def burden_of(*, actor: Actor, instruction_id: Any, now: datetime) -> list[Row]:
    """`recipients_preview` of an instruction's addressees."""
    row = one_instruction(actor, instruction_id, now)
    version = gathered.shown_version(row)
    return recipients_preview(actor=actor, incident_id=row.incident_id, targets=version.targets, now=now)


def ladder_of(*, actor: Actor, instruction_id: Any, now: datetime) -> list[Row]:
    """Who hears when if nobody acknowledges: rungs {department, kind, step, seconds, at, people}, by department.

    The ladder is the one frozen at issue, before that the one of the policy that counts now. Whoever is on the
    roster at each rung's own time is named.
    """
    row = one_instruction(actor, instruction_id, now)
    version = gathered.shown_version(row)
    return rungs(row, version, cases.centres(), now)


def rungs(row: Instruction, version: InstructionVersion, known: cases.Centres, now: datetime) -> list[Row]:
    """The ladder of acknowledging for every addressee; queries by number of rungs, not of addressees."""
    policy, pace = _policy(row)
    start = row.issued_at or now
    within = clocks.within(policy, "acknowledge", pace)
    ladder = clocks.ladder(policy, "acknowledge", within, pace)
    parties = {target["department"]: _parties(row, target["department"], known) for target in version.targets}
    departments = Names(departments=parties)
    found: list[Row] = []
    for seconds, step, *_repeat in ladder:
        at = start + timedelta(seconds=within + float(seconds))
        roster = Roster([(one, pk) for pk, one in parties.items()], at)
        for pk, one in parties.items():
            context = steps.Context(None, Deadline(kind="acknowledge"), one, pk, roster, at)
            people = steps.run(step, context).people
            found.append({
                "department": departments.department(pk), "kind": "acknowledge", "step": step,
                "seconds": within + float(seconds), "at": at, "people": [_person(person) for person in people],
            })
    return sorted(found, key=lambda rung: (rung["department"]["id"], rung["seconds"]))


def _policy(row: Instruction) -> tuple[Policy, float]:
    if not row.ladder:
        return clocks.policy(row.incident.policy_set, row.incident.response_level), row.incident.pace
    frozen = row.ladder
    names = ("set", "response_level", "version", "within", "wait", "ladders")
    return Policy(**{name: frozen[name] for name in names}), float(frozen["pace"])


def _parties(row: Instruction, department_id: int, known: cases.Centres) -> Parties:
    incident = row.incident
    return Parties(
        issuer=row.issuer_id, executing=department_id, above=row.issuer_id if row.parent_id is not None else None,
        command=tuple(sorted(cases.command_ids(incident, known))), incident_id=incident.pk,
        incident_type=incident.type, grade=incident.grade, area=incident.region_code, exercise=incident.exercise,
    )

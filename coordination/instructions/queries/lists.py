"""Which instructions and assignments are there, and which of them need this department now?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from coordination.deadlines import queries as clocks
from coordination.events.actor import Actor
from coordination.events.at_once import Steps, answer, side_by_side
from coordination.events.kept import kept
from coordination.events.queries import changed_since
from coordination.events.refused import Invalid
from coordination.instructions.models import Ask, Assignment, Instruction, InstructionVersion
from coordination.instructions.queries import cases, gathered
from coordination.instructions.queries.shapes import Row
from coordination.instructions.states import TERMINAL
from incidents.entered import row_id
from incidents.models import Incident
from sharing import access

MOST = 200
_WHY = "filters of a list that is scoped itself"
_ENDED = ("closed", "cancelled", "superseded")


def _cursor(after: Any) -> list[Any] | None:
    if not isinstance(after, str):
        return list(after) if after else None
    try:
        found = orjson.loads(after)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, list):
        raise Invalid("This is no place in this list.", code="bad_cursor")
    return found


def _says(text: str, instruction: str, current: str) -> Exists:
    """Whose version in force holds every word."""
    said = access.unscoped(InstructionVersion, reason=_WHY).filter(words__found=text)
    return Exists(said.filter(instruction=OuterRef(instruction), n=OuterRef(current)))


def _parts_changed(since: datetime) -> QuerySet[Assignment]:
    return access.unscoped(Assignment, reason=_WHY).filter(changed_since(Assignment._meta.label_lower, since))


def instructions(
    *, actor: Actor, now: datetime, incident_id: Any = None, state: str | None = None, mine: bool | None = None,
    overdue: bool | None = None, stale: bool | None = None, since: datetime | None = None, q: str = "",
    after: Any = None, size: int = 50,
) -> tuple[list[Row], list[Any] | None]:
    """Instructions the actor sees, newest first, and the cursor of the next page.

    ``state``: one state, or ``open``. ``mine``: issued by the actor's department. ``overdue``, ``stale``: with a
    part that is late, or that has not acknowledged what stands. ``since``: it or a part of it has changed since then.
    ``q``: words of the version in force.
    """

    def wanted(rows: QuerySet[Instruction]) -> QuerySet[Instruction]:
        if incident_id is not None:
            rows = rows.filter(incident_id=row_id(incident_id) or 0)
        if state == "open":
            rows = rows.exclude(state__in=_ENDED)
        elif state:
            rows = rows.filter(state=state)
        if mine is not None:
            own = Q(issuer_id=actor.department_id)
            rows = rows.filter(own if mine else ~own)
        parts = access.unscoped(Assignment, reason=_WHY).filter(instruction=OuterRef("pk")).exclude(state__in=TERMINAL)
        if overdue is not None:
            late = Exists(parts.filter(overdue_since__isnull=False))
            rows = rows.filter(late if overdue else ~late)
        if stale is not None:
            unread = Q(acknowledged_version=None) | Q(acknowledged_version__lt=OuterRef("current"))
            behind = Exists(parts.filter(unread))
            rows = rows.filter(behind if stale else ~behind)
        if since is not None:
            moved = _parts_changed(since).filter(instruction=OuterRef("pk"))
            rows = rows.filter(changed_since(Instruction._meta.label_lower, since) | Exists(moved))
        return rows.filter(_says(q, "pk", "current")) if q else rows

    rows, following = access.page(
        actor, Instruction, queryset_filter=lambda found: gathered.listed(wanted(found)), after=_cursor(after),
        size=size, at=now,
    )
    laid = gathered.Instructions(actor, cases.centres())
    return [laid.shown(row) for row in rows], following


def assignments(
    *, actor: Actor, now: datetime, incident_id: Any = None, state: str | None = None, mine: bool | None = None,
    overdue: bool | None = None, stale: bool | None = None, since: datetime | None = None, q: str = "",
    after: Any = None, size: int = 50,
) -> tuple[list[Row], list[Any] | None]:
    """Assignments the actor sees, newest first; ``mine``: carried out by the actor's department."""

    def wanted(rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
        if incident_id is not None:
            rows = rows.filter(instruction__incident_id=row_id(incident_id) or 0)
        if state == "open":
            rows = rows.exclude(state__in=TERMINAL)
        elif state:
            rows = rows.filter(state=state)
        if mine is not None:
            own = Q(department_id=actor.department_id)
            rows = rows.filter(own if mine else ~own)
        if overdue is not None:
            late = Q(overdue_since__isnull=False) & ~Q(state__in=TERMINAL)
            rows = rows.filter(late if overdue else ~late)
        if stale is not None:
            behind = ~Q(state__in=TERMINAL) & (
                Q(acknowledged_version=None) | Q(acknowledged_version__lt=F("instruction__current"))
            )
            rows = rows.filter(behind if stale else ~behind)
        if since is not None:
            rows = rows.filter(changed_since(Assignment._meta.label_lower, since))
        return rows.filter(_says(q, "instruction_id", "instruction__current")) if q else rows

    rows, following = access.page(
        actor, Assignment, queryset_filter=lambda found: gathered.rich(wanted(found)), after=_cursor(after),
        size=size, at=now,
    )
    laid = gathered.Assignments(actor, rows, now, cases.centres())
    return [laid.shown(row) for row in rows], following


def board(*, actor: Actor, incident_id: Any, now: datetime) -> Row:
    """All instructions of one incident, newest first, each with its parts.

    {"instructions": [row + {"assignments": [...]}], "counts": {state of assignment: number}}
    """
    return answer(board_steps(actor=actor, incident_id=incident_id, now=now))


def board_steps(*, actor: Actor, incident_id: Any, now: datetime) -> Steps[Row]:
    """`board`, to be asked beside other questions."""
    pk = row_id(incident_id)
    if pk is None:
        raise access.Unseen
    (seen, rows), known = yield from side_by_side(_on_incident(actor, pk, now), cases.centres_steps())
    if not seen:
        raise access.Unseen
    (parts,), _hung = yield from side_by_side(_parts_of(actor, rows, now), gathered.heads_hung(rows))
    laid = yield from gathered.Assignments.steps(actor, parts, now, known)
    heads = gathered.Instructions(actor, known)
    by_head: dict[int, list[Row]] = {}
    counts: dict[str, int] = {}
    for part in parts:
        by_head.setdefault(part.instruction_id, []).append(laid.shown(part))
        counts[part.state] = counts.get(part.state, 0) + 1
    shown = [{**heads.shown(row), "assignments": by_head.get(row.pk, [])} for row in rows]
    return {"instructions": shown, "counts": counts}


def _on_incident(actor: Actor, pk: int, now: datetime) -> Steps[list[list[Any]]]:
    return (yield [kept(_seen, actor, pk, now), kept(_there, actor, pk, now)])


def _seen(actor: Actor, pk: int, now: datetime) -> QuerySet[Incident, Any]:
    return access.scope(actor, Incident, at=now).filter(pk=pk).values_list("pk")


def _there(actor: Actor, pk: int, now: datetime) -> QuerySet[Instruction]:
    found = access.scope(actor, Instruction, at=now).filter(incident_id=pk).order_by("-pk")
    return cases.joined(found)[:MOST]


def _parts_of(actor: Actor, rows: list[Instruction], now: datetime) -> Steps[list[list[Any]]]:
    return (yield [kept(_parts_under, actor, [row.pk for row in rows], now)])


def _parts_under(actor: Actor, ids: list[int], now: datetime) -> QuerySet[Assignment]:
    return gathered.rich(access.scope(actor, Assignment, at=now).filter(instruction__in=ids)).order_by("pk")


def desk(*, actor: Actor, now: datetime) -> Row:
    """What needs the actor's department now, what it is working on, what it waits for, its drafts.

    ``needs``: [{why, due_at, assignment | ask | instruction}], most pressing first; ``in_progress``: assignments;
    ``waiting`` and ``drafts``: instructions.
    """
    return answer(desk_steps(actor=actor, now=now))


def desk_steps(*, actor: Actor, now: datetime) -> Steps[Row]:
    """`desk`, to be asked beside other questions."""
    (parts, heads), known = yield from side_by_side(_work(actor, now), cases.centres_steps())
    laid, _hung, timers = yield from side_by_side(
        gathered.Assignments.steps(actor, parts, now, known),
        gathered.heads_hung(heads),
        clocks.live_steps("instructions.instruction", [row.pk for row in heads]),
    )
    rows = gathered.Instructions(actor, known)
    needs: list[Row] = []
    working: list[Row] = []
    for part in parts:
        shown = laid.shown(part)
        own = part.department_id == actor.department_id
        need = _need_of_part(shown, own)
        if need is not None:
            needs.append(need)
        elif own and part.state not in TERMINAL:
            working.append(shown)
    waiting, drafts = [], []
    for head in heads:
        shown = rows.shown(head)
        need = _need_of_head(head, shown, timers.get(head.pk, []))
        if need is not None:
            needs.append(need)
        own = head.issuer_id == actor.department_id
        if own and head.state == "issued":
            waiting.append(shown)
        elif own and head.issued_at is None:
            drafts.append(shown)
    far = datetime.max.replace(tzinfo=now.tzinfo)
    needs.sort(key=lambda need: need["due_at"] or far)
    return {"needs": needs, "in_progress": working, "waiting": waiting, "drafts": drafts}


def _work(actor: Actor, now: datetime) -> Steps[list[list[Any]]]:
    return (yield [kept(_parts, actor, now), kept(_heads, actor, now)])


def _parts(actor: Actor, now: datetime) -> QuerySet[Assignment]:
    """Open parts that are the department's, or that may wait for its decision."""
    mine = actor.department_id
    asked = Ask.everything.filter(assignment=OuterRef("pk"), state="open")
    decides = Q(state__in=["feedback_submitted", "declined", "evaluated"]) | Q(Exists(asked))
    about = Q(department_id=mine) | (
        decides & (
            Q(instruction__issuer_id=mine) | Q(arbiter_department_id=mine)
            | Q(instruction__incident__commander_department_id=mine) | Q(ball=str(mine))
            | Q(Exists(asked.filter(decider_id=mine)))
        )
    )
    rows = access.scope(actor, Assignment, at=now).filter(about).exclude(state__in=TERMINAL)
    return gathered.rich(rows).order_by("due_at", "pk")[:MOST]


def _heads(actor: Actor, now: datetime) -> QuerySet[Instruction]:
    mine = actor.department_id
    about = Q(issuer_id=mine) | (
        Q(state="issued", issued_first=True, confirmed_at=None)
        & (Q(issuer__parent_id=mine) | Q(incident__commander_department_id=mine))
    )
    rows = access.scope(actor, Instruction, at=now).filter(about).exclude(state__in=_ENDED)
    return cases.joined(rows).order_by("-pk")[:MOST]


def _actions(shown: Row) -> set[str]:
    return {row["action"] for row in shown["allowed_actions"]}


def _first_due(deadlines: list[Any]) -> datetime | None:
    return min((clock.base_due for clock in deadlines if clock.state == "armed"), default=None)


def _due(shown: Row, *kinds: str) -> datetime | None:
    return min((one["base_due"] for one in shown["deadlines"] if one["kind"] in kinds), default=None)


def _need_of_part(shown: Row, own: bool) -> Row | None:
    can = _actions(shown)
    if own and "acknowledge" in can and shown["stale"]:
        return {"why": "acknowledge", "assignment": shown, "due_at": _due(shown, "acknowledge")}
    asked = shown["open_ask"]
    if asked is not None and "grant" in _actions(asked):
        return {"why": "ask", "ask": asked, "assignment": shown, "due_at": None}
    for why, needed, kinds in (
        ("evaluate", {"evaluate"}, ("evaluate",)),
        ("declined", {"reassign", "arbitrate"}, ("confirm",)),
        ("recheck", {"recheck"}, ("confirm",)),
        ("start", {"start"}, ("start",)),
    ):
        if can & needed:
            return {"why": why, "assignment": shown, "due_at": _due(shown, *kinds)}
    return None


def _need_of_head(head: Instruction, shown: Row, deadlines: list[Any]) -> Row | None:
    can = _actions(shown)
    why = ""
    if "approve" in can:
        why = "approve"
    elif "issue" in can:
        why = "approved"
    elif "confirm" in can:
        why = "confirm"
    elif "keep" in can:
        why = "keep"
    elif head.confirm_refused and "cancel" in can:
        why = "refused"
    return {"why": why, "instruction": shown, "due_at": _first_due(deadlines)} if why else None

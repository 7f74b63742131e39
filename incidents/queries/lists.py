"""Which incidents, participations and log lines does this actor see, newest first?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from coordination.events.actor import Actor
from coordination.events.queries import changed_since
from coordination.events.refused import Invalid
from incidents import states
from incidents.models import Incident, IncidentInFull, LogEntry, Objective, Participation
from incidents.queries.facts import family_ids
from incidents.queries.files import attachments_of
from incidents.queries.shapes import LISTED, Row, listed_rows, log_row, objective_row, participation_row
from sharing import access
from sharing.catalogue import queries as catalogue

Page = tuple[list[Row], list[Any] | None]


def incidents(
    *,
    actor: Actor,
    now: datetime,
    state: str | Iterable[str] | None = None,
    type: str = "",
    grade: int | None = None,
    warning_level: str = "",
    response_level: int | None = None,
    lead_department_id: int | None = None,
    exercise: bool | None = None,
    bbox: Sequence[float] | None = None,
    q: str = "",
    since: datetime | None = None,
    ids: Iterable[int] | None = None,
    after: Sequence[Any] | None = None,
    size: int = 50,
) -> Page:
    """Incidents, newest first, and the cursor of the next page.

    ``state``: ``open``, ``ended``, a state or several; ``type``: a code and all below it; ``bbox``: west, south,
    east, north in degrees; ``q``: words of number, headlines, place or description; ``since``: changed since then.
    """
    wanted = _filter(
        state=state, type=type, grade=grade, warning_level=warning_level, response_level=response_level,
        lead_department_id=lead_department_id, exercise=exercise, bbox=bbox, ids=ids,
    )
    if q:
        wanted &= found(actor, q, now)
    if since is not None:
        wanted &= Q(changed_since(Incident._meta.label_lower, since))
    rows, following = access.page(
        actor, Incident, queryset_filter=wanted or None, after=after, size=size, values=LISTED, at=now
    )
    types = catalogue.path_names("incident_type", {row["type"] for row in rows})
    return listed_rows(rows, types), following


def _filter(
    *,
    state: str | Iterable[str] | None,
    type: str,
    bbox: Sequence[float] | None,
    ids: Iterable[int] | None,
    **equal: Any,
) -> Q:
    wanted = Q()
    if state:
        wanted &= Q(state__in=_states(state))
    if type:
        wanted &= Q(type=type) | Q(type__startswith=f"{type}.")
    if bbox is not None:
        wanted &= inside(bbox)
    if ids is not None:
        wanted &= Q(pk__in=list(ids))
    for name, value in equal.items():
        if value not in (None, ""):
            wanted &= Q(**{name: value})
    return wanted


def found(actor: Actor, text: str, now: datetime) -> Q:
    """Incidents that hold every word: anywhere for those who see all of it, else in what its headline tells."""
    in_full = access.scope(actor, IncidentInFull, at=now).filter(words_in_full__found=text)
    return Q(words__found=text) | Q(pk__in=in_full.values("pk"))


def _states(state: str | Iterable[str]) -> set[str]:
    groups = {"open": states.OPEN, "ended": states.ENDED}
    found: set[str] = set()
    for name in [state] if isinstance(state, str) else state:
        found |= groups.get(name, {name})
    unknown = found - set(Incident.State.values)
    if unknown:
        raise Invalid(errors=[{"pointer": "/state", "code": "not_a_choice", "detail": _("There is no such state.")}])
    return found


def inside(bbox: Sequence[float]) -> Q:
    """What lies in a box of west, south, east, north in degrees; west above east crosses the date line."""
    if len(bbox) != 4 or not (bbox[1] <= bbox[3] and -180 <= bbox[0] <= 180 and -180 <= bbox[2] <= 180):
        raise Invalid(errors=[{"pointer": "/bbox", "code": "not_a_box", "detail": _("West, south, east, north.")}])
    west, south, east, north = bbox
    across = Q(longitude__gte=west) & Q(longitude__lte=east)
    if west > east:  # over the date line
        across = Q(longitude__gte=west) | Q(longitude__lte=east)
    return Q(latitude__gte=south, latitude__lte=north) & across


def participations(*, actor: Actor, incident_id: int, now: datetime, left: bool = False) -> list[Row]:
    """Who takes part in an incident: lead first, then by when they joined; ``left`` adds those that have left."""
    access.get(actor, Incident, incident_id, now=now)
    rows = access.scope(actor, Participation, at=now).filter(incident_id=incident_id)
    if not left:
        rows = rows.filter(left_at=None)
    return [participation_row(row) for row in sorted(rows.select_related("department"), key=part_order)]


def participation(*, actor: Actor, participation_id: int, now: datetime) -> Row:
    """One department's part; 404 where the actor does not see it."""
    return participation_row(access.get(actor, Participation, participation_id, now=now, select=("department",)))


def objectives(*, actor: Actor, incident_id: int, now: datetime) -> list[Row]:
    """What command wants to reach, in the order it was set."""
    access.get(actor, Incident, incident_id, now=now)
    rows = access.scope(actor, Objective, at=now).filter(incident_id=incident_id).order_by("pk")
    return [objective_row(row) for row in rows]


def part_order(row: Participation) -> tuple[int, datetime, int]:
    """Lead, support, informed; within each by when they joined."""
    return (Participation.Role.values.index(row.role), row.joined_at, row.pk)


def log(
    *,
    actor: Actor,
    incident_id: int,
    now: datetime,
    kind: str = "",
    since: datetime | None = None,
    after: Sequence[Any] | None = None,
    size: int = 50,
) -> Page:
    """The log of an incident and of what was merged into it, newest first; corrected lines name their correction."""
    access.get(actor, Incident, incident_id, now=now)
    wanted = Q(incident_id__in=family_ids(incident_id))
    if kind:
        wanted &= Q(kind=kind)
    if since is not None:
        wanted &= Q(changed_since(LogEntry._meta.label_lower, since))
    rows, following = access.page(
        actor, LogEntry, queryset_filter=wanted, after=after, size=size, select=("department", "person"), at=now
    )
    corrected = corrections(actor, [row.pk for row in rows], now)
    return [{**log_row(row), "corrected_by": corrected.get(row.pk)} for row in rows], following


def log_entry(*, actor: Actor, entry_id: int, now: datetime) -> Row:
    """One line of a log with its files; 404 where the actor does not see it."""
    row = access.get(actor, LogEntry, entry_id, now=now, select=("department", "person"))
    files = attachments_of(actor=actor, subject_type=LogEntry._meta.label_lower, subject_ids=[row.pk], now=now)
    corrected = corrections(actor, [row.pk], now)
    return {**log_row(row), "corrected_by": corrected.get(row.pk), "attachments": files[row.pk]}


def corrections(actor: Actor, entry_ids: Iterable[int], now: datetime) -> dict[int, int]:
    """Which of these lines were corrected later, and by which line (the last one)."""
    return dict(correcting(actor, entry_ids, now))


def correcting(actor: Actor, entry_ids: Iterable[int], now: datetime) -> QuerySet[LogEntry, tuple[Any, ...]]:
    """Pairs of a line and a line that corrects it, the last one last."""
    rows = access.scope(actor, LogEntry, at=now).filter(corrects_id__in=list(entry_ids)).order_by("pk")
    return rows.values_list("corrects_id", "pk")


def _open_ones(rows: QuerySet[Incident]) -> QuerySet[Incident]:
    return rows.filter(state__in=sorted(states.OPEN))


def other_open(*, actor: Actor, now: datetime, but: int | None = None) -> list[tuple[int, str]]:
    """The newest open incidents the actor sees (50 at most) as ``(id, number and headline)``, without ``but``."""
    rows, _following = access.page(actor, Incident, queryset_filter=_open_ones, size=50, at=now)
    return [(row.pk, f"{row.number} {row.headline}") for row in rows if row.pk != but]

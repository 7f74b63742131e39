"""How does a city come to have a million incidents behind it within minutes?

One incident goes through the real actions; its rows are then copied by SQL, column by column, with other ids, leads and
times, so that a new column needs no change here. 200 departments under ten districts: the command centre sees
everything (dense), a bureau about one in a hundred (ordinary), the newcomer 20 of the oldest (sparse).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection, models

from accounts.models import Department, Membership, Person, Post
from coordination.events import clock
from coordination.events.actor import Actor
from coordination.events.models import Event, StreamEntry, StreamHead
from coordination.instructions import actions as orders
from coordination.instructions.models import Assignment, Instruction, InstructionVersion
from incidents import actions as incidents
from incidents.models import Incident, Participation
from sharing.access.models import Grant, Scope, VisIncident

DEPARTMENTS = 200
FEW = 20
"""How many incidents the sparse viewer sees."""
POSTS = ("duty_officer", "commander", "head", "approver")
BASE = 10_000_000
"""Ids of copies begin here."""
LATELY = 1_000
"""The newest so many are still open."""


@dataclass
class City:
    """Departments by code, actors by ``code.post``, and how many incidents there are."""

    departments: dict[str, Department] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    size: int = 0
    incident: Incident = None  # type: ignore[assignment]
    instruction: Instruction = None  # type: ignore[assignment]

    def actor(self, code: str, post: str = "duty_officer") -> Actor:
        """Somebody on that post."""
        return Actor(
            "person", self.people[f"{code}.{post}"].pk, self.departments[code].pk, frozenset({post}), language="en"
        )

    @property
    def bureaus(self) -> list[Department]:
        """Those that lead incidents: all but city, centre, districts and the newcomer."""
        return [row for code, row in self.departments.items() if code.startswith("b")]


def build() -> City:
    """City, centre, nine districts and their bureaus, each with people; one incident with everything on it."""
    city = City()
    for name in ("load_codes", "load_policies"):
        call_command(name, stdout=io.StringIO())
    _department(city, "city", None, "bureau")
    _department(city, "centre", "city", "command_centre")
    for n in range(9):
        _department(city, f"d{n}", "city", "district")
    for n in range(DEPARTMENTS - 12):
        _department(city, f"b{n:03d}", f"d{n % 9}", "bureau")
    _department(city, "newcomer", None, "neighbouring")
    _people(city)
    with connection.cursor() as cursor:  # ids of what actions make lie above those of copies
        for model in (Incident, Grant, Participation, Event, Instruction, InstructionVersion, Assignment):
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [model._meta.db_table, 10 * BASE])
    city.incident, city.instruction = busy(city)
    return city


def _department(city: City, code: str, parent: str | None, kind: str) -> None:
    above = city.departments.get(parent or "")
    made = Department.objects.create(
        code=code, kind=kind, name_zh=f"部门{code}", name_en=f"Department {code}", short_zh=code[:6],
        short_en=code[:14], parent=above,
    )  # fmt: skip
    made.path = f"{above.path if above else '/'}{made.pk}/"
    made.save(update_fields=["path"])
    city.departments[code] = made


def _people(city: City) -> None:
    since = clock.now() - timedelta(days=1)
    wanted = [(code, post) for code in city.departments for post in POSTS]
    people = Person.objects.bulk_create(
        Person(
            username=f"{code}.{post}", name_zh=f"{code} {post}", name_en=f"{code} {post}", language="en", password="!"
        )
        for code, post in wanted
    )
    posts = Post.objects.bulk_create(Post(department=city.departments[code], kind=post) for code, post in wanted)
    Membership.objects.bulk_create(
        Membership(person=person, post=post, valid_from=since) for person, post in zip(people, posts, strict=True)
    )
    city.people = {f"{code}.{post}": person for (code, post), person in zip(wanted, people, strict=True)}


def busy(city: City, targets: int = 8) -> tuple[Incident, Instruction]:
    """An incident as it looks in its first hour: log, aim, scales, an order to ``targets`` departments."""
    now = clock.now()
    commander = city.actor("centre", "commander")
    row = incidents.open_incident(
        actor=commander, now=now, type="accident.chemical.explosion", headline_zh="化工装置爆炸",
        headline_en="Explosion at a glycol unit", lead_department_id=city.departments["b000"].pk,
        commander_department_id=city.departments["centre"].pk, response_level=2, place="Jinwan", latitude=30.7,
        longitude=121.3, grade=3,
    )  # fmt: skip
    for move in ("verified", "responding"):
        incidents.move(actor=commander, now=now, incident_id=row.pk, to=move)
    for n in range(6):
        incidents.add_log(actor=city.actor("centre"), now=now, incident_id=row.pk, text=f"The wind turns, note {n}")
    incidents.set_objective(actor=commander, now=now, incident_id=row.pk, text="Nobody else is hurt")
    for n in range(targets):
        incidents.ensure_participation(
            actor=city.actor("centre"), now=now, incident_id=row.pk, department_id=city.departments[f"b{n:03d}"].pk
        )
    order = order_to(city, row, [f"b{n:03d}" for n in range(targets)])
    return row, order


def approved(city: City, incident: Incident, codes: list[str], **said: str) -> Instruction:
    """An order to these departments, ready to be issued; the first leads."""
    now, officer = clock.now(), city.actor("centre")
    order = orders.draft(
        actor=officer, now=now, incident_id=incident.pk, urgency="urgent", due_at=now + timedelta(hours=2), **said,
        targets=[
            {"department": city.departments[code].pk, "role": "support" if n else "lead"}
            for n, code in enumerate(codes)
        ],
    )  # fmt: skip
    orders.submit(actor=officer, now=now, instruction_id=order.pk)
    return orders.approve(actor=city.actor("centre", "approver"), now=now, instruction_id=order.pk, signed_conflicts=())


def order_to(city: City, incident: Incident, codes: list[str]) -> Instruction:
    """An issued instruction to these departments; the first leads and has acknowledged."""
    order = approved(
        city, incident, codes, what="Cool the tanks", headline_en="Cool the tanks", place="Unit 3", verb="cool"
    )
    now = clock.now()
    order = orders.issue(actor=city.actor("centre"), now=now, instruction_id=order.pk)
    first = Assignment.everything.get(instruction=order, department=city.departments[codes[0]])
    orders.acknowledge(actor=city.actor(codes[0]), now=now, assignment_id=first.pk, version=1)
    return order


class Copier:
    """Copies one row so often, other values in some columns."""

    def __init__(self, first: int, last: int, every: int = 1) -> None:
        self.series = f"generate_series({first}, {last}, {every})"

    def copy(
        self, model: type[models.Model], template: models.Model, columns: Mapping[str, str], more: str = ""
    ) -> None:
        """Insert a copy of ``template`` for each ``g``; ``columns``: SQL by column; ``more``: further FROM items."""
        names = [one.column for one in model._meta.concrete_fields if getattr(one, "column", None)]
        values = [columns.get(name, f't."{name}"') for name in names]
        where = " AND ".join(f't."{one.column}" = %s' for one in self._key(model))
        table = model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(chr(34) + name + chr(34) for name in names)}) "
                f"SELECT {', '.join(values)} FROM {self.series} g CROSS JOIN {table} t {more} WHERE {where}",
                [getattr(template, one.attname) for one in self._key(model)],
            )

    @staticmethod
    def _key(model: type[models.Model]) -> list[Any]:
        primary = model._meta.pk
        return list(getattr(primary, "fields", None) or [primary])


def grow(city: City, size: int) -> None:
    """Add copies until ``size`` incidents are there, older ones first; then let PostgreSQL look at its tables."""
    first, last = city.size + 1, size
    if last < first:
        return
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    one = Copier(first, last)
    bureaus = [row.pk for row in city.bureaus]
    lead = f"({_array(bureaus)})[1 + g %% {len(bureaus)}]"
    opened = "t.opened_at - interval '30 seconds' * (2000000 - g)"
    _incidents(one, city, lead, opened, size)
    _sight(city, first, last, bureaus)
    _told(one, city)
    _orders(city, first, last, lead)
    city.size = size
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _array(ids: list[int]) -> str:
    return f"ARRAY[{','.join(str(pk) for pk in ids)}]::bigint[]"


def _incidents(one: Copier, city: City, lead: str, opened: str, size: int) -> None:
    one.copy(Incident, city.incident, {
        "id": f"{BASE} + g", "number": "'S' || g", "lead_department_id": lead, "opened_at": opened,
        "state": f"CASE WHEN g > {size - LATELY} THEN 'responding' ELSE 'closed' END",
        "closed_at": f"CASE WHEN g > {size - LATELY} THEN NULL ELSE {opened} + interval '5 hours' END",
        "words": "to_tsvector('simple', 's' || g)", "words_in_full": "to_tsvector('simple', 's' || g)",
    })  # fmt: skip
    part = Participation.everything.filter(incident=city.incident, role="lead").first()
    assert part is not None
    one.copy(Participation, part, {
        "id": f"{BASE} + g", "incident_id": f"{BASE} + g", "department_id": lead,
        "joined_at": "now() - interval '30 seconds' * (2000000 - g)",
    })  # fmt: skip


def _sight(city: City, first: int, last: int, bureaus: list[int]) -> None:
    """Grants and visibility rows: centre and lead see all of each incident, another bureau too."""
    scopes = {int(row.key): row.pk for row in Scope.objects.filter(kind="department") if row.key.isdigit()}
    missing = [pk for pk in [*bureaus, city.departments["newcomer"].pk] if pk not in scopes]
    Scope.objects.bulk_create(Scope(kind="department", key=str(pk)) for pk in missing)
    scopes = {int(row.key): row.pk for row in Scope.objects.filter(kind="department")}
    grant = Grant.objects.filter(object_id=city.incident.pk, scope__key=str(bureaus[0]), source="participation").first()
    assert grant is not None
    seen = VisIncident.objects.filter(incident_id=city.incident.pk, grant=grant).get()
    places = _array([scopes[pk] for pk in bureaus])
    holders = {
        0: str(scopes[city.departments["centre"].pk]),
        1: f"({places})[1 + g %% {len(bureaus)}]",
        2: f"({places})[1 + (g * 7 + 3) %% {len(bureaus)}]",
    }
    few = scopes[city.departments["newcomer"].pk]
    for n, holder in holders.items():
        _grant(Copier(first, last), n, holder, grant, seen)
    if first <= FEW:
        _grant(Copier(first, FEW), 3, str(few), grant, seen)


def _grant(one: Copier, n: int, holder: str, grant: Grant, seen: VisIncident) -> None:
    one.copy(Grant, grant, {"id": f"{BASE} + g * 4 + {n}", "scope_id": holder, "object_id": f"{BASE} + g",
                            "incident_id": f"{BASE} + g"})  # fmt: skip
    one.copy(VisIncident, seen, {
        "scope_id": holder, "incident_id": f"{BASE} + g", "grant_id": f"{BASE} + g * 4 + {n}",
        "opened_at": "t.opened_at - interval '30 seconds' * (2000000 - g)",
    })  # fmt: skip


def _told(one: Copier, city: City) -> None:
    """One event in the log of each."""
    event = Event.objects.filter(incident_id=city.incident.pk, type="incident.opened").first()
    event = event or Event.objects.filter(incident_id=city.incident.pk).order_by("pk").first()
    assert event is not None
    entry = StreamEntry.objects.filter(event=event, home=True).get()
    past = "t.at - interval '30 seconds' * (2000000 - g)"
    one.copy(Event, event, {"id": f"{BASE} + g", "object_id": f"{BASE} + g", "incident_id": f"{BASE} + g", "at": past})
    stream = f"'incident:' || ({BASE} + g)"
    one.copy(StreamHead, StreamHead.objects.get(stream=entry.stream), {"stream": stream, "last_seq": "1"})
    one.copy(StreamEntry, entry, {"stream": stream, "seq": "1", "event_id": f"{BASE} + g", "at": past})


def _orders(city: City, first: int, last: int, lead: str) -> None:
    """An instruction on every tenth, closed long ago."""
    one = Copier(first + (-first) % 10, last, 10)
    version = InstructionVersion.everything.get(instruction=city.instruction, n=1)
    part = Assignment.everything.filter(instruction=city.instruction, role="lead").get()
    ended = "t.created_at - interval '30 seconds' * (2000000 - g)"
    one.copy(
        Instruction,
        city.instruction,
        {"id": f"{BASE} + g", "incident_id": f"{BASE} + g", "state": "'closed'", "ended_at": ended},
    )
    one.copy(InstructionVersion, version, {
        "id": f"{BASE} + g", "instruction_id": f"{BASE} + g", "words": "to_tsvector('simple', 's' || g)",
    })  # fmt: skip
    one.copy(Assignment, part, {
        "id": f"{BASE} + g", "instruction_id": f"{BASE} + g", "department_id": lead, "state": "'closed'",
        "ended_at": ended,
    })  # fmt: skip

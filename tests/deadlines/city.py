"""Which small city do the tests of deadlines play in?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Department, Duty, Membership, Person, Post, Responsibility, Shift
from coordination.deadlines import actions, handlers
from coordination.deadlines.handlers import BaseHandler, Firing, Parties
from coordination.deadlines.models import Deadline
from coordination.events.models import Event
from incidents.models import Incident

SUBJECT = "incidents.incident"
HOUR = timedelta(hours=1)


class IncidentHandler(BaseHandler):
    """Incidents as subjects: the lead department executes, the commander's department issues."""

    def __init__(self) -> None:
        self.effects: list[Firing] = []
        self.broken: set[int] = set()

    def lock(self, ids: Sequence[int]) -> Mapping[int, Any]:
        """Lock what can be locked."""
        rows = Incident.everything.select_for_update(skip_locked=True).filter(pk__in=ids)
        return {row.pk: row for row in rows.order_by("pk")}

    def still_due(self, subject: Any, deadline: Deadline) -> bool:
        """Closed incidents are past caring."""
        return subject.state != "closed" and deadline.armed_version == 1

    def parties(self, subject: Any) -> Parties:
        """Lead executes, commander's department issues, and the incident's type chooses the owner."""
        return Parties(
            issuer=subject.commander_department_id,
            executing=subject.lead_department_id,
            incident_id=subject.pk,
            incident_type=subject.type,
            grade=subject.grade,
            exercise=subject.exercise,
        )

    def describe(self, subject: Any) -> dict[str, Any]:
        """Number and headlines."""
        named = {key: getattr(subject, key) for key in ("number", "headline_zh", "headline_en")}
        return {"args": named}

    def fire(self, subject: Any, deadline: Deadline, now: datetime) -> None:
        """Break where the test wants it."""
        if subject.pk in self.broken:
            raise ValueError(f"incident {subject.pk} is broken")

    def fire_many(self, firings: Sequence[Firing], now: datetime) -> None:
        """Remember what fired."""
        super().fire_many(firings, now)
        self.effects += firings


@dataclass
class City:
    """City > bureau > station, and a command centre; each with a duty officer on shift, a deputy or next, a head."""

    now: datetime
    departments: dict[str, Department] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    count: int = 0

    def person(self, name: str, **more: Any) -> Person:
        """A person with mail and telephone."""
        known = {"email": f"{name}@city.test", "phone": f"+86{len(self.people):08d}", "name_en": name, "name_zh": name}
        self.people[name] = Person.objects.create(username=name, **{**known, **more})
        return self.people[name]

    def appoint(self, person: Person, department: str, post: str) -> None:
        """Give a post from yesterday on."""
        kind, _new = Post.objects.get_or_create(department=self.departments[department], kind=post)
        Membership.objects.create(person=person, post=kind, valid_from=self.now - 24 * HOUR)

    def department(self, code: str, parent: str | None, kind: str = "bureau") -> Department:
        """A department with head, two shifts of eight hours and their people."""
        above = self.departments.get(parent or "")
        made = Department.objects.create(
            code=code, kind=kind, name_zh=code, name_en=code, short_zh=code[:6], short_en=code, parent=above
        )
        made.path = f"{above.path if above else '/'}{made.pk}/"
        made.save(update_fields=["path"])
        self.departments[code] = made
        self.appoint(self.person(f"{code}-head"), code, "head")
        self.shift(code, self.now - HOUR, 8, self.person(f"{code}-duty"))
        self.shift(code, self.now + 7 * HOUR, 8, self.person(f"{code}-next"))
        return made

    def shift(self, code: str, starts: datetime, hours: int, person: Person | None) -> Shift:
        """One shift."""
        return Shift.objects.create(
            department=self.departments[code], starts=starts, ends=starts + hours * HOUR, person=person
        )

    def incident(self, **more: Any) -> Incident:
        """An incident that the station leads and the bureau commands."""
        self.count += 1
        return Incident.everything.create(
            number=f"T{self.count:04d}",
            type="accident.chemical.explosion",
            headline_zh="乙二醇装置爆炸",
            headline_en="Explosion at a glycol unit",
            state="responding",
            lead_department=self.departments["station"],
            commander_department=self.departments["bureau"],
            opened_at=self.now,
            **more,
        )

    def name(self, person_id: int) -> str:
        """The user name of an id."""
        return next(name for name, person in self.people.items() if person.pk == person_id)


def build(now: datetime) -> City:
    """City hall with its command centre, a bureau below it, a station below that, and one other lead by duty."""
    city = City(now)
    city.department("hall", None)
    city.department("centre", "hall", Department.Kind.COMMAND_CENTRE)
    city.department("bureau", "hall")
    city.department("station", "bureau")
    city.department("rescue", "hall")
    duty, _new = Duty.objects.get_or_create(code="fire_rescue", defaults={"name_zh": "救援", "name_en": "Rescue"})
    Responsibility.objects.create(
        department=city.departments["rescue"], duty=duty, incident_type="accident.chemical", role="lead"
    )
    return city


LADDER = [
    [0, "remind_duty"],
    [180, "next_on_duty"],
    [360, "head"],
    [540, "department_above"],
    [720, "supervise"],
    [900, "propose_owner"],
    [2700, "board", 1800, 14400],
]


def arm(incident: Incident, now: datetime, seconds: float = 300, kind: str = "acknowledge", **more: Any) -> Deadline:
    """Arm the standard ladder of level I."""
    return actions.arm(
        subject=incident,
        kind=kind,
        due_at=now + timedelta(seconds=seconds),
        now=now,
        **{"ladder": LADDER, "urgency": "immediate", "incident_id": incident.pk, **more},
    )


def fired(incident: Incident) -> list[Event]:
    """The events of this incident's deadlines, oldest first."""
    return list(Event.objects.filter(type="deadline.fired", object_id=incident.pk).order_by("id"))


def steps(incident: Incident) -> list[str]:
    """The steps that ran, in order."""
    return [event.payload["step"] for event in fired(incident)]


def install() -> IncidentHandler:
    """Let incidents be subjects."""
    handler = IncidentHandler()
    handlers.install({**handlers.installed(), SUBJECT: handler})
    return handler

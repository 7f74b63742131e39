"""A small city for tests of the loop: command centre, bureaus, a district with its own, people on every post."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management import call_command

from accounts.models import Department, Membership, Person, Post
from coordination.events.actor import Actor
from coordination.instructions import actions as do
from coordination.instructions.models import Assignment, Instruction
from incidents import actions as incidents
from incidents.models import Incident

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
_count = itertools.count(1)


def minutes(n: float) -> timedelta:
    """n minutes."""
    return timedelta(minutes=n)


@dataclass
class World:
    """The city, its people by "department.post", and one incident at response level II."""

    departments: dict[str, Department] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    incident: Incident = None  # type: ignore[assignment]
    now: datetime = T0

    def who(self, name: str) -> Actor:
        """An actor: "fire" is its duty officer, "fire.head" its head, "fire.client" its system."""
        return self.actors[name if "." in name else f"{name}.duty_officer"]

    def id(self, code: str) -> int:
        """A department's id."""
        return self.departments[code].pk

    def later(self, by: timedelta) -> datetime:
        """Let time pass."""
        self.now += by
        return self.now

    def on(self, instruction: Instruction, code: str) -> Assignment:
        """The newest part of a department in an instruction, fresh."""
        return Assignment.everything.filter(instruction=instruction, department=self.departments[code]).latest("pk")

    def fresh(self, row: Any) -> Any:
        """The row as it stands."""
        return type(row).everything.get(pk=row.pk)

    def content(self, **more: Any) -> dict[str, Any]:
        """What an order says: fire leads, police supports, due in two hours."""
        said = {
            "what": "Cool the glycol tanks",
            "headline_en": "Cool the glycol tanks",
            "place": "Unit 3",
            "verb": "cool",
            "urgency": "urgent",
            "due_at": self.now + timedelta(hours=2),
            "targets": self.targets("fire", "police"),
        }
        return said | more

    def targets(self, lead: str, *support: str) -> list[dict[str, Any]]:
        """Addressees: the first leads."""
        return [{"department": self.id(lead), "role": "lead"}] + [
            {"department": self.id(code), "role": "support"} for code in support
        ]

    def draft(self, by: str = "centre", **more: Any) -> Instruction:
        """A draft."""
        return do.draft(actor=self.who(by), now=self.now, incident_id=self.incident.pk, **self.content(**more))

    def approved(self, by: str = "centre", **more: Any) -> Instruction:
        """An approved order."""
        row = self.draft(by, **more)
        do.submit(actor=self.who(by), now=self.now, instruction_id=row.pk)
        return do.approve(
            actor=self.who(f"{by}.approver"),
            now=self.now,
            instruction_id=row.pk,
            signed_conflicts=more.get("signed", ()),
        )

    def issued(self, by: str = "centre", **more: Any) -> Instruction:
        """An issued order."""
        row = self.approved(by, **more)
        return do.issue(actor=self.who(by), now=self.now, instruction_id=row.pk)

    def act(self, name: str, row: Any, by: str, **fields: Any) -> Any:
        """Do one move now."""
        key = {"Instruction": "instruction_id", "Assignment": "assignment_id", "Ask": "ask_id"}[type(row).__name__]
        return getattr(do, name)(actor=self.who(by), now=self.now, **{key: row.pk}, **fields)

    def acknowledged(self, instruction: Instruction, code: str) -> Assignment:
        """A part acknowledged by its duty officer."""
        row = self.on(instruction, code)
        return self.act("acknowledge", row, code, version=self.fresh(instruction).current)

    def handed_in(self, instruction: Instruction, code: str, **more: Any) -> Assignment:
        """A part whose final feedback is in."""
        row = self.acknowledged(instruction, code)
        given = {"version": row.instruction.current, "percent": 100, "text": "Done", "final": True} | more
        return self.act("feedback", row, code, **given)


TREE = (
    ("city", None, "bureau"),
    ("centre", "city", "command_centre"),
    ("fire", "city", "bureau"),
    ("police", "city", "bureau"),
    ("health", "city", "bureau"),
    ("district", "city", "district"),
    ("dcentre", "district", "command_centre"),
    ("dfire", "district", "bureau"),
    ("dpolice", "district", "bureau"),
    ("town", "dfire", "town"),
    ("village", "town", "town"),
    ("hamlet", "village", "town"),
    ("stranger", None, "neighbouring"),
)
POSTS = ("duty_officer", "commander", "head", "approver", "observer")


def build(**incident: Any) -> World:
    """Make the city and open its incident, commanded by the centre, led by the fire bureau, police in support."""
    world = World()
    tag = next(_count)
    for code, parent, kind in TREE:
        above = world.departments.get(parent) if parent else None
        made = Department.objects.create(
            code=f"{code}-{tag}",
            kind=kind,
            name_zh=code,
            name_en=code,
            short_zh=code[:6],
            short_en=code[:14],
            parent=above,
        )
        made.path = f"{above.path if above else '/'}{made.pk}/"
        made.save(update_fields=["path"])
        world.departments[code] = made
        world.actors |= _people(made, code, tag)
    call_command("load_policies", stdout=io.StringIO())
    world.incident = incidents.open_incident(
        actor=world.who("centre.commander"),
        now=T0,
        type="accident.chemical.explosion",
        headline_en="Explosion",
        lead_department_id=world.id("fire"),
        commander_department_id=world.id("centre"),
        **({"response_level": 2} | incident),
    )
    for code in ("police", "district", "dfire"):
        incidents.ensure_participation(
            actor=world.who("centre"), now=T0, incident_id=world.incident.pk, department_id=world.id(code)
        )
    world.now = T0 + minutes(1)
    return world


def _people(department: Department, code: str, tag: int) -> dict[str, Actor]:
    people = Person.objects.bulk_create(
        Person(
            username=f"{code}-{kind}-{tag}", name_zh=f"{code} {kind}", name_en=f"{code} {kind}", phone="+8613800000000"
        )
        for kind in POSTS
    )
    posts = Post.objects.bulk_create(Post(department=department, kind=kind) for kind in POSTS)
    since = T0 - timedelta(days=30)
    Membership.objects.bulk_create(
        Membership(person=person, post=post, valid_from=since) for person, post in zip(people, posts, strict=True)
    )
    found = {
        f"{code}.{kind}": Actor("person", person.pk, department.pk, frozenset({kind}))
        for kind, person in zip(POSTS, people, strict=True)
    }
    found[f"{code}.client"] = Actor(
        "client", department.pk * 1000, department.pk, frozenset(), frozenset({"instructions:write"})
    )
    return found

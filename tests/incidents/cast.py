"""A coastal city with its command centre, bureaus, a district, a plant, a ministry and a neighbour."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import Department, Membership, Person, Post
from coordination.events.actor import Actor
from incidents import actions
from incidents.models import Incident
from sharing import access

T0 = datetime(2026, 6, 18, 4, 28, tzinfo=UTC)
POSTS = ("duty_officer", "commander", "head")


@dataclass
class City:
    """Departments by code, and an actor of each who is duty officer, commander and head at once."""

    departments: dict[str, Department] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    def __getitem__(self, code: str) -> Department:
        return self.departments[code]

    def actor(self, code: str, *posts: str) -> Actor:
        """Somebody of this department with these posts (all three where none is named)."""
        return Actor("person", self.people[code].pk, self[code].pk, frozenset(posts or POSTS), language="en")

    def add(self, code: str, kind: str, parent: str | None = None) -> None:
        """One more department with one person in it."""
        above = self[parent] if parent else None
        made = Department.objects.create(
            code=code, kind=kind, name_zh=f"{code}单位", name_en=code.title(), short_zh=code[:6], short_en=code[:14],
            parent=above,
        )
        made.path = f"{above.path if above else '/'}{made.pk}/"
        made.save(update_fields=["path"])
        person = Person.objects.create(username=f"{code}-1", name_zh=f"{code}人", name_en=f"{code} person")
        for kind_of_post in POSTS:
            post = Post.objects.create(department=made, kind=kind_of_post)
            Membership.objects.create(person=person, post=post, valid_from=T0 - timedelta(days=365))
        self.departments[code], self.people[code] = made, person


def build() -> City:
    """The city."""
    city = City()
    city.add("ministry", "ministry")
    city.add("city", "bureau", "ministry")
    city.add("centre", "command_centre", "city")
    city.add("watch", "monitoring_centre", "city")
    city.add("fire", "bureau", "city")
    city.add("health", "bureau", "city")
    city.add("traffic", "bureau", "city")
    city.add("district", "district", "city")
    city.add("street", "town", "district")
    city.add("plant", "enterprise", "district")
    city.add("neighbour", "neighbouring")
    return city


def explosion(city: City, now: datetime = T0, **more: Any) -> Incident:
    """An incident led by fire, opened and commanded by the command centre."""
    values = {
        "type": "accident.chemical.explosion", "headline_zh": "乙二醇装置爆炸", "headline_en": "Glycol unit explosion",
        "lead_department_id": city["fire"].pk, **more,
    }
    return actions.open_incident(actor=city.actor("centre"), now=now, **values)


def fresh(incident: Incident) -> Incident:
    """The incident as it stands in the database now."""
    found: Incident = access.unscoped(Incident, reason="a test looks").get(pk=incident.pk)
    return found

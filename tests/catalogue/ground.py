"""Three departments with a data steward each, and entries of the catalogue made as they make them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from accounts import actions as accounts
from accounts.models import Department, Membership, Person
from coordination.events.actor import SYSTEM, Actor
from sharing.catalogue import actions
from sharing.catalogue.models import Dataset, LegalBasis

T0 = datetime(2026, 6, 18, 4, 28, tzinfo=UTC)
SCHEMA: dict[str, Any] = {
    "fields": [
        {"name": "id", "type": "string", "title_zh": "编号", "title_en": "Number", "constraints": {"required": True}},
        {"name": "beds", "type": "integer", "title_zh": "床位", "title_en": "Beds", "filterable": True},
        {
            "name": "phone", "type": "string", "title_zh": "联系电话", "title_en": "Telephone", "classification": 3,
            "mask": "partial",
        },
    ],
    "primaryKey": ["id"],
}


@dataclass
class Ground:
    """Departments by code; each has a steward and a duty officer."""

    departments: dict[str, Department] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    now: datetime = T0

    def actor(self, code: str, post: str = "data_steward") -> Actor:
        """Somebody of this department, in this post."""
        person = self.people[f"{code}/{post}"]
        return Actor("person", person.pk, self.departments[code].pk, frozenset({post}), language="en")

    def basis(self, **more: Any) -> LegalBasis:
        """A legal basis in force, entered by the health office."""
        given = {"instrument_zh": "传染病防治法", "article": "38", "in_force_from": date(2020, 1, 1)} | more
        return actions.add_legal_basis(actor=self.actor("health"), now=self.now, **given)

    def draft(self, code: str = "beds", by: str = "health", **more: Any) -> Dataset:
        """A draft."""
        given = {
            "title_zh": f"{code}数据", "title_en": f"Data of {code}", "frequency": "daily", "contact": "data room"
        }
        return actions.draft(actor=self.actor(by), now=self.now, code=code, **(given | more))

    def published(self, code: str = "beds", by: str = "health", **more: Any) -> Dataset:
        """An entry that is in the catalogue, with a schema."""
        row = self.draft(code, by, **more)
        actions.add_schema(actor=self.actor(by), now=self.now, dataset_id=row.pk, schema=SCHEMA)
        return actions.publish(actor=self.actor(by), now=self.now, dataset_id=row.pk)

    def confidential(self, code: str = "secret", by: str = "health", **more: Any) -> Dataset:
        """One of class 4."""
        given = {"sharing": "none", "classification": 4, "legal_basis_id": self.basis(article=f"4-{code}").pk} | more
        return self.published(code, by, **given)


def build() -> Ground:
    """The departments and their people."""
    ground = Ground()
    for code in ("health", "fire", "water"):
        department = accounts.add_department(
            actor=SYSTEM, now=T0, code=code, kind="bureau", name_zh=f"{code}局", name_en=f"{code.title()} office",
            short_zh=code[:6], short_en=code[:14],
        )  # fmt: skip
        ground.departments[code] = department
        for post in ("data_steward", "duty_officer"):
            person = Person.objects.create(username=f"{code}-{post}", name_en=f"{code} {post}")
            accounts.appoint(
                actor=SYSTEM, now=T0 - timedelta(days=1), department_id=department.pk, person_id=person.pk, post=post
            )
            ground.people[f"{code}/{post}"] = person
    return ground


def held(ground: Ground, code: str, post: str = "data_steward") -> Membership:
    """The membership that gives somebody their post."""
    return Membership.objects.get(person=ground.people[f"{code}/{post}"])
